"""A write that says it worked and did not: run whole, answered, and rolled back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from crmsync.sandbox.faults.exchange import Answer
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg


class _Undone(Exception):
    """Leaves the transaction, so that nothing of it stays."""


async def run_in_vain(crm: SalesforceOrg | HubSpotPortal, request: Callable[[], Awaitable[Answer]]) -> Answer:
    """The request must wait for nothing: the transaction is open meanwhile."""
    with _org_as_it_was(crm) if isinstance(crm, SalesforceOrg) else _portal_as_it_was(crm):
        return await request()


@contextmanager
def _org_as_it_was(org: SalesforceOrg) -> Iterator[None]:
    version = org.schema.version
    try:
        with org.store.transaction():
            yield
            raise _Undone
    except _Undone:
        if org.schema.version != version:
            org.reload_schema()


@contextmanager
def _portal_as_it_was(portal: HubSpotPortal) -> Iterator[None]:
    writes = portal.write_count()
    try:
        with portal.database.transaction():
            yield
            raise _Undone
    except _Undone:
        portal.count_writes(writes - portal.write_count())

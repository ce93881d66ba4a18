"""The worlds that a sandbox can start with, the same in both CRMs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from crmsync.sandbox.world.base import FixtureMissing
from crmsync.sandbox.world.generate import build_blank_world, build_demo_world, build_small_world
from crmsync.sandbox.world.model import World

if TYPE_CHECKING:
    from crmsync.sandbox.hubspot.portal import HubSpotPortal
    from crmsync.sandbox.salesforce.org import SalesforceOrg

__all__ = ["WORLDS", "FixtureMissing", "World", "build_world", "load_world"]

WORLDS: Mapping[str, Callable[[date], World]] = MappingProxyType(
    {"demo": build_demo_world, "small": build_small_world, "blank": build_blank_world}
)
"""``demo``: everything. ``small``: the scenarios and a little of the base, for tests. ``blank``: people only."""


def build_world(name: str, now: datetime) -> World:
    """The named world as of the UTC day of ``now``."""
    return WORLDS[name](now.astimezone(UTC).date())


def load_world(name: str, salesforce: SalesforceOrg | None, hubspot: HubSpotPortal | None, now: datetime) -> World:
    """Fill freshly made CRMs, one or both.

    :raises KeyError: for a name that is not in :data:`WORLDS`.
    :raises FixtureMissing: when the demo data is not in the checkout.
    """
    from crmsync.sandbox.world.to_hubspot import load_hubspot
    from crmsync.sandbox.world.to_salesforce import load_salesforce

    world = build_world(name, now)
    if salesforce is not None:
        load_salesforce(world, salesforce)
    if hubspot is not None:
        load_hubspot(world, hubspot)
    return world

"""Metrics of the mirror: every neighbourhood decided as it stands now, and added up. No CRM is called."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.diagnostics import did_you_mean
from crmsync.errors import StoreError, UsageError
from crmsync.records import Partner
from crmsync.rules import decide
from crmsync.rules.metrics import Metrics, Window
from crmsync.sync.facts import Reader
from crmsync.sync.session import Session


def measure(session: Session, window: Window, *, partner: str = "", by: str = "") -> Metrics:
    """The metrics of all partners, of one, or by groups. Neighbourhoods stream; a tally keeps a few values a deal.

    :param partner: id or name.
    :param by: one of :data:`crmsync.rules.metrics.GROUPS`, or "".
    :raises StoreError: when nothing was synced yet.
    :raises UsageError: for a partner that the mirror does not know.
    """
    store = session.store
    if not any(store.count(name) for name in store.objects()):
        raise StoreError("nothing was synced yet, there is no mirror to measure", hint="crmsync sync", code="E540")
    chosen = _partner_id(session, partner) if partner else None
    metrics = Metrics(session.policy, session.now, window=window, partner_id=chosen, by=by)
    for done, neighbourhood in enumerate(Reader(session).neighbourhoods(store.seeds())):
        metrics.add(neighbourhood.facts, decide(neighbourhood.facts, session.policy, session.now))
        if done % 50 == 0:
            session.progress.step("measure", done)
    return metrics


def _partner_id(session: Session, wanted: str) -> str:
    names: dict[str, str] = {}
    for partner in _partners(session):
        if wanted in (partner.id, partner.name):
            return partner.id
        names[(partner.name or partner.id).casefold()] = partner.id
    if wanted.casefold() in names:
        return names[wanted.casefold()]
    hint = did_you_mean(wanted.casefold(), names) or "give the partner's name or the id of its record"
    raise UsageError(f"no partner '{wanted}' in the mirror", hint=hint)


def _partners(session: Session) -> Iterator[Partner]:
    if "partner" not in session.mapping.kinds:
        return
    name = session.mapping.object_of("partner")
    for row in session.store.rows(name):
        yield from (record for record in session.mapping.read(name, row).records if isinstance(record, Partner))

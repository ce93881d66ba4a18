"""How a comparison of two policies looks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from crmsync.cli.render import Line, Rows, styled
from crmsync.cli.words import count, place, shorten, show_value

if TYPE_CHECKING:
    from crmsync.sync.flips import Flip, PartnerSums, Sum
    from crmsync.sync.whatif import WhatIf

MOST_PARTNERS = 15


def what_if_lines(outcome: WhatIf) -> Iterator[Line]:
    """Attribution, partners, protection, findings, the cost, and what the comparison cannot say."""
    flips = outcome.flips
    since = f", created or closed since {outcome.since}" if outcome.since else ""
    yield styled((f"policy {outcome.policy} → {outcome.new_policy}", "bold"), f"   {outcome.connection}")
    size = f"{count(flips.deals, 'deal')}{since}, in {count(outcome.neighbourhoods, 'neighbourhood')}"
    yield f"{size}, at {outcome.now:%F %R} UTC"
    yield ""
    if not (flips.fields or flips.opened or flips.closed):
        yield styled(("Nothing would flip", "green"), ": both policies decide the same.")
    yield from _attribution(outcome)
    yield from _partners(outcome)
    yield from _protections(outcome)
    yield from _findings(outcome)
    yield from _cost(outcome)
    yield ""
    yield styled((f"Not replayed: {outcome.not_replayed}", "dim"))


def _attribution(outcome: WhatIf) -> Iterator[Line]:
    flips = outcome.flips.attribution
    if not flips:
        return
    ranked = sorted(flips.items(), key=lambda item: (-item[1].deals, item[0]))
    head = ("Attribution", "to", "deals", outcome.currency)
    yield Rows(head, [(old, new, f"{s.deals:,}", _money(s)) for (old, new), s in ranked], right=(2, 3))
    yield from _examples(outcome, "attribution")
    yield ""


def _partners(outcome: WhatIf) -> Iterator[Line]:
    changed = [sums for sums in outcome.flips.partners.values() if sums.changes]
    if not changed:
        return
    ranked = sorted(changed, key=lambda sums: (-_moved(sums), sums.name))
    rows = [
        (
            sums.name,
            f"{_money(sums.sourced_before)} → {_money(sums.sourced_after)}",
            f"{_money(sums.influenced_before)} → {_money(sums.influenced_after)}",
        )
        for sums in ranked[:MOST_PARTNERS]
    ]
    yield Rows(("Partner", f"sourced ({outcome.currency})", f"influenced ({outcome.currency})"), rows, right=(1, 2))
    if len(ranked) > MOST_PARTNERS:
        yield styled((f"… {count(len(ranked) - MOST_PARTNERS, 'more partner')} (--json has all)", "dim"))
    yield ""


def _moved(sums: PartnerSums) -> float:
    return float(
        abs(sums.sourced_after.amount - sums.sourced_before.amount)
        + abs(sums.influenced_after.amount - sums.influenced_before.amount)
    )


def _protections(outcome: WhatIf) -> Iterator[Line]:
    numbers = outcome.flips.protections
    if not numbers:
        return
    parts = [f"{numbers[sort]:,} {sort}" for sort in ("gained", "lost", "moved") if numbers[sort]]
    yield styled(("Protection", "bold"), f"  {' · '.join(parts)}")
    for sort in ("gained", "lost", "moved"):
        yield from _examples(outcome, sort)
    yield ""


def _findings(outcome: WhatIf) -> Iterator[Line]:
    flips = outcome.flips
    codes = sorted(flips.opened.keys() | flips.closed.keys())
    if not codes:
        return
    rows = [(code, f"{flips.opened[code]:,}", f"{flips.closed[code]:,}") for code in codes]
    yield Rows(("Finding", "opened", "closed"), rows, right=(1, 2))
    for sort in ("opened", "closed"):
        yield from _examples(outcome, sort)
    yield ""


def _cost(outcome: WhatIf) -> Iterator[Line]:
    from crmsync.sync.whatif import ESTIMATE

    records = sum(outcome.records.values())
    by_object = ", ".join(f"{name} {number:,}" for name, number in sorted(outcome.records.items()))
    where = f" ({by_object})" if by_object else ""
    yield styled(
        ("Cost", "bold"),
        f"  {count(outcome.field_writes, 'field')} of {count(records, 'record')}{where},"
        f" {count(outcome.tasks, 'task')}, about {count(outcome.calls, 'API call')}",
    )
    yield styled((f"      {ESTIMATE}", "dim"))


def _examples(outcome: WhatIf, sort: str) -> Iterator[Line]:
    for flip in outcome.flips.examples.get(sort, ()):
        yield styled(
            f"  {flip.kind} ",
            (flip.label, "bold"),
            (f" ({flip.id})  ", "dim"),
            (_values(flip), "cyan"),
            f"  {shorten(flip.reason, 90)}",
            (f"  {place(flip.where)}" if flip.where else "", "dim"),
        )


def _values(flip: Flip) -> str:
    if flip.sort in ("opened", "closed"):
        return f"{flip.sort} {flip.new}"
    return f"{show_value(flip.old)} → {show_value(flip.new)}"


def _money(total: Sum) -> str:
    """The amount, and how many deals are not in it because they have none, or no rate is known."""
    return f"{total.amount:,.0f}" + (f" (+{total.without_amount} unknown)" if total.without_amount else "")


def what_if_data(outcome: WhatIf) -> dict[str, Any]:
    """The JSON form: tables as lists of rows."""
    flips = outcome.flips
    return {
        "connection": outcome.connection,
        "system": outcome.system,
        "at": outcome.now,
        "since": outcome.since,
        "policy": outcome.policy,
        "new_policy": outcome.new_policy,
        "currency": outcome.currency,
        "neighbourhoods": outcome.neighbourhoods,
        "deals": flips.deals,
        "attribution": [{"from": a, "to": b, **asdict(s)} for (a, b), s in sorted(flips.attribution.items())],
        "partners": [asdict(sums) for _, sums in sorted(flips.partners.items()) if sums.changes],
        "protections": {sort: flips.protections[sort] for sort in ("gained", "lost", "moved")},
        "fields": dict(sorted(flips.fields.items())),
        "findings": {"opened": dict(sorted(flips.opened.items())), "closed": dict(sorted(flips.closed.items()))},
        "cost": {
            "records": dict(sorted(outcome.records.items())),
            "fields": outcome.field_writes,
            "tasks": outcome.tasks,
            "api_calls": outcome.calls,
        },
        "examples": {sort: [asdict(flip) for flip in found] for sort, found in flips.examples.items()},
        "not_replayed": outcome.not_replayed,
    }

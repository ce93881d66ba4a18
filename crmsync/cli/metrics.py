"""``metrics``: what the partner programme brings, from the mirror alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from crmsync.cli.app import App, command
from crmsync.cli.render import Line, Rows, styled
from crmsync.rules.metrics import GROUPS, Window

_DAY = click.DateTime(["%Y-%m-%d"])
_SHOWN_OF_GROUPS = ("revenue", "sourced_revenue", "influenced_revenue", "open_pipeline", "win_rate_closed")
_WORDS = {
    "revenue": "Revenue of deals won with partners",
    "sourced_revenue": "  of it sourced",
    "influenced_revenue": "  of it influenced",
    "attributed_revenue": "  sourced or influenced, each deal once",
    "open_pipeline": "Open pipeline",
    "weighted_pipeline": "  weighted by probability",
    "sourced_open_pipeline": "  of it sourced",
    "total_deals": "Partner deals created",
    "open_deal_count": "  open now",
    "won_deal_count": "Deals won",
    "won_deal_value": "  their value",
    "average_deal_size": "Average deal, of all with an amount",
    "average_won_deal_size": "  of those won",
    "average_sales_cycle_days": "Average sales cycle, days",
    "win_rate_closed": "Win rate, of closed deals",
    "win_rate_pursued": "  of all pursued",
    "direct_win_rate_closed": "  of closed deals without a partner",
    "registrations_submitted": "Registrations submitted",
    "registrations_decided": "  decided",
    "approval_rate": "  approved, of those decided",
    "median_approval_hours": "  median time to decide, hours",
    "registration_conversion_rate": "  became a deal that was won",
    "registration_to_win_days": "  from submission to that, days",
    "conflict_rate": "  in conflict",
    "deals_without_amount": "Deals without an amount or a rate",
}


@command()
@click.option("--partner", default="", metavar="NAME", help="Only what this partner has a share in: name or id.")
@click.option(
    "--by", type=click.Choice(GROUPS), default=None, help="A line for each partner, type of partner, or tier."
)
@click.option("--since", type=_DAY, help="From this day on: deals by creation or close, registrations by submission.")
@click.option("--until", type=_DAY, help="Up to this day, included.")
def metrics(app: App, partner: str, by: str | None, since: datetime | None, until: datetime | None) -> int:
    """Add up revenue, pipeline, win rates and registrations. Reads the mirror; no CRM is called."""
    from crmsync.sync.measure import measure

    window = Window(_day(since), _day(until))
    with app.session(readonly=True) as session:
        found = measure(session, window, partner=partner, by=by or "")
        currency = session.policy.model.fx.corporate
    values = found.all.values()
    groups = {name: tally.values() for name, tally in sorted(found.groups.items())}
    data: dict[str, Any] = {
        "currency": currency,
        "since": window.since,
        "until": window.until,
        "partner": partner or None,
        "by": by,
    }
    data |= {"metrics": _plain(values), "groups": {name: _plain(row) for name, row in groups.items()}}
    app.render.show("metrics", data, lambda: _lines(values, groups, currency, by))
    return 0


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Decimals as text, as everywhere in our JSON: no reader then rounds them."""
    return {name: _as_json(value) for name, value in values.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return format(value, "f") if isinstance(value, Decimal) else value


def _lines(
    values: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]], currency: str, by: str | None
) -> Iterator[Line]:
    yield styled((f"Amounts in {currency}", "dim"))
    yield Rows(("metric", ""), [(_WORDS[name], _shown(name, values[name])) for name in _WORDS], right=(1,))
    if months := values["revenue_by_month"]:
        yield ""
        yield Rows(
            ("month won", "revenue"), [(month, f"{amount:,.2f}") for month, amount in months.items()], right=(1,)
        )
    if groups:
        yield ""
        head = (by or "", *(_WORDS[name].strip() for name in _SHOWN_OF_GROUPS))
        ranked = sorted(groups.items(), key=lambda item: (-item[1]["revenue"], item[0]))
        rows = [(name, *(_shown(n, row[n]) for n in _SHOWN_OF_GROUPS)) for name, row in ranked]
        yield Rows(head, rows, right=tuple(range(1, len(head))))


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if "rate" in name:
        return f"{value * 100:.1f} %"
    if isinstance(value, Decimal):
        return f"{value:,.1f}" if name.endswith(("_days", "_hours")) else f"{value:,.2f}"
    return f"{value:,}"

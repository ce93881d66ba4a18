"""What a partner programme brings: revenue, pipeline, win rates, speed. Pure sums over decided deals and registrations.

The formulas are the field's usual ones; where its sources differ, both readings have a name of their own
(docs/metrics.md). Amounts are in the policy's corporate currency; what cannot be computed is ``None``, never zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from crmsync.records import Attribution, ConflictStatus, Deal, Partner, Registration, RegistrationState, Stage
from crmsync.rules.decision import Credit, Decision, Facts
from crmsync.rules.policy import Policy
from crmsync.rules.situation import Situation

_HOUR = 3600
_CENT, _FINE, _TENTH = Decimal("0.01"), Decimal("0.0001"), Decimal("0.1")

GROUPS = ("partner", "partner_type", "tier")
"""By what metrics can be told apart."""
UNKNOWN = "(none)"


@dataclass(frozen=True, slots=True)
class Window:
    """Days that count, both included; ``None`` is open."""

    since: date | None = None
    until: date | None = None

    def holds(self, day: date | None) -> bool:
        """Whether the day lies in it. What has no day lies in an open window only."""
        if day is None:
            return self.since is None and self.until is None
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class CountedDeal:
    """A deal as the metrics see it. ``amount`` is in corporate currency; ``None`` where it, or its rate, is unknown."""

    amount: Decimal | None
    stage: Stage | None
    probability: Decimal | None
    created_on: date | None
    closed_on: date | None
    sourced: Decimal | None
    """What of the amount counts as sourced, and as influenced; ``None`` where nothing does."""
    influenced: Decimal | None

    @property
    def is_won(self) -> bool:
        return self.stage == Stage.CLOSED_WON

    @property
    def is_open(self) -> bool:
        return self.stage not in (Stage.CLOSED_WON, Stage.CLOSED_LOST)

    @property
    def is_attributed(self) -> bool:
        return self.sourced is not None or self.influenced is not None

    @property
    def cycle_days(self) -> int | None:
        """Calendar days from creation to close."""
        return (self.closed_on - self.created_on).days if self.created_on and self.closed_on else None


@dataclass(slots=True)
class Tally:
    """The deals and registrations of one group, as far as the metrics need them."""

    window: Window = field(default_factory=Window)
    created: list[CountedDeal] = field(default_factory=list)
    """Deals created in the window; ``closed``: those closed in it; ``open``: those that are open now."""
    closed: list[CountedDeal] = field(default_factory=list)
    open: list[CountedDeal] = field(default_factory=list)
    direct_won: int = 0
    direct_closed: int = 0
    submitted: int = 0
    converted: int = 0
    approved: int = 0
    refused: int = 0
    in_conflict: int = 0
    hours_to_decide: list[Decimal] = field(default_factory=list)
    days_to_win: list[int] = field(default_factory=list)

    def add_deal(self, deal: CountedDeal) -> None:
        if self.window.holds(deal.created_on):
            self.created.append(deal)
        if deal.is_open:
            self.open.append(deal)
        elif self.window.holds(deal.closed_on):
            self.closed.append(deal)

    def add_direct(self, deal: CountedDeal) -> None:
        """A deal without a partner, to compare with."""
        if not deal.is_open and self.window.holds(deal.closed_on):
            self.direct_closed += 1
            self.direct_won += deal.is_won

    def values(self) -> dict[str, Any]:
        """Every metric by name: Decimals, whole numbers, ``None``, and revenue by month as ``{"2026-01": …}``."""
        won = [deal for deal in self.closed if deal.is_won]
        return {**self._money(won), **self._deals(won), **self._registrations()}

    def _money(self, won: Sequence[CountedDeal]) -> dict[str, Any]:
        revenue = _sum(deal.amount for deal in won)
        by_month: dict[str, Decimal] = defaultdict(Decimal)
        for deal in won:
            if deal.closed_on and deal.amount is not None:
                by_month[f"{deal.closed_on:%Y-%m}"] += deal.amount
        return {
            "revenue": revenue,
            "revenue_by_month": dict(sorted(by_month.items())),
            "sourced_revenue": _sum(deal.sourced for deal in won),
            "influenced_revenue": _sum(deal.influenced for deal in won),
            "attributed_revenue": _sum(deal.amount for deal in won if deal.is_attributed),
            "open_pipeline": _sum(deal.amount for deal in self.open),
            "weighted_pipeline": _sum(_weighted(deal) for deal in self.open),
            "sourced_open_pipeline": _sum(deal.sourced for deal in self.open),
            "deals_without_amount": sum(deal.amount is None for deal in (*self.closed, *self.open)),
        }

    def _deals(self, won: Sequence[CountedDeal]) -> dict[str, Any]:
        cycles = [days for deal in won if (days := deal.cycle_days) is not None]
        return {
            "total_deals": len(self.created),
            "open_deal_count": len(self.open),
            "won_deal_count": len(won),
            "won_deal_value": _sum(deal.amount for deal in won),
            "average_deal_size": _mean([d.amount for d in self.created if d.amount is not None], _CENT),
            "average_won_deal_size": _mean([d.amount for d in won if d.amount is not None], _CENT),
            "average_sales_cycle_days": _mean([Decimal(days) for days in cycles], _TENTH),
            "win_rate_closed": _ratio(len(won), len(self.closed)),
            "win_rate_pursued": _ratio(sum(deal.is_won for deal in self.created), len(self.created)),
            "direct_win_rate_closed": _ratio(self.direct_won, self.direct_closed),
        }

    def _registrations(self) -> dict[str, Any]:
        decided = self.approved + self.refused
        hours = Decimal(median(self.hours_to_decide)).quantize(_TENTH) if self.hours_to_decide else None
        return {
            "registrations_submitted": self.submitted,
            "registrations_decided": decided,
            "approval_rate": _ratio(self.approved, decided),
            "median_approval_hours": hours,
            "registration_conversion_rate": _ratio(self.converted, self.submitted),
            "registration_to_win_days": _mean([Decimal(days) for days in self.days_to_win], _TENTH),
            "conflict_rate": _ratio(self.in_conflict, self.submitted),
        }


class Metrics:
    """Adds neighbourhoods up, in one tally for all and one for each group.

    :param partner_id: count only what this partner has a share in.
    :param by: one of :data:`GROUPS`, or ``None``.
    """

    def __init__(
        self,
        policy: Policy,
        now: datetime,
        *,
        window: Window | None = None,
        partner_id: str | None = None,
        by: str = "",
    ) -> None:
        self._policy, self._now = policy, now
        self._window = window or Window()
        self._partner_id, self._by = partner_id, by
        self.all = Tally(self._window)
        self.groups: dict[str, Tally] = {}

    def add(self, facts: Facts, decision: Decision) -> None:
        """Count one neighbourhood as it was decided."""
        situation = Situation(facts, self._policy, self._now)
        decided = {(row.kind, row.id, row.field): row.value for row in decision.fields}
        credits_: dict[str, list[Credit]] = defaultdict(list)
        for credit in decision.credits:
            credits_[credit.deal_id].append(credit)
        # a lost deal has no credit to share, and still counts among those that were pursued with a partner
        helped = (row for row in decision.fields if (row.kind, row.field) == ("deal", "influencing_partners"))
        helpers = {row.id: frozenset(row.evidence) for row in helped}
        for deal in situation.deals.values():
            self._add_deal(deal, decided, credits_[deal.id], helpers.get(deal.id, frozenset()), situation)
        for registration in situation.registrations.values():
            self._add_registration(registration, decided, situation)

    # ------------------------------------------------------------------ deals

    def _add_deal(
        self,
        deal: Deal,
        decided: Mapping[tuple[str, str, str], Any],
        credits_: Sequence[Credit],
        helpers: frozenset[str],
        situation: Situation,
    ) -> None:
        def value(name: str) -> Any:
            return decided.get(("deal", deal.id, name), getattr(deal, name))

        partner_id = situation.resolve(value("partner_id"))
        involved = {credit.partner_id for credit in credits_} | helpers
        involved |= {partner_id} if partner_id else set()
        if not involved:
            self.all.add_direct(self._counted(deal, value("attribution"), (), situation))
            return
        if self._partner_id is None or self._partner_id in involved:
            own = [c for c in credits_ if self._partner_id in (None, c.partner_id)]
            self.all.add_deal(self._counted(deal, value("attribution"), own, situation))
        for group in self._groups_of(involved, situation) if self._by else ():
            own = [c for c in credits_ if group in self._groups_of({c.partner_id}, situation)]
            self._tally(group).add_deal(self._counted(deal, value("attribution"), own, situation))

    def _counted(
        self, deal: Deal, attribution: Attribution | None, credits_: Sequence[Credit], situation: Situation
    ) -> CountedDeal:
        day_of = situation.timeline.day_of
        amount = situation.in_corporate(deal.amount, deal.currency, deal.created_at)
        closed_on = deal.close_date or (day_of(deal.closed_at) if deal.closed_at else None)
        return CountedDeal(
            amount=amount,
            stage=deal.stage,
            probability=deal.probability,
            created_on=day_of(deal.created_at) if deal.created_at else None,
            closed_on=closed_on,
            sourced=_share("sourced", credits_, amount) if attribution == Attribution.SOURCED else None,
            influenced=_share("influenced", credits_, amount),
        )

    # ------------------------------------------------------------------ registrations

    def _add_registration(
        self, registration: Registration, decided: Mapping[tuple[str, str, str], Any], situation: Situation
    ) -> None:
        submitted_at = registration.submitted_at
        if submitted_at is None or not self._window.holds(situation.timeline.day_of(submitted_at)):
            return

        def value(name: str) -> Any:
            return decided.get(("registration", registration.id, name), getattr(registration, name))

        partner_id = situation.resolve(value("partner_id"))
        tallies = [self.all] if self._partner_id in (None, partner_id) else []
        if self._by and partner_id:
            tallies += [self._tally(group) for group in self._groups_of({partner_id}, situation)]
        deal = situation.all_deals.get(value("deal_id") or "")
        state, in_conflict = value("state"), value("conflict_status") not in (None, ConflictStatus.NONE)
        for tally in tallies:
            _count_registration(tally, registration, state, deal, in_conflict=in_conflict)

    # ------------------------------------------------------------------ groups

    def _tally(self, group: str) -> Tally:
        return self.groups.setdefault(group, Tally(self._window))

    def _groups_of(self, partner_ids: Iterable[str], situation: Situation) -> set[str]:
        return {self._group_of(situation.partner(pid), pid) for pid in partner_ids}

    def _group_of(self, partner: Partner | None, partner_id: str) -> str:
        if self._by == "partner":
            return (partner.name if partner else None) or partner_id
        found = getattr(partner, "type" if self._by == "partner_type" else "tier", None)
        return str(found or UNKNOWN)


def _count_registration(
    tally: Tally, registration: Registration, state: Any, deal: Deal | None, *, in_conflict: bool
) -> None:
    tally.submitted += 1
    tally.in_conflict += in_conflict
    was_approved = registration.approved_at is not None or state == RegistrationState.APPROVED
    is_refused = not was_approved and state == RegistrationState.REJECTED
    tally.approved += was_approved
    tally.refused += is_refused
    decided_at = registration.decided_at or registration.approved_at
    submitted_at = registration.submitted_at
    if decided_at and submitted_at and (was_approved or is_refused) and decided_at >= submitted_at:
        tally.hours_to_decide.append(Decimal(round((decided_at - submitted_at).total_seconds())) / _HOUR)
    if deal is not None and deal.stage == Stage.CLOSED_WON and was_approved:
        tally.converted += 1
        if deal.close_date and submitted_at:
            tally.days_to_win.append((deal.close_date - submitted_at.date()).days)


def _share(measure: str, credits_: Sequence[Credit], amount: Decimal | None) -> Decimal | None:
    """What of a deal counts for a measure, once however many partners share it; never more than the deal."""
    own = [credit for credit in credits_ if credit.measure == measure and credit.status != "in_review"]
    if not own or amount is None:
        return None
    percent = sum((credit.percent for credit in own if credit.status != "adjustment"), Decimal(0))
    return (amount * min(percent, Decimal(100)) / 100).quantize(_CENT)


def _weighted(deal: CountedDeal) -> Decimal | None:
    if deal.amount is None or deal.probability is None:
        return None
    return deal.amount * deal.probability / 100


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0)).quantize(_CENT)


def _mean(values: Sequence[Decimal], step: Decimal) -> Decimal | None:
    return (sum(values, Decimal(0)) / len(values)).quantize(step) if values else None


def _ratio(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(_FINE) if whole else None


METRICS: Mapping[str, Any] = Tally().values()
"""Every metric by name, with its value where nothing was counted."""

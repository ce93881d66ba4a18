"""Which of two claims weighs more: incumbency, certification, submission, in the order that the policy gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from crmsync.records import ConflictDecision, Deal, Motion, Stage
from crmsync.rules.certification import standing_of
from crmsync.rules.decision import Rule
from crmsync.rules.dossier import Dossier
from crmsync.rules.policy.types import Comparator
from crmsync.rules.situation import Situation
from crmsync.rules.timeline import add_length

ANY_PRODUCT = ""


@dataclass(frozen=True, slots=True)
class Incumbency:
    """The last won deal for an account and product."""

    partner_id: str | None
    deal_id: str
    won_on: date


class Incumbents:
    """Who holds the contracts of each account, product by product."""

    def __init__(self, partner_of: Mapping[str, str | None], situation: Situation) -> None:
        self._situation = situation
        self._won: dict[tuple[str, str], list[Incumbency]] = defaultdict(list)
        self._is_ours = not any(partner_of.values())
        """No partner is on any deal: nobody can be the incumbent."""
        for account_id, deals in situation.deals_at.items() if not self._is_ours else ():
            for deal in sorted(deals, key=lambda d: (d.close_date or date.min, d.id)):
                if deal.stage == Stage.CLOSED_WON and deal.close_date:
                    self._note(account_id, deal, partner_of.get(deal.id), deal.close_date)

    def _note(self, account_id: str, deal: Deal, partner_id: str | None, won_on: date) -> None:
        for product in deal.products or (ANY_PRODUCT,):
            self._won[account_id, product].append(Incumbency(partner_id, deal.id, won_on))

    def of(self, account_id: str | None, products: Sequence[str], *, before: date | None = None) -> Incumbency | None:
        """The latest incumbency over these products; ``None`` where we sold directly, or it has run out."""
        if account_id is None or self._is_ours:
            return None
        keys = [(account_id, product) for product in (*products, ANY_PRODUCT)]
        if not products:
            keys = [key for key in self._won if key[0] == account_id]
        found = [won for key in keys if (won := self._latest(key, before))]
        latest = max(found, key=lambda won: (won.won_on, won.deal_id), default=None)
        return latest if latest and latest.partner_id and self._lasts(latest) else None

    def _latest(self, key: tuple[str, str], before: date | None) -> Incumbency | None:
        won = self._won.get(key, ())
        return next((w for w in reversed(won) if before is None or w.won_on < before), None)

    def _lasts(self, won: Incumbency) -> bool:
        length = self._situation.policy.model.incumbency.lasts
        return length is None or not self._situation.timeline.over(add_length(won.won_on, length))


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the comparators look at; smaller is better."""

    registered: int
    incumbent: int
    certified: int
    earliest_submission: str


def _standing(dossier: Dossier, incumbents: Incumbents, situation: Situation) -> _Standing:
    holder = incumbents.of(dossier.match.account_id, dossier.record.products)
    certified = standing_of(dossier.partner_id, situation).status == "active"
    at = dossier.record.submitted_at
    return _Standing(
        registered=0,
        incumbent=0 if holder and holder.partner_id == dossier.partner_id else 1,
        certified=0 if certified else 1,
        earliest_submission=at.astimezone(UTC).isoformat() if at else "9999",
    )


@dataclass(frozen=True, slots=True)
class TieOrder:
    """The comparators for one motion, and the statement of the policy that lists them."""

    comparators: tuple[Comparator, ...]
    rule: Rule

    @property
    def puts_incumbents_first(self) -> bool:
        """Whether being the incumbent weighs more than having registered."""
        order = self.comparators
        if "incumbent" not in order:
            return False
        return "registered" not in order or order.index("incumbent") < order.index("registered")


def tie_order(motion: Motion | None, situation: Situation) -> TieOrder:
    policy = situation.policy
    own = policy.model.tie_order_by_motion.get(motion) if motion else None
    if own and motion:
        return TieOrder(own, policy.rule("tie_order_by_motion", motion.value))
    return TieOrder(policy.model.tie_order, policy.rule("tie_order"))


def letter_of(dossier: Dossier, situation: Situation) -> date | None:
    """The day of the customer's letter for this claim, where the policy heeds letters."""
    day = dossier.record.customer_letter_on
    heeded = "customer_letter" in situation.policy.model.uniqueness.overrides
    return day if heeded else None


def is_open_to_others(dossier: Dossier, situation: Situation) -> bool:
    """Whether the end user asked for offers of others too, where the policy heeds that."""
    day = dossier.record.open_to_others_on
    heeded = "end_user_request" in situation.policy.model.uniqueness.overrides
    return bool(day and heeded and situation.timeline.started(day))


def is_awarded(dossier: Dossier) -> bool:
    """Whether people gave this claim the business."""
    return dossier.record.conflict_decision == ConflictDecision.AWARD


def is_settled(dossier: Dossier) -> bool:
    """Whether people said that this claim stands beside all others."""
    return dossier.record.conflict_decision in (ConflictDecision.SPLIT, ConflictDecision.DISMISSED)


def motion_of(dossier: Dossier) -> Motion | None:
    return dossier.record.motion or (dossier.deal.motion if dossier.deal else None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Who of two should win; every comparator's outcome; the one that decided, and its rule."""

    winner: Dossier
    trace: tuple[str, ...]
    decisive: str
    rule: Rule


class Ranking:
    """Compares claims by the policy's comparators."""

    def __init__(self, incumbents: Incumbents, situation: Situation) -> None:
        self._incumbents = incumbents
        self._situation = situation
        self._standings: dict[str, _Standing] = {}

    def key(self, dossier: Dossier, order: TieOrder) -> tuple[object, ...]:
        """Sorts the best claim first; no tie is left to chance."""
        standing = self._standing(dossier)
        letter = letter_of(dossier, self._situation)
        return (
            0 if is_awarded(dossier) else 1,
            -letter.toordinal() if letter else 0,
            *(getattr(standing, name) for name in order.comparators),
            dossier.order,
        )

    def _standing(self, dossier: Dossier) -> _Standing:
        if dossier.id not in self._standings:
            self._standings[dossier.id] = _standing(dossier, self._incumbents, self._situation)
        return self._standings[dossier.id]

    def chosen(self, one: Dossier, other: Dossier) -> Dossier | None:
        """The claim that people gave the business; or else the one that the customer chose."""
        if is_awarded(one) != is_awarded(other):
            return one if is_awarded(one) else other
        return self.by_letter(one, other)

    def by_letter(self, one: Dossier, other: Dossier) -> Dossier | None:
        """The claim that the customer chose last, where the policy lets the customer choose."""
        mine, theirs = letter_of(one, self._situation), letter_of(other, self._situation)
        if mine == theirs:
            return None
        return one if (mine or date.min) > (theirs or date.min) else other

    def compare(self, one: Dossier, other: Dossier, order: TieOrder) -> Comparison:
        if is_awarded(one) != is_awarded(other):
            awarded = one if is_awarded(one) else other
            rule = self._situation.policy.rule("conflict")
            return Comparison(awarded, (f"decided by people: {awarded.label}",), "decided", rule)
        if chosen := self.by_letter(one, other):
            rule = self._situation.policy.rule("uniqueness", "overrides")
            return Comparison(chosen, (f"customer_letter: {chosen.label}",), "customer_letter", rule)
        if one.is_approved != other.is_approved:
            winner = one if one.is_approved else other
            rule = self._situation.policy.rule("uniqueness", "scope")
            return Comparison(winner, (f"approved outranks pending: {winner.label}",), "approved", rule)
        mine, theirs = self._standing(one), self._standing(other)
        trace: list[str] = []
        for name in order.comparators:
            a, b = getattr(mine, name), getattr(theirs, name)
            if a != b:
                winner = one if a < b else other
                return Comparison(winner, (*trace, f"{name}: {winner.label}"), name, order.rule)
            trace.append(f"{name}: tie")
        winner = min(one, other, key=lambda d: d.order)
        return Comparison(winner, (*trace, f"number: {winner.label}"), "number", order.rule)

"""Competing claims: who is asked to wait, who should win and why. People decide; the machine only holds the second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from crmsync.records import ClosureCode, ConflictStatus, Deal, Motion, RegistrationState, Stage
from crmsync.rules.certification import standing_of
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.policy.model import Comparator
from crmsync.rules.protection import is_open
from crmsync.rules.situation import Situation, shares_products
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
        for account_id, deals in situation.deals_at.items():
            for deal in sorted(deals, key=lambda d: (d.close_date or date.min, d.id)):
                if deal.stage == Stage.CLOSED_WON and deal.close_date:
                    self._note(account_id, deal, partner_of.get(deal.id), deal.close_date)

    def _note(self, account_id: str, deal: Deal, partner_id: str | None, won_on: date) -> None:
        for product in deal.products or (ANY_PRODUCT,):
            self._won[account_id, product].append(Incumbency(partner_id, deal.id, won_on))

    def of(self, account_id: str | None, products: Sequence[str], *, before: date | None = None) -> Incumbency | None:
        """The latest incumbency over these products; ``None`` where we sold directly, or it has run out."""
        if account_id is None:
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


# ---------------------------------------------------------------- ranking


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


def tie_order(motion: Motion | None, situation: Situation) -> tuple[Comparator, ...]:
    model = situation.policy.model
    return model.tie_order_by_motion.get(motion, model.tie_order) if motion else model.tie_order


def _motion(dossier: Dossier) -> Motion | None:
    return dossier.record.motion or (dossier.deal.motion if dossier.deal else None)


def _key(standing: _Standing, order: Sequence[Comparator]) -> tuple[object, ...]:
    return tuple(getattr(standing, name) for name in order)


def _incumbent_outranks(order: Sequence[Comparator]) -> bool:
    """Whether being the incumbent weighs more than having registered."""
    if "incumbent" not in order:
        return False
    return "registered" not in order or order.index("incumbent") < order.index("registered")


# ---------------------------------------------------------------- holding


class Conflicts:
    """Works through the customers of a neighbourhood and marks the dossiers."""

    def __init__(self, dossiers: Dossiers, incumbents: Incumbents, situation: Situation) -> None:
        self.dossiers = dossiers
        self.incumbents = incumbents
        self.situation = situation
        self.terms = situation.policy.model.uniqueness
        self._standings: dict[str, _Standing] = {}

    def resolve(self) -> None:
        exclusive = self.situation.policy.model.registration.kind == "exclusive"
        if exclusive and self.terms.second_registrant != "accept_all":
            for site in self.dossiers.at_site().values():
                self._resolve_site([d for d in site if d.is_approved or d.is_pending])
        for dossier in self.dossiers.all.values():
            self._free(dossier)
            if dossier.closure == ClosureCode.CONFLICT_LOST:
                dossier.conflict = ConflictStatus.RESOLVED

    def _resolve_site(self, claims: list[Dossier]) -> None:
        order = tie_order(_motion(claims[0]), self.situation) if claims else ()
        approved = [d for d in claims if d.is_approved and d.window and is_open(d.window, self.situation)]
        pending = sorted((d for d in claims if d.is_pending), key=lambda d: (_key(self._standing(d), order), d.order))
        free: list[Dossier] = []
        for dossier in pending:
            holder = self._first_rival(dossier, approved) or self._first_rival(dossier, free)
            if holder is None:
                free.append(dossier)
                self._hold_for_incumbent(dossier)
            elif self._is_lost(dossier, holder):
                self._reject(dossier, holder)
            else:
                self._hold(dossier, holder, order)
        self._confirm(approved, order)

    def _standing(self, dossier: Dossier) -> _Standing:
        if dossier.id not in self._standings:
            self._standings[dossier.id] = _standing(dossier, self.incumbents, self.situation)
        return self._standings[dossier.id]

    def _first_rival(self, dossier: Dossier, claims: Sequence[Dossier]) -> Dossier | None:
        return next((other for other in claims if self._competes(dossier, other)), None)

    def _competes(self, one: Dossier, other: Dossier) -> bool:
        if one.partner_id is None or one.partner_id == other.partner_id:
            return False
        return shares_products(one.record.products, other.record.products, self.terms.product_overlap)

    def _is_lost(self, dossier: Dossier, holder: Dossier) -> bool:
        """Rejected at once: by policy, or because it came while the holder's extension was being decided."""
        if not holder.is_approved or holder.window is None:
            return False
        if self.terms.second_registrant == "reject":
            return True
        if holder.window.extension != "granted":
            return False
        if self.situation.policy.model.extension.rivals_when_granted == "hold":
            return False
        submitted_at, granted_at = dossier.record.submitted_at, holder.record.extension_granted_at
        asked_at = holder.record.extension_requested_at
        return bool(submitted_at and asked_at and granted_at and asked_at <= submitted_at < granted_at)

    def _reject(self, dossier: Dossier, holder: Dossier) -> None:
        path = ("uniqueness", "second_registrant")
        if self.terms.second_registrant != "reject":
            path = ("extension", "rivals_when_granted")
        reason = f"Rejected: {holder.label} has the business protected."
        dossier.move(RegistrationState.REJECTED, "CONFLICT_LOST", reason, self.situation.policy.rule(*path))
        dossier.closure = ClosureCode.CONFLICT_LOST

    def _hold(self, dossier: Dossier, holder: Dossier, order: Sequence[Comparator]) -> None:
        rule = self.situation.policy.rule("uniqueness", "second_registrant")
        winner, trace, decisive = self._compare(holder, dossier, order)
        dossier.move(RegistrationState.ON_HOLD, "CONFLICT_PARTNER", f"On hold: {holder.label} comes first.", rule)
        dossier.blocked_by = holder.label
        self._mark(dossier, holder, winner, trace, decisive, ConflictStatus.SUSPECTED)
        if holder.is_pending:
            self._mark(holder, dossier, winner, trace, decisive, ConflictStatus.SUSPECTED)

    def _compare(
        self, one: Dossier, other: Dossier, order: Sequence[Comparator]
    ) -> tuple[Dossier, tuple[str, ...], str]:
        """The recommended winner, each comparator's outcome, and the one that decided."""
        if one.is_approved != other.is_approved:
            winner = one if one.is_approved else other
            return winner, (f"approved outranks pending: {winner.label}",), "approved"
        mine, theirs = self._standing(one), self._standing(other)
        trace: list[str] = []
        for name in order:
            a, b = getattr(mine, name), getattr(theirs, name)
            if a != b:
                winner = one if a < b else other
                return winner, (*trace, f"{name}: {winner.label}"), name
            trace.append(f"{name}: tie")
        winner = min(one, other, key=lambda d: d.order)
        return winner, (*trace, f"number: {winner.label}"), "number"

    def _mark(
        self,
        dossier: Dossier,
        rival: Dossier,
        winner: Dossier,
        trace: tuple[str, ...],
        decisive: str,
        status: ConflictStatus,
    ) -> None:
        situation = self.situation
        path = ("tie_order",) if decisive in tie_order(None, situation) else ("uniqueness", "scope")
        rule = situation.policy.rule(*path)
        if dossier.conflict != ConflictStatus.CONFIRMED:
            dossier.conflict = status
        dossier.conflict_rule = rule
        dossier.conflict_trace = (*dossier.conflict_trace, *(f"against {rival.label}: {line}" for line in trace))
        dossier.rivals.add(rival.id)
        message = (
            f"{rival.label} of {situation.partner_name(rival.partner_id)} claims the same business; "
            f"recommended: {winner.label} of {situation.partner_name(winner.partner_id)} ({decisive})"
        )
        situation.findings.add(
            "CONFLICT_PARTNER",
            "registration",
            dossier.id,
            message,
            rule,
            subject=rival.label,
            evidence=(winner.label, rival.label),
            severity="error" if status == ConflictStatus.CONFIRMED else "warning",
        )

    def _confirm(self, approved: Sequence[Dossier], order: Sequence[Comparator]) -> None:
        """Two approved claims to one business: nobody loses by machine, people decide."""
        for at, one in enumerate(approved):
            for other in approved[at + 1 :]:
                if self._competes(one, other):
                    winner, trace, decisive = self._compare(one, other, order)
                    self._mark(one, other, winner, trace, decisive, ConflictStatus.CONFIRMED)
                    self._mark(other, one, winner, trace, decisive, ConflictStatus.CONFIRMED)

    # ------------------------------------------------------------ incumbents

    def _hold_for_incumbent(self, dossier: Dossier) -> None:
        holder = self.incumbents.of(dossier.match.account_id, dossier.record.products)
        if holder is None or holder.partner_id == dossier.partner_id:
            return
        order = tie_order(_motion(dossier), self.situation)
        if not _incumbent_outranks(order):
            return
        situation = self.situation
        rule = situation.policy.rule("tie_order_by_motion", _motion(dossier) or "")
        name = situation.partner_name(holder.partner_id)
        reason = "On hold: another partner is the incumbent."
        dossier.move(RegistrationState.ON_HOLD, "CONFLICT_INCUMBENT", reason, rule)
        dossier.conflict = ConflictStatus.SUSPECTED
        dossier.conflict_rule = rule
        dossier.conflict_trace = (f"incumbent: {name}, by the deal won on {holder.won_on}",)
        message = f"{name} holds the customer's contract, won on {holder.won_on}; recommended: {name} (incumbent)"
        evidence = (holder.partner_id or "", holder.deal_id)
        situation.findings.add("CONFLICT_INCUMBENT", "registration", dossier.id, message, rule, evidence=evidence)

    def _free(self, dossier: Dossier) -> None:
        """Held by the machine, and nothing holds it any longer: back to those who decide."""
        if dossier.state != RegistrationState.ON_HOLD or dossier.step is not None:
            return
        record = dossier.record
        if record.blocked_by or "CONFLICT_INCUMBENT" in record.flags:
            rule = self.situation.policy.rule("uniqueness", "second_registrant")
            reason = "No longer on hold: nothing stands against it any more."
            dossier.move(RegistrationState.PENDING_APPROVAL, "RELEASED", reason, rule)

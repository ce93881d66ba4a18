"""Competing claims: who is asked to wait, who should win and why. People decide; the machine only holds the second."""

from __future__ import annotations

from collections.abc import Sequence

from crmsync.records import ClosureCode, ConflictDecision, ConflictStatus, RegistrationState
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.escalation import Stand, began_at, stand_of
from crmsync.rules.protection import is_open
from crmsync.rules.ranking import (
    Comparison,
    Incumbents,
    Ranking,
    TieOrder,
    is_awarded,
    is_open_to_others,
    is_settled,
    motion_of,
    tie_order,
)
from crmsync.rules.situation import Situation
from crmsync.rules.territory import find_outsiders
from crmsync.rules.uniqueness import in_one_lane, is_same_business

WORDS = {
    "decided": "decided by people",
    "customer_letter": "named in the customer's letter",
    "approved": "already approved",
    "registered": "registered",
    "incumbent": "holds the customer's contract",
    "certified": "certified",
    "earliest_submission": "submitted first",
    "number": "lower number, all else is equal",
}
"""What decided between two claims, for people; traces name the comparator."""


class Conflicts:
    """Works through the customers of a neighbourhood and marks the dossiers."""

    def __init__(self, dossiers: Dossiers, incumbents: Incumbents, situation: Situation) -> None:
        self.dossiers = dossiers
        self.incumbents = incumbents
        self.ranking = Ranking(incumbents, situation)
        self.situation = situation
        self.terms = situation.policy.model.uniqueness

    def resolve(self) -> None:
        for dossier in self.dossiers.all.values():
            is_open_to_others(dossier, self.situation)  # its day is a boundary, whatever becomes of the registration
            self._give_to_direct(dossier)
        exclusive = self.situation.policy.model.registration.kind == "exclusive"
        if exclusive and (self.terms.second_registrant != "accept_all" or self.terms.second_registrant_by):
            settle = self._reduce if self.terms.second_registrant == "accept_reduced" else self._resolve_site
            for site in self.dossiers.at_site().values():
                settle([d for d in site if d.is_approved or d.is_pending])
        find_outsiders(self.dossiers, self.situation)
        for dossier in self.dossiers.all.values():
            self._free(dossier)
            if dossier.closure == ClosureCode.CONFLICT_LOST or self._is_decided(dossier):
                dossier.conflict = ConflictStatus.RESOLVED

    def _give_to_direct(self, dossier: Dossier) -> None:
        """People said that the business is our own sellers'."""
        if dossier.record.conflict_decision != ConflictDecision.DIRECT:
            return
        if dossier.is_pending or dossier.is_approved:
            state = RegistrationState.REJECTED if dossier.is_pending else RegistrationState.REVOKED
            reason = f"{state.capitalize()}: the conflict was decided in favour of our own sellers."
            dossier.move(state, "CONFLICT_DECIDED", reason, self.situation.policy.rule("conflict"))
            dossier.closure = ClosureCode.CONFLICT_LOST

    def _is_decided(self, dossier: Dossier) -> bool:
        """People have decided, and nothing has come up since."""
        return dossier.record.conflict_decision is not None and dossier.conflict == ConflictStatus.NONE

    def _resolve_site(self, claims: list[Dossier]) -> None:
        order = tie_order(motion_of(claims[0]) if claims else None, self.situation)
        approved = [d for d in claims if d.is_approved and d.window and is_open(d.window, self.situation)]
        pending = sorted((d for d in claims if d.is_pending), key=lambda d: self.ranking.key(d, order))
        free: list[Dossier] = []
        for dossier in pending:
            holder = self._first_rival(dossier, approved) or self._first_rival(dossier, free)
            if holder is None:
                free.append(dossier)
                self._hold_for_incumbent(dossier)
            elif self.ranking.chosen(dossier, holder) is dossier:
                self._suspect(dossier, holder, order)
            elif self._is_lost(dossier, holder):
                self._reject(dossier, holder)
            else:
                self._hold(dossier, holder, order)
        self._confirm([d for d in approved if d.is_approved], order)

    def _first_rival(self, dossier: Dossier, claims: Sequence[Dossier]) -> Dossier | None:
        return next((other for other in claims if self._competes(dossier, other)), None)

    def _competes(self, one: Dossier, other: Dossier) -> bool:
        if one.partner_id is None or one.partner_id == other.partner_id:
            return False
        if is_settled(one) or is_settled(other):
            return False
        if is_open_to_others(one, self.situation) or is_open_to_others(other, self.situation):
            return False
        if "accept_all" in (self._mode(one), self._mode(other)) or not in_one_lane(one, other, self.situation):
            return False
        return is_same_business(one, other, self.terms.product_overlap, self.situation)

    def _mode(self, dossier: Dossier) -> str:
        """What the policy does with this claim where it comes second."""
        for at, entry in enumerate(self.terms.second_registrant_by):
            expression = self.situation.policy.expression("uniqueness", "second_registrant_by", at, "when")
            scope = self.situation.scope(
                registration=dossier.record, deal=dossier.deal, account_id=dossier.match.account_id
            )
            if self.situation.holds(expression, scope):
                return entry.then
        return self.terms.second_registrant

    def _reduce(self, claims: list[Dossier]) -> None:
        """Both may have the business; whoever came second gets less."""
        claims = [d for d in claims if d.is_pending or (d.window and is_open(d.window, self.situation))]
        for at, dossier in enumerate(claims):
            first = self._first_rival(dossier, claims[:at])
            dossier.second_to = first.label if first else None

    def _is_lost(self, dossier: Dossier, holder: Dossier) -> bool:
        """Rejected at once: by policy, or because it came while the holder's extension was being decided."""
        if is_awarded(holder) and not is_awarded(dossier):
            return True
        if not holder.is_approved or holder.window is None:
            return False
        if self._mode(dossier) == "reject":
            return True
        if holder.window.extension != "granted":
            return False
        if self.situation.policy.model.extension.rivals_when_granted == "hold":
            return False
        submitted_at, granted_at = dossier.record.submitted_at, holder.record.extension_granted_at
        asked_at = holder.record.extension_requested_at
        return bool(submitted_at and asked_at and granted_at and asked_at <= submitted_at < granted_at)

    def _reject(self, dossier: Dossier, holder: Dossier) -> None:
        path: tuple[str, ...] = ("uniqueness", "second_registrant")
        reason = f"Rejected: {holder.label} has the business protected."
        if is_awarded(holder):
            path, reason = ("conflict",), f"Rejected: the conflict was decided in favour of {holder.label}."
        elif self._mode(dossier) != "reject":
            path = ("extension", "rivals_when_granted")
        dossier.move(RegistrationState.REJECTED, "CONFLICT_LOST", reason, self.situation.policy.rule(*path))
        dossier.closure = ClosureCode.CONFLICT_LOST

    def _suspect(self, dossier: Dossier, holder: Dossier, order: TieOrder) -> None:
        """The customer, or people here, have chosen the second one: nobody waits, a person decides."""
        comparison = self.ranking.compare(holder, dossier, order)
        self._mark(dossier, holder, comparison, ConflictStatus.SUSPECTED)
        self._mark(holder, dossier, comparison, ConflictStatus.SUSPECTED)

    def _hold(self, dossier: Dossier, holder: Dossier, order: TieOrder) -> None:
        rule = self.situation.policy.rule("uniqueness", "second_registrant")
        comparison = self.ranking.compare(holder, dossier, order)
        dossier.move(RegistrationState.ON_HOLD, "CONFLICT_PARTNER", f"On hold: {holder.label} comes first.", rule)
        dossier.blocked_by = holder.label
        self._mark(dossier, holder, comparison, ConflictStatus.SUSPECTED)
        if holder.is_pending:
            self._mark(holder, dossier, comparison, ConflictStatus.SUSPECTED)

    def _mark(self, dossier: Dossier, rival: Dossier, comparison: Comparison, status: ConflictStatus) -> None:
        name, winner, rule = self.situation.partner_name, comparison.winner, comparison.rule
        stand = stand_of("CONFLICT_PARTNER", began_at(dossier, rival, self.situation), self.situation)
        dossier.dispute(stand)
        if dossier.conflict != ConflictStatus.CONFIRMED:
            dossier.conflict = status
        dossier.conflict_rule = rule
        dossier.conflict_trace = (
            *dossier.conflict_trace,
            *(f"against {rival.label}: {line}" for line in comparison.trace),
        )
        message = (
            f"{rival.label} of {name(rival.partner_id)} claims the same business; "
            f"recommended: {winner.label} of {name(winner.partner_id)} ({WORDS[comparison.decisive]}){self._due(stand)}"
        )
        self.situation.findings.add(
            "CONFLICT_PARTNER",
            "registration",
            dossier.id,
            message,
            rule,
            subject=rival.label,
            evidence=(winner.label, rival.label),
            severity="error" if status == ConflictStatus.CONFIRMED or (stand and stand.level > 1) else "warning",
            occasion=stand.occasion if stand else "",
            overrule=stand.to if stand else None,
        )

    def _due(self, stand: Stand | None) -> str:
        """How far the dispute has come, in words; the first level needs none."""
        if stand is None or stand.level == 1:
            return ""
        return f"; level {stand.level}, due {self.situation.timeline.shown(stand.due_at)}"

    def _confirm(self, approved: Sequence[Dossier], order: TieOrder) -> None:
        """Two approved claims to one business: nobody loses by machine, people decide."""
        for at, one in enumerate(approved):
            for other in approved[at + 1 :]:
                if not self._competes(one, other):
                    continue
                if chosen := self.ranking.chosen(one, other):
                    self._revoke(other if chosen is one else one, chosen)
                else:
                    comparison = self.ranking.compare(one, other, order)
                    self._mark(one, other, comparison, ConflictStatus.CONFIRMED)
                    self._mark(other, one, comparison, ConflictStatus.CONFIRMED)

    def _revoke(self, dossier: Dossier, chosen: Dossier) -> None:
        """Approving the partner that was chosen was a person's decision; this is what follows."""
        if is_awarded(chosen):
            reason = f"Revoked: the conflict was decided in favour of {chosen.label}."
            dossier.move(RegistrationState.REVOKED, "CONFLICT_LOST", reason, self.situation.policy.rule("conflict"))
            dossier.closure = ClosureCode.CONFLICT_LOST
            return
        reason = f"Revoked: the customer chose another partner, {chosen.label} was approved."
        rule = self.situation.policy.rule("uniqueness", "overrides")
        dossier.move(RegistrationState.REVOKED, "CUSTOMER_CHOICE", reason, rule)
        dossier.closure = ClosureCode.CUSTOMER_CHOICE

    # ------------------------------------------------------------ incumbents

    def _hold_for_incumbent(self, dossier: Dossier) -> None:
        if dossier.record.conflict_decision is not None:
            return
        holder = self.incumbents.of(dossier.match.account_id, dossier.record.products)
        if holder is None or holder.partner_id == dossier.partner_id:
            return
        order = tie_order(motion_of(dossier), self.situation)
        if not order.puts_incumbents_first:
            return
        situation = self.situation
        rule = order.rule
        name = situation.partner_name(holder.partner_id)
        reason = "On hold: another partner is the incumbent."
        dossier.move(RegistrationState.ON_HOLD, "CONFLICT_INCUMBENT", reason, rule)
        dossier.conflict = ConflictStatus.SUSPECTED
        dossier.conflict_rule = rule
        dossier.conflict_trace = (f"incumbent: {name}, by the deal won on {holder.won_on}",)
        stand = stand_of("CONFLICT_INCUMBENT", dossier.record.conflict_since or dossier.record.submitted_at, situation)
        dossier.dispute(stand)
        message = f"{name} holds the customer's contract, won on {holder.won_on}; recommended: {name} (incumbent)"
        situation.findings.add(
            "CONFLICT_INCUMBENT",
            "registration",
            dossier.id,
            f"{message}{self._due(stand)}",
            rule,
            evidence=(holder.partner_id or "", holder.deal_id),
            occasion=stand.occasion if stand else "",
            overrule=stand.to if stand else None,
        )

    def _free(self, dossier: Dossier) -> None:
        """Held by the machine, and nothing holds it any longer: back to those who decide."""
        if dossier.state != RegistrationState.ON_HOLD or dossier.step is not None:
            return
        record = dossier.record
        holds_outsiders = self.situation.policy.model.territory.hold and record.conflict_decision is None
        by_machine = {"CONFLICT_INCUMBENT", *(("CONFLICT_TERRITORY",) if holds_outsiders else ())}
        if record.blocked_by or by_machine & set(record.flags):
            rule = self.situation.policy.rule("uniqueness", "second_registrant")
            reason = "No longer on hold: nothing stands against it any more."
            dossier.move(RegistrationState.PENDING_APPROVAL, "RELEASED", reason, rule)

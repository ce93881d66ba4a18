"""Whether a partner may sell where the customer is: ``CONFLICT_TERRITORY``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crmsync.records import ConflictStatus, RegistrationState
from crmsync.rules.background import Background
from crmsync.rules.decision import Rule
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.escalation import stand_of
from crmsync.rules.expressions import Scope
from crmsync.rules.situation import Situation


def find_outsiders(dossiers: Dossiers, situation: Situation) -> None:
    """Flag registrations outside their partner's territory that wait for an answer; hold them where the policy does."""
    terms = situation.policy.model.territory
    if not terms.partner_regions and not terms.rules:
        return
    for dossier in dossiers.all.values():
        if not dossier.is_pending:
            continue
        found = list(_breaches(dossier, situation))
        for subject, message, rule in found:
            situation.findings.add("CONFLICT_TERRITORY", "registration", dossier.id, message, rule, subject=subject)
        if found and terms.hold and dossier.record.conflict_decision is None:
            _hold(dossier, found[0][2], found[0][1], situation)


def _hold(dossier: Dossier, rule: Rule, message: str, situation: Situation) -> None:
    if dossier.conflict == ConflictStatus.NONE:
        dossier.conflict = ConflictStatus.SUSPECTED
        dossier.conflict_rule = rule
    dossier.conflict_trace = (*dossier.conflict_trace, f"territory: {message}")
    record = dossier.record
    dossier.dispute(stand_of("CONFLICT_TERRITORY", record.conflict_since or record.submitted_at, situation))
    reason = "On hold: the customer is outside the partner's territory."
    dossier.move(RegistrationState.ON_HOLD, "CONFLICT_TERRITORY", reason, rule)


def _breaches(dossier: Dossier, situation: Situation) -> Iterator[tuple[str, str, Rule]]:
    """What is broken: what tells it apart, in words, and the statement."""
    policy, terms = situation.policy, situation.policy.model.territory
    background = Background(dossier.record, dossier.deal, dossier.account_id, situation)
    if terms.partner_regions and (message := _outside(dossier, background.region, situation)):
        yield "regions", message, policy.rule("territory", "partner_regions")
    scope = _scope(dossier, background, situation)
    for at, rule in enumerate(terms.rules):
        if not situation.holds(policy.expression("territory", "rules", at, "when"), scope):
            continue
        if not situation.holds(policy.expression("territory", "rules", at, "require"), scope):
            yield rule.name, rule.reason or f"the term '{rule.name}' is not met", policy.rule("territory", "rules", at)


def _outside(dossier: Dossier, country: str | None, situation: Situation) -> str | None:
    """Says so where the customer's country is none of the partner's; one without regions may sell everywhere."""
    partner = situation.partner(dossier.partner_id)
    regions = partner.regions if partner else ()
    if country is None or not regions or country in _countries(regions, situation):
        return None
    return f"the customer is in {country}, the partner's regions are {', '.join(text.strip() for text in regions)}"


def _countries(regions: Iterable[str], situation: Situation) -> set[str]:
    """The countries that these are or, as the policy names regions, stand for."""
    named = {name.casefold(): countries for name, countries in situation.policy.model.territory.regions.items()}
    words = [text.strip() for text in regions]
    return {country for word in words for country in named.get(word.casefold(), (word.upper(),))}


def _scope(dossier: Dossier, background: Background, situation: Situation) -> Scope:
    scope = situation.scope(registration=dossier.record, deal=dossier.deal, account_id=dossier.account_id)
    scope.background = background
    return scope

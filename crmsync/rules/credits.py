"""Credit: which partner gets which share of a deal. Values only: what is paid for them is not decided here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from crmsync.records import Attribution, Deal, PartnerRole, RegistrationState, Stage
from crmsync.rules.deals import DealFile
from crmsync.rules.decision import Credit, Rule
from crmsync.rules.dossier import Dossier
from crmsync.rules.eligibility import claim_scope
from crmsync.rules.explained import Explained
from crmsync.rules.situation import Situation, shares_products

_ENTRY = re.compile(
    r"(?P<partner>.+?)\s*[:=]\s*(?P<percent>\d+(?:\.\d+)?)\s*%?"
    r"(?:\s+(?P<role>[a-z_]+))?(?:\s+(?P<start>\d{4}-\d\d-\d\d)?\.\.(?P<end>\d{4}-\d\d-\d\d)?)?"
)
_WHOLE = Decimal(100)
_CENT = Decimal("0.01")
_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Share:
    """A partner's part of one measure, before it is money."""

    partner_id: str
    role: PartnerRole
    percent: Decimal
    start: date | None = None
    end: date | None = None


def find_splits(file: DealFile, situation: Situation) -> None:
    """``SPLIT_OVER_100``, ``SPLIT_UNDER_100`` and ``POST_CLOSE_CHANGE``."""
    deal, policy = file.deal, situation.policy
    if deal.credit_split and (code := split_problem(deal, situation)):
        totals = ", ".join(f"{total:f}" for total in _totals(_given(deal, situation)))
        message = f"the shares add up to {totals}, {policy.model.credit.cap:f} is the whole"
        situation.findings.add(code, "deal", deal.id, message, policy.rule("credit", "cap"))
    if _is_changed(deal):
        message = f"won at {deal.locked_amount:f}, now {deal.amount:f}"
        rule = policy.rule("credit", "lock_at_close")
        situation.findings.add("POST_CLOSE_CHANGE", "deal", deal.id, message, rule)


def split_problem(deal: Deal, situation: Situation) -> str | None:
    """The code of what is wrong with the shares that a person gave; overlays may add up to anything."""
    terms = situation.policy.model.credit
    if _measure_of_split(situation) == "overlay":
        return None
    totals = _totals(_given(deal, situation))
    if any(total > terms.cap + terms.tolerance for total in totals):
        return "SPLIT_OVER_100"
    return "SPLIT_UNDER_100" if any(total < terms.cap - terms.tolerance for total in totals) else None


def _is_changed(deal: Deal) -> bool:
    locked = deal.locked_amount is not None and deal.amount is not None and deal.stage == Stage.CLOSED_WON
    return locked and deal.amount != deal.locked_amount


def build_credits(
    files: Mapping[str, DealFile], claims_at: Mapping[str, Sequence[Dossier]], situation: Situation
) -> tuple[Credit, ...]:
    """The rows of every deal, by deal. Measures are never added up: each says its own whole."""
    rows: list[Credit] = []
    for file in files.values():
        if file.deal.stage == Stage.CLOSED_LOST or (file.is_direct and not file.deal.credit_split):
            continue
        rows += _of_deal(file, situation)
        rows += _of_losers(file, claims_at, situation)
    return tuple(rows)


def _of_deal(file: DealFile, situation: Situation) -> Iterable[Credit]:
    policy, deal, verdict = situation.policy, file.deal, file.verdict
    if verdict.attribution == Attribution.UNATTRIBUTED:
        return
    status = _status(file, situation)
    measure = _measure_of_split(situation)
    given = _given(deal, situation)
    if given:
        rule = policy.rule("credit", "cap")
        yield from _rows(
            deal, "influenced" if measure == "overlay" else measure, given, status, rule, measure, situation
        )
    sourced = () if given and measure == "sourced" else _sourced(file, situation)
    yield from _rows(deal, "sourced", sourced, status, policy.rule("attribution", "sourced"), "sourced", situation)
    influenced = () if given and measure == "influenced" else _influenced(file, situation)
    kind = "overlay" if policy.model.attribution.influenced == "overlay" else "influenced"
    rule = policy.rule("attribution", "influenced")
    yield from _rows(deal, "influenced", influenced, status, rule, kind, situation)
    if verdict.attribution == Attribution.DELIVERED and file.partner_id:
        whole = (Share(file.partner_id, PartnerRole.IMPLEMENTATION, _WHOLE),)
        yield from _rows(deal, "delivered", whole, status, verdict.rule, "overlay", situation)


def _status(file: DealFile, situation: Situation) -> str:
    if file.verdict.attribution == Attribution.REVIEW:
        return "in_review"
    if file.deal.credit_split and split_problem(file.deal, situation):
        return "in_review"
    return "locked" if file.deal.stage == Stage.CLOSED_WON else "proposed"


# ---------------------------------------------------------------- who shares


def _measure_of_split(situation: Situation) -> str:
    terms = situation.policy.model.attribution
    if terms.sourced == "split":
        return "sourced"
    return "influenced" if terms.influenced == "split" else "overlay"


def _given(deal: Deal, situation: Situation) -> tuple[Share, ...]:
    """What a person wrote: ``partner: percent [role] [from..until]``. What cannot be read is left out."""
    names = {(p.name or "").casefold(): p.id for p in situation.partners.values()}
    shares: list[Share] = []
    for entry in deal.credit_split:
        if found := _ENTRY.fullmatch(entry.strip()):
            who = found["partner"].strip()
            role = PartnerRole(found["role"]) if found["role"] in set(PartnerRole) else PartnerRole.SOURCING
            partner_id = situation.resolve(who) if who in situation.partners else names.get(who.casefold(), who)
            days = (date.fromisoformat(text) if text else None for text in (found["start"], found["end"]))
            shares.append(Share(partner_id or who, role, Decimal(found["percent"]), *days))
    return tuple(shares)


def _totals(shares: Sequence[Share]) -> list[Decimal]:
    """The sum at every day on which it changes, without repetition."""
    starts = sorted({share.start or date.min for share in shares})
    found = [sum((s.percent for s in shares if _is_valid(s, day)), Decimal(0)) for day in starts]
    return list(dict.fromkeys(found))


def _is_valid(share: Share, day: date) -> bool:
    return (share.start is None or share.start <= day) and (share.end is None or day <= share.end)


def _sourced(file: DealFile, situation: Situation) -> tuple[Share, ...]:
    verdict, terms = file.verdict, situation.policy.model
    if verdict.attribution != Attribution.SOURCED:
        return ()
    first = verdict.sourced_by or file.partner_id
    if terms.attribution.sourced == "primary" or first is None:
        return (Share(first, PartnerRole.SOURCING, _WHOLE),) if first else ()
    roles = dict.fromkeys((first, *verdict.claimants), PartnerRole.SOURCING)
    if terms.credit.weights:
        if file.partner_id and file.deal.partner_role:
            roles.setdefault(file.partner_id, file.deal.partner_role)
        for partner_id in verdict.influencers:
            roles.setdefault(partner_id, PartnerRole.CO_SELL)
    return _weighted(roles, terms.credit.weights, situation)


def _influenced(file: DealFile, situation: Situation) -> tuple[Share, ...]:
    terms, partners = situation.policy.model, file.verdict.influencers
    if terms.attribution.influenced == "split":
        return _weighted(dict.fromkeys(partners, PartnerRole.INFLUENCE), {}, situation)
    return tuple(Share(partner_id, PartnerRole.INFLUENCE, _WHOLE) for partner_id in partners)


def _weighted(
    roles: Mapping[str, PartnerRole], weights: Mapping[PartnerRole, Decimal], situation: Situation
) -> tuple[Share, ...]:
    """Partners of one role share its weight; without weights all share alike."""
    parts = {p: weights.get(r, Decimal(0)) / list(roles.values()).count(r) for p, r in roles.items()}
    if not weights:
        parts = dict.fromkeys(roles, Decimal(1))
    total = sum(parts.values())
    if not total:
        return ()
    whole = situation.policy.model.credit.cap if not weights or situation.policy.model.credit.renormalise else total
    percents = apportion(whole, list(parts.values()), _STEP)
    return tuple(Share(p, roles[p], percent) for p, percent in zip(parts, percents, strict=True) if percent)


# ---------------------------------------------------------------- shares to money


def _rows(
    deal: Deal, measure: str, shares: Sequence[Share], status: str, rule: Rule, kind: str, situation: Situation
) -> Iterable[Credit]:
    for amount, entry, on in _bookings(deal, status):
        parts = [s.percent for s in shares]
        if kind == "overlay" or any(s.start or s.end for s in shares):
            amounts = [_part(amount, percent) for percent in parts]
        else:
            amounts = apportion(_part(amount, sum(parts, Decimal(0))), parts, _CENT) if shares else []
        for share, part in zip(shares, amounts, strict=True):
            yield Credit(
                deal_id=deal.id,
                partner_id=share.partner_id,
                measure=measure,
                role=share.role,
                percent=share.percent,
                amount=part,
                amount_corporate=situation.in_corporate(part, deal.currency, deal.created_at),
                currency=deal.currency,
                status=entry,
                rule=rule,
                start=share.start,
                end=share.end,
                booked_on=on,
            )


def _bookings(deal: Deal, status: str) -> Iterable[tuple[Decimal, str, date | None]]:
    """What was locked when the deal was won, and the difference as a row of its own."""
    amount = deal.amount if deal.amount is not None else Decimal(0)
    if not _is_changed(deal) or deal.locked_amount is None:
        yield amount, status, deal.close_date
        return
    yield deal.locked_amount, status, deal.locked_on or deal.close_date
    yield amount - deal.locked_amount, "adjustment", deal.adjusted_on


def _part(amount: Decimal, percent: Decimal) -> Decimal:
    return round(amount * percent / _WHOLE, 2)


def apportion(total: Decimal, parts: Sequence[Decimal], step: Decimal) -> list[Decimal]:
    """``total`` in proportion to ``parts``, in whole steps, by largest remainder: the sum is exact."""
    whole, sign = sum(parts, Decimal(0)), -1 if total < 0 else 1
    if not whole:
        return [Decimal(0) for _ in parts]
    exact = [abs(total) * part / whole / step for part in parts]
    floors = [value.to_integral_value(rounding=ROUND_FLOOR) for value in exact]
    left = int((abs(total) / step).to_integral_value() - sum(floors, Decimal(0)))
    order = sorted(range(len(parts)), key=lambda at: (floors[at] - exact[at], at))
    for at in order[:left]:
        floors[at] += 1
    return [sign * value * step for value in floors]


def locked_values(deal: Deal, situation: Situation) -> dict[str, Explained]:
    """What is kept of a won deal, where the policy locks credit: later changes are told from it."""
    if not situation.policy.model.credit.lock_at_close or deal.stage != Stage.CLOSED_WON:
        return {}
    kept = deal.locked_amount is not None
    today = situation.timeline.day_of(situation.timeline.now)
    amount = Explained(
        deal.locked_amount if kept else deal.amount,
        "LOCKED",
        "The amount when the deal was won.",
        situation.policy.rule("credit", "lock_at_close"),
    )
    changed_on = (deal.adjusted_on or today) if _is_changed(deal) else None
    return {
        "locked_amount": amount,
        "locked_on": amount.holding(deal.locked_on if kept else deal.close_date),
        "adjusted_on": amount.holding(changed_on),
    }


# ---------------------------------------------------------------- who lost


def _of_losers(file: DealFile, claims_at: Mapping[str, Sequence[Dossier]], situation: Situation) -> Iterable[Credit]:
    """Partners whose registration stood when another partner won the business."""
    terms, deal = situation.policy.model.credit.loser_credit, file.deal
    winner = file.partner_id or file.verdict.sourced_by
    if terms is None or winner is None or deal.stage != Stage.CLOSED_WON or deal.close_date is None:
        return
    condition = situation.policy.expression("credit", "loser_credit", "when")
    rule = situation.policy.rule("credit", "loser_credit")
    for claim in claims_at.get(situation.resolve(deal.account_id) or "", ()):
        if claim.partner_id in (None, winner) or not _stood(claim, deal.close_date):
            continue
        if not shares_products(claim.record.products, deal.products, "any"):
            continue
        if claim.partner_id and situation.holds(condition, claim_scope(claim, situation)):
            amount = terms.amount if terms.amount is not None else _part(deal.amount or Decimal(0), terms.percent)
            yield Credit(
                deal_id=deal.id,
                partner_id=claim.partner_id,
                measure="loser",
                role=PartnerRole.INFLUENCE,
                percent=terms.percent,
                amount=amount,
                amount_corporate=situation.in_corporate(amount, deal.currency, deal.created_at),
                currency=deal.currency,
                status="locked",
                rule=rule,
                booked_on=deal.close_date,
            )


def _stood(claim: Dossier, on: date) -> bool:
    window = claim.window
    if window is None or claim.state not in (RegistrationState.APPROVED, RegistrationState.EXPIRED):
        return False
    return window.start <= on and (window.end is None or on <= window.end)

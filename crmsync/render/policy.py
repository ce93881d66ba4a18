"""The policy in plain sentences, section by section, in the order in which a partner would ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from crmsync.records import TouchType
from crmsync.render import eligibility
from crmsync.render.terms import Terms, written
from crmsync.render.words import (
    alternatives,
    amount_of,
    condition,
    day_count,
    field,
    length,
    listed,
    number,
    percent,
    plain,
)
from crmsync.rules import FLAGS
from crmsync.rules.policy import PolicyModel


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    items: tuple[str, ...]
    """Sentences; text in backticks is code."""


@dataclass(frozen=True, slots=True)
class RulesDocument:
    title: str
    version: str
    subtitle: str
    sections: tuple[Section, ...]


def describe_policy(model: PolicyModel, *, programme: str = "", versions: Sequence[PolicyModel] = ()) -> RulesDocument:
    """The rules of engagement. Every key that differs from its default is said, in words or as the file has it.

    :param versions: all versions of a policy that changed, the oldest first.
    """
    terms = Terms(model)
    version = terms.take("version")
    effective = terms.take("effective_from")
    sections = []
    for title, describe, keys in _SECTIONS:
        items = tuple(describe(terms))
        rest = tuple(f"Further term: `{line}`" for key in keys for line in terms.unsaid(key))
        if items or rest:
            sections.append(Section(title, (*items, *rest)))
    if earlier := tuple(_earlier(versions)):
        sections.append(Section("Earlier versions", earlier))
    since = f", in force from {effective}" if effective else ""
    zone = terms.take("timezone")
    subtitle = f"Version {version}{since}. Days begin and end in the time zone {zone}."
    title = f"Rules of engagement: {programme}" if programme else "Rules of engagement"
    return RulesDocument(title, version, subtitle, tuple(sections))


def _earlier(versions: Sequence[PolicyModel]) -> Iterator[str]:
    for version, following in pairwise(versions):
        until = following.effective_from
        yield f"What was created or submitted before {until} is judged by version {version.version}."


def _told(words: Mapping[str, str], value: str) -> str:
    """What has no words of its own is shown as the file has it."""
    return words.get(value, f"`{value}`")


# ---------------------------------------------------------------------- sections


def _scope(terms: Terms) -> Iterator[str]:
    when = terms.take("scope.deals.when")
    if when:
        yield f"These rules hold for deals where {condition(when)}. Other deals are left alone."


def _who(terms: Terms) -> Iterator[str]:
    yield f"A registration names {listed(field(name) for name in terms.take('registration.required'))}."
    if terms.take("registration.return_incomplete"):
        yield "Where something of this is missing and the customer cannot be identified, it is returned to the partner."
    if terms.take("gates.agreement"):
        yield "The partner has an active agreement."
    else:
        yield "An agreement is not required."
    if types := terms.take("gates.certification"):
        yield f"The partner holds a {listed(types)} certification."
    yield from eligibility.sentences(terms.take("eligibility"))
    if limit := terms.take("capacity.open_registrations_per_partner"):
        yield f"A partner has at most {number(limit)} registrations open at a time."
    for deadline in terms.take("deadlines"):
        when = f" where {condition(deadline.when)}" if deadline.when else ""
        yield f"{deadline.name}: registrations{when} are in by {deadline.at.replace('T', ' ')}, {deadline.tz} time."


_KINDS = {
    "exclusive": "An approved registration is exclusive: it keeps other partners out of the business.",
    "price_only": "An approved registration gives special terms; it does not keep others out and gives no credit.",
    "credit_only": "An approved registration gives credit for the deal; it does not keep other partners out.",
    "post_win": "A registration is filed after the deal was won; it gives credit and protects nothing.",
}
_STARTS = {
    "approved_at": "the day it is approved",
    "submitted_at": "the day it is submitted",
    "conditional_at": "the day it is accepted conditionally",
    "status_changed_at": "the day its status last changed",
}


_SINCE = {
    **_STARTS,
    "returned_at": "the day it is returned",
    "approved_at": "the day it is approved",
}


def _protection(terms: Terms) -> Iterator[str]:
    yield _told(_KINDS, terms.take("registration.kind"))
    start, given = _told(_STARTS, terms.take("registration.start")), terms.take("registration.length")
    yield f"Protection starts on {start} and lasts {length(given)}."
    for entry in terms.take("registration.length_by"):
        yield f"Where {condition(entry.when)}, it lasts {length(entry.length)} instead; the first that fits counts."
    if terms.take("registration.end_inclusive"):
        yield "The last day is protected to its end."
    else:
        yield "The day on which the time is over is no longer protected."
    if cap := terms.take("registration.hard_cap"):
        start = _told(_STARTS, cap.from_)
        yield f"Whatever is extended, protection never lasts longer than {length(cap)} from {start}."
    if keepalive := terms.take("registration.keepalive"):
        kinds = "" if len(keepalive.touches) == len(TouchType) else f" ({listed(plain(t) for t in keepalive.touches)})"
        yield f"Protection ends where the partner shows no activity{kinds} for {length(keepalive.every)}."
    for lapse in terms.take("registration.lapses"):
        where = f" where {condition(lapse.when)}" if lapse.when else ""
        then = "expires" if lapse.of == "approved_at" else "is closed"
        since = _told(_SINCE, lapse.of)
        yield f"{lapse.name}: a registration{where} {then} {length(lapse.within)} after {since}."


def _extension(terms: Terms) -> Iterator[str]:
    count = terms.take("extension.max_count")
    if count == 0:
        yield "Registrations are not extended."
        return
    when = terms.take("extension.when")
    where = f" where {condition(when)}" if when else ""
    times = "once" if count == 1 else f"up to {count} times"
    yield f"A registration can be extended {times}{where}, by {length(terms.take('extension.length'))}."
    counted = "the current end" if terms.take("extension.from") == "current_end" else "the day it is granted"
    yield f"The extension counts from {counted}."
    yield f"{_REQUESTED.get(asked := terms.take('extension.request_by'), _requested_early(asked))}."
    if terms.take("extension.decide_by"):
        yield "It is also granted before the protection ends."
    if needs := terms.take("extension.needs"):
        yield f"It names {listed(field(name) for name in needs)}."
    if sla := terms.take("extension.sla"):
        named = f" of the calendar {sla.calendar}" if sla.calendar else ""
        yield f"We answer the request within {amount_of(sla.value, sla.unit)}{named}."
    rivals = "rejected" if terms.take("extension.rivals_when_granted") == "reject" else "put on hold"
    yield f"Registrations of others that come while an extension is being decided are {rivals} when it is granted."


_REQUESTED = {"end": "It is asked for before the protection ends", "after_ok": "It may be asked for after the end, too"}


def _requested_early(asked: str) -> str:
    if asked.startswith("start+"):
        days = asked.removeprefix("start+").removesuffix("d")
        return f"It is asked for within {days} days after the protection starts"
    days = asked.removeprefix("end-").removesuffix("d")
    return f"It is asked for at least {days} days before the protection ends"


_SCOPES = {
    "account": "are for the same customer account",
    "ultimate_parent": "are for customers of the same group of companies",
    "domain": "are for the same internet domain of a customer",
    "account+product": "are for the same customer account and a common product",
    "account+site": "are for the same customer account and site",
    "account+division": "are for the same customer account and division",
    "deal+contact+site": "are for the same project, contact and site",
}
_OVERLAPS = {
    "any": "share a product, or one of them names none",
    "all": "name the same products, or one of them names none",
    "ignore": "",
}
_SECOND = {
    "hold": "The second one is put on hold until a person decides.",
    "reject": "While the first is approved, the second one is rejected; otherwise it is put on hold.",
    "accept_reduced": "Both can be approved; the second gets reduced terms.",
    "accept_all": "Both can be approved.",
}
_SECOND_SHORT = {"hold": "put on hold", "reject": "rejected", "accept_all": "accepted beside the first"}
_COMPARATORS = {
    "registered": "registered partners before others",
    "incumbent": "the incumbent partner of the customer",
    "certified": "the partner with a valid certification",
    "earliest_submission": "the registration submitted first",
}
_OVERRIDES = {
    "customer_letter": "a letter of the customer in favour of another partner, once that one is approved",
    "end_user_request": "a request of the end user to open the business to others",
}


def _winner(terms: Terms) -> Iterator[str]:
    overlap = _told(_OVERLAPS, terms.take("uniqueness.product_overlap"))
    also = f" and {overlap}" if overlap else ""
    yield f"Two registrations compete if they {_told(_SCOPES, terms.take('uniqueness.scope'))}{also}."
    yield _told(_SECOND, terms.take("uniqueness.second_registrant"))
    for entry in terms.take("uniqueness.second_registrant_by"):
        yield f"Where {condition(entry.when)}, the second one is {_told(_SECOND_SHORT, entry.then)} instead."
    if names := terms.take("uniqueness.fields"):
        yield f"They also agree in {listed(field(name) for name in names)}, as far as both fill it."
    if lanes := terms.take("uniqueness.lanes"):
        shown = "; ".join(f"{name}: {listed(plain(t) for t in types)}" for name, types in lanes.items())
        yield f"Partners of different lanes do not compete ({shown})."
    if (share := terms.take("uniqueness.discount_factor")) is not None:
        yield f"The second gets {percent(share * 100)} of the terms."
    yield "An approved registration comes before one that is not decided yet."
    yield f"Otherwise this decides, in this order: {_order(terms.take('tie_order'))}."
    for motion, order in terms.take("tie_order_by_motion").items():
        yield f"For {plain(motion)} deals the order is: {_order(order)}."
    if overrides := terms.take("uniqueness.overrides"):
        yield f"Exclusivity is broken by {alternatives(_told(_OVERRIDES, name) for name in overrides)}."
    lasts = terms.take("incumbency.lasts")
    how_long = f" for {length(lasts)} after that deal" if lasts else " until the customer's next deal is won"
    yield f"The incumbent is the partner of the last deal won with the customer{how_long}."


def _disputes(terms: Terms) -> Iterator[str]:
    levels = terms.take("conflict.escalation")
    if not levels:
        yield "A conflict has no fixed time in which it is decided."
    for at, level in enumerate(levels, 1):
        within = level.within
        named = f" of the calendar {within.calendar}" if within.calendar else ""
        whose = f", by {_told(_ADDRESSEES, level.to)}" if level.to else ""
        time = amount_of(within.value, within.unit)
        yield f"Level {at}: a conflict is decided within {time}{named}{whose}."
    if len(levels) > 1:
        yield "What is not decided in time goes to the next level."
    if terms.take("territory.partner_regions"):
        yield "A registration for a customer outside the partner's regions is flagged."
    if terms.take("territory.hold"):
        yield "A registration outside its partner's territory is put on hold until a person decides."
    for name, countries in terms.take("territory.regions").items():
        yield f"The region {name} is: {listed(countries)}."
    for rule in terms.take("territory.rules"):
        where = f"where {condition(rule.when)}, " if rule.when else ""
        why = f" ({written(rule.reason)})" if rule.reason else ""
        yield f"{rule.name}: {where}a registration is flagged unless {condition(rule.require)}{why}."


_ADDRESSEES = {"owner": "the record's owner", "partner_manager": "the partner manager"}


def _changes(terms: Terms) -> Iterator[str]:
    if terms.take("changes.account"):
        yield "A registration holds for the customer it was filed for: a deal that moves to another one is flagged."
    if (tolerance := terms.take("changes.amount_tolerance_percent")) is not None:
        yield f"A deal whose amount leaves the registered one by more than {percent(tolerance)} is flagged."
    if terms.take("changes.tender"):
        yield "Public tenders are flagged."
    for code, level in terms.take("findings").items():
        meaning = FLAGS[code][1].rstrip(".") if code in FLAGS else code
        yield f"{meaning} (`{code}`): {'not pointed out' if level == 'off' else level}."


def _order(comparators: tuple[str, ...]) -> str:
    return "; then ".join(_told(_COMPARATORS, name) for name in comparators)


def _decision(terms: Terms) -> Iterator[str]:
    sla = terms.take("approval.sla")
    if not sla:
        yield "There is no fixed time for an answer."
    else:
        named = f" of the calendar {sla.calendar}" if sla.calendar else ""
        yield f"We answer a registration within {amount_of(sla.value, sla.unit)}{named}."
        yield f"When {percent(terms.take('approval.warn_at') * 100)} of the time is over, we are reminded."
        if terms.take("approval.pause_clock_in"):
            yield "The time during which it is back with the partner is not counted."
    for entry in terms.take("approval.sla_by"):
        time = f"within {amount_of(entry.sla.value, entry.sla.unit)}" if entry.sla else "without a fixed time"
        named = f" of the calendar {entry.sla.calendar}" if entry.sla and entry.sla.calendar else ""
        yield f"Where {condition(entry.when)}, we answer {time}{named} instead."
    for step in terms.take("approval.steps"):
        when = f"Where {condition(step.when)}" if step.when else "Otherwise"
        yield f"{when}, it is decided by: {step.approver}."
    unless = terms.take("approval.auto_approve_unless")
    if terms.take("approval.auto_approve"):
        cases = f" unless {alternatives(condition(text) for text in unless)}" if unless else ""
        yield f"Where nothing was found against it, it is approved automatically{cases}."
    elif unless:
        yield f"A person looks closely where {alternatives(condition(text) for text in unless)}."
    for name, calendar in terms.take("calendars").items():
        yield f"The calendar {name}: Monday to Friday{_holidays(calendar.country, calendar.subdivision)}."
        if calendar.closed:
            yield f"It is also closed on {listed(str(day) for day in calendar.closed)}."


def _holidays(country: str | None, subdivision: str | None) -> str:
    if not country:
        return ""
    return f", without the public holidays of {country}{f' ({subdivision})' if subdivision else ''}"


def _attribution(terms: Terms) -> Iterator[str]:
    take = terms.take
    if take("attribution.sourced") == "split":
        yield "Several partners can source a deal together and share the credit."
    else:
        yield "One partner sources a deal."
    yield "A registration sources a deal if it was submitted and approved before the deal was created."
    touches = listed(plain(touch) for touch in take("attribution.sourcing_touches"))
    yield f"Without one, {touches} sources it, up to {day_count(take('attribution.sourcing_lookback_days'))} before."
    influenced = take("attribution.influenced")
    if influenced == "none":
        yield "Partners who only helped are not named."
    else:
        credit = "share the credit" if influenced == "split" else "are named beside, without taking credit from anybody"
        helped = listed(plain(touch) for touch in take("attribution.qualifying_touches"))
        window = day_count(take("attribution.influence_window_days"))
        yield f"Partners who helped {credit}. Help is: {helped}, from {window} before the deal was created."
    lock = day_count(take("attribution.lock_days"))
    yield f"Activities older than the deal are entered within {lock} of its creation."
    limit = day_count(take("attribution.backdate_limit_days"))
    yield f"Activities entered later than {limit} after they happened do not count."
    yield _told(_MANUAL, take("attribution.manual_claims"))
    yield "An override on the deal, with a name and a reason, comes before all of this."


_MANUAL = {
    "review": "A partner named by a seller, without registration or activity, is reviewed by a person.",
    "sourced": "A partner named by a seller is taken to have sourced the deal.",
    "ignore": "A partner named by a seller, without registration or activity, gets no credit.",
}


def _credit(terms: Terms) -> Iterator[str]:
    if terms.take("credit.requires_active_protection_at_close"):
        yield "Credit is due only if the protection is active on the day the deal is won."
    for role, weight in terms.take("credit.weights").items():
        yield f"In shared credit, the role {plain(role)} weighs {percent(weight)}."
    yield f"The shares of a deal add up to at most {percent(terms.take('credit.cap'))}."
    if terms.take("credit.renormalise"):
        yield "Shares that add up to less are raised in proportion."
    if (loser := terms.take("credit.loser_credit")) is not None:
        when = f" where {condition(loser.when)}" if loser.when else ""
        paid = f"{number(loser.amount)}" if loser.amount is not None else f"{percent(loser.percent)} of the deal"
        yield f"A partner whose registration stood while another partner won gets {paid}{when}."


def _standing(terms: Terms) -> Iterator[str]:
    yield f"Certifications that count: {listed(terms.take('certification.types'))}."
    lapse = terms.take("certification.on_lapse")
    if lapse.then == "suspend":
        yield f"Protection is suspended {day_count(lapse.grace_days)} after a certification lapses."
    elif lapse.grace_days:
        yield f"A lapsed certification is pointed out after {day_count(lapse.grace_days)}; protection stays."


def _hygiene(terms: Terms) -> Iterator[str]:
    for entry in terms.take("validations"):
        needed = listed(field(name) for name in entry.require)
        task = " and becomes a task" if entry.task else ""
        yield (
            f"{entry.name}: for every {entry.on} where {condition(entry.when)}, {needed} must be filled "
            f"({entry.severity}{task})."
        )
    if stale := terms.take("stale_deals"):
        where = f" where {condition(stale.when)}" if stale.when else ""
        yield f"An open deal{where} is stale after {day_count(stale.after_days)} without activity."
        for stage, days in stale.by_stage.items():
            yield f"In the stage {plain(stage)} it is stale after {day_count(days)}."
    if days := terms.take("reminders.days_before_end"):
        yield f"The partner's protection is pointed out {listed(map(str, days))} days before it ends."


def _tasks(terms: Terms) -> Iterator[str]:
    for code, task in terms.take("tasks").items():
        who = "the record's owner" if task.to == "owner" else "the partner manager"
        meaning = FLAGS[code][1].rstrip(".") if code in FLAGS else code
        due = f"within {day_count(task.due_in_days)}" if task.due_in_days else "at once"
        yield f"{meaning} (`{code}`): a task for {who}, due {due}."


def _identity(terms: Terms) -> Iterator[str]:
    if domains := terms.take("identity.free_mail_domains"):
        yield f"Free mail providers: {listed(domains)}."
    if domains := terms.take("identity.shared_domains"):
        yield f"Domains shared by many companies identify nobody: {listed(domains)}."
    order = listed(_KEEPS[criterion] for criterion in terms.take("duplicates.survivor"))
    if order:
        yield f"Of two records of one company we propose to keep, in this order: {order}."
    for alias, domain in terms.take("identity.aliases").items():
        yield f"{alias} is another domain of {domain}."
    corporate, rates = terms.take("fx.corporate"), terms.take("fx.rates")
    yield f"Amounts are compared in {corporate}."
    for month, row in rates.items():
        shown = listed(f"1 {currency} = {rate} {corporate}" for currency, rate in row.items())
        yield f"Rates of {month}: {shown}."
    for code, text in terms.take("reasons").items():
        yield f"The reason `{code}` is told as: {written(text)}"


_KEEPS = {
    "partner_of_record": "the one with an approved registration",
    "open_deals": "the one with the most open deals",
    "most_complete": "the one with the most fields filled",
    "oldest": "the oldest",
}

_SECTIONS: tuple[tuple[str, Callable[[Terms], Iterator[str]], tuple[str, ...]], ...] = (
    ("Where these rules hold", _scope, ("scope",)),
    ("Who may register", _who, ("gates", "eligibility", "capacity", "deadlines")),
    ("What a registration gives, and for how long", _protection, ("registration",)),
    ("Extensions", _extension, ("extension",)),
    ("Who wins", _winner, ("uniqueness", "tie_order", "tie_order_by_motion", "incumbency")),
    ("Conflicts and territories", _disputes, ("conflict", "territory")),
    ("How we decide", _decision, ("approval", "calendars")),
    ("Who brought the deal", _attribution, ("attribution",)),
    ("Credit", _credit, ("credit",)),
    ("Certifications", _standing, ("certification",)),
    ("What must be filled, and reminders", _hygiene, ("validations", "stale_deals", "reminders")),
    ("What is pointed out", _changes, ("changes", "findings")),
    ("Tasks", _tasks, ("tasks",)),
    ("Customers, currencies and words", _identity, ("identity", "duplicates", "fx", "reasons")),
)

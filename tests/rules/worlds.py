"""Generated neighbourhoods: small, crowded and often odd, so that claims meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

from hypothesis import strategies as st

from crmsync.records import (
    Account,
    AgreementStatus,
    Attribution,
    Certification,
    CertificationStatus,
    CertificationType,
    ClosureCode,
    ConflictDecision,
    Contact,
    Deal,
    Link,
    Motion,
    Partner,
    PartnerRole,
    PartnerStatus,
    Registration,
    RegistrationState,
    Stage,
    Touch,
    TouchType,
)
from crmsync.rules import Decision, Facts, Policy, load_policy, load_policy_text

START = datetime(2026, 1, 1, tzinfo=UTC)
PARTNERS = ("PA", "PB", "PC")
ACCOUNTS = ("X", "Y", "Z")

POLICY_TEXTS = (
    """
    version: orders
    tie_order_by_motion: {renewal: [incumbent, registered, certified, earliest_submission]}
    stale_deals: {after_days: 20}
    validations:
      - {name: v, when: 'stage == "proposal" and not is_blank(partner_id)', require: [registration_id]}
    """,
    """
    version: families
    timezone: America/New_York
    uniqueness: {scope: ultimate_parent, product_overlap: ignore}
    certification: {on_lapse: {grace_days: 5, then: suspend}}
    gates: {certification: [sales]}
    territory: {partner_regions: true, hold: true}
    changes: {amount_tolerance_percent: 5}
    tasks: {CONFLICT_PARTNER: {to: owner}}
    conflict: {escalation: [{within: {value: 30, unit: hours}}, {within: {value: 2}, to: owner}]}
    """,
    """
    version: strict
    extension: {request_by: after_ok, from: decided_at}
    registration:
      length: {value: 1, unit: months}
      end_inclusive: false
      lapses:
        - {name: no answer, within: {value: 40}}
        - {name: no deal, when: is_blank(deal_id), within: {value: 20}, of: approved_at}
    credit: {requires_active_protection_at_close: true}
    conflict: {escalation: []}
    uniqueness: {second_registrant: reject, second_registrant_by: [{when: 'site == "York"', then: accept_all}]}
    territory: {rules: [{name: small, when: 'not is_blank(amount)', require: 'amount < 400'}]}
    findings: {TENDER: off, STALE_DEAL: error}
    attribution: {manual_claims: sourced}
    """,
    """
    version: open
    registration: {kind: credit_only, length: null}
    incumbency: {lasts: {value: 40}}
    uniqueness: {fields: [site], lanes: {one: [reseller], two: [si]}}
    approval: {sla: {value: 2, unit: business_days}}
    extension: {decide_by: end, rivals_when_granted: hold}
    """,
    """
    version: sites
    uniqueness: {scope: account+site, second_registrant: accept_reduced, discount_factor: 0.5}
    registration:
      start: submitted_at
      hard_cap: {value: 2, unit: months}
      keepalive: {every: {value: 20}}
    eligibility:
      - {no_vendor_contact_within: {value: 1, unit: months}}
      - {no_open_direct_deal: true}
      - {not_customer: same_product}
      - {no_purchase_within: {value: 30}}
      - {name: amount, amount_gte: {value: 400, currency: EUR}}
      - {name: recent, require: 'days_between(coalesce(last_partner_activity_on, today), today) < 9'}
      - {submitted_within: {value: 10, of: deal_created}}
      - {minimum_age: {value: 72}}
    capacity: {open_registrations_per_partner: 1}
    deadlines: [{name: cut-off, at: "2026-02-01T17:00", tz: America/Los_Angeles}]
    attribution: {sourced: split, influenced: split}
    credit: {weights: {sourcing: 60, co_sell: 25}, loser_credit: {percent: 5}}
    fx: {rates: {"2026-01": {EUR: 1.1}}}
    """,
    """
    version: letters
    uniqueness: {scope: domain, product_overlap: ignore, overrides: [customer_letter, end_user_request]}
    registration:
      start: status_changed_at
      length_by: [{when: 'status == "engaged" and account.country == "DE"', length: {value: 30}}]
    extension:
      max_count: 3
      when: 'status == "lead"'
      request_by: start+40d
      needs: [extension_reason]
      sla: {value: 3, unit: business_days}
    approval:
      sla_by: [{when: 'status == "lead"', sla: {value: 5, unit: business_days}}]
      auto_approve_unless: [partner_count > 1, open_direct_deals > 0]
      steps: [{when: evidence_count > 0, approver: desk}, {approver: manager}]
    """,
)
POLICIES: tuple[Policy, ...] = (
    *(load_policy_text(dedent(text)) for text in POLICY_TEXTS),
    *(load_policy(path) for path in sorted((Path(__file__).parents[2] / "config" / "policies").glob("*.yaml"))),
)

instants = st.integers(0, 150 * 24).map(lambda hours: START + timedelta(hours=hours))
days = st.integers(-20, 150).map(lambda n: date(2026, 1, 1) + timedelta(days=n))
products = st.lists(st.sampled_from(["P1", "P2"]), max_size=2, unique=True).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def enum(cls: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(list(cls))


def _records(cls: Any, prefix: str, count: int, **values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    rows = st.lists(st.fixed_dictionaries(values), max_size=count)
    return rows.map(lambda found: tuple(cls(id=f"{prefix}{at}", **row) for at, row in enumerate(found)))


registrations = _records(
    Registration,
    "R",
    4,
    number=maybe(st.sampled_from(["N1", "N2", "N3"])),
    partner_id=maybe(st.sampled_from(PARTNERS)),
    account_id=maybe(st.sampled_from(ACCOUNTS)),
    account_name=maybe(st.sampled_from(["Acme GmbH", "Other"])),
    account_country=maybe(st.sampled_from(["DE", "US"])),
    account_domain=maybe(st.sampled_from(["acme.example", "gmail.com", "other.example"])),
    contact_email=maybe(st.sampled_from(["a@gmail.com", "a@acme.example"])),
    deal_id=maybe(st.sampled_from(["D0", "D1", "D9"])),
    products=products,
    motion=maybe(enum(Motion)),
    state=maybe(enum(RegistrationState)) | st.just(RegistrationState.APPROVED) | st.just(RegistrationState.SUBMITTED),
    closure_code=st.none() | enum(ClosureCode),
    submitted_at=maybe(instants),
    approved_at=maybe(instants),
    decided_at=maybe(instants),
    extension_requested_at=st.none() | instants,
    extension_granted_at=st.none() | instants,
    blocked_by=maybe(st.just("N1")),
    sla_due_at=maybe(instants),
    protection_start=maybe(days),
    protection_end=maybe(days),
    flags=st.sampled_from([(), ("CONFLICT_INCUMBENT",)]),
    amount=maybe(st.just(Decimal(450))),
    currency=maybe(st.sampled_from(["USD", "EUR", "SEK"])),
    site=maybe(st.sampled_from(["Leeds", "leeds ", "York"])),
    status=maybe(st.sampled_from(["lead", "engaged"])),
    status_changed_at=st.none() | instants,
    extension_count=st.none() | st.integers(1, 3),
    conflict_decision=st.none() | st.none() | enum(ConflictDecision),
    conflict_since=st.none() | st.none() | instants,
    customer_letter_on=st.none() | days,
    open_to_others_on=st.none() | days,
    returned_at=st.none() | instants,
    resubmitted_at=st.none() | instants,
    is_perpetual=maybe(st.booleans()),
    contract_signed_on=st.none() | days,
)
deals = _records(
    Deal,
    "D",
    4,
    name=maybe(st.just("deal")),
    account_id=maybe(st.sampled_from(ACCOUNTS)),
    stage=maybe(enum(Stage)),
    motion=maybe(enum(Motion)),
    amount=maybe(st.just(Decimal(500))),
    created_at=maybe(instants),
    close_date=maybe(days),
    last_activity_on=maybe(days),
    is_tender=maybe(st.booleans()),
    products=products,
    partner_id=maybe(st.sampled_from(PARTNERS)),
    partner_role=maybe(enum(PartnerRole)),
    registration_id=maybe(st.sampled_from(["n1", "N2", "N9"])),
    attribution=maybe(enum(Attribution)),
    attribution_override=st.none() | enum(Attribution),
    attribution_override_by=maybe(st.just("Pia")),
    attribution_override_reason=maybe(st.just("agreed")),
)
touches = _records(
    Touch,
    "T",
    4,
    partner_id=maybe(st.sampled_from(PARTNERS)),
    deal_id=maybe(st.sampled_from(["D0", "D1"])),
    account_id=maybe(st.sampled_from(ACCOUNTS)),
    type=maybe(enum(TouchType)),
    occurred_at=maybe(instants),
    logged_at=maybe(instants),
)
accounts = st.fixed_dictionaries(
    {
        "name": maybe(st.sampled_from(["Acme GmbH", "Acme", "Other"])),
        "country": maybe(st.sampled_from(["DE", "US"])),
        "domain": maybe(st.sampled_from(["www.acme.example", "other.example"])),
        "company_number": maybe(st.sampled_from(["1", "2"])),
        "parent_id": maybe(st.sampled_from(ACCOUNTS)),
        "last_contact_on": st.none() | days,
    }
)
partners = st.fixed_dictionaries(
    {
        "name": maybe(st.sampled_from(["Partner One", "Partner Two"])),
        "status": maybe(enum(PartnerStatus)),
        "agreement_status": maybe(enum(AgreementStatus)),
        "agreement_end": maybe(days),
        "regions": st.sampled_from([(), ("DE",), ("us", "CA")]),
    }
)
certifications = _records(
    Certification,
    "C",
    3,
    partner_id=st.sampled_from(PARTNERS),
    type=maybe(enum(CertificationType)),
    status=maybe(enum(CertificationStatus)),
    earned_on=maybe(days),
    expires_on=maybe(days),
)
contacts = _records(Contact, "K", 2, account_id=maybe(st.just("X")), email=maybe(st.just("a@acme.example")))
links = st.lists(
    st.builds(
        Link,
        name=st.just("deal_partner"),
        from_id=st.sampled_from(["D0", "D1"]),
        to_id=st.sampled_from(PARTNERS),
        label=maybe(st.sampled_from(["Sourcing", "Co-Sell", "Partner"])),
    ),
    max_size=2,
    unique=True,
).map(tuple)


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    """One neighbourhood."""
    return Facts(
        accounts=tuple(Account(id=i, **draw(accounts)) for i in ACCOUNTS[: draw(st.integers(1, 3))]),
        contacts=draw(contacts),
        deals=draw(deals),
        registrations=draw(registrations),
        touches=draw(touches),
        links=draw(links),
        partners={i: Partner(id=i, **draw(partners)) for i in PARTNERS},
        certifications=draw(certifications),
        merged=draw(st.sampled_from([{}, {"PA": "PB"}, {"Y": "X"}])),
    )


def apply(facts: Facts, decision: Decision) -> Facts:
    """The facts once every decided value is written."""
    values: dict[tuple[str, str], dict[str, Any]] = {}
    for field in decision.fields:
        values.setdefault((field.kind, field.id), {})[field.field] = field.value

    def written(kind: str, records: Any) -> Any:
        return tuple(replace(record, **values.get((kind, record.id), {})) for record in records)

    partners: Mapping[str, Partner] = {p.id: p for p in written("partner", facts.partners.values())}
    return replace(
        facts,
        accounts=written("account", facts.accounts),
        contacts=written("contact", facts.contacts),
        deals=written("deal", facts.deals),
        registrations=written("registration", facts.registrations),
        partners=partners,
    )

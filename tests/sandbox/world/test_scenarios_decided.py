"""The starter policy sees in each scenario what docs/demo-world.md promises, in both CRMs alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from crmsync.rules import Facts, decide, load_policy
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.world.conftest import NOW
from tests.sandbox.world.reading import CONFIG, KINDS, Reading, read_hubspot, read_salesforce

STATES = {
    "1-R1": "pending_approval", "1-R2": "on_hold", "3-R1": "approved", "3-R2": "on_hold", "6-R2": "closed",
    "7-R2": "pending_approval", "9-R2": "on_hold", "11-R1": "pending_approval", "22-R1": "approved", "22-R2": "on_hold",
    "22B-R1": "approved", "22B-R2": "rejected", "24-R1": "expired", "28-R2": "on_hold", "30-R2": "pending_approval",
    "32-R1": "expired", "32-R2": "pending_approval", "34-R2": "pending_approval", "35-R3": "pending_approval",
    "37-R1": "returned", "38-R2": "on_hold", "39-R1": "approved", "41-R1": "approved", "41-R2": "approved",
    "43-R1": "approved", "EX-R1": "approved", "EX2-R1": "expired",
}  # fmt: skip
ATTRIBUTIONS = {
    "4-D1": "sourced", "9-D1": "sourced", "11-D1": "direct", "11B-D1": "influenced", "12-D1": "sourced",
    "12-D2": "review",
    "26-D1": "sourced", "32-D1": "sourced", "45-D1": "direct", "46-D1": "influenced", "48-D1": "sourced",
    "48B-D1": "direct", "48C-D1": "sourced", "52-D1": "sourced", "BD-D1": "direct", "WR-D1": "review",
    "GBP-D1": "sourced", "GBP-D2": "sourced",
}  # fmt: skip
FINDINGS = {
    "1-R2": {"CONFLICT_PARTNER"}, "6-R2": {"DUP_REGISTRATION"}, "7-R2": set(), "11-R1": {"CONFLICT_DIRECT"},
    "12-D1": set(), "12-D2": {"DUP_DEAL", "DIRECT_ON_PROTECTED"}, "20-R1": {"SLA_BREACH"}, "20-R2": set(),
    "22-R1": {"EXT_PENDING"}, "24-R1": {"EXT_LATE"}, "28-R2": {"CONFLICT_INCUMBENT"}, "30-R2": set(),
    "34-R1": {"RELATED_ACCOUNT"}, "34-R2": {"RELATED_ACCOUNT"}, "35-R2": {"RELATED_ACCOUNT"},
    "35-R3": {"AMBIGUOUS_ACCOUNT"}, "37-R1": {"FREE_MAIL_DOMAIN", "MISSING_FIELD"}, "38-R2": {"CONFLICT_PARTNER"},
    "39-R1": {"PARTNER_MERGED"}, "41-R1": {"CONFLICT_PARTNER"}, "41-R2": {"CONFLICT_PARTNER"}, "43-D1": {"CERT_LAPSED"},
    "45-D1": {"MISSING_REG_ID"}, "45-D2": set(), "48B-D1": {"ATTR_LOCKED"}, "58-R1": {"CLOCK_SKEW"},
    "AG-R1": {"AGREEMENT_INACTIVE"}, "PI-R1": {"PARTNER_INACTIVE"}, "BD-D1": {"ATTR_BACKDATED"},
    "DA-X1": {"DUP_ACCOUNT"}, "DA-X2": {"DUP_ACCOUNT"}, "EX-R1": {"REG_EXPIRING"}, "EX2-D1": {"REG_EXPIRED"},
    "RF-D1": {"MISSING_FIELD"}, "RF-R1": {"MISSING_FIELD"}, "ST-D1": {"REG_EXPIRED", "STALE_DEAL"},
    "WR-D1": {"CONFLICT_PARTNER", "MISSING_REG_ID"},
}  # fmt: skip
MATCHES = {"35-R2": "35-X2", "38-R1": "38-X", "38-R2": "38-X", "38B-R1": "38B-X", "AL-R1": "AL-X", "41-R2": "41-X"}


class Decided:
    """What was decided, by the world's keys."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        decision = decide(facts_of(reading), load_policy(CONFIG / "policies" / "baseline.yaml"), NOW)
        self.values = {(reading.key(d.kind, d.id), d.field): d.value for d in decision.fields if d.kind in KINDS}
        self.codes: dict[str, set[str]] = defaultdict(set)
        for finding in decision.findings:
            self.codes[reading.key(finding.kind, finding.id)].add(finding.code)

    def account_of(self, registration: str) -> str:
        chosen = self.values[registration, "account_id"]
        return self._reading.key("account", self._reading.merged.get(chosen, chosen))


def facts_of(reading: Reading) -> Facts:
    def of(kind: str) -> tuple[Any, ...]:
        return tuple(sorted(reading.records[kind], key=lambda record: record.id))

    return Facts(
        accounts=of("account"),
        contacts=of("contact"),
        deals=of("deal"),
        registrations=of("registration"),
        touches=of("touch"),
        links=tuple(sorted(reading.links, key=lambda link: (link.name, link.from_id, link.to_id))),
        partners={partner.id: partner for partner in of("partner")},
        certifications=of("certification"),
        users={user.id: user for user in of("user")},
        merged=reading.merged,
    )


@pytest.fixture(scope="module")
def in_salesforce(salesforce: SalesforceOrg) -> Decided:
    return Decided(read_salesforce(salesforce))


@pytest.fixture(scope="module")
def in_hubspot(hubspot: HubSpotPortal) -> Decided:
    return Decided(read_hubspot(hubspot))


@pytest.fixture(params=["in_salesforce", "in_hubspot"])
def decided(request: pytest.FixtureRequest) -> Decided:
    found: Decided = request.getfixturevalue(request.param)
    return found


def of_scenarios(wanted: dict[str, Any], find: Callable[[str], Any]) -> dict[str, Any]:
    """The differing ones only, as (wanted, found)."""
    found = {key: find(f"SCN-{key}") for key in wanted}
    return {key: (wanted[key], found[key]) for key in wanted if wanted[key] != found[key]}


def test_registrations_reach_their_state(decided: Decided):
    assert of_scenarios(STATES, lambda key: str(decided.values[key, "state"])) == {}


def test_deals_are_attributed(decided: Decided):
    assert of_scenarios(ATTRIBUTIONS, lambda key: str(decided.values[key, "attribution"])) == {}


def test_findings_are_these_and_no_others(decided: Decided):
    assert of_scenarios(FINDINGS, lambda key: decided.codes.get(key, set())) == {}


def test_customers_are_recognised(decided: Decided):
    assert of_scenarios(MATCHES, lambda key: decided.account_of(key).removeprefix("SCN-")) == {}


def test_the_demo_has_enough_to_look_at_and_not_too_much(in_salesforce: Decided):
    count = sum(map(len, in_salesforce.codes.values()))
    assert 50 < count < 500

"""Who edited a field of ours, and when; and what happens when they will not stop."""

from __future__ import annotations

import pytest

from crmsync.errors import Permanent
from crmsync.store import FindingRow
from crmsync.sync.cycle import sync
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People
from tests.sync.test_edits import BY_HAND, findings, protected_deal, written

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


@pytest.fixture
def people(tiny_synced: Bench, system: str) -> People:
    return People(tiny_synced, system)


def somebody(people: People) -> tuple[str, str]:
    """A seller: user id and name."""
    if people.system == "salesforce":
        admin = people.crm.person().user_id
        return admin, next(user["Name"] for user in people.crm.users() if user["Id"] == admin)
    owner = people.crm.owners.page(archived=False, email=None, after=0, limit=1)[0]
    return str(owner["userId"]), f"{owner['firstName']} {owner['lastName']}"


def edit_as(people: People, deal: str, field: str, value: object) -> str:
    """The seller's name."""
    user, name = somebody(people)
    target = people.mapping.field("deal", field)
    assert target is not None
    raw = people.mapping.to_remote("deal", field, value)  # type: ignore[arg-type]
    people.crm.edit(target.object, deal, {target.remote_field: raw}, user)
    people.bench.box.clock.advance(60)
    return name


def the_edit(people: People) -> FindingRow:
    (finding,) = findings(people, "USER_EDIT")
    return finding


def test_the_finding_names_who_and_when(people: People) -> None:
    deal, before = protected_deal(people), people.bench.now
    name = edit_as(people, deal, "protection_end", BY_HAND)
    written(people, deal)
    finding = the_edit(people)
    assert name in finding.message
    assert f"{before:%Y-%m-%d %H:%M} UTC" in finding.message
    assert f"by: {name}" in finding.evidence
    assert "the CRM holds: '2031-01-31'" in finding.evidence
    source = "last modification" if people.system == "salesforce" else "CRM_UI"
    assert f"source: {source}" in finding.evidence


def test_field_history_tells_it_of_the_field(people: People, system: str) -> None:
    if system == "salesforce":
        people.crm.track_history("Opportunity", ["PRM_Protection_End__c"])
    deal = protected_deal(people)
    name = edit_as(people, deal, "protection_end", BY_HAND)
    people.edit("deal", deal, "amount", 5)  # a later change of another field
    written(people, deal)
    finding = the_edit(people)
    assert f"by: {name}" in finding.evidence
    assert f"source: {'field history' if system == 'salesforce' else 'CRM_UI'}" in finding.evidence


def test_the_crm_is_asked_once_about_an_edit(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = protected_deal(people)
    edit_as(people, deal, "protection_end", BY_HAND)
    written(people, deal)
    said = the_edit(people).message
    with people.bench.session(people.system) as session:
        monkeypatch.setattr(session.connector, "edits", lambda *_: pytest.fail("asked again"))
        sync(session, full=True)
    assert the_edit(people).message == said


def test_an_edit_stands_where_nobody_may_read_histories(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = protected_deal(people)
    edit_as(people, deal, "protection_end", BY_HAND)
    with people.bench.session(people.system) as session:
        monkeypatch.setattr(session.connector, "edits", refuse)
        _, report = sync(session)
    assert report.status == "ok"
    assert "set by somebody" in the_edit(people).message


def refuse(*_: object) -> None:
    raise Permanent("no permission", system="either", vendor_code="MISSING_SCOPES")


def test_the_reason_of_a_restoration_names_the_other(people: People) -> None:
    deal = protected_deal(people)
    name = edit_as(people, deal, "attribution", "direct")
    assert "attribution" in written(people, deal)
    with people.bench.session(people.system) as session:
        last = session.store.history(session.mapping.object_of("deal"), deal, "attribution")[0]
    assert name in last.reason
    assert "'direct'" in last.reason


def flip(people: People, deal: str) -> bool:
    """Another program sets the field again; whether crmsync wrote it back."""
    edit_as(people, deal, "attribution", "direct")
    return "attribution" in written(people, deal)


def test_a_field_that_two_write_is_frozen_and_thaws_when_they_agree(people: People) -> None:
    deal = protected_deal(people)
    ours = people.value("deal", deal, "attribution")
    assert [flip(people, deal) for _ in range(5)] == [True, True, True, False, False]
    (finding,) = findings(people, "FIELD_FROZEN")
    assert somebody(people)[1] in finding.message
    assert people.value("deal", deal, "attribution") == "direct"
    edit_as(people, deal, "attribution", ours)
    written(people, deal)
    assert findings(people, "FIELD_FROZEN") == []
    assert flip(people, deal)


def test_a_frozen_field_follows_another_policy_at_once(people: People, system: str) -> None:
    deal = protected_deal(people)
    for _ in range(4):
        flip(people, deal)
    path = f"mappings/{system}.yaml"
    remote = people.mapping.field("deal", "attribution").remote_field  # type: ignore[union-attr]
    line = f"attribution: {{field: {remote}, mode: engine_owned, on_user_edit: restore}}"
    people.bench.edit_yaml(path, line, line.replace("restore", "flag"))
    assert written(people, deal) == set()
    assert findings(people, "FIELD_FROZEN") == []
    assert the_edit(people).subject == "attribution"


def test_freeze_after_is_the_mappings(people: People, system: str) -> None:
    people.bench.edit_yaml(f"mappings/{system}.yaml", "version: 1\n", "version: 1\nfreeze_after: 1\n")
    deal = protected_deal(people)
    assert [flip(people, deal) for _ in range(3)] == [True, False, False]


def test_an_unfrozen_field_is_written_again(people: People) -> None:
    deal = protected_deal(people)
    for _ in range(4):
        flip(people, deal)
    with people.bench.session(people.system) as session:
        frozen = [place for place, row in session.store.edit_rows().items() if row.frozen_run]
        session.store.thaw(frozen, people.bench.now)
        session.store.mark_pending([place[:2] for place in frozen])
    assert "attribution" in written(people, deal)
    assert findings(people, "FIELD_FROZEN") == []


def test_an_override_is_followed_and_an_edit_beside_it_is_not(people: People) -> None:
    """Who wants another attribution records an override; the field itself follows it, and nothing else."""
    deal = protected_deal(people)
    wanted = "influenced"
    assert people.value("deal", deal, "attribution") != wanted
    for field, value in (("", wanted), ("_by", "Eva Klein"), ("_reason", "They only advised.")):
        edit_as(people, deal, f"attribution_override{field}", value)
    assert "attribution" in written(people, deal)
    assert people.value("deal", deal, "attribution") == wanted
    assert [f.id for f in findings(people, "ATTR_OVERRIDE") if f.id == deal]
    assert written(people, deal) == set()
    edit_as(people, deal, "attribution", "direct")
    assert "attribution" in written(people, deal)
    assert people.value("deal", deal, "attribution") == wanted

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.errors import Permanent
from crmsync.remote import Cursor, ObjectSpec, Page
from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.connectors.salesforce.conftest import Connect

ACCOUNT = ObjectSpec("Account", ("Name", "Website"))
T0 = datetime(2026, 11, 1, 8, 0, 0, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def load_accounts(org: SalesforceOrg, count: int, at: datetime = T0) -> list[str]:
    stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), stamp(at))
    return org.insert_rows("Account", [{"Name": f"Account {number}", **stamps} for number in range(count)])


def ids(pages: Iterable[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def last_cursor(pages: Iterable[Page]) -> Cursor:
    cursor = list(pages)[-1].cursor
    assert json.loads(json.dumps(cursor)) == cursor
    return cursor


def test_the_first_pull_brings_everything_in_pages_of_2000(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    made = load_accounts(org, 4100)
    pages = list(connector.pull(ACCOUNT, None))
    assert [len(page.records) for page in pages] == [2000, 2000, 100]
    assert {page.expected for page in pages} == {4100}
    assert sorted(ids(pages)) == sorted(made)


def test_records_hold_the_raw_values_asked_for(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    (made,) = load_accounts(org, 1)
    (page,) = connector.pull(ACCOUNT, None)
    (record,) = page.records
    assert (record.id, dict(record.fields)) == (made, {"Name": "Account 0", "Website": None})
    assert (record.modified_at, record.deleted, record.merged_into, record.links) == (T0, False, None, None)


def test_the_next_pull_brings_what_changed_since(connector: SalesforceConnector, box: Sandbox) -> None:
    box.clock.set(T0)
    first, *_ = load_accounts(box.salesforce, 50, T0 - timedelta(days=2))
    cursor = last_cursor(connector.pull(ACCOUNT, None))
    box.clock.advance(3600)
    box.salesforce.edit("Account", first, {"Name": "Renamed"})
    assert ids(connector.pull(ACCOUNT, cursor)) == [first]


def test_nothing_new_is_one_call_and_an_old_bulk_load_is_not_read_again(
    connector: SalesforceConnector, box: Sandbox
) -> None:
    box.clock.set(T0)
    load_accounts(box.salesforce, 2500, T0)
    cursor = last_cursor(connector.pull(ACCOUNT, None))
    box.clock.advance(3600)
    connector.count("Account")
    cursor = last_cursor(connector.pull(ACCOUNT, cursor))
    before = connector.budget().used
    assert ids(connector.pull(ACCOUNT, cursor)) == []
    assert connector.budget().used - before == 1


def test_a_row_that_becomes_visible_late_is_seen(connector: SalesforceConnector, box: Sandbox) -> None:
    box.clock.set(T0)
    load_accounts(box.salesforce, 3)
    cursor = last_cursor(connector.pull(ACCOUNT, None))
    box.clock.advance(60)
    (late,) = load_accounts(box.salesforce, 1, T0 - timedelta(minutes=5))
    assert late in ids(connector.pull(ACCOUNT, cursor))


def test_a_pull_may_stop_after_any_page_and_go_on_from_its_cursor(connect: Connect, org: SalesforceOrg) -> None:
    made = load_accounts(org, 4100)
    first = next(iter(connect().pull(ACCOUNT, None)))
    rest = list(connect().pull(ACCOUNT, first.cursor))
    assert sorted([*ids([first]), *ids(rest)]) == sorted(made)
    assert last_cursor(rest)["done"]


def test_what_changes_behind_a_stopped_pull_is_seen_by_the_next(connect: Connect, box: Sandbox) -> None:
    box.clock.set(T0)
    made = load_accounts(box.salesforce, 2100, T0 - timedelta(days=1))
    first = next(iter(connect().pull(ACCOUNT, None)))
    box.clock.advance(86400)
    box.salesforce.edit("Account", made[0], {"Name": "Renamed"})
    cursor = last_cursor(connect().pull(ACCOUNT, first.cursor))
    assert made[0] in ids(connect().pull(ACCOUNT, cursor))


def test_a_delete_is_seen(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    gone, _ = load_accounts(org, 2)
    cursor = last_cursor(connector.pull(ACCOUNT, None))
    org.delete("Account", gone)
    records = {record.id: record for page in connector.pull(ACCOUNT, cursor) for record in page.records}
    assert (records[gone].deleted, records[gone].merged_into) == (True, None)


def test_a_merge_names_the_survivor(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    winner, loser = load_accounts(org, 2)
    cursor = last_cursor(connector.pull(ACCOUNT, None))
    org.merge("Account", winner, [loser])
    records = {record.id: record for page in connector.pull(ACCOUNT, cursor) for record in page.records}
    assert (records[loser].deleted, records[loser].merged_into) == (True, winner)
    assert not records[winner].deleted


@pytest.mark.parametrize("name", ["User", "OpportunityStage", "OpportunityContactRole", "OpportunityPartner"])
def test_objects_of_every_kind_can_be_pulled_counted_and_swept(connector: SalesforceConnector, name: str) -> None:
    pulled = [record.id for page in connector.pull(ObjectSpec(name, ("Id",)), None) for record in page.records]
    assert pulled == list(dict.fromkeys(pulled))
    assert sorted(connector.ids(name)) == sorted(pulled)
    assert connector.count(name) == len(pulled)


def test_fields_beyond_the_length_of_a_url_are_read_by_id(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    names = [f"A_Custom_Field_With_Quite_A_Long_Name_{n:03d}__c" for n in range(330)]
    for name in names:
        org.create_field("Account", name, "Text", name[:40], length=20)
    (made,) = org.insert_rows("Account", [{"Name": "Wide", names[0]: "first", names[-1]: "last"}])
    (page,) = connector.pull(ObjectSpec("Account", tuple(names)), None)
    (record,) = page.records
    assert record.id == made
    assert (record.fields[names[0]], record.fields[names[-1]], len(record.fields)) == ("first", "last", 330)


def test_long_texts_do_not_make_pages_small(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    for name in ("One__c", "Two__c"):
        org.create_field("Account", name, "LongTextArea", name, length=32768)
    org.insert_rows("Account", [{"Name": "A", "One__c": f"1/{number}", "Two__c": "2"} for number in range(300)])
    (page,) = connector.pull(ObjectSpec("Account", ("Name", "One__c", "Two__c")), None)
    assert {record.fields["Two__c"] for record in page.records} == {"2"}
    assert len({record.fields["One__c"] for record in page.records}) == 300


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (ObjectSpec("Acount", ("Name",)), "no object 'Acount'"),
        (ObjectSpec("Account; DROP", ("Name",)), "no object"),
        (ObjectSpec("Account", ("Name", "Webside")), "'Account.Webside' .*there is 'Website'"),
    ],
)
def test_what_the_user_cannot_see_is_named(connector: SalesforceConnector, spec: ObjectSpec, said: str) -> None:
    with pytest.raises(Permanent, match=said) as caught:
        list(connector.pull(spec, None))
    assert "crmsync provision" in caught.value.hint


def test_a_field_without_permission_looks_missing(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    org.create_field("Account", "Hidden__c", "Text", "Hidden", length=20, visible=False)
    with pytest.raises(Permanent, match=r"'Account\.Hidden__c'"):
        list(connector.pull(ObjectSpec("Account", ("Hidden__c",)), None))

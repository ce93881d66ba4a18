"""Answers that a well-behaved org never gives, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.errors import AuthError, Permanent, QuotaExhausted, Transient, Unreachable, UsageError
from crmsync.remote import ObjectSpec, Write
from tests.connectors.scripted import FakeTime, Say, Scripted, scripted_server, settings, unused_url

DATE = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
FIELDS = {"Id": "id", "Name": "string", "SystemModstamp": "datetime", "IsDeleted": "boolean", "Key__c": "string"}
DESCRIBE = Say(
    headers=DATE,
    body={
        "name": "Thing__c",
        "label": "Thing",
        "fields": [
            {"name": name, "type": kind, "externalId": name == "Key__c", "unique": name == "Key__c"}
            for name, kind in FIELDS.items()
        ],
    },
)
SPEC = ObjectSpec("Thing__c", ("Name",))
TOKEN = {"auth": {"flow": "token"}, "secrets": {"access_token": "00D!x"}}


@pytest.fixture
def crm() -> Iterator[Scripted]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def connector(crm: Scripted) -> Iterator[SalesforceConnector]:
    time = FakeTime()
    made = SalesforceConnector(settings(crm.url, **TOKEN), clock=time.clock, sleep=time.sleep)
    yield made
    made.close()


def row(number: int, stamp: str = "2026-11-22T09:00:00.000+0000") -> dict[str, Any]:
    return {"Id": f"a0{number:016d}", "Name": f"n{number}", "SystemModstamp": stamp, "IsDeleted": False}


def page(*numbers: int, total: int, link: str = "") -> Say:
    body = {"totalSize": total, "done": not link, "records": [row(number) for number in numbers]}
    return Say(body={**body, "nextRecordsUrl": link} if link else body)


def error(status: int, code: str, message: str = "") -> Say:
    return Say(status, [{"errorCode": code, "message": message}])


def update(*ids: str) -> list[Write]:
    return [Write(f"w{n}", "update", "Thing__c", {"Name": "x"}, id=record_id) for n, record_id in enumerate(ids)]


def result(record_id: str = "a01", **changes: Any) -> dict[str, Any]:
    return {"id": record_id, "success": True, "errors": [], **changes}


def failure(code: str, message: str = "m") -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": ["Name"]}]}


# ---------------------------------------------------------------- pull


def test_a_forgotten_locator_is_replaced_by_a_query_from_the_last_row(
    crm: Scripted, connector: SalesforceConnector
) -> None:
    lost = error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    crm.says(DESCRIBE, page(1, 2, total=3, link="/services/data/v62.0/query/01g-2"), lost, page(3, total=1))
    ids = [record.id for got in connector.pull(SPEC, None) for record in got.records]
    assert ids == [row(number)["Id"] for number in (1, 2, 3)]
    assert f"Id%20%3E%20'{row(2)['Id']}'" in crm.heard[-1].path


def test_a_page_that_stops_short_is_refused_whole(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(DESCRIBE, page(1, total=3))
    with pytest.raises(Transient, match="1 of 3 rows of Thing__c"):
        list(connector.pull(SPEC, None))


def test_a_web_page_instead_of_rows_is_a_fault_and_not_zero_rows(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(DESCRIBE, *[Say(200, b"<html>maintenance</html>")] * 4)
    with pytest.raises(Unreachable):
        list(connector.pull(SPEC, None))


def test_an_edge_that_stays_overloaded_is_no_answer(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(*[Say(420, b"<html>")] * 4)
    with pytest.raises(Unreachable, match=r"\(420\)"):
        connector.describe("Thing__c")


def test_a_next_link_to_another_host_is_refused(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(DESCRIBE, page(1, total=2, link="https://evil.example/services/data/v62.0/query/01g-1"))
    with pytest.raises(Permanent, match="another host"):
        list(connector.pull(SPEC, None))


@pytest.mark.parametrize(
    "cursor",
    [
        {},
        {"format": "hubspot/1", "after": "x"},
        {"format": "salesforce/1"},
        {"format": "salesforce/1", "through": "soon", "since": None, "after": None, "done": True},
        {"format": "salesforce/1", "through": "2030-01-01T00:00:00.000Z", "since": None, "after": None, "done": True},
        {"format": "salesforce/1", "through": None, "since": None, "after": 7, "done": False},
    ],
)
def test_a_cursor_that_makes_no_sense_means_everything(
    crm: Scripted, connector: SalesforceConnector, cursor: dict[str, Any]
) -> None:
    crm.says(DESCRIBE, page(1, total=1))
    (got,) = connector.pull(SPEC, cursor)
    assert "WHERE" not in crm.heard[-1].path
    assert json.loads(json.dumps(got.cursor)) == got.cursor


# ---------------------------------------------------------------- push


@pytest.mark.parametrize(
    "answer",
    [
        Say(cut="before"),
        Say(body=[result(), result()], cut="middle"),
        Say(500),
        Say(504),
        Say(body=[]),
        Say(body=[result()]),
        Say(body={"success": True}),
        Say(200, b"<html>"),
        Say(200),
    ],
)
def test_no_whole_answer_to_a_write_makes_every_record_unknown(
    crm: Scripted, connector: SalesforceConnector, answer: Say
) -> None:
    crm.says(answer)
    outcomes = connector.push(update("a01", "a02"))
    assert [(outcome.ref, outcome.status) for outcome in outcomes] == [("w0", "unknown"), ("w1", "unknown")]
    assert len(crm.heard) == 1


def test_each_record_has_its_own_outcome(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(
        Say(body=[result("a01"), failure("STRING_TOO_LONG", "Name: data value too large: canary (max length=80)")])
    )
    first, second = connector.push(update("a01", "a02"))
    assert (first.status, first.id, first.created) == ("ok", "a01", False)
    assert (second.status, second.code, second.retriable) == ("failed", "STRING_TOO_LONG", False)
    assert second.message == "Name: data value too large: … (max length=80) [Name]"


def test_locked_rows_alone_are_sent_again(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(Say(body=[result("a01"), failure("UNABLE_TO_LOCK_ROW")]), Say(body=[result("a02")]))
    assert [outcome.status for outcome in connector.push(update("a01", "a02"))] == ["ok", "ok"]
    assert [record["id"] for record in json.loads(crm.heard[1].body)["records"]] == ["a02"]


def test_rows_that_stay_locked_are_retriable_failures(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(*[Say(body=[failure("UNABLE_TO_LOCK_ROW")])] * 3)
    (outcome,) = connector.push(update("a01"))
    assert (outcome.status, outcome.retriable) == ("failed", True)


@pytest.mark.parametrize("end", [[Say(503)] * 4, [Say(401)] * 2, [error(403, "REQUEST_LIMIT_EXCEEDED")]])
def test_what_is_known_stays_known_when_the_rest_cannot_be_sent(
    crm: Scripted, connector: SalesforceConnector, end: list[Say]
) -> None:
    crm.says(Say(body=[result("a01"), failure("UNABLE_TO_LOCK_ROW")]), *end, *[Say(503)] * 4)
    known, locked = connector.push(update("a01", "a02"))
    assert (known.status, locked.status, locked.retriable) == ("ok", "failed", True)


def test_a_record_that_spoils_the_call_is_isolated(crm: Scripted, connector: SalesforceConnector) -> None:
    spoilt = error(400, "JSON_PARSER_ERROR", "Cannot deserialize")
    crm.says(spoilt, Say(body=[result("a01"), result("a02")]), spoilt, Say(body=[result("a04")]))
    outcomes = connector.push(update("a01", "a02", "a03", "a04"))
    assert [outcome.status for outcome in outcomes] == ["ok", "ok", "failed", "ok"]
    assert outcomes[2].code == "JSON_PARSER_ERROR"


def test_a_call_that_is_refused_for_all_ends_within_bounds(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(*[error(400, "INVALID_FIELD", "No such column 'Name'")] * 500)
    outcomes = connector.push(update(*[f"a{number:03d}" for number in range(200)]))
    assert {outcome.status for outcome in outcomes} == {"failed"}
    assert len(crm.heard) <= 40


def test_a_spent_quota_is_raised_before_anything_is_sent(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(Say(body={"totalSize": 3}, headers={"Sforce-Limit-Info": "api-usage=14000/15000"}))
    connector._client.request("GET", "limits")
    with pytest.raises(QuotaExhausted, match="14000 of 15000"):
        connector.push(update("a01"))
    assert len(crm.heard) == 1


def test_an_upsert_is_by_the_external_id(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(DESCRIBE, Say(body=[result("a01", created=True)]))
    (outcome,) = connector.push([Write("w", "upsert", "Thing__c", {"Name": "x"}, key_field="Key__c", key="K/1")])
    assert (outcome.status, outcome.id, outcome.created) == ("ok", "a01", True)
    assert crm.heard[-1].path == "/services/data/v62.0/composite/sobjects/Thing__c/Key__c"
    assert json.loads(crm.heard[-1].body)["records"][0]["Key__c"] == "K/1"


# ---------------------------------------------------------------- sign-in and headers


def test_every_request_says_who_we_are(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(DESCRIBE, Say(body={"totalSize": 7}))
    assert connector.describe("Thing__c") is not None
    assert connector.count("Thing__c") == 7
    for heard in crm.heard:
        assert heard.headers["Sforce-Call-Options"] == "client=crmsync"
        assert heard.headers["Sforce-Mru"] == "updateMru=false"
        assert heard.headers["Authorization"] == "Bearer 00D!x"
        assert "X-PrettyPrint" not in heard.headers


def test_an_ended_access_token_that_was_given_is_an_auth_error(crm: Scripted, connector: SalesforceConnector) -> None:
    crm.says(*[error(401, "INVALID_SESSION_ID", "Session expired or invalid")] * 3)
    with pytest.raises(AuthError, match="Session expired") as caught:
        connector.describe("Thing__c")
    assert caught.value.exit_code == 4
    assert len(crm.heard) == 2


def test_a_token_endpoint_that_answers_something_else_is_an_auth_error(crm: Scripted) -> None:
    connector = SalesforceConnector(settings(crm.url, secrets={"client_id": "c", "client_secret": "s"}))
    crm.says(Say(body={"hello": "world"}))
    with pytest.raises(AuthError, match="holds no token"):
        connector.describe("Thing__c")
    connector.close()


def test_a_crm_that_is_down_gives_one_clear_line() -> None:
    time, url = FakeTime(), unused_url()
    connector = SalesforceConnector(settings(url, **TOKEN), clock=time.clock, sleep=time.sleep)
    with pytest.raises(Unreachable, match=rf"salesforce did not answer at {url} after 4 tries \(connection refused\)"):
        connector.describe("Thing__c")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"auth": {"flow": "magic"}}, "'magic' is no flow"),
        ({}, "client_id is missing"),
        ({"auth": {"client_id": "c"}}, "client_secret is missing"),
        ({"auth": {"flow": "jwt", "client_id": "c", "username": "u"}}, "private_key is missing"),
        (
            {"auth": {"flow": "jwt", "client_id": "c", "username": "u"}, "secrets": {"private_key": "/nowhere"}},
            "cannot be read",
        ),
        (
            {
                "auth": {"flow": "jwt", "client_id": "c", "username": "u"},
                "secrets": {"private_key": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"},
            },
            "no RSA private key",
        ),
    ],
)
def test_what_is_missing_for_the_sign_in_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AuthError, match=said):
        SalesforceConnector(settings("http://127.0.0.1:1", **changes)).describe("Thing__c")


@pytest.mark.parametrize("version", ["sixty", "62.1", "-1"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(UsageError):
        SalesforceConnector(settings("http://127.0.0.1:1", api_version=version, **TOKEN))


def test_secrets_are_in_no_repr() -> None:
    connector = SalesforceConnector(settings("http://127.0.0.1:1", secrets={"access_token": "canary"}))
    assert "canary" not in repr(vars(connector))

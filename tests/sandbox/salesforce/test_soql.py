"""SOQL against a small set of known rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from crmsync.sandbox import Sandbox
from tests.sandbox.salesforce.conftest import Send

Query = Callable[..., list[dict[str, Any]]]
NOW = datetime(2026, 5, 13, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture(scope="module", autouse=True)
def rows(box: Sandbox) -> Iterator[None]:
    """Three accounts in a family, four claims, five deals."""
    box.clock.set(NOW)
    org = box.salesforce
    [acme] = org.insert_rows(
        "Account", [{"Name": "Acme", "Industry": "Energy", "NumberOfEmployees": 10, "BillingCity": "Paris"}]
    )
    org.insert_rows("Account", [{"Name": "acme north", "ParentId": acme, "Industry": "Banking"}])
    org.insert_rows("Account", [{"Name": "Zenith_1", "Website": "https://zenith.example"}])
    claims = [
        ("one", "late;odd", "2026-05-13T08:00:00.000+0000", True, acme),
        ("two", "late", "2026-05-12T23:59:59.000+0000", False, acme),
        ("three", None, "2026-04-01T00:00:00.000+0000", False, None),
        ("it's 100%", "duplicate", None, False, acme),
    ]
    org.insert_rows("Claim__c", (
        {"Name": name, "Flags__c": flags, "Due__c": due, "Done__c": done, "Account__c": account}
        for name, flags, due, done, account in claims
    ))  # fmt: skip
    deals = [
        ("d1", "Prospecting", "2026-05-13", 100.0), ("d2", "Closed Won", "2026-06-30", 250.5),
        ("d3", "Closed Won", "2025-12-31", None),
        ("d4", "Closed Lost", "2026-05-20", 50.0), ("d5", "Prospecting", "2027-01-01", 100.0),
    ]  # fmt: skip
    org.insert_rows("Opportunity", (
        {"Name": name, "StageName": stage, "CloseDate": closes, "Amount": amount, "AccountId": acme}
        for name, stage, closes, amount in deals
    ))  # fmt: skip
    yield
    box.clock.reset()


def names(query: Query, text: str) -> list[str]:
    return [row["Name"] for row in query(text)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Name = 'ACME'", ["Acme"]),
        ("Name != 'Acme'", ["Zenith_1", "acme north"]),
        ("Industry != 'Energy'", ["Zenith_1", "acme north"]),
        ("Industry = null", ["Zenith_1"]),
        ("Industry = ''", ["Zenith_1"]),
        ("NOT Industry = 'Energy'", ["Zenith_1", "acme north"]),
        ("NOT (Industry = 'Energy' OR Industry = 'Banking')", ["Zenith_1"]),
        ("NOT Industry IN ('Energy')", ["Zenith_1", "acme north"]),
        ("NOT NumberOfEmployees > 5", ["Zenith_1", "acme north"]),
        ("Industry IN ('Energy', null)", ["Acme", "Zenith_1"]),
        ("Industry NOT IN ('Energy')", ["Zenith_1", "acme north"]),
        ("Industry NOT IN ('Energy', null)", ["acme north"]),
        ("Name LIKE 'acme%'", ["Acme", "acme north"]),
        (r"Name LIKE 'Zenith\_1'", ["Zenith_1"]),
        ("Name LIKE 'Zenith_1'", ["Zenith_1"]),
        (r"Name LIKE '%\_%'", ["Zenith_1"]),
        ("Parent.Name = 'Acme'", ["acme north"]),
        ("Parent.Industry != 'Energy'", ["Acme", "Zenith_1"]),
        ("Parent.IsDeleted = false", ["Acme", "Zenith_1", "acme north"]),
        ("Id IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Won')", ["Acme"]),
        ("Id NOT IN (SELECT AccountId FROM Opportunity)", ["Zenith_1", "acme north"]),
        ("(Industry = 'Energy' OR Industry = 'Banking') AND NumberOfEmployees >= 10", ["Acme"]),
        ("NumberOfEmployees < 10", []),
        ("CreatedDate = TODAY AND Website LIKE '%zenith%'", ["Zenith_1"]),
        ("CreatedDate < 2026-05-13T12:00:00Z", []),
        ("CreatedDate <= 2026-05-13T14:00:00+02:00 AND ParentId = null", ["Acme", "Zenith_1"]),
    ],
)
def test_where(query: Query, where: str, expected: list[str]) -> None:
    assert sorted(names(query, f"SELECT Name FROM Account WHERE {where}")) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Flags__c INCLUDES ('late')", ["one", "two"]),
        ("Flags__c INCLUDES ('late;odd', 'duplicate')", ["it's 100%", "one"]),
        ("Flags__c EXCLUDES ('late')", ["it's 100%", "three"]),
        ("Flags__c = 'late'", ["two"]),
        ("Due__c = TODAY", ["one"]),
        ("Due__c = YESTERDAY", ["two"]),
        ("Due__c < THIS_MONTH", ["three"]),
        ("Due__c >= LAST_MONTH", ["one", "three", "two"]),
        ("Due__c = LAST_N_DAYS:3", ["one", "two"]),
        ("Due__c != TODAY", ["it's 100%", "three", "two"]),
        ("DAY_ONLY(Due__c) = 2026-05-12", ["two"]),
        ("CALENDAR_MONTH(Due__c) = 4", ["three"]),
        ("Done__c = true", ["one"]),
        ("Account__r.Name = 'Acme'", ["it's 100%", "one", "two"]),
        ("Account__r.Parent.Name = null", ["it's 100%", "one", "three", "two"]),
        (r"Name = 'it\'s 100%'", ["it's 100%"]),
        (r"Name LIKE '%100\%'", ["it's 100%"]),
        (r"Name = 'it\u0027s 100%'", ["it's 100%"]),
    ],
)
def test_where_on_other_types(query: Query, where: str, expected: list[str]) -> None:
    assert sorted(names(query, f"SELECT Name FROM Claim__c WHERE {where}")) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("Name", ["Acme", "acme north", "Zenith_1"]),
        ("Industry, Name", ["Zenith_1", "acme north", "Acme"]),
        ("Industry DESC", ["Zenith_1", "Acme", "acme north"]),
        ("Industry DESC NULLS LAST", ["Acme", "acme north", "Zenith_1"]),
        ("Parent.Name NULLS LAST, Name DESC", ["acme north", "Zenith_1", "Acme"]),
        ("Name LIMIT 1 OFFSET 1", ["acme north"]),
    ],
)
def test_order_and_window(query: Query, order: str, expected: list[str]) -> None:
    assert names(query, f"SELECT Name FROM Account ORDER BY {order}") == expected


def test_parents_nest_and_missing_ones_are_null(query: Query) -> None:
    first, second, _ = query("SELECT Name, Parent.Name, Parent.BillingAddress FROM Account ORDER BY Name")
    assert first["Parent"] is None
    assert second["Parent"]["Name"] == "Acme"
    assert second["Parent"]["attributes"]["type"] == "Account"
    assert second["Parent"]["BillingAddress"]["city"] == "Paris"


def test_children_come_as_a_query_of_their_own(query: Query) -> None:
    children = "SELECT Name FROM Claims__r WHERE Done__c = false ORDER BY Name LIMIT 1"
    text = f"SELECT Name, ({children}) FROM Account WHERE Parent.Id = null ORDER BY Name"
    acme, zenith = query(text)
    assert acme["Claims__r"]["totalSize"] == 1
    assert acme["Claims__r"]["records"][0]["Name"] == "it's 100%"
    assert zenith["Claims__r"] is None


def test_counting(send: Send, query: Query) -> None:
    answer = send("GET", "/query", params={"q": "SELECT COUNT() FROM Opportunity WHERE IsClosed = true"}).json()
    assert answer == {"totalSize": 3, "done": True, "records": []}
    assert query("SELECT COUNT(Amount), COUNT(Id) ids, COUNT_DISTINCT(StageName) FROM Opportunity") == [
        {"expr0": 4, "ids": 5, "expr1": 3}
    ]


def test_grouping(query: Query) -> None:
    text = (
        "SELECT StageName, COUNT(Id) n, SUM(Amount) total, MAX(CloseDate) FROM Opportunity GROUP BY StageName "
        "HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC, StageName"
    )
    assert query(text) == [
        {"StageName": "Closed Won", "n": 2, "total": 250.5, "expr0": "2026-06-30"},
        {"StageName": "Prospecting", "n": 2, "total": 200.0, "expr0": "2027-01-01"},
    ]
    years = query(
        "SELECT CALENDAR_YEAR(CloseDate) y, COUNT(Id) n FROM Opportunity "
        "GROUP BY CALENDAR_YEAR(CloseDate) ORDER BY CALENDAR_YEAR(CloseDate)"
    )
    assert [(row["y"], row["n"]) for row in years] == [(2025, 1), (2026, 3), (2027, 1)]
    assert query("SELECT Account.Name, COUNT(Id) n FROM Opportunity GROUP BY Account.Name") == [
        {"Name": "Acme", "n": 5}
    ]


def test_labels_currencies_and_all_fields(query: Query) -> None:
    assert query("SELECT toLabel(State__c) FROM Claim__c WHERE State__c = 'approved'") == []
    assert query("SELECT convertCurrency(Amount) FROM Opportunity WHERE Name = 'd1'") == [{"Amount": 100.0}]
    [row] = query("SELECT FIELDS(ALL) FROM Claim__c WHERE Name = 'one' LIMIT 200")
    assert {"Id", "Name", "SystemModstamp", "Flags__c"} <= row.keys()
    [row] = query("SELECT FIELDS(CUSTOM) FROM Claim__c WHERE Name = 'one' LIMIT 1")
    assert "Name" not in row
    assert row["Flags__c"] == "late;odd"


def test_an_alias_for_the_object(query: Query) -> None:
    assert query("SELECT a.Name, Account.Industry FROM Account a WHERE a.Parent.Name = 'Acme'") == [
        {"Name": "acme north", "Industry": "Banking"}
    ]


def test_my_own_records(query: Query, box: Sandbox) -> None:
    admin = box.salesforce.user_id("admin@sandbox.example")
    box.salesforce.create("Claim__c", {"Name": "theirs"}, user_id=admin)
    assert "theirs" in names(query, "SELECT Name FROM Claim__c USING SCOPE everything")
    assert "theirs" not in names(query, "SELECT Name FROM Claim__c USING SCOPE mine")


def test_who_and_what_of_a_task(query: Query, box: Sandbox) -> None:
    [acme] = query("SELECT Id FROM Account WHERE Name = 'Acme'")
    box.salesforce.create("Task", {"Subject": "Call", "WhatId": acme["Id"]})
    [task] = query("SELECT Subject, What.Name, What.Type, Who.Name, Owner.Name FROM Task WHERE What.Type = 'Account'")
    assert (task["What"]["Name"], task["What"]["Type"], task["Who"]) == ("Acme", "Account", None)


HINT = (
    "If you are attempting to use a custom {0}, be sure to append the '__c' after the {1} name. Please reference your "
    "WSDL or the describe call for the appropriate names."
)


@pytest.mark.parametrize(
    ("text", "word", "code", "message"),
    [
        (
            "select count() from XYZZY",
            "XYZZY",
            "INVALID_TYPE",
            f"sObject type 'XYZZY' is not supported. {HINT.format('object', 'entity')}",
        ),
        (
            "SELECT Id, Nope FROM Account",
            "Nope",
            "INVALID_FIELD",
            f"No such column 'Nope' on entity 'Account'. {HINT.format('field', 'custom field')}",
        ),
        (
            "SELECT Id FROM Account WHERE (OwnerId = 'somethingwonky') LIMIT 1",
            "OwnerId",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: somethingwonky",
        ),
    ],
)
def test_errors_point_at_the_place(send: Send, text: str, word: str, code: str, message: str) -> None:
    """The first is recorded (CumulusCI TestCountSObjects), the others are quoted from user reports in the same form."""
    answer = send("GET", "/query", params={"q": text})
    column = text.index(word)
    drawing = f"\n{text}\n{' ' * column}^\nERROR at Row:1:Column:{column + 1}\n"
    assert (answer.status_code, answer.json()) == (400, [{"message": drawing + message, "errorCode": code}])


def test_a_long_statement_is_cut_around_the_caret(send: Send) -> None:
    before = "LastActivityDate, LastViewedDate, LastReferencedDate, Jigsaw, JigsawCompanyId"
    fields = f"{before}, CleanStatuz, AccountSource, DunsNumber, YearStarted"
    message = send("GET", "/query", params={"q": f"SELECT {fields} FROM Account"}).json()[0]["message"]
    _, piece, caret, place, _ = message.split("\n")
    assert piece.startswith("LastReferencedDate, Jigsaw")
    assert piece[len(caret) - 1 :].startswith("CleanStatuz")
    assert place == f"ERROR at Row:1:Column:{7 + fields.index('CleanStatuz') + 1}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MALFORMED_QUERY"),
        ("SELECT", "MALFORMED_QUERY"),
        ("SELECT FROM Account", "MALFORMED_QUERY"),
        ("SELECT * FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = Acme", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'x' AND Name = 'y' OR Name = 'z'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY"),
        (r"SELECT Id FROM Account WHERE Name = '\q'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate = SOMEDAY", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees LIKE '5'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE Name INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY"),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Id, Name, id FROM Account", "INVALID_FIELD"),
        ("SELECT Id, (SELECT Id FROM Children) FROM Account", "INVALID_TYPE"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Name n FROM Account", "MALFORMED_QUERY"),
        ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT Name FROM Contact)", "MALFORMED_QUERY"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(send: Send, text: str, code: str) -> None:
    answer = send("GET", "/query", params={"q": text})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_fields_may_be_named_like_keywords(query: Query, box: Sandbox) -> None:
    box.salesforce.create_field("Claim__c", "Order__c", "Number")
    assert query("SELECT Order__c FROM Claim__c WHERE Order__c > 5 ORDER BY Order__c") == []

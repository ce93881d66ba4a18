"""SOQL at its edges: pages of children, page sizes, case beyond ASCII, where semi-joins may stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

Query = Callable[..., list[dict[str, Any]]]
INNER = "SELECT AccountId FROM Contact"


def test_many_children_have_pages_of_their_own(send: Send, org: SalesforceOrg) -> None:
    [account] = org.insert_rows("Account", [{"Name": "many children"}])
    org.insert_rows("Contact", ({"LastName": f"c{n:03}", "AccountId": account} for n in range(450)))
    text = f"SELECT Id, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account WHERE Id = '{account}'"
    answer = send("GET", "/query", params={"q": text}, headers={"Sforce-Query-Options": "batchSize=200"}).json()
    page = answer["records"][0]["Contacts"]
    assert (page["totalSize"], page["done"], len(page["records"])) == (450, False, 200)
    names = [child["LastName"] for child in page["records"]]
    while not page["done"]:
        page = send("GET", page["nextRecordsUrl"]).json()
        names += [child["LastName"] for child in page["records"]]
    assert names == [f"c{n:03}" for n in range(450)]


def test_two_long_texts_cap_the_page_two_multi_selects_do_not(send: Send, org: SalesforceOrg) -> None:
    org.create_field("Claim__c", "More_Notes__c", "LongTextArea")
    org.create_field("Claim__c", "More_Flags__c", "MultiselectPicklist", options=["a", "b"])
    org.insert_rows("Claim__c", ({"Number__c": f"cap-{n}"} for n in range(300)))
    for fields, size in (("Flags__c, More_Flags__c", 300), ("Notes__c, More_Notes__c", 200)):
        text = f"SELECT {fields} FROM Claim__c WHERE Number__c LIKE 'cap-%'"
        assert len(send("GET", "/query", params={"q": text}).json()["records"]) == size


@pytest.mark.parametrize(
    "condition", ["Name = 'ÉCOLE Ünal'", "Name IN ('École ünal')", "Name LIKE 'éCOLE ü%'", "Name = '\\u00c9cole Ünal'"]
)
def test_case_means_nothing_beyond_ascii_either(query: Query, org: SalesforceOrg, condition: str) -> None:
    if not org.rows("Account", "\"Name\" = 'école ünal'"):
        org.insert_rows("Account", [{"Name": "école ünal"}])
    assert query(f"SELECT Name FROM Account WHERE {condition}") == [{"Name": "école ünal"}]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (f"Name = 'a' OR Id IN ({INNER})", "Semi join sub-selects are not allowed with the 'OR' operator"),
        (f"Name = 'a' AND (Phone = '1' OR Id IN ({INNER}))", "Semi join sub-selects are only allowed at the top level"),
        (f"Id IN ({INNER} WHERE AccountId IN (SELECT Id FROM Account))", "Nesting of semi join sub-selects is not"),
        (" AND ".join([f"Id IN ({INNER})"] * 3), "Maximum 2 semi join sub-selects are allowed"),
    ],
)
def test_semi_joins_stand_at_the_top_twice_at_most(send: Send, where: str, message: str) -> None:
    [error] = send("GET", "/query", params={"q": f"SELECT Id FROM Account WHERE {where}"}).json()
    assert error["errorCode"] == "MALFORMED_QUERY"
    assert error["message"].splitlines()[-1].startswith(message)


def test_an_id_that_cannot_exist_finds_nothing(query: Query) -> None:
    assert query("SELECT Id FROM Account WHERE Id = 'a001a000001E1vFAKE'") == []


def test_addresses_come_back_in_lower_case(send: Send, query: Query) -> None:
    made = send("POST", "/sobjects/Contact", {"LastName": "x", "Email": "Rose.Larson@Example.com"}).json()["id"]
    assert query(f"SELECT Email FROM Contact WHERE Id = '{made}'") == [{"Email": "rose.larson@example.com"}]

"""Several requests in one call."""

from __future__ import annotations

from typing import Any

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

BASE = "/services/data/v60.0"


def part(reference: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"referenceId": reference, "method": method, "url": BASE + path, "body": body, **more}


def test_later_parts_use_what_earlier_ones_answered(send: Send) -> None:
    parts = [
        part("account", "POST", "/sobjects/Account", {"Name": "Acme"}),
        part("contact", "POST", "/sobjects/Contact", {"LastName": "Doe", "AccountId": "@{account.id}"}),
        part("read", "GET", "/sobjects/Contact/@{contact.id}?fields=AccountId"),
        part("rows", "GET", "/query/?q=select Id from Contact where AccountId = '@{read.AccountId}'"),
    ]
    answer = send("POST", "/composite", {"compositeRequest": parts})
    found = {one["referenceId"]: one for one in answer.json()["compositeResponse"]}
    assert [one["httpStatusCode"] for one in found.values()] == [201, 201, 200, 200]
    assert found["rows"]["body"]["records"][0]["Id"] == found["contact"]["body"]["id"]
    assert found["account"]["httpHeaders"]["Location"].endswith(found["account"]["body"]["id"])


def test_all_or_none_halts_the_others(send: Send, org: SalesforceOrg) -> None:
    before = org.count("Account")
    parts = [
        part("good", "POST", "/sobjects/Account", {"Name": "Acme"}),
        part("bad", "POST", "/sobjects/Account", {}),
        part("never", "POST", "/sobjects/Account", {"Name": "Acme"}),
    ]
    answer = send("POST", "/composite", {"allOrNone": True, "compositeRequest": parts})
    codes = [one["body"][0]["errorCode"] for one in answer.json()["compositeResponse"]]
    assert (answer.status_code, codes) == (200, ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"])
    assert org.count("Account") == before


def test_without_it_each_part_stands_alone_but_needs_its_references(send: Send) -> None:
    parts = [
        part("bad", "POST", "/sobjects/Account", {}),
        part("child", "POST", "/sobjects/Contact", {"LastName": "x", "AccountId": "@{bad.id}"}),
        part("good", "POST", "/sobjects/Account", {"Name": "Acme"}),
    ]
    answer = send("POST", "/composite", {"compositeRequest": parts}).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in answer] == [400, 400, 201]


def test_parts_may_carry_the_guard_against_lost_updates(send: Send, org: SalesforceOrg) -> None:
    [account] = org.insert_rows("Account", [{"Name": "Acme"}])
    guard = {"If-Unmodified-Since": "Tue, 01 Jan 2019 00:00:00 GMT"}
    parts = [part("one", "PATCH", f"/sobjects/Account/{account}", {"Name": "New"}, httpHeaders=guard)]
    [answer] = send("POST", "/composite", {"compositeRequest": parts}).json()["compositeResponse"]
    assert answer["httpStatusCode"] == 412


def test_the_limits_of_a_composite_request(send: Send) -> None:
    many = [part(f"r{number}", "GET", "/limits") for number in range(26)]
    queries = [part(f"q{number}", "GET", "/query?q=SELECT Id FROM Account") for number in range(6)]
    for parts in (many, queries):
        answer = send("POST", "/composite", {"compositeRequest": parts})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_batch_parts_are_independent_and_each_counts(send: Send, org: SalesforceOrg) -> None:
    calls = org.api_calls
    requests = [
        {"method": "GET", "url": "v60.0/limits"},
        {"method": "PATCH", "url": "v60.0/sobjects/Account/001Bx00000000zz", "richInput": {"Name": "x"}},
    ]
    answer = send("POST", "/composite/batch", {"batchRequests": requests}).json()
    assert answer["hasErrors"] is True
    assert [one["statusCode"] for one in answer["results"]] == [200, 404]
    assert org.api_calls == calls + 2


def test_a_tree_is_planted_whole_or_not_at_all(send: Send, org: SalesforceOrg) -> None:
    def tree(last_name: str | None) -> dict[str, Any]:
        contact = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": last_name}
        account = {
            "attributes": {"type": "Account", "referenceId": "a"},
            "Name": "Acme",
            "Contacts": {"records": [contact]},
        }
        return {"records": [account]}

    good = send("POST", "/composite/tree/Account", tree("Doe"))
    assert good.status_code == 201
    ids = {one["referenceId"]: one["id"] for one in good.json()["results"]}
    assert (org.row("Contact", ids["c"]) or {})["AccountId"] == ids["a"]
    before = org.count("Account")
    bad = send("POST", "/composite/tree/Account", tree(None))
    assert (bad.status_code, bad.json()["hasErrors"]) == (400, True)
    assert org.count("Account") == before


def test_each_graph_is_atomic(send: Send, org: SalesforceOrg) -> None:
    before = org.count("Account")
    create = part("a", "POST", "/sobjects/Account", {"Name": "Acme"})
    graphs = [
        {"graphId": "good", "compositeRequest": [create]},
        {"graphId": "bad", "compositeRequest": [create, part("b", "POST", "/sobjects/Account", {})]},
    ]
    answer = send("POST", "/composite/graph", {"graphs": graphs}).json()["graphs"]
    assert [one["isSuccessful"] for one in answer] == [True, False]
    assert org.count("Account") == before + 1

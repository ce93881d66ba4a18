"""Single recorded answers and bodies quoted by others: errors, counts, describes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.conformance.framework import Exchange, Ledger, compare, judge
from tests.sandbox.conformance.salesforce.differences import DIFFERENCES
from tests.sandbox.conformance.salesforce.normal import Roles, blot
from tests.sandbox.conformance.salesforce.replay import RECORDED, recorded
from tests.sandbox.salesforce.conftest import Send

QUOTED = "error_responses_quoted.json"
Prepared = tuple[str, str, Any, dict[str, str]]


def quoted(code: str, message: str = "") -> dict[str, Any]:
    """The first quoted answer of that code."""
    found = json.loads((RECORDED / QUOTED).read_text("utf-8"))
    return next(one for one in found if one["json"][0]["errorCode"] == code and message in one["json"][0]["message"])


def check(ledger: Ledger, source: str, name: str, status: int, theirs: Any, answer: Any) -> None:
    roles = Roles()
    ours = answer.json()
    roles.learn(theirs, ours)
    exchange = Exchange(source, name, answer.request.method, answer.request.path_url, status, body=theirs)
    deltas = [
        *compare(status, answer.status_code, "status"),
        *compare(blot(roles.translate(theirs, "v60.0")), blot(ours)),
    ]
    judge(exchange, deltas, DIFFERENCES, ledger)


def _deleted(org: SalesforceOrg, send: Send) -> Any:
    [account] = org.insert_rows("Account", [{"Name": "gone"}])
    org.delete("Account", account)
    return send("DELETE", f"/sobjects/Account/{account}")


def _daily(org: SalesforceOrg, send: Send) -> Any:
    org.api_limit, before = 0, org.api_limit
    try:
        return send("GET", "/limits")
    finally:
        org.api_limit = before


def _read_only(_org: SalesforceOrg, send: Send) -> Any:
    return send("POST", "/sobjects/Contact", {"LastName": "x", "Name": "y"})


ERRORS: dict[str, Callable[[SalesforceOrg, Send], Any]] = {
    "ENTITY_IS_DELETED": _deleted,
    "REQUIRED_FIELD_MISSING": lambda _org, send: send("POST", "/sobjects/Account", {}),
    "INVALID_FIELD_FOR_INSERT_UPDATE": _read_only,
    "REQUEST_LIMIT_EXCEEDED": _daily,
}


@pytest.mark.parametrize("code", ERRORS)
def test_errors_word_for_word(code: str, org: SalesforceOrg, send: Send, ledger: Ledger) -> None:
    one = quoted(code)
    check(ledger, QUOTED, code, one["http"], one["json"], ERRORS[code](org, send))


@pytest.mark.parametrize("name", sorted(recorded("restforce_db_sessions.json")["bodies"]))
def test_describes_have_what_the_recorded_ones_had(name: str, send: Send, org: SalesforceOrg) -> None:
    theirs = recorded("restforce_db_sessions.json")["bodies"][name]
    sobject = name.split()[0]
    if sobject.endswith("__c") and org.schema.get(sobject) is None:
        org.create_object(sobject, "Custom Object", "Custom Objects")
    ours = send("GET", f"/sobjects/{sobject}/describe").json()
    by_name = {item["name"]: item for item in ours["fields"]}
    assert set(theirs["fieldKeys"]) - {"deprecatedAndHidden"} <= by_name["Id"].keys()
    for item in theirs["fields"]:
        if not item["custom"] and item["name"] in by_name:
            assert by_name[item["name"]]["type"] == item["type"]
            assert by_name[item["name"]]["createable"] == item["createable"]
    standard = {item["name"] for item in theirs["fields"] if not item["custom"]}
    assert len(standard - by_name.keys()) <= 5, standard - by_name.keys()

"""Writes that go half wrong: some records refused, or none written although all is said to be well."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.companies.exceptions import ApiException
from simple_salesforce import Salesforce

from crmsync.sandbox import Sandbox


def accounts(number: int) -> list[dict[str, Any]]:
    return [{"attributes": {"type": "Account"}, "Name": f"Batch {n}"} for n in range(number)]


def create(salesforce: Salesforce, number: int, *, strict: bool = False) -> list[dict[str, Any]]:
    body = {"allOrNone": strict, "records": accounts(number)}
    found: list[dict[str, Any]] = salesforce.restful("composite/sobjects", method="POST", json=body)
    return found


def live_batch(box: Sandbox) -> list[dict[str, Any]]:
    return box.salesforce.rows("Account", '"Name" LIKE \'Batch %\' AND "IsDeleted" = 0')


@pytest.mark.parametrize(
    ("kind", "code"), [("row_lock", "UNABLE_TO_LOCK_ROW"), ("partial", "FIELD_CUSTOM_VALIDATION_EXCEPTION")]
)
def test_some_records_of_a_collection_are_refused(box: Sandbox, salesforce: Salesforce, kind: str, code: str) -> None:
    before = box.salesforce.count("Account")
    box.faults.add(system="salesforce", kind=kind, share=0.3)
    results = create(salesforce, 10)
    refused = [result for result in results if not result["success"]]
    assert [error["statusCode"] for result in refused for error in result["errors"]] == [code] * 3
    rows = live_batch(box)
    assert {row["Name"] for row in rows} == {f"Batch {n}" for n, result in enumerate(results) if result["success"]}
    assert box.salesforce.count("Account") == before + 7
    assert all(result["success"] for result in create(salesforce, 2))
    for row in live_batch(box):
        box.salesforce.delete("Account", row["Id"])


def test_the_same_seed_refuses_the_same_records(box: Sandbox, salesforce: Salesforce) -> None:
    runs = []
    for _ in range(2):
        box.faults.add(system="salesforce", kind="partial", share=0.4, seed=3)
        runs.append([result["success"] for result in create(salesforce, 20)])
    assert runs[0] == runs[1]
    assert runs[0].count(False) == 8


def test_all_or_none_is_none(box: Sandbox, salesforce: Salesforce) -> None:
    before = box.salesforce.count("Account")
    box.faults.add(system="salesforce", kind="partial", share=0.5)
    results = create(salesforce, 2, strict=True)
    codes = {result["errors"][0]["statusCode"] for result in results}
    assert codes == {"FIELD_CUSTOM_VALIDATION_EXCEPTION", "ALL_OR_NONE_OPERATION_ROLLED_BACK"}
    assert box.salesforce.count("Account") == before


def test_some_deletes_are_refused(box: Sandbox, salesforce: Salesforce) -> None:
    ids = [result["id"] for result in create(salesforce, 4)]
    box.faults.add(system="salesforce", kind="row_lock")
    params = {"ids": ",".join(ids), "allOrNone": "false"}
    results = salesforce.restful("composite/sobjects", method="DELETE", params=params)
    assert [result["success"] for result in results].count(False) == 2
    for record_id, result in zip(ids, results, strict=True):
        assert bool((box.salesforce.row("Account", record_id) or {})["IsDeleted"]) == result["success"]


@pytest.mark.parametrize("strict", [False, True])
def test_some_subrequests_of_a_composite_are_refused(box: Sandbox, salesforce: Salesforce, *, strict: bool) -> None:
    before = box.salesforce.count("Account")
    url = "/services/data/v60.0/sobjects/Account"
    requests = [{"method": "POST", "url": url, "referenceId": f"r{n}", "body": {"Name": f"Sub {n}"}} for n in range(4)]
    box.faults.add(system="salesforce", kind="partial", share=0.25)
    body = {"allOrNone": strict, "compositeRequest": requests}
    answers = salesforce.restful("composite", method="POST", json=body)["compositeResponse"]
    assert [answer["referenceId"] for answer in answers] == ["r0", "r1", "r2", "r3"]
    refused = [answer for answer in answers if answer["httpStatusCode"] == 400]
    assert len(refused) == (4 if strict else 1)
    assert box.salesforce.count("Account") == before + (0 if strict else 3)


def test_some_inputs_of_a_hubspot_batch_are_refused(box: Sandbox, hubspot: HubSpot) -> None:
    before = box.hubspot.count("companies")
    inputs = [{"objectWriteTraceId": f"t{n}", "properties": {"name": f"Batch {n}"}} for n in range(10)]
    box.faults.add(system="hubspot", kind="partial", share=0.3)
    answer = hubspot.crm.companies.batch_api.create({"inputs": inputs})
    assert answer.num_errors == 3
    refused = [trace for error in answer.errors for trace in error.context["objectWriteTraceId"]]
    written = [result.properties["name"] for result in answer.results]
    assert sorted(written) == sorted(f"Batch {n}" for n in range(10) if f"t{n}" not in refused)
    assert box.hubspot.count("companies") == before + 7
    assert len(hubspot.crm.companies.batch_api.create({"inputs": inputs[:2]}).results) == 2


def test_without_trace_ids_hubspot_refuses_all(box: Sandbox, hubspot: HubSpot) -> None:
    before = box.hubspot.count("companies")
    box.faults.add(system="hubspot", kind="partial")
    with pytest.raises(ApiException) as refused:
        hubspot.crm.companies.batch_api.create({"inputs": [{"properties": {"name": "x"}}] * 2})
    assert refused.value.status == 400
    assert box.hubspot.count("companies") == before


def test_requests_that_are_no_batch_do_not_count(box: Sandbox, salesforce: Salesforce) -> None:
    box.faults.add(system="salesforce", kind="partial", share=1)
    assert salesforce.Account.create({"Name": "Alone"})["success"]
    assert salesforce.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1
    assert not any(result["success"] for result in create(salesforce, 3))


def test_salesforce_says_it_wrote_and_did_not(box: Sandbox, salesforce: Salesforce) -> None:
    before, audit = box.salesforce.count("Account"), len(box.salesforce.audit)
    box.faults.add(kind="silent")
    made = salesforce.Account.create({"Name": "Nowhere"})
    assert made["success"]
    assert box.salesforce.row("Account", made["id"]) is None
    assert (box.salesforce.count("Account"), len(box.salesforce.audit)) == (before, audit)
    assert box.salesforce.row("Account", salesforce.Account.create({"Name": "Here"})["id"])


def test_hubspot_says_it_wrote_and_did_not(box: Sandbox, hubspot: HubSpot, hubspot_deal: str) -> None:
    writes, api = box.hubspot.write_count(), hubspot.crm.deals.basic_api
    before = api.get_by_id(hubspot_deal).properties["dealname"]
    box.faults.add(kind="silent")
    assert api.get_page(limit=1).results
    assert api.update(hubspot_deal, {"properties": {"dealname": "New"}}).properties["dealname"] == "New"
    assert api.get_by_id(hubspot_deal).properties["dealname"] == before
    assert box.hubspot.write_count() == writes
    assert box.faults.armed() == []

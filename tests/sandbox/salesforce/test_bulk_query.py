"""Bulk API 2.0, the way out: query jobs and their pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from requests import Response
from simple_salesforce import Salesforce

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

Finish = Callable[..., str]


@pytest.fixture(scope="module", autouse=True)
def claims(box) -> None:  # type: ignore[no-untyped-def]
    org = box.salesforce
    [account] = org.insert_rows("Account", [{"Name": 'A "quoted", name', "AnnualRevenue": 12.5}])
    rows = ({"Number__c": f"q-{number:03}", "Account__c": account, "Done__c": number == 1} for number in range(25))
    org.insert_rows("Claim__c", rows)


@pytest.fixture
def finish(send: Send) -> Finish:
    """The path of a query job that is done."""

    def go(query: str, operation: str = "query", **more: str) -> str:
        job = send("POST", "/jobs/query", {"operation": operation, "query": query, **more}).json()
        assert (job["state"], job["apiVersion"]) == ("UploadComplete", 60.0)
        path = f"/jobs/query/{job['id']}"
        assert [send("GET", path).json()["state"] for _ in range(2)] == ["InProgress", "JobComplete"]
        return path

    return go


def rows(answer: Response) -> list[list[str]]:
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.text, newline="")))


def test_one_page_unless_asked_otherwise(send: Send, finish: Finish) -> None:
    answer = send("GET", f"{finish('SELECT Number__c FROM Claim__c ORDER BY Number__c')}/results")
    assert (answer.headers["Sforce-Locator"], answer.headers["Sforce-NumberOfRecords"]) == ("null", "25")
    header, *found = rows(answer)
    assert header == ["Number__c"]
    assert found == [[f"q-{number:03}"] for number in range(25)]


def test_pages_by_locator_each_with_a_header(send: Send, finish: Finish) -> None:
    path = finish("SELECT Number__c FROM Claim__c ORDER BY Number__c")
    seen, locator = [], ""
    while locator != "null":
        params = {"maxRecords": "10", **({"locator": locator} if locator else {})}
        answer = send("GET", f"{path}/results", params=params)
        header, *found = rows(answer)
        assert header == ["Number__c"]
        assert answer.headers["Sforce-NumberOfRecords"] == str(len(found))
        seen += found
        locator = answer.headers["Sforce-Locator"]
    assert len(seen) == 25 == len({row[0] for row in seen})


def test_values_as_bulk_writes_them(send: Send, finish: Finish) -> None:
    query = "SELECT Number__c, Done__c, State__c, CreatedDate, Account__r.Name, Account__r.AnnualRevenue FROM Claim__c"
    text = send("GET", f"{finish(query + ' WHERE Done__c = true')}/results").text
    header, [number, done, state, created, name, revenue] = csv.reader(io.StringIO(text))
    assert header[-2:] == ["Account__r.Name", "Account__r.AnnualRevenue"]
    assert (number, done, state, name, revenue) == ("q-001", "true", "", 'A "quoted", name', "12.5")
    assert created.endswith(".000Z")
    assert text.startswith('"Number__c","Done__c"')


def test_query_all_sees_the_recycle_bin(send: Send, finish: Finish, org: SalesforceOrg) -> None:
    [gone] = org.insert_rows("Account", [{"Name": "gone"}])
    org.delete("Account", gone)
    for operation, count in (("query", 1), ("queryAll", 2)):
        path = finish(f"SELECT Id FROM Account WHERE Id = '{gone}'", operation)
        assert len(rows(send("GET", f"{path}/results"))) == count


def test_addresses_of_pages_for_readers_side_by_side(send: Send, finish: Finish, org: SalesforceOrg) -> None:
    path = finish("SELECT Id FROM Claim__c")
    org.bulk.result_page_rows = 4
    pages = send("GET", f"{path}/resultPages").json()
    assert (len(pages["resultPages"]), pages["done"]) == (5, False)
    rest = send("GET", pages["nextRecordsUrl"]).json()
    org.bulk.result_page_rows = 10_000
    assert (len(rest["resultPages"]), rest["done"], rest["nextRecordsUrl"]) == (2, True, None)
    urls = [page["resultUrl"] for page in pages["resultPages"] + rest["resultPages"]]
    assert sum(len(rows(send("GET", url))) - 1 for url in urls) == 25


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT() FROM Account",
        "SELECT Type, COUNT(Id) FROM Account GROUP BY Type",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT Id FROM Account LIMIT 5 OFFSET 2",
        "SELECT BillingAddress FROM Account",
    ],
)
def test_what_bulk_cannot_do_is_refused(send: Send, query: str) -> None:
    answer = send("POST", "/jobs/query", {"operation": "query", "query": query})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "FUNCTIONALITY_NOT_ENABLED")


def test_errors_of_jobs_and_results(send: Send, finish: Finish) -> None:
    bad = send("POST", "/jobs/query", {"operation": "query", "query": "SELECT Nope FROM Account"})
    assert bad.json()[0]["errorCode"] == "INVALID_FIELD"
    job = send("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"}).json()
    assert send("GET", f"/jobs/query/{job['id']}/results").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    path = finish("SELECT Id FROM Account")
    assert send("GET", f"{path}/results", version="59.0").status_code == 409
    assert send("GET", f"{path}/results", params={"locator": "?"}).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert send("GET", f"{path}/results", params={"maxRecords": "-1"}).status_code == 400
    assert send("DELETE", path).status_code == 204
    assert send("GET", path).status_code == 404


def test_the_python_client_reads_and_downloads(sf: Salesforce, tmp_path: Path) -> None:
    pages = list(sf.bulk2.Claim__c.query("SELECT Number__c FROM Claim__c", max_records=10, wait=0))
    assert sum(page.count("q-") for page in pages) == 25
    files = sf.bulk2.Claim__c.download("SELECT Number__c FROM Claim__c", path=str(tmp_path), max_records=20, wait=0)
    assert [found["number_of_records"] for found in files] == [20, 5]

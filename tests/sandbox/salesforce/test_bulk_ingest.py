"""Bulk API 2.0, the way in: jobs, CSV, outcomes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from simple_salesforce import Salesforce

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

Run = Callable[..., dict[str, Any]]


def table(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.fixture
def run(send: Send) -> Run:
    """Create, upload, close and poll; the job as it ends, with its three results."""

    def go(operation: str, text: str, sobject: str = "Claim__c", **more: Any) -> dict[str, Any]:
        job = send("POST", "/jobs/ingest", {"object": sobject, "operation": operation, "contentType": "CSV", **more})
        assert job.status_code == 200, job.text
        path = f"/jobs/ingest/{job.json()['id']}"
        uploaded = send("PUT", f"/{job.json()['contentUrl']}", data=text.encode(), headers={"Content-Type": "text/csv"})
        assert (uploaded.status_code, uploaded.content) == (201, b"")
        assert send("PATCH", path, {"state": "UploadComplete"}).json()["state"] == "UploadComplete"
        assert send("GET", path).json()["state"] == "InProgress"
        found: dict[str, Any] = send("GET", path).json()
        delimiter = {"TAB": "\t", "SEMICOLON": ";"}.get(more.get("columnDelimiter", ""), ",")
        for part in ("successfulResults", "failedResults", "unprocessedrecords"):
            found[part] = table(send("GET", f"{path}/{part}/").text, delimiter)
        return found

    return go


def test_a_new_job_says_where_its_data_goes(send: Send) -> None:
    job = send("POST", "/jobs/ingest", {"object": "Account", "operation": "insert"}).json()
    assert job["contentUrl"] == f"services/data/v60.0/jobs/ingest/{job['id']}/batches"
    assert (job["state"], job["apiVersion"], job["id"][:3]) == ("Open", 60.0, "750")
    assert (job["columnDelimiter"], job["lineEnding"], job["contentType"]) == ("COMMA", "LF", "CSV")


def test_rows_fail_one_by_one_and_come_back_in_another_order(run: Run, org: SalesforceOrg) -> None:
    rows = [f"bulk-{number},{'broken' if number % 5 == 0 else 'true'}" for number in range(40)]
    job = run("insert", "Number__c,Done__c\n" + "\n".join(rows) + "\n")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 40, 8)
    keys = [row["Number__c"] for row in job["successfulResults"]]
    assert sorted(keys) != keys
    assert {row["sf__Created"] for row in job["successfulResults"]} == {"true"}
    first = job["successfulResults"][0]
    assert (org.row("Claim__c", first["sf__Id"]) or {})["Number__c"] == first["Number__c"]
    assert {row["sf__Error"] for row in job["failedResults"]} == {
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Done: value not of required type: broken:Done__c --"
    }


def test_errors_are_one_text_with_code_message_and_fields(run: Run) -> None:
    [failed] = run("insert", 'Name,Phone\n"",1\n', "Account")["failedResults"]
    assert failed == {
        "sf__Id": "",
        "sf__Error": "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
        "Name": "",
        "Phone": "1",
    }


def test_empty_cells_say_nothing_and_na_clears(run: Run, org: SalesforceOrg) -> None:
    [claim] = org.insert_rows("Claim__c", [{"Number__c": "na", "State__c": "draft", "Notes__c": "old"}])
    job = run("update", f"Id,State__c,Notes__c\n{claim},,#N/A\n")
    assert [row["sf__Created"] for row in job["successfulResults"]] == ["false"]
    row = org.row("Claim__c", claim) or {}
    assert (row["State__c"], row["Notes__c"]) == ("draft", None)


def test_upsert_by_external_id_and_lookups_by_theirs(run: Run, org: SalesforceOrg) -> None:
    [account] = org.insert_rows("Account", [{"Name": "Ext", "Legacy_Id__c": "ext-1"}])
    org.insert_rows("Claim__c", [{"Number__c": "up-1"}])
    text = "Number__c,Account__r.Legacy_Id__c\nup-1,ext-1\nup-2,ext-1\nup-3,ext-none\n"
    job = run("upsert", text, externalIdFieldName="Number__c")
    assert {row["Number__c"]: row["sf__Created"] for row in job["successfulResults"]} == {
        "up-1": "false",
        "up-2": "true",
    }
    assert job["failedResults"][0]["sf__Error"].startswith("INVALID_FIELD:Foreign key external ID: ext-none not found")
    assert {row["Account__c"] for row in org.rows("Claim__c", "\"Number__c\" LIKE 'up-_'")} == {account}
    assert job["externalIdFieldName"] == "Number__c"


def test_delete_takes_ids_only(run: Run, org: SalesforceOrg) -> None:
    ids = org.insert_rows("Claim__c", ({"Number__c": f"gone-{number}"} for number in range(3)))
    job = run("delete", "Id\n" + "\n".join(ids) + "\n")
    assert {row["sf__Id"] for row in job["successfulResults"]} == set(ids)
    assert all((org.row("Claim__c", one) or {})["IsDeleted"] for one in ids)
    job = run("delete", f"Id,Name\n{ids[0]},x\n")
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 0)
    assert job["errorMessage"].startswith("InvalidBatch")
    assert len(job["unprocessedrecords"]) == 1


def test_hard_delete_needs_a_right(send: Send) -> None:
    answer = send("POST", "/jobs/ingest", {"object": "Account", "operation": "hardDelete"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "FEATURENOTENABLED")


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("Nmae\nx\n", {}, "InvalidBatch : Field name not found : Nmae"),
        (
            "Name\r\nx\r\n",
            {},
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        (
            "Name\nx\n",
            {"lineEnding": "CRLF"},
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding",
        ),
        ("Name,Phone\nx\n", {}, "ClientInputError : Failed to parse CSV"),
        ('Name\n"x\n', {}, "ClientInputError : Failed to parse CSV"),
    ],
)
def test_a_table_that_cannot_be_read_fails_the_job(run: Run, text: str, options: dict[str, str], error: str) -> None:
    job = run("insert", text, "Account", **options)
    assert job["state"] == "Failed"
    assert job["errorMessage"].startswith(error)
    assert job["successfulResults"] == []


@pytest.mark.parametrize(("name", "sign"), [("TAB", "\t"), ("SEMICOLON", ";")])
def test_other_delimiters_and_line_ends(run: Run, name: str, sign: str) -> None:
    text = f'Name{sign}Description\r\n"a, ""b"""{sign}"two\nlines"\r\n'
    job = run("insert", text, "Account", columnDelimiter=name, lineEnding="CRLF")
    [row] = job["successfulResults"]
    assert (row["Name"], row["Description"]) == ('a, "b"', "two\nlines")


def test_data_is_uploaded_once_and_within_limits(send: Send, org: SalesforceOrg) -> None:
    path = f"/jobs/ingest/{send('POST', '/jobs/ingest', {'object': 'Account', 'operation': 'insert'}).json()['id']}"
    csv_type = {"Content-Type": "text/csv"}
    org.bulk.max_upload = 20
    assert send("PUT", f"{path}/batches", data=b"Name\n" + b"x" * 20, headers=csv_type).status_code == 413
    org.bulk.max_upload = 150_000_000
    assert send("PUT", f"{path}/batches", data=b"Name\nx\n", headers=csv_type).status_code == 201
    again = send("PUT", f"{path}/batches", data=b"Name\ny\n", headers=csv_type)
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert "Found multiple contents for job" in again.json()[0]["message"]


def test_an_aborted_job_did_nothing_and_can_be_deleted(send: Send) -> None:
    path = f"/jobs/ingest/{send('POST', '/jobs/ingest', {'object': 'Account', 'operation': 'insert'}).json()['id']}"
    assert send("DELETE", path).status_code == 400
    send("PUT", f"{path}/batches", data=b"Name\nnever\n", headers={"Content-Type": "text/csv"})
    assert send("GET", f"{path}/successfulResults").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert send("PATCH", path, {"state": "Aborted"}).json()["state"] == "Aborted"
    assert send("PATCH", path, {"state": "UploadComplete"}).status_code == 400
    assert send("GET", f"{path}/unprocessedrecords").text == "Name\nnever\n"
    assert send("DELETE", path).status_code == 204
    assert send("GET", path).status_code == 404


def test_job_and_data_in_one_request(send: Send, org: SalesforceOrg) -> None:
    parts = {
        "job": (
            None,
            json.dumps({"object": "Account", "operation": "insert", "contentType": "CSV"}),
            "application/json",
        ),
        "content": ("content", "Name\nmultipart\n", "text/csv"),
    }
    job = send("POST", "/jobs/ingest", files=parts).json()
    assert job["state"] == "UploadComplete"
    org.bulk.polls_at_work = 0
    assert send("GET", f"/jobs/ingest/{job['id']}").json()["numberRecordsProcessed"] == 1
    org.bulk.polls_at_work = 1
    org.bulk.max_multipart = 10
    assert send("POST", "/jobs/ingest", files=parts).json()[0]["errorCode"] == "EXCEEDED_MAX_SIZE_REQUEST"
    org.bulk.max_multipart = 100_000


def test_jobs_are_listed_newest_first(send: Send) -> None:
    ids = [send("POST", "/jobs/ingest", {"object": "Account", "operation": "insert"}).json()["id"] for _ in range(2)]
    listed = send("GET", "/jobs/ingest", params={"jobType": "V2Ingest"}).json()
    assert (listed["done"], listed["nextRecordsUrl"]) == (True, None)
    assert [job["id"] for job in listed["records"]][:2] == ids[::-1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"object": "Account", "operation": "explode"}, "INVALIDJOB"),
        ({"object": "Nothing__c", "operation": "insert"}, "INVALIDENTITY"),
        ({"operation": "insert"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "insert", "columnDelimiter": "#"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "upsert", "externalIdFieldName": "Phone"}, "NOT_FOUND"),
    ],
)
def test_jobs_that_make_no_sense_are_refused(send: Send, body: dict[str, str], code: str) -> None:
    assert send("POST", "/jobs/ingest", body).json()[0]["errorCode"] == code


def test_the_python_client_writes_and_reads_outcomes(sf: Salesforce) -> None:
    records = [{"Name": f"helper {number}", "Phone": "1"} for number in range(3)]
    [done] = sf.bulk2.Account.insert(records=records, wait=0)
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (3, 0)
    rows = table(sf.bulk2.Account.get_successful_records(done["job_id"]))
    assert {row["Name"] for row in rows} == {"helper 0", "helper 1", "helper 2"}
    [done] = sf.bulk2.Account.delete(records=[{"Id": row["sf__Id"]} for row in rows], wait=0)
    assert done["numberRecordsProcessed"] == 3
    [done] = sf.bulk2.Claim__c.upsert(records=[{"Number__c": "c-1"}], external_id_field="Number__c", wait=0)
    assert done["numberRecordsFailed"] == 0

"""Pages, cursors, deleted rows, and how long a request line may be."""

from __future__ import annotations

import pytest
from simple_salesforce import Salesforce

from crmsync.sandbox import Sandbox
from tests.sandbox.salesforce.conftest import Send

ROWS = 4500


@pytest.fixture(scope="module", autouse=True)
def rows(box: Sandbox) -> list[str]:
    return box.salesforce.insert_rows("Account", ({"Name": f"a{number:04}"} for number in range(ROWS)))


def test_the_client_walks_all_pages(sf: Salesforce) -> None:
    records = list(sf.query_all_iter("SELECT Id, Name FROM Account ORDER BY Name"))
    assert [record["Name"] for record in records] == [f"a{number:04}" for number in range(ROWS)]


def test_a_page_names_the_next_one_relatively(send: Send) -> None:
    first = send("GET", "/query", params={"q": "SELECT Id FROM Account"}).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (ROWS, False, 2000)
    assert first["nextRecordsUrl"].startswith("/services/data/v60.0/query/01g")
    assert first["nextRecordsUrl"].endswith("-2000")
    second = send("GET", first["nextRecordsUrl"]).json()
    last = send("GET", second["nextRecordsUrl"]).json()
    assert (last["done"], len(last["records"]), "nextRecordsUrl" in last) == (True, 500, False)


@pytest.mark.parametrize(("asked", "given"), [(500, 500), (50, 200), (9999, 2000)])
def test_the_batch_size_is_a_hint_within_bounds(send: Send, asked: int, given: int) -> None:
    headers = {"Sforce-Query-Options": f"batchSize={asked}"}
    page = send("GET", "/query", params={"q": "SELECT Id FROM Account"}, headers=headers).json()
    assert len(page["records"]) == given


def test_an_unknown_cursor_is_refused(send: Send) -> None:
    answer = send("GET", "/query/01g000000000000AAA-2000")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_a_limit_below_the_page_ends_there(send: Send) -> None:
    page = send("GET", "/query", params={"q": "SELECT Id FROM Account LIMIT 2500"}).json()
    assert (page["totalSize"], page["done"]) == (2500, False)
    page = send("GET", "/query", params={"q": "SELECT Id FROM Account LIMIT 2000"}).json()
    assert (page["totalSize"], page["done"]) == (2000, True)


def test_query_all_shows_deleted_rows_query_does_not(send: Send, box: Sandbox, rows: list[str]) -> None:
    box.salesforce.delete("Account", rows[0])
    text = f"SELECT IsDeleted FROM Account WHERE Id = '{rows[0]}'"
    assert send("GET", "/query", params={"q": text}).json()["totalSize"] == 0
    assert send("GET", "/queryAll", params={"q": text}).json()["records"][0]["IsDeleted"] is True
    assert send("GET", "/query", params={"q": f"{text} ALL ROWS"}).json()["totalSize"] == 1
    box.salesforce.undelete("Account", rows[0])
    assert send("GET", "/query", params={"q": text}).json()["totalSize"] == 1


def test_a_short_id_finds_its_record(send: Send, rows: list[str]) -> None:
    text = f"SELECT Id FROM Account WHERE Id IN ('{rows[5][:15]}')"
    assert send("GET", "/query", params={"q": text}).json()["records"][0]["Id"] == rows[5]


def test_a_request_line_has_a_limit(send: Send, rows: list[str]) -> None:
    ids = "','".join(rows[:1000])
    answer = send("GET", "/query", params={"q": f"SELECT Id FROM Account WHERE Id IN ('{ids}')"})
    assert answer.status_code == 414
    body = {
        "compositeRequest": [
            {
                "referenceId": "q",
                "method": "GET",
                "url": f"/services/data/v60.0/query?q=SELECT Id FROM Account WHERE Id IN ('{ids}')",
            }
        ]
    }
    [inner] = send("POST", "/composite", body).json()["compositeResponse"]
    assert inner["body"]["totalSize"] == 1000


def test_two_long_texts_make_small_pages(send: Send, box: Sandbox) -> None:
    box.salesforce.create_field("Claim__c", "More__c", "LongTextArea")
    box.salesforce.insert_rows("Claim__c", ({"Name": str(number)} for number in range(300)))
    page = send("GET", "/query", params={"q": "SELECT Notes__c, More__c FROM Claim__c"}).json()
    assert len(page["records"]) == 200

"""aiosalesforce, an independent asyncio client, against the Salesforce org of the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from aiosalesforce import ClientCredentialsFlow, Salesforce
from aiosalesforce.exceptions import NotFoundError, SalesforceError

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET

CONTACTS = 2_300
Work = Callable[[Salesforce], Awaitable[None]]
Run = Callable[[Work], None]


class ToLoopback(httpx.AsyncHTTPTransport):
    """The client wants the address of a real org; its requests end here."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host=self._url.host, port=self._url.port)
        return await super().handle_async_request(request)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as running:
        running.salesforce.create_field("Account", "Ext_Key__c", "text", length=80, external_id=True, unique=True)
        running.salesforce.insert_rows("Contact", ({"LastName": f"Person {n}"} for n in range(CONTACTS)))
        yield running


@pytest.fixture
def run(box: Sandbox) -> Run:
    async def with_client(work: Work) -> None:
        async with httpx.AsyncClient(transport=ToLoopback(box.url), trust_env=False) as http:
            flow = ClientCredentialsFlow(SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET)
            await work(Salesforce(http, base_url="https://acme.my.salesforce.com", auth=flow))

    return lambda work: asyncio.run(with_client(work))


def test_records_come_and_go(run: Run) -> None:
    async def work(client: Salesforce) -> None:
        made = await client.sobject.create("Account", {"Name": "Nordlicht"})
        await client.sobject.update("Account", made, {"Industry": "Energy"})
        assert (await client.sobject.get("Account", made, fields=["Industry"]))["Industry"] == "Energy"
        up = await client.sobject.upsert("Account", "K 1", "Ext_Key__c", {"Name": "Up"})
        again = await client.sobject.upsert("Account", "K 1", "Ext_Key__c", {"Name": "Up again"})
        assert (up.created, again.created, up.id) == (True, False, again.id)
        await client.sobject.delete("Account", made)
        with pytest.raises(NotFoundError):
            await client.sobject.get("Account", made)

    run(work)


def test_a_query_of_several_pages_is_read_to_its_end(run: Run) -> None:
    async def work(client: Salesforce) -> None:
        seen = {record["Id"] async for record in client.query("SELECT Id FROM Contact")}
        assert len(seen) == CONTACTS

    run(work)


def test_one_call_makes_a_record_and_another_that_points_to_it(run: Run, box: Sandbox) -> None:
    async def work(client: Salesforce) -> None:
        async with client.composite(all_or_none=True) as request:
            account = request.sobject.create("Account", {"Name": "Parent"})
            contact = request.sobject.create("Contact", {"LastName": "Child", "AccountId": f"{account.reference.id}"})
        assert (account.status_code, contact.status_code) == (201, 201)
        (stored,) = box.salesforce.rows("Contact", '"Id" = ?', (contact.id,))
        assert stored["AccountId"] == account.id

    run(work)


def test_one_bad_part_undoes_the_whole_call(run: Run, box: Sandbox) -> None:
    async def work(client: Salesforce) -> None:
        async with client.composite(all_or_none=True) as request:
            good, bad = (request.sobject.create("Account", row) for row in ({"Name": "Half"}, {}))
        assert (good.status_code, bad.status_code) == (400, 400)
        with pytest.raises(SalesforceError, match="PROCESSING_HALTED"):
            good.raise_for_status()

    run(work)
    assert not box.salesforce.rows("Account", "\"Name\" = 'Half'")


def test_a_batch_goes_on_after_a_bad_part(run: Run) -> None:
    async def work(client: Salesforce) -> None:
        async with client.composite.batch() as batch:
            bad = batch.sobject.get("Account", "001000000000000AAA")
            good = batch.query("SELECT COUNT() FROM Contact")
        assert (bad.status_code, good.status_code) == (404, 200)

    run(work)


def test_a_bulk_load_tells_each_outcome(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    nap = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _seconds: nap(0.02))  # it waits for five seconds between two looks

    async def work(client: Salesforce) -> None:
        rows: list[dict[str, Any]] = [{"Name": f"Bulk {n}", "Description": 'a "b",\nc'} for n in range(120)]
        rows[5]["Name"] = "x" * 300
        done = await client.bulk_v2.insert("Account", rows)
        assert (len(done.successful_results), len(done.failed_results)) == (119, 1)
        assert "STRING_TOO_LONG" in done.failed_results[0]["sf__Error"]
        ids = [{"Id": one["sf__Id"]} for one in done.successful_results]
        assert len((await client.bulk_v2.delete("Account", ids)).successful_results) == 119

    run(work)

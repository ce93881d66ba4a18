"""A blank org over real HTTP, simple-salesforce on it, and a plain session for what that client hides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from crmsync.sandbox.salesforce.org import SalesforceOrg

Send = Callable[..., requests.Response]


class LoopbackSession(requests.Session):
    """The client builds https URLs whatever it is told; this sends them to the sandbox."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.trust_env = False
        self.url = url

    def request(self, method: str, url: str, *args: Any, **more: Any) -> requests.Response:
        path = url.split("/", 3)[3] if url.startswith("https://") else url.removeprefix(f"{self.url}/")
        return super().request(method, f"{self.url}/{path}", *args, **{"timeout": 10, **more})


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as running:
        add_claims(running.salesforce)
        yield running


def add_claims(org: SalesforceOrg) -> None:
    """A custom object with one field of each kind that matters, and external ids."""
    org.create_field("Account", "Legacy_Id__c", "Text", length=80, external_id=True)
    org.create_object("Claim__c", "Claim", "Claims")
    org.create_field("Claim__c", "Number__c", "Text", length=40, external_id=True, unique=True)
    org.create_field("Claim__c", "Account__c", "Lookup", reference_to="Account", relationship="Claims")
    org.create_field("Claim__c", "State__c", "Picklist", options=["draft", ("approved", "Approved")])
    org.create_field("Claim__c", "Flags__c", "MultiselectPicklist", options=["late", "duplicate", "odd"])
    org.create_field("Claim__c", "Due__c", "DateTime")
    org.create_field("Claim__c", "Notes__c", "LongTextArea")
    org.create_field("Claim__c", "Done__c", "Checkbox")


@pytest.fixture
def org(box: Sandbox) -> SalesforceOrg:
    return box.salesforce


@pytest.fixture
def session(box: Sandbox) -> Iterator[LoopbackSession]:
    with LoopbackSession(box.url) as opened:
        yield opened


@pytest.fixture
def sf(session: LoopbackSession) -> Salesforce:
    """simple-salesforce as it comes from the registry, signed in by client credentials."""
    return Salesforce(
        consumer_key=SALESFORCE_CLIENT_ID,
        consumer_secret=SALESFORCE_CLIENT_SECRET,
        domain="sandbox.my",
        session=session,
    )


@pytest.fixture
def send(box: Sandbox) -> Iterator[Send]:
    """``send(method, path below the version, body)`` as the integration user."""
    with LoopbackSession(box.url) as session:
        form = {
            "grant_type": "client_credentials",
            "client_id": SALESFORCE_CLIENT_ID,
            "client_secret": SALESFORCE_CLIENT_SECRET,
        }
        token = session.post(f"{box.url}/services/oauth2/token", data=form).json()["access_token"]

        def call(method: str, path: str, body: Any = None, *, version: str = "60.0", **more: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
            url = path if path.startswith("/services") else f"/services/data/v{version}{path}"
            return session.request(method, box.url + url, json=body, headers=headers, **more)

        yield call


@pytest.fixture
def query(send: Send) -> Callable[..., list[dict[str, Any]]]:
    """The records of a query, without their attributes."""

    def run(text: str, endpoint: str = "query") -> list[dict[str, Any]]:
        answer = send("GET", f"/{endpoint}", params={"q": text})
        assert answer.status_code == 200, answer.text
        return [
            {key: item for key, item in record.items() if key != "attributes"} for record in answer.json()["records"]
        ]

    return run

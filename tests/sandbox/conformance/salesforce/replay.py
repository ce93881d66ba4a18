"""A recorded session, played again to an org that holds what the recorded org held."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import SALESFORCE_USERNAME
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.conformance.framework import NOTHING, Answer, Delta, Exchange, compare
from tests.sandbox.conformance.salesforce.normal import Roles, blot, chosen
from tests.sandbox.salesforce.conftest import Send

RECORDED = Path(__file__).parents[4] / "fixtures" / "recorded" / "salesforce"
_BUSINESS = (
    "OpportunityContactRole",
    "Opportunity",
    "Contact",
    "Account",
    "Lead",
    "CustomObjectDetail__c",
    "CustomObject__c",
    "RecordType",
)
LONG_AGO = "2020-08-14T20:53:02.000+0000"
_COUNT = re.compile(r"select\s+count\((?:id)?\)\s+from\s+(\w+)", re.IGNORECASE)


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / name).read_text("utf-8"))
    return found


def sessions(name: str) -> Iterator[tuple[str, list[Exchange]]]:
    """Name and exchanges of each session in the file."""
    for session in recorded(name)["sessions"]:
        yield (
            session["name"],
            [
                Exchange(name, f"{session['name']} #{number}", one["method"], one["path"], one["status"],
                         one["headers"], one["request"], one["body"])
                for number, one in enumerate(session["exchanges"], 1)
            ],
        )  # fmt: skip


def wipe(org: SalesforceOrg) -> None:
    """No business data, as before the session."""
    with org.store.transaction():
        for name in _BUSINESS:
            if org.schema.get(name):
                org.store.connection.execute(f'DELETE FROM "{name}"')


def set_clock(box: Sandbox, exchange: Exchange) -> None:
    """The org's time is that of the recording, where it says."""
    if "date" in exchange.headers:
        box.clock.set(parsedate_to_datetime(exchange.headers["date"]))


@dataclass
class Replay:
    """One session against our org."""

    box: Sandbox
    send: Send
    version: str
    roles: Roles = field(default_factory=Roles)

    @property
    def org(self) -> SalesforceOrg:
        return self.box.salesforce

    def __post_init__(self) -> None:
        """Everybody who signs in and every organization there is."""
        user = str(self.org.user_id(SALESFORCE_USERNAME))
        self.org.store.save_setting("schema_changed_at", LONG_AGO)
        self.roles.ours |= {"0051a000000UGT8AAO": user, "00D0xORGID00000000": self.org.id}

    def play(self, exchange: Exchange) -> Answer:
        for query, count in _counts(exchange):
            self._top_up(query, count)
        url = urlsplit(exchange.path)
        params = {key: value[0] for key, value in parse_qs(url.query, keep_blank_values=True).items()}
        params = self.roles.translate(params, self.version)
        request = self.roles.translate(exchange.request, self.version)
        answer = self.send(exchange.method, self.roles.translate(url.path, self.version), request, params=params)
        body = answer.json() if answer.content else None
        if "/query" not in exchange.path:
            self.roles.learn(exchange.body, body)
        return Answer(answer.status_code, dict(answer.headers), body)

    def deltas(self, exchange: Exchange, answer: Answer) -> Iterator[Delta]:
        yield from compare(exchange.status, answer.status, "status")
        theirs, ours = chosen(self.roles.translate(dict(exchange.headers), self.version)), chosen(answer.headers)
        for name, value in theirs.items():
            yield from compare(value, ours.get(name, NOTHING), f"header.{name}")
        yield from compare(*(_unordered(exchange, blot(body)) for body in (
            self.roles.translate(exchange.body, self.version), answer.body
        )))  # fmt: skip

    # ---------------------------------------------------------------- what the recorded org held

    def hold(self, exchanges: Sequence[Exchange]) -> None:
        """Records that answers show and nobody makes in this session were there before."""
        made = {str(item.get("id")) for exchange in exchanges for item in _objects(exchange.body)
                if exchange.method == "POST" or exchange.status == 201 or item.get("created")}  # fmt: skip
        for exchange in exchanges:
            for record in _objects(exchange.body):
                their_id = str((record.get("attributes") or {}).get("url", "")).rpartition("/")[2]
                if their_id and their_id not in made and their_id not in self.roles.ours:
                    self._insert(record)

    def _insert(self, record: dict[str, Any]) -> None:
        sobject = self.org.schema.get(record["attributes"]["type"])
        their_id = record["attributes"]["url"].rpartition("/")[2]
        if sobject is None or sobject.name not in _BUSINESS:
            return
        plain = {name: item for name, item in record.items() if not isinstance(item, (dict, list)) and name != "Id"}
        values = {name: self.roles.translate(item, self.version) for name, item in plain.items() if sobject.has(name)}
        if sobject.name in ("Contact", "Lead"):
            values.setdefault("LastName", "Before")
        if sobject.name == "RecordType":
            values |= {"SobjectType": "Account", "IsActive": True}
        [self.roles.ours[their_id]] = self.org.insert_rows(sobject.name, [{"Name": "Before", **values}])

    def _top_up(self, sobject: str, count: int) -> None:
        missing = count - self.org.count(sobject)
        self.org.insert_rows(sobject, ({"Name": f"Before {number}"} for number in range(max(0, missing))))


def _unordered(exchange: Exchange, body: Any) -> Any:
    """Without ORDER BY the order of records means nothing."""
    if "/query" in exchange.path and "order" not in exchange.path.lower() and isinstance(body, dict):
        return {**body, "records": sorted(body["records"], key=lambda record: json.dumps(record, sort_keys=True))}
    return body


def _objects(body: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in it, at any depth."""
    if isinstance(body, dict):
        yield body
    for item in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from _objects(item)


def _counts(exchange: Exchange) -> Iterator[tuple[str, int]]:
    """(object, number) of every count in the exchange."""
    if isinstance(exchange.request, dict) and isinstance(exchange.body, dict):
        for request, response in zip(
            exchange.request.get("compositeRequest", ()), exchange.body.get("compositeResponse", ()), strict=False
        ):
            yield from _count(str(request.get("url")), response.get("body"))
    yield from _count(exchange.path, exchange.body)


def _count(path: str, body: Any) -> Iterator[tuple[str, int]]:
    query = parse_qs(urlsplit(path).query).get("q", [""])[0]
    match = _COUNT.match(query)
    if match and isinstance(body, dict):
        records = body.get("records") or [{}]
        yield match.group(1), records[0].get("expr0", body["totalSize"])

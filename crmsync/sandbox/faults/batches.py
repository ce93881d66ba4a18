"""Which requests write records, and how some records of one are refused while the others are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.types import ASGIApp, Scope

from crmsync.sandbox.faults.exchange import Answer, make_answer, plain, run

if TYPE_CHECKING:
    from crmsync.sandbox.faults.fault import Fault

Item = dict[str, Any]
_DATA = r"/services/data/v\d+\.0"
_RECORD_WRITES = {
    "salesforce": re.compile(rf"(?:POST|PATCH|PUT|DELETE) {_DATA}/(?:sobjects/\w+|composite)(?:/.*)?"),
    "hubspot": re.compile(
        r"(?:POST|PATCH|PUT|DELETE) /crm/(?:v[34]/|[\w-]+/v\d/)?(?:objects|associations|[\w-]+/20)"
        r"(?!.*/(?:search|batch/read|labels)$).*"
    ),
}
_BATCH_WRITES = {
    "salesforce": re.compile(
        rf"(?:(?:POST|PATCH|DELETE) {_DATA}/composite/sobjects|PATCH {_DATA}/composite/sobjects/\w+/\w+"
        rf"|POST {_DATA}/composite)/?"
    ),
    "hubspot": re.compile(r"POST /crm/(?:v3/objects|objects/[\w-]+)/[^/]+/batch/(?:create|update|upsert)"),
}
_ROLLED_BACK = (
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)
_HALTED = (
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)


def is_record_write(system: str, method: str, target: str) -> bool:
    return _RECORD_WRITES[system].fullmatch(f"{method} {target.partition('?')[0]}") is not None


def is_batch_write(system: str, method: str, target: str) -> bool:
    return _BATCH_WRITES[system].fullmatch(f"{method} {target.partition('?')[0]}") is not None


async def run_partly(fault: Fault, system: str, app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """The chosen records never reach the CRM; their refusals are set into its answer where they belong."""
    scope, body = plain(scope, body)
    batch = _read(fault, system, scope, body)
    if batch is None or not batch.items:
        return await run(app, scope, body)
    refused = choose(fault, len(batch.items))
    if refused and batch.is_strict:
        return batch.all_refused(refused)
    kept = [item for place, item in enumerate(batch.items) if place not in refused]
    answer = await run(app, *batch.with_items(kept))
    return batch.joined(answer, refused) if answer.status < 300 else answer


async def run_unless_poisoned(fault: Fault, system: str, app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """A batch without the record goes its way; one with it is refused as HubSpot refuses a record that is not valid."""
    plain_scope, plain_body = plain(scope, body)
    batch = _read(fault, system, plain_scope, plain_body)
    if batch is None or all(str(item.get("id")) != fault.value for item in batch.items):
        return await run(app, scope, body)
    return batch.all_refused(frozenset())


def choose(fault: Fault, number: int) -> frozenset[int]:
    """At least one, if any share at all."""
    wanted = min(number, max(1, round(fault.share * number))) if fault.share > 0 else 0
    return frozenset(fault.random.sample(range(number), wanted))


def refusal_of(fault: Fault) -> tuple[str, str]:
    """Code and message for one refused record."""
    if fault.kind == "row_lock":
        return "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 001Bx0000000001"
    return fault.code or "FIELD_CUSTOM_VALIDATION_EXCEPTION", "This record is refused by a validation rule"


def _read(fault: Fault, system: str, scope: Scope, body: bytes) -> _Batch | None:
    if scope["method"] == "DELETE":
        return _Deletes(fault, scope, {})
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict):
        return None
    if system == "hubspot":
        return _Inputs(fault, scope, content)
    is_composite = scope["path"].rstrip("/").endswith("/composite")
    return (_Subrequests if is_composite else _Collection)(fault, scope, content)


@dataclass(slots=True)
class _Batch:
    """A request taken apart; the subclasses know where its records and their outcomes are."""

    fault: Fault
    scope: Scope
    content: Mapping[str, Any]
    key = "records"

    @property
    def items(self) -> list[Any]:
        found = self.content.get(self.key)
        return found if isinstance(found, list) and all(isinstance(item, dict) for item in found) else []

    @property
    def is_strict(self) -> bool:
        return bool(self.content.get("allOrNone"))

    def with_items(self, kept: Sequence[Any]) -> tuple[Scope, bytes]:
        return self.scope, orjson.dumps({**self.content, self.key: kept})

    def all_refused(self, refused: frozenset[int]) -> Answer:
        raise NotImplementedError

    def joined(self, answer: Answer, refused: frozenset[int]) -> Answer:
        raise NotImplementedError


class _Collection(_Batch):
    """sObject Collections: an outcome per record, in order, inside HTTP 200."""

    def all_refused(self, refused: frozenset[int]) -> Answer:
        own = refusal_of(self.fault)
        outcomes = [_failed(*(own if place in refused else _ROLLED_BACK)) for place in range(len(self.items))]
        return make_answer(200, outcomes)

    def joined(self, answer: Answer, refused: frozenset[int]) -> Answer:
        outcomes = iter(orjson.loads(answer.body))
        own = _failed(*refusal_of(self.fault))
        return answer.with_json(200, [own if place in refused else next(outcomes) for place in range(len(self.items))])


class _Deletes(_Collection):
    """The ids are in the query."""

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    @property
    def items(self) -> list[Any]:
        return [record_id for record_id in self.query.get("ids", "").split(",") if record_id.strip()]

    @property
    def is_strict(self) -> bool:
        return self.query.get("allOrNone", "").lower() == "true"

    def with_items(self, kept: Sequence[Any]) -> tuple[Scope, bytes]:
        query = urlencode({**self.query, "ids": ",".join(kept)}, safe=",").encode()
        return {**self.scope, "query_string": query}, b""


class _Subrequests(_Batch):
    """Composite: an answer per subrequest, named by its reference."""

    key = "compositeRequest"

    def all_refused(self, refused: frozenset[int]) -> Answer:
        first = min(refused)
        answers = [
            _sub_answer(item, *(refusal_of(self.fault) if place == first else _HALTED))
            for place, item in enumerate(self.items)
        ]
        return make_answer(200, {"compositeResponse": answers})

    def joined(self, answer: Answer, refused: frozenset[int]) -> Answer:
        outcomes = iter(orjson.loads(answer.body)["compositeResponse"])
        own = refusal_of(self.fault)
        joined = [
            _sub_answer(item, *own) if place in refused else next(outcomes) for place, item in enumerate(self.items)
        ]
        return answer.with_json(200, {"compositeResponse": joined})


class _Inputs(_Batch):
    """HubSpot: with a trace id on every input the refused ones are errors of a 207, else all are refused together."""

    key = "inputs"

    @property
    def is_strict(self) -> bool:
        traces = [item.get("objectWriteTraceId") for item in self.items]
        return None in traces or len(set(map(str, traces))) < len(traces)

    def all_refused(self, _refused: frozenset[int]) -> Answer:
        return make_answer(400, self._error())

    def joined(self, answer: Answer, refused: frozenset[int]) -> Answer:
        body = orjson.loads(answer.body)
        traces = [str(self.items[place]["objectWriteTraceId"]) for place in sorted(refused)]
        own = [{**self._error(), "context": {"objectWriteTraceId": [trace]}} for trace in traces]
        errors = [*body.get("errors", ()), *own]
        return answer.with_json(self.fault.status or 207, {**body, "numErrors": len(errors), "errors": errors})

    def _error(self) -> Item:
        _, message = refusal_of(self.fault)
        return {"status": "error", "category": self.fault.code or "VALIDATION_ERROR", "message": message}


def _failed(code: str, message: str) -> Item:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


def _sub_answer(item: Mapping[str, Any], code: str, message: str) -> Item:
    return {
        "body": [{"message": message, "errorCode": code}],
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": item.get("referenceId"),
    }

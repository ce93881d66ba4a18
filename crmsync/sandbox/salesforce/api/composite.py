"""Several requests in one: composite (dependent), batch (independent), tree (nested records), graph (atomic groups)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations, actor_for, attributes_of, parse_query
from crmsync.sandbox.salesforce.api.resources import version_number
from crmsync.sandbox.salesforce.errors import SalesforceError, json_error, not_found

OPERATIONS = Operations()
MAX_REQUESTS, MAX_QUERIES, MAX_TREE, MAX_GRAPHS, MAX_NODES = 25, 5, 200, 75, 500
_REFERENCE = re.compile(r"@\{([^}]+)\}")
_HALTED = {
    "errorCode": "PROCESSING_HALTED",
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
}
_EXPENSIVE = re.compile(r"/(query|queryAll|composite/sobjects)\b")


class _RollBack(Exception):
    """Leaves the savepoint of an all-or-none request."""


@dataclass(slots=True)
class Results:
    """Answers so far, by reference id."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)

    def add(self, reference: str, answer: Answer) -> None:
        self.bodies[reference] = answer.body
        self.answers.append(
            {
                "body": answer.body,
                "httpHeaders": answer.headers,
                "httpStatusCode": answer.status,
                "referenceId": reference,
            }
        )

    @property
    def failed(self) -> bool:
        return any(answer["httpStatusCode"] >= 400 for answer in self.answers)


@OPERATIONS.on("POST", "/composite")
def composite(call: Call) -> Answer:
    body = call.json_object()
    requests = _requests(body.get("compositeRequest"), MAX_REQUESTS)
    if sum(1 for request in requests if _EXPENSIVE.search(str(request.get("url", "")))) > MAX_QUERIES:
        message = (
            f"Cannot have more than {MAX_QUERIES} query or sObject Collections subrequests in one composite request"
        )
        raise SalesforceError("LIMIT_EXCEEDED", message)
    return Answer(body={"compositeResponse": _run_all(call, requests, strict=bool(body.get("allOrNone")))})


def _requests(given: Any, limit: int) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(request, dict) for request in given):
        raise json_error("The request needs an array of subrequests")
    if len(given) > limit:
        raise SalesforceError("LIMIT_EXCEEDED", f"Limit of {limit} subrequests exceeded: {len(given)}")
    return given


def _run_all(call: Call, requests: Sequence[Mapping[str, Any]], *, strict: bool) -> list[dict[str, Any]]:
    references = [str(request.get("referenceId", "")) for request in requests]
    if len(set(references)) < len(references) or not all(references):
        raise SalesforceError("INVALID_INPUT", "Every subrequest needs its own referenceId")
    results = Results()
    try:
        with call.org.store.transaction():
            for request, reference in zip(requests, references, strict=True):
                results.add(reference, _run_one(call, request, results))
                if strict and results.failed:
                    raise _RollBack
    except _RollBack:
        return _halted(results, references)
    return results.answers


def _halted(results: Results, references: Sequence[str]) -> list[dict[str, Any]]:
    """After a rollback only the one that failed tells why; all others, done or not, were halted."""
    culprit = results.answers[-1]
    blank = {"body": [_HALTED], "httpHeaders": {}, "httpStatusCode": 400}
    return [culprit if name == culprit["referenceId"] else {**blank, "referenceId": name} for name in references]


def _run_one(call: Call, request: Mapping[str, Any], results: Results) -> Answer:
    try:
        url = str(_resolve(request.get("url", ""), results, in_url=True))
        body = _resolve(request.get("body"), results)
        headers = request.get("httpHeaders") or {}
        if not isinstance(headers, dict):
            raise json_error("httpHeaders must be an object")
        inner = _subcall(call, str(request.get("method", "GET")), url, body, headers)
    except SalesforceError as error:
        return Answer(error.status, error.body())
    return _sub_answer(call.org.front.dispatcher.answer(inner))


def _sub_answer(answer: Answer) -> Answer:
    headers = {name: value for name, value in answer.headers.items() if name in ("Location", "ETag", "Last-Modified")}
    body = orjson.loads(answer.body) if isinstance(answer.body, bytes) else answer.body
    return Answer(answer.status, body, headers)


def _subcall(call: Call, method: str, url: str, body: Any, headers: Mapping[str, str]) -> Call:
    path, _, query = url.partition("?")
    segment, slash, rest = path.removeprefix("/services/data/").partition("/")
    version = version_number(segment)
    if version is None or not path.startswith("/services/data/"):
        raise not_found()
    given = {name.lower(): str(value) for name, value in headers.items()}
    return Call(
        org=call.org,
        method=method.upper(),
        path=quote(slash + rest, safe="/%:@+,='"),
        version=version,
        query=parse_query(query),
        headers=given,
        actor=call.actor
        if "sforce-duplicate-rule-header" not in given
        else actor_for(call.access, call.request_id, call.base, given),
        payload=body,
        request_id=call.request_id,
    )


def _resolve(value: Any, results: Results, *, in_url: bool = False) -> Any:
    """Replace ``@{reference.path}`` by what that subrequest answered."""
    if isinstance(value, dict):
        return {key: _resolve(item, results) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, results) for item in value]
    if not isinstance(value, str) or "@{" not in value:
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole is not None and not in_url:
        return _look_up(whole.group(1), results)
    return _REFERENCE.sub(lambda match: str(_look_up(match.group(1), results)), value)


def _look_up(expression: str, results: Results) -> Any:
    steps = re.findall(r"[^.\[\]]+", expression)
    found = results.bodies.get(steps[0]) if steps else None
    for step in steps[1:]:
        found = _step(found, step)
    if found is None:
        message = f"Invalid reference specified. No value for {expression} found in {steps[0] if steps else expression}"
        raise SalesforceError("PROCESSING_HALTED", message)
    return found


def _step(found: Any, step: str) -> Any:
    if isinstance(found, list):
        return found[int(step)] if step.isdigit() and int(step) < len(found) else None
    return found.get(step) if isinstance(found, dict) else None


# -------------------------------------------------------------------- batch


@OPERATIONS.on("POST", "/composite/batch")
def batch(call: Call) -> Answer:
    """Independent subrequests; each counts against the daily limit."""
    body = call.json_object()
    requests = _requests(body.get("batchRequests"), MAX_REQUESTS)
    call.org.api_calls += max(0, len(requests) - 1)
    results: list[dict[str, Any]] = []
    failed = False
    for request in requests:
        if failed and body.get("haltOnError"):
            halted = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
            results.append({"statusCode": 412, "result": [halted]})
            continue
        url = str(request.get("url", ""))
        url = url if url.startswith("/services/data/") else f"/services/data/{url.lstrip('/')}"
        try:
            inner = _subcall(call, str(request.get("method", "GET")), url, request.get("richInput"), {})
            answer = _sub_answer(call.org.front.dispatcher.answer(inner))
        except SalesforceError as error:
            answer = Answer(error.status, error.body())
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer(body={"hasErrors": failed, "results": results})


# -------------------------------------------------------------------- tree


@OPERATIONS.on("POST", "/composite/tree/{name}")
def tree(call: Call, name: str) -> Answer:
    """Nested records, all or nothing."""
    call.sobject(name)
    created: list[dict[str, Any]] = []
    records = _nested_records(call.json_object())
    try:
        with call.org.store.transaction():
            for record in records:
                _plant(call, record, None, created)
    except _TreeError as problem:
        return Answer(
            400,
            {"hasErrors": True, "results": [{"referenceId": problem.reference, "errors": [problem.error.as_item()]}]},
        )
    return Answer(201, {"hasErrors": False, "results": created})


def _nested_records(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = value.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise json_error("The request needs an array of records")
    return records


class _TreeError(Exception):
    def __init__(self, reference: str, error: SalesforceError) -> None:
        super().__init__(error.message)
        self.reference, self.error = reference, error


def _plant(
    call: Call, record: Mapping[str, Any], parent: tuple[str, str] | None, created: list[dict[str, Any]]
) -> None:
    attributes = attributes_of(record)
    reference = str(attributes.get("referenceId", ""))
    try:
        if len(created) >= MAX_TREE:
            raise SalesforceError("LIMIT_EXCEEDED", f"A tree may hold {MAX_TREE} records at most", fields=[])
        sobject = call.sobject(str(attributes.get("type", "")))
        nested = {key: value for key, value in record.items() if isinstance(value, dict) and "records" in value}
        data = {key: value for key, value in record.items() if key not in nested and key != "attributes"}
        if parent is not None:
            data[parent[0]] = parent[1]
        record_id = call.org.records.create(call.actor, sobject, data)
    except SalesforceError as error:
        raise _TreeError(reference, error) from None
    created.append({"referenceId": reference, "id": record_id})
    for relationship, value in nested.items():
        found = call.org.schema.child(sobject, relationship)
        if found is None:
            raise _TreeError(
                reference,
                SalesforceError("INVALID_FIELD", f"No such relationship {relationship}", fields=[relationship]),
            )
        for child in _nested_records(value):
            _plant(call, child, (found[1].name, record_id), created)


# -------------------------------------------------------------------- graph


@OPERATIONS.on("POST", "/composite/graph")
def graph(call: Call) -> Answer:
    """Each graph is atomic; graphs do not know each other."""
    graphs = _requests(call.json_object().get("graphs"), MAX_GRAPHS)
    if sum(len(_requests(one.get("compositeRequest"), MAX_NODES)) for one in graphs) > MAX_NODES:
        raise SalesforceError("LIMIT_EXCEEDED", f"A graph request may hold {MAX_NODES} nodes at most")
    found = []
    for one in graphs:
        responses = _run_all(call, _requests(one.get("compositeRequest"), MAX_NODES), strict=True)
        ok = all(response["httpStatusCode"] < 400 for response in responses)
        found.append(
            {"graphId": one.get("graphId"), "graphResponse": {"compositeResponse": responses}, "isSuccessful": ok}
        )
    return Answer(body={"graphs": found})

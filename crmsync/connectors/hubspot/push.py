"""Writes: batches of 100, told apart by trace id, with one outcome per write.

HubSpot answers batches in any order, as 200 or 207, and may refuse a whole batch with 400 because of one input that it
does not name. Each input therefore carries an ``objectWriteTraceId``, results are matched by it, else by id, else by
the unique value, and a refused batch is halved until the bad input stands alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.associations import LinkWriter
from crmsync.connectors.hubspot.problems import Problem, parse_problem
from crmsync.connectors.hubspot.pull import Resolve
from crmsync.connectors.retry import find_row
from crmsync.connectors.transport import Answer
from crmsync.errors import AuthError, Permanent, QuotaExhausted, RemoteError, Transient, Unreachable
from crmsync.remote import Outcome, Write, WriteLink

_REFUSED = (400, 409)
_STOPS = (QuotaExhausted, Unreachable)
_UNKNOWN_PROPERTY = "PROPERTY_DOESNT_EXIST"


class Pusher:
    """Writes records of one object in one kind of operation."""

    def __init__(self, api: HubSpotApi, resolve: Resolve) -> None:
        self._api = api
        self._resolve = resolve
        self._links = LinkWriter(api)
        self._halvings = 0
        """How often a push may still be halved: enough for a few bad records, not for a batch full of them."""

    def push(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """One outcome per write, in their order.

        :raises AuthError | QuotaExhausted | Unreachable: only when nothing has been sent yet.
        """
        if writes and writes[0].op == "delete":
            return self._archive(writes)
        outcomes: dict[int, Outcome] = {}
        self._halvings = start = 2 * math.ceil(math.log2(len(writes) + 1))
        for wave in _waves(writes):
            outcomes |= self._send_part(wave) if outcomes else self._send(wave)
        if self._halvings < start:
            outcomes = {n: replace(o, isolated=o.status == "failed") for n, o in outcomes.items()}
        outcomes = self._link(writes, outcomes)
        return [outcomes[number] for number in range(len(writes))]

    # ------------------------------------------------------------------ sending

    def _send(self, wave: Mapping[int, Write]) -> dict[int, Outcome]:
        """The wave in one call; in halves when HubSpot refuses it as a whole."""
        try:
            answer = self._call(wave)
        except RemoteError as error:
            if isinstance(error, _STOPS) and not _may_have_acted(error):
                raise
            return {number: _failed(write, error) for number, write in wave.items()}
        if answer.status not in _REFUSED:
            return match_outcomes(wave, _json(answer), answer.request_id)
        problem = parse_problem(answer.data)
        if len(wave) == 1:
            return {number: refused(write, problem, answer.request_id) for number, write in wave.items()}
        return self._search(wave, problem, answer.request_id)

    def _search(self, wave: Mapping[int, Write], problem: Problem, request_id: str) -> dict[int, Outcome]:
        """Find what spoils a refused wave. Where it is not in the first half it is in the second: no need to ask."""
        if not self._halvings:
            return {number: _among_refused(write, problem, len(wave)) for number, write in wave.items()}
        guilty, rest = _suspects(wave, problem)
        if guilty:
            outcomes = {number: refused(write, problem, request_id) for number, write in guilty.items()}
            return outcomes | (self._send_part(rest) if rest else {})
        self._halvings -= 1
        first, second = _halves(wave)
        outcomes = self._send_part(first)
        if len(second) == 1 or any(outcome.status != "ok" for outcome in outcomes.values()):
            return outcomes | self._send_part(second)
        return outcomes | self._search(second, problem, request_id)

    def _send_part(self, part: Mapping[int, Write]) -> dict[int, Outcome]:
        """A later call of the same wave: something may be written already, so nothing is raised any more."""
        try:
            return self._send(part)
        except (AuthError, *_STOPS) as error:
            return {number: _failed(write, error) for number, write in part.items()}

    def _call(self, wave: Mapping[int, Write]) -> Answer:
        """An upsert may be sent twice: its key makes it the same write. Between two updates a person may edit."""
        first = next(iter(wave.values()))
        upsert = first.op == "upsert"
        endpoint = self._api.batches.upsert if upsert else self._api.batches.update
        body = {"inputs": [_input(number, write) for number, write in wave.items()]}
        return self._api.call(endpoint, self._resolve(first.object), body, safe=upsert, accept=_REFUSED)

    def _archive(self, writes: Sequence[Write]) -> list[Outcome]:
        """Into the recycle bin. The answer is an empty 204 that tells of no record; archiving twice does no harm."""
        body = {"inputs": [{"id": write.id} for write in writes]}
        try:
            answer = self._api.call(self._api.batches.archive, self._resolve(writes[0].object), body, safe=True)
        except RemoteError as error:
            if isinstance(error, _STOPS) and not _may_have_acted(error):
                raise
            return [_failed(write, error) for write in writes]
        return [Outcome(write.ref, "ok", id=write.id, request_id=answer.request_id) for write in writes]

    # ------------------------------------------------------------------ ties

    def _link(self, writes: Sequence[Write], outcomes: dict[int, Outcome]) -> dict[int, Outcome]:
        """Ties of upserted records, made in one go per object; a record without its ties has not been written."""
        todo: dict[str, list[tuple[int, WriteLink]]] = {}
        for number, write in enumerate(writes):
            if outcomes[number].status == "ok":
                for link in write.links:
                    todo.setdefault(link.to_object, []).append((number, link))
        for to_object, links in todo.items():
            outcomes = outcomes | self._link_to(to_object, writes, outcomes, links)
        return outcomes

    def _link_to(
        self,
        to_object: str,
        writes: Sequence[Write],
        outcomes: Mapping[int, Outcome],
        links: list[tuple[int, WriteLink]],
    ) -> dict[int, Outcome]:
        from_object = writes[0].object
        pairs = [(outcomes[number].id or "", link) for number, link in links]
        try:
            problems = self._links.make(
                self._resolve(from_object), from_object, self._resolve(to_object), to_object, pairs
            )
        except (AuthError, RemoteError) as error:
            return {number: replace(_failed(writes[number], error), id=outcomes[number].id) for number, _ in links}
        return {
            number: replace(refused(writes[number], problems[record_id], ""), id=record_id)
            for (number, _), (record_id, _) in zip(links, pairs, strict=True)
            if record_id in problems
        }


def _waves(writes: Sequence[Write]) -> Iterator[Mapping[int, Write]]:
    """HubSpot refuses a batch that names a record twice (recorded): the second write waits for the next call."""
    rest = dict(enumerate(writes))
    while rest:
        wave: dict[int, Write] = {}
        targets: set[str] = set()
        for number, write in rest.items():
            target = write.id if write.op == "update" else write.key
            if (target or "") not in targets:
                targets.add(target or "")
                wave[number] = write
        yield wave
        rest = {number: write for number, write in rest.items() if number not in wave}


def _halves(wave: Mapping[int, Write]) -> list[dict[int, Write]]:
    numbers = list(wave)
    middle = len(numbers) // 2
    return [{n: wave[n] for n in numbers[:middle]}, {n: wave[n] for n in numbers[middle:]}]


def _suspects(wave: Mapping[int, Write], problem: Problem) -> tuple[dict[int, Write], dict[int, Write]]:
    """Writes that are bad for certain (they name a property that does not exist), and the others."""
    missing = {p.property for p in problem.properties if p.code == _UNKNOWN_PROPERTY}
    guilty = {number: write for number, write in wave.items() if missing & write.fields.keys()}
    return guilty, {number: write for number, write in wave.items() if number not in guilty}


def _input(number: int, write: Write) -> dict[str, Any]:
    properties = {name: _property_value(value) for name, value in write.fields.items()}
    trace = {"objectWriteTraceId": str(number), "properties": properties}
    if write.op == "update":
        return {"id": write.id, **trace}
    properties.setdefault(write.key_field, write.key)
    return {"id": write.key, "idProperty": write.key_field, **trace}


def _property_value(value: Any) -> str:
    """HubSpot holds text: an empty one clears, booleans are words ("Properties")."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# ------------------------------------------------------------------ matching


def match_outcomes(wave: Mapping[int, Write], body: Any, request_id: str) -> dict[int, Outcome]:
    """Results and errors of a batch answer, brought back to their writes; what it does not mention is unknown."""
    if not isinstance(body, Mapping):
        body = {}
    by_target = {_target(write): number for number, write in wave.items()}
    outcomes: dict[int, Outcome] = {}
    for result in body.get("results") or ():
        number = _number_of(result, wave, by_target)
        if number is not None:
            outcomes[number] = Outcome(
                wave[number].ref, "ok", id=str(result["id"]), created=bool(result.get("new")), request_id=request_id
            )
    stray: list[Problem] = []
    for problem in map(parse_problem, body.get("errors") or ()):
        numbers = [n for n in _numbers_of(problem, wave, by_target) if n not in outcomes]
        outcomes |= {n: refused(wave[n], problem, request_id) for n in numbers}
        stray += [] if numbers else [problem]
    return outcomes | {n: _unmentioned(w, stray, request_id) for n, w in wave.items() if n not in outcomes}


def _target(write: Write) -> str:
    return (write.id or "") if write.op == "update" else write.key.casefold()


def _number_of(result: Mapping[str, Any], wave: Mapping[int, Write], by_target: Mapping[str, int]) -> int | None:
    trace = str(result.get("objectWriteTraceId") or "")
    if trace.isdigit() and int(trace) in wave:
        return int(trace)
    first = next(iter(wave.values()))
    if first.op == "update":
        return by_target.get(str(result.get("id")))
    return by_target.get(str((result.get("properties") or {}).get(first.key_field) or "").casefold())


def _numbers_of(problem: Problem, wave: Mapping[int, Write], by_target: Mapping[str, int]) -> list[int]:
    traces = [int(t) for t in problem.named("objectWriteTraceId") if t.isdigit() and int(t) in wave]
    named = (*problem.named("ids"), *problem.named("id"))
    return traces or [by_target[i.casefold()] for i in named if i.casefold() in by_target]


def _unmentioned(write: Write, stray: Sequence[Problem], request_id: str) -> Outcome:
    """Missing from the results while errors name nobody: it is one of those. Without such errors nobody knows."""
    if stray:
        return refused(write, stray[0], request_id)
    return Outcome(
        write.ref, "unknown", code="NO_RESULT", message="HubSpot's answer does not mention it", request_id=request_id
    )


def refused(write: Write, problem: Problem, request_id: str) -> Outcome:
    return Outcome(
        write.ref,
        "failed",
        id=write.id or next(iter(problem.named("existingId")), None),
        code=problem.code,
        message=problem.summary,
        request_id=request_id or problem.correlation_id,
    )


def _among_refused(write: Write, problem: Problem, number: int) -> Outcome:
    """Not searched any further: perhaps this one was good, so a later run may try it again."""
    message = f"refused together with {number - 1} others: {problem.summary}"
    return replace(refused(write, problem, ""), message=message, retriable=True)


def _failed(write: Write, error: AuthError | RemoteError) -> Outcome:
    """A call that failed for all its writes."""
    if isinstance(error, AuthError):
        return Outcome(write.ref, "failed", id=write.id, code=error.code, message=error.message, retriable=True)
    return Outcome(
        write.ref,
        "unknown" if _may_have_acted(error) else "failed",
        id=write.id,
        code=error.vendor_code or error.code,
        message=error.message,
        retriable=not isinstance(error, Permanent),
        request_id=error.request_id,
    )


def _may_have_acted(error: RemoteError) -> bool:
    """True too for an upsert that was sent until patience ended: any of those tries may have been done."""
    if isinstance(error, Transient) and error.outcome_unknown:
        return True
    return find_row(error.system, error.status or 0, error.vendor_code).acted


def _json(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.data)
    except orjson.JSONDecodeError:
        return None

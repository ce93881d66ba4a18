"""Answers that are spoiled in transit or by malice: cut, padded, nested, packed, or leading elsewhere."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import orjson

from crmsync.sandbox.faults.exchange import OF_THE_BODY, Answer, Header, make_answer
from crmsync.sandbox.faults.fault import Fault

_LISTS = ("records", "results")
LEAST_LEFT_OUT = 1


def fewer(fault: Fault, answer: Answer) -> Answer:
    """Some of the rows or outcomes that the body should hold are not there; the numbers in it stand."""
    body = orjson.loads(answer.body or b"null")
    if isinstance(body, list):
        return answer.with_json(answer.status, _thinned(fault, body))
    if isinstance(body, dict):
        changed = {name: _thinned(fault, body[name]) for name in _LISTS if isinstance(body.get(name), list)}
        return answer.with_json(answer.status, {**body, **changed}) if changed else answer
    return answer


def _thinned(fault: Fault, rows: list[Any]) -> list[Any]:
    left_out = set(fault.random.sample(range(len(rows)), _share(fault, len(rows))))
    return [row for place, row in enumerate(rows) if place not in left_out]


def _share(fault: Fault, number: int) -> int:
    return min(number, max(LEAST_LEFT_OUT, round(fault.share * number)))


def garble(_fault: Fault, answer: Answer) -> Answer:
    """Half of a gzip stream, with the length that belongs to it."""
    return _packed(answer, gzip.compress(answer.body)[: max(len(answer.body) // 8, 12)])


def bomb(fault: Fault, answer: Answer) -> Answer:
    """Small on the wire, ``size`` bytes when unpacked."""
    return _packed(answer, gzip.compress(b" " * fault.size))


def huge(fault: Fault, answer: Answer) -> Answer:
    """``size`` bytes of nothing before the body."""
    return _with_body(answer, b" " * fault.size + answer.body)


def deep(fault: Fault, answer: Answer) -> Answer:
    """JSON in ``size`` brackets."""
    return _with_body(answer, b"[" * fault.size + b"]" * fault.size)


def lure(fault: Fault, answer: Answer) -> Answer:
    """The link to the next page leads to another host."""
    body = orjson.loads(answer.body or b"null")
    if not isinstance(body, dict):
        return answer
    if "records" in body:
        return answer.with_json(200, {**body, "done": False, "nextRecordsUrl": f"{fault.value}/next"})
    paging = {"next": {"after": "1", "link": f"{fault.value}/next"}}
    return answer.with_json(200, {**body, "paging": paging}) if "results" in body else answer


def redirect(fault: Fault, _answer: Answer) -> Answer:
    return make_answer(302, "<html></html>", [(b"location", fault.value.encode())])


def _packed(answer: Answer, body: bytes) -> Answer:
    return _with_body(answer, body, [(b"content-encoding", b"gzip")])


def _with_body(answer: Answer, body: bytes, more: list[Header] | None = None) -> Answer:
    kept = [pair for pair in answer.headers if pair[0] not in OF_THE_BODY]
    own = [(b"content-type", b"application/json;charset=UTF-8"), (b"content-length", str(len(body)).encode())]
    return Answer(answer.status, [*kept, *own, *(more or ())], body)


MANGLE: dict[str, Callable[[Fault, Answer], Answer]] = {
    "fewer": fewer, "garble": garble, "bomb": bomb, "huge": huge, "deep": deep, "lure": lure, "redirect": redirect,
}  # fmt: skip

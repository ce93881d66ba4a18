"""SOQL text: literals, instants, and what fits into a request line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from simple_salesforce.format import format_soql

MAX_QUERY_BYTES = 15_000
"""Salesforce refuses a URI over 16,384 bytes (414) and URI plus headers over that (431): room for host, path, token."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def is_name(text: str) -> bool:
    """Whether it can be the API name of an object or field; nothing else is ever put into a path or a query."""
    return _NAME.fullmatch(text) is not None


def in_url(soql: str) -> str:
    """The query as a value of ``q=``."""
    return quote(soql, safe=",()'=:*")


def fits(soql: str) -> bool:
    return len(in_url(soql)) <= MAX_QUERY_BYTES


def instant(at: datetime) -> str:
    """An unquoted datetime literal in UTC."""
    at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def parse_instant(text: str) -> datetime:
    """``2020-10-22T21:03:23.000+0000``, as REST answers it."""
    return datetime.fromisoformat(text).astimezone(UTC)


def in_chunks(template: str, values: Sequence[str]) -> Iterator[str]:
    """The query once per chunk of values, each short enough for a url. ``template`` holds one ``{}`` for the list."""
    room = MAX_QUERY_BYTES - len(in_url(template))
    chunk: list[str] = []
    used = 0
    for value in values:
        size = len(in_url(format_soql("{},", value)))
        if chunk and used + size > room:
            yield format_soql(template, chunk)
            chunk, used = [], 0
        chunk.append(value)
        used += size
    if chunk:
        yield format_soql(template, chunk)


def split_fields(first: Sequence[str], fields: Iterable[str], tail: str) -> tuple[list[str], list[str]]:
    """(fields that fit into one query beside ``first`` and ``tail``, the rest)."""
    room = MAX_QUERY_BYTES - len(in_url(f"SELECT {', '.join(first)} {tail}"))
    fitting: list[str] = []
    rest: list[str] = []
    for name in fields:
        room -= len(name) + 1
        (fitting if room > 0 else rest).append(name)
    return fitting, rest

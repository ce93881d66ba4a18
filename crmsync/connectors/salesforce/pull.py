"""Incremental pull: by ``SystemModstamp, Id`` through queryAll, so that deletes and merges come in the same pass.

Stamps are whole seconds, tie in bulk, and rows can become visible minutes after their stamp (airbytehq/airbyte#27146).
So a finished pull remembers the org's own clock at its *start*, and the next asks again from an overlap before that;
rows come twice, which does no harm. Inside a pull the keyset (stamp, Id) is exact: an interrupted one goes on after the
last row it gave, and what became visible late meanwhile is younger than the remembered start minus the overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.describe import Descriptions, checked_object
from crmsync.connectors.salesforce.rows import read_rows, remote_record
from crmsync.connectors.salesforce.shape import Shape, load_shape, shape_of
from crmsync.connectors.salesforce.soql import in_url, instant, parse_instant, split_fields
from crmsync.errors import Permanent, Transient
from crmsync.remote import Cursor, ObjectSpec, Page, RemoteRecord

_FORMAT = "salesforce/1"
_SCHEMA_CHANGED = ("INVALID_FIELD", "INVALID_TYPE")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a pull stands.

    ``through``: the org's clock when this pull began; ``since``: its lower bound (``None``: all); ``after``: the last
    row given of a pull that is not finished.
    """

    through: str | None = None
    since: str | None = None
    after: tuple[str, str] | None = None
    done: bool = False

    def cursor(self) -> Cursor:
        after = list(self.after) if self.after else None
        return {"format": _FORMAT, "through": self.through, "since": self.since, "after": after, "done": self.done}


_WIDEST = Position(after=("2000-01-01T00:00:00.000+0000", "0" * 18))
"""A position with the longest WHERE there is, to measure how many fields fit beside it."""


def load_position(cursor: Cursor | None) -> Position | None:
    """The position that a cursor holds; ``None`` where it is missing or not one of ours: pull everything."""
    if not cursor or cursor.get("format") != _FORMAT:
        return None
    try:
        after = cursor["after"]
        position = Position(cursor["through"], cursor["since"], (after[0], after[1]) if after else None, cursor["done"])
        for text in (position.through, position.since, position.after[0] if position.after else None):
            if text:
                parse_instant(text)
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return position


class Puller:
    """One object's pull. Built per pull, by :func:`pull`."""

    def __init__(self, client: Client, shape: Shape, spec: ObjectSpec, start: Position) -> None:
        self._client = client
        self._spec = spec
        self._shape = shape
        self._stamp = shape.stamp
        first = ["Id", *([shape.stamp] if shape.stamp else []), *shape.fates]
        others = [name for name in dict.fromkeys(spec.fields) if name not in (*first, *shape.apart)]
        fitting, rest = split_fields(first, others, self._tail(_WIDEST))
        self._fields = [*first, *fitting]
        self._rest = [*rest, *shape.apart]
        self._position = start

    def pages(self) -> Iterator[Page]:
        """Pages to the end; a locator that the org has forgotten is replaced by a query from the last row on."""
        while True:
            try:
                yield from self._pages_of_one_query()
                return
            except Permanent as error:
                if error.vendor_code != "INVALID_QUERY_LOCATOR":
                    raise

    def _pages_of_one_query(self) -> Iterator[Page]:
        soql = f"SELECT {','.join(self._fields)} {self._tail(self._position)}"
        endpoint = "queryAll" if self._shape.sees_deleted else "query"
        link = f"{endpoint}?q={in_url(soql)}"
        seen = 0
        while link:
            body = self._client.request("GET", link).json()
            rows = body["records"]
            seen += len(rows)
            link = "" if body["done"] else body["nextRecordsUrl"]
            self._check_whole(body, rows, seen)
            yield self._page(rows, body["totalSize"], done=not link)

    def _check_whole(self, body: Mapping[str, Any], rows: Sequence[Any], seen: int) -> None:
        """A page that stops short of what it announces is refused before the cursor moves."""
        if (body["done"] and seen < body["totalSize"]) or not (body["done"] or rows):
            raise Transient(
                f"salesforce sent {seen} of {body['totalSize']} rows of {self._spec.object}",
                system="salesforce",
                hint="run again; the pull goes on where it stopped",
            )

    def _page(self, rows: Sequence[Mapping[str, Any]], expected: int, *, done: bool) -> Page:
        records = self._completed([self._record(row) for row in rows])
        if rows and self._stamp:
            last = rows[-1]
            self._position = replace(self._position, after=(last[self._stamp], last["Id"]))
        elif rows:
            self._position = replace(self._position, after=("", rows[-1]["Id"]))
        if done:
            self._position = Position(through=self._end(rows), done=True)
        return Page(tuple(records), {**self._position.cursor(), "shape": self._shape.save()}, expected)

    def _end(self, rows: Sequence[Mapping[str, Any]]) -> str | None:
        """What the next pull starts from: the org's clock, or the last stamp where no clock was heard."""
        if self._position.through:
            return self._position.through
        return rows[-1][self._stamp] if rows and self._stamp else self._position.since

    def _record(self, row: Mapping[str, Any]) -> RemoteRecord:
        return remote_record(row, self._spec.fields, self._stamp)

    def _completed(self, records: list[RemoteRecord]) -> list[RemoteRecord]:
        """Add the fields that were better left out of the query, by id."""
        if not self._rest or not records:
            return records
        ids = [record.id for record in records if not record.deleted]
        more = read_rows(self._client, self._spec.object, ids, self._rest)
        return [
            replace(record, fields={**record.fields, **{name: more[record.id].get(name) for name in self._rest}})
            if record.id in more
            else record
            for record in records
        ]

    def _tail(self, position: Position) -> str:
        """FROM, WHERE and ORDER BY from a position on."""
        stamp = self._stamp
        where = ""
        if position.after:
            at, record_id = position.after
            where = f"Id > '{record_id}'"
            if stamp:
                at = _literal(at)
                where = f"(({stamp} = {at} AND {where}) OR {stamp} > {at})"
        elif position.since and stamp:
            where = f"{stamp} >= {_literal(position.since)}"
        order = f"{stamp}, Id" if stamp else "Id"
        return f"FROM {self._spec.object} {f'WHERE {where} ' if where else ''}ORDER BY {order}"


def pull(
    client: Client, descriptions: Descriptions, spec: ObjectSpec, cursor: Cursor | None, overlap_s: int
) -> Iterator[Page]:
    """Pages of what changed since the cursor; everything where it is missing, foreign, or ahead of the org's clock."""
    position = load_position(cursor)
    known = load_shape(cursor.get("shape")) if cursor and position and client.is_signed_in() else None
    shape = known or shape_of(checked_object(descriptions, spec.object, spec.fields), spec.fields)
    start = _start(position, client.server_at, overlap_s)
    try:
        yield from Puller(client, shape, spec, start).pages()
    except Permanent as error:
        if known and error.vendor_code in _SCHEMA_CHANGED:
            checked_object(descriptions, spec.object, spec.fields)  # says what is missing
        raise


def _start(position: Position | None, now: datetime | None, overlap_s: int) -> Position:
    through = instant(now) if now else None
    if position is None or _is_ahead(position, now):
        return Position(through=through)
    if not position.done and (position.after or position.since):
        return position
    if not position.through:
        return Position(through=through)
    since = parse_instant(position.through) - timedelta(seconds=overlap_s)
    return Position(through=through, since=instant(since))


def _is_ahead(position: Position, now: datetime | None) -> bool:
    return bool(now and position.through and parse_instant(position.through) > now + timedelta(minutes=1))


def _literal(stamp: str) -> str:
    return instant(parse_instant(stamp))

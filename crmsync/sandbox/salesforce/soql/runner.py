"""Runs statements: pages, cursors (query locators), subqueries, counts, aggregates."""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from crmsync.sandbox.salesforce.access import Access
from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.soql.compiler import Child, Compiler, Statement
from crmsync.sandbox.salesforce.soql.parser import parse
from crmsync.sandbox.salesforce.soql.scope import Context

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

MAX_BATCH, MIN_BATCH, LONG_TEXT_BATCH = 2000, 200, 200
MAX_CURSORS = 500
_TOO_MUCH = re.compile("too large|too many|too deep|stack overflow|too big")
Record = dict[str, Any]


@dataclass(slots=True)
class Cursor:
    """The rows of a result in order, by SQLite's number of each; values are read when a page is asked for."""

    statement: Statement
    rows: array[int]
    batch: int


@dataclass(slots=True)
class Page:
    """One answer to a query. Records are finished JSON."""

    total: int
    records: Sequence[bytes] = field(default=())
    next_url: str = ""

    def dump(self) -> bytes:
        head = f'{{"totalSize":{self.total},"done":{"false" if self.next_url else "true"}'
        more = f',"nextRecordsUrl":"{self.next_url}"' if self.next_url else ""
        return b"".join((f'{head}{more},"records":['.encode(), b",".join(self.records), b"]}"))


@contextmanager
def within_limits() -> Iterator[None]:
    """What is too deep for Python or SQLite would be too much for Salesforce as well."""
    try:
        yield
    except RecursionError:
        raise _too_complicated() from None
    except sqlite3.OperationalError as problem:
        if not _TOO_MUCH.search(str(problem)):
            raise
        raise _too_complicated() from None


def _too_complicated() -> SalesforceError:
    message = "Query is either selecting too many fields or the filter conditions are too complicated."
    return SalesforceError("QUERY_TOO_COMPLICATED", message)


class QueryRunner:
    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()
        self._numbers = 0

    def compile(self, text: str, access: Access, *, include_deleted: bool) -> Statement:
        with within_limits():
            return self._compile(text, access, include_deleted=include_deleted)

    def _compile(self, text: str, access: Access, *, include_deleted: bool) -> Statement:
        query = parse(text)
        context = Context(
            text, self.org.schema, access, self.org.clock.now(), include_deleted, self.org.visibility.source
        )
        return Compiler(context, query, context.object(query.source)).compile()

    def run(
        self, text: str, access: Access, base: str, *, batch: int = MAX_BATCH, include_deleted: bool = False
    ) -> Page:
        """The answer to /query or /queryAll. ``base`` is the version's URL prefix."""
        statement = self.compile(text, access, include_deleted=include_deleted)
        with within_limits():
            return self._run(statement, base, batch)

    def _run(self, statement: Statement, base: str, batch: int) -> Page:
        if statement.kind == "count":
            return Page(self._count(statement))
        if statement.kind == "aggregate":
            return self._aggregate(statement)
        batch = max(MIN_BATCH, min(batch, MAX_BATCH))
        if statement.long_texts >= 2:
            batch = min(batch, LONG_TEXT_BATCH)
        return self._first_page(statement, base, batch)

    def more(self, locator: str, base: str) -> Page:
        name, _, offset = locator.rpartition("-")
        cursor = self._cursors.get(name)
        if cursor is None or not (offset.isascii() and offset.isdigit()):
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(name, cursor, min(int(offset), len(cursor.rows)), base)

    # ---------------------------------------------------------------- rows

    def _first_page(self, statement: Statement, base: str, batch: int) -> Page:
        """One query where everything fits in a page; a cursor where it does not."""
        limit = -1 if statement.limit is None else statement.limit
        fits = batch + 1 if limit < 0 else min(limit, batch + 1)
        sql = f"{statement.select(statement.record_columns(base))} LIMIT {fits} OFFSET {statement.offset}"
        found = self.org.store.all(sql, statement.parameters)
        if len(found) <= batch:
            return Page(len(found), self._records(statement, found, base, batch))
        rows = self.row_numbers(statement)
        name = self._keep(Cursor(statement, rows, batch))
        records = self._records(statement, found[:batch], base, batch)
        return Page(len(rows), records, self._next(name, batch, len(rows), base))

    def row_numbers(self, statement: Statement) -> array[int]:
        """The whole result as row numbers: eight bytes a record, however many there are."""
        limit = -1 if statement.limit is None else statement.limit
        sql = f"{statement.select(f'{statement.scope.prefix}.rowid')} LIMIT {limit} OFFSET {statement.offset}"
        return array("q", (row[0] for row in self.org.store.connection.execute(sql, statement.parameters)))

    def _keep(self, cursor: Cursor) -> str:
        self._numbers += 1
        name = f"01gBx0{self._numbers:09d}AAA"
        self._cursors[name] = cursor
        if len(self._cursors) > MAX_CURSORS:
            self._cursors.popitem(last=False)
        return name

    def _page(self, name: str, cursor: Cursor, start: int, base: str) -> Page:
        """A later page: the rows as they are now; what was deleted for good meanwhile is left out."""
        chunk = cursor.rows[start : start + cursor.batch]
        found = self.read(cursor.statement, cursor.statement.record_columns(base), chunk)
        records = self._records(cursor.statement, found, base, cursor.batch)
        return Page(len(cursor.rows), records, self._next(name, start + len(chunk), len(cursor.rows), base))

    @staticmethod
    def _next(name: str, reached: int, total: int, base: str) -> str:
        return f"{base}/query/{name}-{reached}" if reached < total else ""

    def read(self, statement: Statement, columns: str, rows: Iterable[int]) -> list[tuple[Any, ...]]:
        """Columns of rows by number, in the order given: CROSS JOIN makes SQLite walk the list and look each one up."""
        scope = statement.scope
        source = f"JSON_EACH(?) wanted CROSS JOIN {scope.from_sql}"
        sql = f"SELECT {columns} FROM {source} WHERE {scope.prefix}.rowid = wanted.value"
        return self.org.store.all(sql, (orjson.dumps(list(rows)).decode(),))

    def _records(self, statement: Statement, found: list[tuple[Any, ...]], base: str, batch: int) -> list[bytes]:
        texts = [row[1] for row in found]
        if not statement.children:
            return texts
        records = [orjson.loads(text) for text in texts]
        for child in statement.children:
            grouped = self._children(child, [row[0] for row in found], base, batch)
            for (record_id, _), record in zip(found, records, strict=True):
                page = grouped.get(record_id)
                record[child.key] = orjson.Fragment(page.dump()) if page else None
        return [orjson.dumps(record) for record in records]

    def _children(self, child: Child, parent_ids: list[str], base: str, batch: int) -> dict[str, Page]:
        """The subquery's records by parent; a parent with more than a page of them gets a locator of their own."""
        statement = child.statement
        prefix = statement.scope.prefix
        parent_column = f'{prefix}."{child.parent_field.name}"'
        where = f"{statement.where} AND" if statement.where else " WHERE"
        sql = (
            f"SELECT {parent_column}, {prefix}.rowid, {statement.record_columns(base)} FROM {statement.scope.from_sql}"
            f"{where} {parent_column} IN (SELECT value FROM JSON_EACH(?)){statement.order}"
        )
        grouped: dict[str, list[tuple[Any, ...]]] = {}
        for parent, *row in self.org.store.all(sql, [*statement.parameters, orjson.dumps(parent_ids).decode()]):
            grouped.setdefault(parent, []).append(tuple(row))
        end = None if statement.limit is None else statement.offset + statement.limit
        pages = {}
        for parent, found in grouped.items():
            if chosen := found[statement.offset : end]:
                pages[parent] = self._child_page(statement, chosen, base, batch)
        return pages

    def _child_page(self, statement: Statement, found: list[tuple[Any, ...]], base: str, batch: int) -> Page:
        texts = self._records(statement, [row[1:] for row in found[:batch]], base, batch)
        if len(found) <= batch:
            return Page(len(found), texts)
        name = self._keep(Cursor(statement, array("q", (row[0] for row in found)), batch))
        return Page(len(found), texts, self._next(name, batch, len(found), base))

    # ---------------------------------------------------------------- counts and aggregates

    def _count(self, statement: Statement) -> int:
        total = int(self.org.store.scalar(statement.select("COUNT(*)"), statement.parameters))
        total = max(0, total - statement.offset)
        return total if statement.limit is None else min(total, statement.limit)

    def _aggregate(self, statement: Statement) -> Page:
        limit = -1 if statement.limit is None else statement.limit
        sql = f"{statement.select(', '.join(statement.columns))} LIMIT {limit} OFFSET {statement.offset}"
        rows = self.org.store.all(sql, [*statement.parameters, *statement.having_parameters])
        if len(rows) > MAX_BATCH:
            message = (
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            )
            raise SalesforceError("EXCEEDED_ID_LIMIT", message)
        return Page(len(rows), [orjson.dumps(self._aggregate_record(statement, row)) for row in rows])

    @staticmethod
    def _aggregate_record(statement: Statement, row: tuple[Any, ...]) -> Record:
        record: Record = {"attributes": {"type": "AggregateResult"}}
        for (key, expression), value in zip(statement.names, row, strict=True):
            boolean = expression.type == "boolean" and not expression.aggregate
            convert = bool if boolean and value is not None else expression.convert
            record[key] = convert(value) if convert is not None and value is not None else value
        return record

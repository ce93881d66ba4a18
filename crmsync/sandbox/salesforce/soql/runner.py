"""Runs statements: pages, cursors (query locators), subqueries, counts, aggregates."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from crmsync.sandbox.salesforce.access import Access
from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.soql.compiler import Child, Compiler, Statement
from crmsync.sandbox.salesforce.soql.parser import parse
from crmsync.sandbox.salesforce.soql.rows import Record
from crmsync.sandbox.salesforce.soql.scope import Context

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

MAX_BATCH, MIN_BATCH, LONG_TEXT_BATCH = 2000, 200, 200
MAX_CURSORS = 500


@dataclass(slots=True)
class Cursor:
    """The ids of a result in order; values are read when a page is asked for."""

    statement: Statement
    ids: list[str]
    batch: int


class QueryRunner:
    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()
        self._numbers = 0

    def compile(self, text: str, access: Access, *, include_deleted: bool) -> Statement:
        query = parse(text)
        context = Context(text, self.org.schema, access, self.org.clock.now(), include_deleted)
        return Compiler(context, query, context.object(query.source)).compile()

    def run(
        self, text: str, access: Access, base: str, *, batch: int = MAX_BATCH, include_deleted: bool = False
    ) -> dict[str, Any]:
        """The answer to /query or /queryAll. ``base`` is the version's URL prefix."""
        statement = self.compile(text, access, include_deleted=include_deleted)
        if statement.kind == "count":
            total = self._count(statement)
            return {"totalSize": total, "done": True, "records": []}
        if statement.kind == "aggregate":
            return self._aggregate(statement)
        batch = max(MIN_BATCH, min(batch, MAX_BATCH))
        if statement.long_texts >= 2:
            batch = min(batch, LONG_TEXT_BATCH)
        return self._first_page(statement, base, batch)

    def more(self, locator: str, base: str) -> dict[str, Any]:
        name, _, offset = locator.rpartition("-")
        cursor = self._cursors.get(name)
        if cursor is None or not offset.isdigit():
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        start = int(offset)
        chunk = cursor.ids[start : start + cursor.batch]
        records = self._by_ids(cursor.statement, chunk, base)
        return self._page(records, len(cursor.ids), start + len(chunk), name, base)

    # ---------------------------------------------------------------- rows

    def _first_page(self, statement: Statement, base: str, batch: int) -> dict[str, Any]:
        limit = statement.limit if statement.limit is not None else -1
        wanted = batch + 1 if limit < 0 else min(limit, batch + 1)
        sql = f"{statement.select()} LIMIT {wanted} OFFSET {statement.offset}"
        rows = self.org.store.all(sql, statement.parameters)
        if len(rows) <= batch:
            records = self._records(statement, rows, base)
            return {"totalSize": len(rows), "done": True, "records": records}
        ids_sql = (
            f"{statement.select(statement.columns[statement.node.id_index])} LIMIT {limit} OFFSET {statement.offset}"  # type: ignore[union-attr]
        )
        ids = [row[0] for row in self.org.store.all(ids_sql, statement.parameters)]
        name = self._keep(Cursor(statement, ids, batch))
        return self._page(self._records(statement, rows[:batch], base), len(ids), batch, name, base)

    def _keep(self, cursor: Cursor) -> str:
        self._numbers += 1
        name = f"01gBx0{self._numbers:09d}AAA"
        self._cursors[name] = cursor
        if len(self._cursors) > MAX_CURSORS:
            self._cursors.popitem(last=False)
        return name

    @staticmethod
    def _page(records: list[Record], total: int, reached: int, name: str, base: str) -> dict[str, Any]:
        if reached >= total:
            return {"totalSize": total, "done": True, "records": records}
        return {
            "totalSize": total,
            "done": False,
            "nextRecordsUrl": f"{base}/query/{name}-{reached}",
            "records": records,
        }

    def _by_ids(self, statement: Statement, ids: list[str], base: str) -> list[Record]:
        """A later page: the rows as they are now; what was deleted for good meanwhile is left out."""
        own_id = f'{statement.scope.prefix}."Id"'
        wanted = f"{own_id} IN (SELECT value FROM JSON_EACH(?))"
        sql = f"SELECT {', '.join(statement.columns)} FROM {statement.scope.from_sql} WHERE {wanted}"
        index = statement.node.id_index if statement.node else 0
        found = {row[index]: row for row in self.org.store.all(sql, (orjson.dumps(ids).decode(),))}
        return self._records(statement, [found[one] for one in ids if one in found], base)

    def _records(self, statement: Statement, rows: list[tuple[Any, ...]], base: str) -> list[Record]:
        node = statement.node
        if node is None:
            return []
        sobjects = f"{base}/sobjects/"
        records = [record for row in rows if (record := node.record(row, sobjects)) is not None]
        for child in statement.children:
            ids = [row[node.id_index] for row in rows]
            grouped = self._children(child, ids, base)
            for record_id, record in zip(ids, records, strict=True):
                found = grouped.get(record_id)
                record[child.key] = {"totalSize": len(found), "done": True, "records": found} if found else None
        return records

    def _children(self, child: Child, parent_ids: list[str], base: str) -> dict[str, list[Record]]:
        statement = child.statement
        parent_column = statement.columns[0]
        where = f"{statement.where} AND" if statement.where else " WHERE"
        sql = (
            f"SELECT {', '.join(statement.columns)} FROM {statement.scope.from_sql}{where} "
            f"{parent_column} IN (SELECT value FROM JSON_EACH(?)){statement.order}"
        )
        rows = self.org.store.all(sql, [*statement.parameters, orjson.dumps(parent_ids).decode()])
        grouped: dict[str, list[tuple[Any, ...]]] = {}
        for row in rows:
            grouped.setdefault(row[0], []).append(row)
        end = None if statement.limit is None else statement.offset + statement.limit
        return {
            parent: self._records(statement, found[statement.offset : end], base) for parent, found in grouped.items()
        }

    # ---------------------------------------------------------------- counts and aggregates

    def _count(self, statement: Statement) -> int:
        total = int(self.org.store.scalar(statement.select("COUNT(*)"), statement.parameters))
        total = max(0, total - statement.offset)
        return total if statement.limit is None else min(total, statement.limit)

    def _aggregate(self, statement: Statement) -> dict[str, Any]:
        limit = -1 if statement.limit is None else statement.limit
        sql = f"{statement.select()} LIMIT {limit} OFFSET {statement.offset}"
        rows = self.org.store.all(sql, [*statement.parameters, *statement.having_parameters])
        if len(rows) > MAX_BATCH:
            message = (
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            )
            raise SalesforceError("EXCEEDED_ID_LIMIT", message)
        records = [self._aggregate_record(statement, row) for row in rows]
        return {"totalSize": len(records), "done": True, "records": records}

    @staticmethod
    def _aggregate_record(statement: Statement, row: tuple[Any, ...]) -> Record:
        record: Record = {"attributes": {"type": "AggregateResult"}}
        for (key, expression), value in zip(statement.names, row, strict=True):
            boolean = expression.type == "boolean" and not expression.aggregate
            convert = bool if boolean and value is not None else expression.convert
            record[key] = convert(value) if convert is not None and value is not None else value
        return record

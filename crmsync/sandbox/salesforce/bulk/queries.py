"""The work of a query job: the result as row numbers, read page by page into CSV."""

from __future__ import annotations

import base64
import binascii
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crmsync.sandbox.salesforce.bulk.jobs import DONE, FAILED, Job
from crmsync.sandbox.salesforce.bulk.table import write_table
from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.soql.compiler import Statement
from crmsync.sandbox.salesforce.soql.rows import Compound, Node, Value

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.access import Access
    from crmsync.sandbox.salesforce.org import SalesforceOrg

_CHUNK = 5000
NO_MORE = "null"


@dataclass(slots=True)
class Result:
    statement: Statement
    rows: array[int]


class QueryJobs:
    """Results live as long as the process; after a restart they are found again by running the query once more."""

    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org
        self._results: dict[str, Result] = {}

    def check(self, text: str, access: Access, operation: str) -> Statement:
        """Compiled, and nothing in it that Bulk API 2.0 refuses."""
        statement = self.org.queries.compile(text, access, include_deleted=operation == "queryAll")
        refused = _refusal(statement)
        if refused:
            raise SalesforceError("FUNCTIONALITY_NOT_ENABLED", f"{refused} not supported in Bulk Query")
        return statement

    def run(self, job: Job) -> None:
        try:
            job.processed, job.state = len(self.result(job).rows), DONE
        except SalesforceError as problem:
            job.state, job.error = FAILED, f"{problem.code} : {problem.message}"
        self.org.bulk.book.save(job)

    def result(self, job: Job) -> Result:
        if job.id not in self._results:
            statement = self.check(job.query, self.org.access(job.created_by), job.operation)
            self._results[job.id] = Result(statement, self.org.queries.row_numbers(statement))
        return self._results[job.id]

    def forget(self, job: Job) -> None:
        self._results.pop(job.id, None)

    def page(self, job: Job, start: int, count: int) -> tuple[bytes, int, str]:
        """(CSV with its header, number of records, locator of the next page)."""
        result = self.result(job)
        node = result.statement.node
        columns = list(node.columns()) if node else []
        sql = ", ".join(_csv_sql(value) for _, value in columns)
        end = min(start + count, len(result.rows))
        parts = [write_table(job, [[name for name, _ in columns]])]
        for at in range(start, end, _CHUNK):
            numbers = result.rows[at : min(at + _CHUNK, end)]
            parts.append(write_table(job, self.org.queries.read(result.statement, sql, numbers)))
        more = locator(end) if end < len(result.rows) else NO_MORE
        return "".join(parts).encode(), end - start, more


def locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def offset_of(text: str) -> int:
    try:
        offset = int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise SalesforceError("INVALID_QUERY_LOCATOR", f"invalid query locator: {text}") from None
    return max(0, offset)


def _refusal(statement: Statement) -> str:
    if statement.kind != "rows":
        return "Aggregate functions and GROUP BY"
    if statement.children:
        return "Aggregate Relationships"
    if statement.offset:
        return "OFFSET"
    return "Selecting compound data" if statement.node and _has_compound(statement.node) else ""


def _has_compound(node: Node) -> bool:
    return any(
        isinstance(slot, Compound) or (isinstance(slot, Node) and _has_compound(slot)) for slot in node.slots.values()
    )


def _csv_sql(value: Value) -> str:
    """Bulk writes instants with a Z where REST has +0000 (recorded for the same org)."""
    if value.type == "boolean":
        return f"CASE {value.sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    return f"REPLACE({value.sql}, '+0000', 'Z')" if value.type == "datetime" else value.sql

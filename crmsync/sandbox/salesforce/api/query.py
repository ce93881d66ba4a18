"""/query, /queryAll and their next pages; the same below /tooling is in ``tooling``."""

from __future__ import annotations

import re
from typing import Any

from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations
from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, Field
from crmsync.sandbox.salesforce.soql.runner import MAX_BATCH

OPERATIONS = Operations()
_BATCH = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


@OPERATIONS.on("GET", "/query")
def query(call: Call) -> Answer:
    return _run(call, include_deleted=False)


@OPERATIONS.on("GET", "/queryAll")
def query_all(call: Call) -> Answer:
    return _run(call, include_deleted=True)


def _run(call: Call, *, include_deleted: bool) -> Answer:
    runner = call.org.queries
    if "explain" in call.query:
        statement = runner.compile(call.query["explain"], call.access, include_deleted=include_deleted)
        return Answer(body={"plans": [_plan(call, statement)]})
    if "q" not in call.query:
        raise SalesforceError("MALFORMED_QUERY", "A query string has to be specified")
    text = call.query["q"]
    if call.flag("columns"):
        statement = runner.compile(text, call.access, include_deleted=include_deleted)
        return Answer(body=_columns(statement))
    page = runner.run(text, call.access, call.base, batch=_batch(call), include_deleted=include_deleted)
    return Answer(body=page.dump())


def _batch(call: Call) -> int:
    match = _BATCH.search(call.headers.get("sforce-query-options", ""))
    return int(match.group(1)) if match else MAX_BATCH


def _plan(call: Call, statement: Any) -> dict[str, Any]:
    name = statement.scope.sobject.name
    return {"cardinality": call.org.count(name), "fields": [], "leadingOperationType": "TableScan", "relativeCost": 1.0,
            "sobjectCardinality": call.org.count(name), "sobjectType": name}  # fmt: skip


def _columns(statement: Any) -> dict[str, Any]:
    """The answer to ``columns=true``: names and types instead of rows."""
    keys = [name for name, _ in statement.node.columns()] if statement.node else [name for name, _ in statement.names]
    sobject = statement.scope.sobject
    columns = [_column(key, sobject.field(key), is_aggregate=statement.node is None) for key in keys]
    return {
        "columnMetadata": columns,
        "entityName": sobject.name,
        "groupBy": bool(statement.group),
        "idSelected": "Id" in keys,
        "keyPrefix": sobject.key_prefix,
    }


def _column(key: str, item: Field | None, *, is_aggregate: bool) -> dict[str, Any]:
    kind = item.type if item else "string"
    return {
        "aggregate": is_aggregate,
        "apexType": kind.title(),
        "booleanType": kind == "boolean",
        "columnName": key,
        "custom": item is not None and item.custom,
        "displayName": item.label if item else key,
        "foreignKeyName": None,
        "insertable": item is not None and item.describe["createable"],
        "joinColumns": [],
        "numberType": kind in NUMBER_TYPES,
        "textType": kind in TEXT_TYPES,
        "updatable": item is not None and item.describe["updateable"],
    }


@OPERATIONS.on("GET", "/query/{locator}")
def more(call: Call, locator: str) -> Answer:
    return Answer(body=call.org.queries.more(locator, call.base).dump())


@OPERATIONS.on("GET", "/queryAll/{locator}")
def more_all(call: Call, locator: str) -> Answer:
    return more(call, locator)

"""Tooling API: custom fields created, changed and found; EntityDefinition and CustomObject to look things up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crmsync.sandbox.salesforce import customize
from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations
from crmsync.sandbox.salesforce.errors import SalesforceError, bad_reference, insufficient_access, json_error, not_found
from crmsync.sandbox.salesforce.ids import to_18
from crmsync.sandbox.salesforce.schema import Field, SObject
from crmsync.sandbox.salesforce.soql.ast import AllOf, AnyOf, Comparison, Condition, FieldRef, InList, Item, Not
from crmsync.sandbox.salesforce.soql.parser import parse, string_value
from crmsync.sandbox.salesforce.soql.problems import query_error

OPERATIONS = Operations()
_READ_ONLY = ("CustomObject", "EntityDefinition", "FieldDefinition", "PermissionSet")
Row = dict[str, Any]


@OPERATIONS.on("POST", "/tooling/sobjects/CustomField")
def create_field(call: Call) -> Answer:
    body = call.json_object()
    full_name, metadata = body.get("FullName"), body.get("Metadata")
    if not isinstance(full_name, str) or not isinstance(metadata, dict):
        missing = [name for name in ("FullName", "Metadata") if name not in body]
        raise SalesforceError(
            "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", fields=missing
        )
    _check_right(call)
    durable_id = customize.add_field(call.org, full_name, metadata)
    location = f"{call.base}/tooling/sobjects/CustomField/{durable_id}"
    body = {"id": durable_id, "success": True, "errors": [], "warnings": [], "infos": []}
    return Answer(201, body, {"Location": location})


def _check_right(call: Call) -> None:
    sets = call.org.store.scalar(_MAY_CUSTOMIZE, (call.actor.user_id, call.actor.user_id))
    if not sets:
        raise insufficient_access("insufficient access rights on cross-reference id")


_MAY_CUSTOMIZE = """
SELECT COUNT(*) FROM PermissionSet s WHERE s.PermissionsCustomizeApplication = 1 AND (
    s.Id IN (SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = ?)
    OR s.ProfileId = (SELECT ProfileId FROM User WHERE Id = ?))
"""


@OPERATIONS.on("GET", "/tooling/sobjects/CustomField/{durable_id}")
def read_field(call: Call, durable_id: str) -> Answer:
    sobject, item = _find(call, durable_id)
    row = _field_row(sobject, item, durable_id)
    url = f"{call.base}/tooling/sobjects/CustomField/{durable_id}"
    return Answer(
        body={
            "attributes": {"type": "CustomField", "url": url},
            **row,
            "FullName": f"{_owner(sobject)}.{item.name}",
            "Metadata": item.spec.get("metadata") or {},
        }
    )


@OPERATIONS.on("PATCH", "/tooling/sobjects/CustomField/{durable_id}")
def change_field(call: Call, durable_id: str) -> Answer:
    _check_right(call)
    sobject, item = _find(call, durable_id)
    metadata = call.json_object().get("Metadata") or {}
    if not isinstance(metadata, dict):
        raise json_error("Metadata must be an object")
    customize.change_field(call.org, sobject, item, metadata)
    return Answer(204)


@OPERATIONS.on("GET", "/tooling/sobjects")
def tooling_objects(_call: Call) -> Answer:
    found = [{"name": name, "label": name, "createable": False, "queryable": True} for name in _READ_ONLY]
    found.append({"name": "CustomField", "label": "Custom Field", "createable": True, "queryable": True})
    return Answer(body={"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found})


@OPERATIONS.on("POST PATCH DELETE", "/tooling/sobjects/{name}")
def refuse(_call: Call, name: str) -> Answer:
    """The Tooling API reads CustomObject and PermissionSet, it does not make them."""
    if name not in _READ_ONLY:
        raise not_found()
    message = f"entity type {name} does not support create"
    raise SalesforceError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, fields=[])


def _find(call: Call, durable_id: str) -> tuple[SObject, Field]:
    wanted = to_18(durable_id)
    found = call.org.store.one("SELECT object, name FROM _field WHERE durable_id = ?", (wanted,))
    if found is None:
        raise bad_reference(404)
    sobject = call.org.schema.require(found[0])
    return sobject, sobject.fields[found[1].lower()]


def _owner(sobject: SObject) -> str:
    return "Activity" if sobject.name in customize.ACTIVITY else sobject.name


# -------------------------------------------------------------------- queries


@OPERATIONS.on("GET", "/tooling/query")
def query(call: Call) -> Answer:
    """The small part of SOQL that is asked of these tables: selected fields, comparisons, AND, OR, IN."""
    text = call.query.get("q", "")
    parsed = parse(text)
    source = next((name for name in _TABLES if name.lower() == str(parsed.source).lower()), None)
    if source is None:
        if call.org.schema.get(str(parsed.source)) is not None:
            return Answer(body=call.org.queries.run(text, call.access, call.base).dump())
        message = f"sObject type '{parsed.source}' is not supported."
        raise query_error(text, "INVALID_TYPE", message, parsed.source)
    rows = [row for row in _TABLES[source](call) if parsed.where is None or _matches(text, row, parsed.where)]
    rows = rows[parsed.offset :][: parsed.limit if parsed.limit is not None else len(rows)]
    records = [_record(call, text, source, row, parsed.items) for row in rows]
    body = {
        "size": len(records),
        "totalSize": len(records),
        "done": True,
        "queryLocator": None,
        "entityTypeName": source,
        "records": records,
    }
    return Answer(body=body)


def _record(call: Call, text: str, source: str, row: Row, items: Any) -> Row:
    url = f"{call.base}/tooling/sobjects/{source}/{row.get('Id') or row.get('DurableId')}"
    record: Row = {"attributes": {"type": source, "url": url}}
    for item in items:
        if not isinstance(item, Item) or not isinstance(item.operand, FieldRef):
            raise query_error(text, "MALFORMED_QUERY", "Only plain fields can be selected here", 0)
        path = item.operand.path
        record[str(path).split(".")[0]] = _get(text, row, path)
    return record


def _get(text: str, row: Mapping[str, Any], path: Any) -> Any:
    found: Any = row
    for step in str(path).split("."):
        keys = {key.lower(): key for key in found} if isinstance(found, dict) else {}
        if step.lower() not in keys:
            raise query_error(text, "INVALID_FIELD", f"No such column '{step}' on entity.", path)
        found = found[keys[step.lower()]]
    return found


def _matches(text: str, row: Row, condition: Condition) -> bool:
    if isinstance(condition, AllOf):
        return all(_matches(text, row, part) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return any(_matches(text, row, part) for part in condition.parts)
    if isinstance(condition, Not):
        return not _matches(text, row, condition.part)
    if isinstance(condition, (Comparison, InList)) and isinstance(condition.operand, FieldRef):
        value = str(_get(text, row, condition.operand.path)).lower()
        if isinstance(condition, InList):
            return (value in [_literal(text, one) for one in condition.values]) != condition.negated
        return _compare(value, condition.operator, _literal(text, condition.value))
    raise query_error(text, "MALFORMED_QUERY", "This condition is not supported on metadata", 0)


def _compare(value: str, operator: str, wanted: str) -> bool:
    if operator == "LIKE":
        return re.fullmatch(re.escape(wanted).replace("%", ".*").replace("_", "."), value) is not None
    return (value == wanted) == (operator == "=")


def _literal(text: str, literal: Any) -> str:
    return (string_value(text, literal.token) if literal.kind == "STRING" else str(literal.token)).lower()


def _custom_fields(call: Call) -> Iterator[Row]:
    sql = "SELECT object, name, durable_id FROM _field WHERE durable_id IS NOT NULL ORDER BY durable_id, object DESC"
    seen = set()
    for owner, name, durable_id in call.org.store.all(sql):
        if durable_id not in seen:
            seen.add(durable_id)
            sobject = call.org.schema.require(owner)
            yield _field_row(sobject, sobject.fields[name.lower()], durable_id)


def _field_row(sobject: SObject, item: Field, durable_id: str) -> Row:
    return {
        "Id": durable_id,
        "DeveloperName": item.name.removesuffix("__c"),
        "TableEnumOrId": _owner(sobject),
        "NamespacePrefix": None,
        "Length": item.describe["length"] or None,
        "Description": None,
        "InlineHelpText": item.describe["inlineHelpText"],
        "FullName": f"{_owner(sobject)}.{item.name}",
        "Metadata": item.spec.get("metadata") or {},
        "EntityDefinition": {"QualifiedApiName": sobject.name, "DeveloperName": sobject.name.removesuffix("__c")},
    }


def _custom_objects(call: Call) -> Iterator[Row]:
    for name, durable_id in call.org.store.all(
        "SELECT name, durable_id FROM _object WHERE durable_id IS NOT NULL ORDER BY name"
    ):
        sobject = call.org.schema.require(name)
        yield {
            "Id": durable_id,
            "DeveloperName": name.removesuffix("__c"),
            "NamespacePrefix": None,
            "Description": None,
            "FullName": name,
            "Label": sobject.spec["label"],
        }


def _entities(call: Call) -> Iterator[Row]:
    for sobject in call.org.schema:
        yield {
            "Id": sobject.name,
            "DurableId": sobject.name,
            "QualifiedApiName": sobject.name,
            "DeveloperName": sobject.name.removesuffix("__c"),
            "Label": sobject.spec["label"],
            "PluralLabel": sobject.spec["labelPlural"],
            "KeyPrefix": sobject.key_prefix,
            "IsCustomizable": sobject.custom,
            "IsQueryable": sobject.allows("queryable"),
        }


def _field_definitions(call: Call) -> Iterator[Row]:
    for sobject in call.org.schema:
        for item in sobject.fields.values():
            yield {
                "Id": f"{sobject.name}.{item.name}",
                "DurableId": f"{sobject.name}.{item.name}",
                "QualifiedApiName": item.name,
                "DeveloperName": item.name.removesuffix("__c"),
                "Label": item.label,
                "DataType": item.type,
                "Length": item.describe["length"],
                "EntityDefinitionId": sobject.name,
                "IsNillable": item.describe["nillable"],
                "EntityDefinition": {"QualifiedApiName": sobject.name},
            }


_TABLES = {
    "CustomField": _custom_fields,
    "CustomObject": _custom_objects,
    "EntityDefinition": _entities,
    "FieldDefinition": _field_definitions,
}

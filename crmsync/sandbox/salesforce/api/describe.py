"""Describe: what this user sees of the schema, with ETag and Last-Modified for clients that cache it."""

from __future__ import annotations

from email.utils import format_datetime
from hashlib import blake2b
from typing import Any

from crmsync.sandbox.salesforce.access import Access
from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations
from crmsync.sandbox.salesforce.schema import Field, Schema, SObject
from crmsync.sandbox.salesforce.values import from_stamp

OPERATIONS = Operations()
_FLAGS = {
    "activateable": False,
    "associateEntityType": None,
    "associateParentEntity": None,
    "createable": True,
    "custom": False,
    "customSetting": False,
    "deepCloneable": False,
    "deletable": True,
    "deprecatedAndHidden": False,
    "feedEnabled": False,
    "hasSubtypes": False,
    "isInterface": False,
    "isSubtype": False,
    "keyPrefix": None,
    "label": "",
    "labelPlural": "",
    "layoutable": False,
    "mergeable": False,
    "mruEnabled": False,
    "name": "",
    "queryable": True,
    "replicateable": True,
    "retrieveable": True,
    "searchable": False,
    "triggerable": False,
    "undeletable": False,
    "updateable": True,
}
_MORE = {
    "actionOverrides": [],
    "compactLayoutable": True,
    "defaultImplementation": None,
    "extendedBy": None,
    "extendsInterfaces": None,
    "implementedBy": None,
    "implementsInterfaces": None,
    "listviewable": None,
    "lookupLayoutable": None,
    "namedLayoutInfos": [],
    "networkScopeFieldName": None,
    "searchLayoutable": True,
    "sobjectDescribeOption": "FULL",
}
MASTER_RECORD_TYPE = "012000000000000AAA"


def _urls(base: str, name: str) -> dict[str, str]:
    own = f"{base}/sobjects/{name}"
    return {
        "compactLayouts": f"{own}/describe/compactLayouts", "rowTemplate": f"{own}/{{ID}}",
        "approvalLayouts": f"{own}/describe/approvalLayouts", "describe": f"{own}/describe",
        "quickActions": f"{own}/quickActions", "layouts": f"{own}/describe/layouts", "sobject": own,
    }  # fmt: skip


def brief(sobject: SObject, base: str) -> dict[str, Any]:
    """The entry of an object in the global describe."""
    own = {key: sobject.spec[key] for key in _FLAGS if key in sobject.spec}
    return {**_FLAGS, **own, "urls": _urls(base, sobject.name)}


def full(sobject: SObject, access: Access, schema: Schema, base: str) -> dict[str, Any]:
    urls = _urls(base, sobject.name) | {
        "uiDetailTemplate": "/{ID}", "uiEditTemplate": "/{ID}/e", "uiNewRecord": f"/{sobject.key_prefix}/e",
        "listviews": f"{base}/sobjects/{sobject.name}/listviews",
    }  # fmt: skip
    body = {
        **_MORE,
        **{key: sobject.spec[key] for key in _MORE if key in sobject.spec},
        **brief(sobject, base),
        "urls": urls,
        "fields": [_field(sobject, item, access) for item in access.visible(sobject)],
        "childRelationships": _child_relationships(sobject, access, schema),
        "recordTypeInfos": [_master_record_type(sobject, base)],
        "supportedScopes": [
            {"label": f"All {sobject.spec['labelPlural'].lower()}", "name": "everything"},
            {"label": f"My {sobject.spec['labelPlural'].lower()}", "name": "mine"},
        ],
    }
    return dict(sorted(body.items()))


def _field(sobject: SObject, item: Field, access: Access) -> dict[str, Any]:
    if access.edits(sobject, item):
        return item.describe
    return {**item.describe, "createable": False, "updateable": False}


def _child_relationships(sobject: SObject, access: Access, schema: Schema) -> list[dict[str, Any]]:
    return [
        {"cascadeDelete": item.cascades, "childSObject": child.name, "deprecatedAndHidden": False, "field": item.name,
         "junctionIdListNames": [], "junctionReferenceTo": [], "relationshipName": item.child_relationship,
         "restrictedDelete": False}
        for child, item in schema.children(sobject.name)
        if access.can(child, "read") and access.sees(child, item)
    ]  # fmt: skip


def _master_record_type(sobject: SObject, base: str) -> dict[str, Any]:
    return {
        "active": True, "available": True, "defaultRecordTypeMapping": True, "developerName": "Master", "master": True,
        "name": "Master", "recordTypeId": MASTER_RECORD_TYPE,
        "urls": {"layout": f"{base}/sobjects/{sobject.name}/describe/layouts/{MASTER_RECORD_TYPE}"},
    }  # fmt: skip


def visible_objects(call: Call) -> list[SObject]:
    """By name, without the pseudo-objects that only queries know."""
    found = [
        sobject for sobject in call.org.schema if call.access.can(sobject, "read") and not sobject.spec.get("pseudo")
    ]
    return sorted(found, key=lambda sobject: sobject.name)


@OPERATIONS.on("GET", "/sobjects")
def describe_global(call: Call) -> Answer:
    body = {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [brief(item, call.base) for item in visible_objects(call)],
    }
    return _unless_known(call, "global", lambda: body)


@OPERATIONS.on("GET", "/sobjects/{name}/describe")
def describe_object(call: Call, name: str) -> Answer:
    sobject = call.sobject(name)
    return _unless_known(call, sobject.name, lambda: full(sobject, call.access, call.org.schema, call.base))


@OPERATIONS.on("GET", "/sobjects/{name}")
def basic_info(call: Call, name: str) -> Answer:
    return Answer(body={"objectDescribe": brief(call.sobject(name), call.base), "recentItems": []})


def _unless_known(call: Call, name: str, build: Any) -> Answer:
    """304 for a client that has this version already, by either header."""
    changed = from_stamp(call.org.schema_changed_at)
    key = f"{name} {call.actor.user_id} {call.org.schema.version} {changed} {call.version}"
    tag = f'"{blake2b(key.encode(), digest_size=4).hexdigest()}"'
    headers = {"ETag": tag, "Last-Modified": format_datetime(changed, usegmt=True)}
    since = call.instant("if-modified-since")
    if call.headers.get("if-none-match") == tag or (since is not None and changed <= since):
        return Answer(304, None, headers)
    return Answer(200, build(), headers)

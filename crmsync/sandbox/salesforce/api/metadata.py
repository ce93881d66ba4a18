"""REST metadata deploy: a zip with package.xml, objects and permission sets, applied at once, polled by id.

Metadata API Developer Guide, "Deploy Metadata with Apex Testing Using REST".
"""

from __future__ import annotations

import io
import zipfile
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from crmsync.sandbox.salesforce import customize
from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations
from crmsync.sandbox.salesforce.api.tooling import _check_right as check_right
from crmsync.sandbox.salesforce.errors import SalesforceError, not_found
from crmsync.sandbox.salesforce.schema import SObject
from crmsync.sandbox.salesforce.store import Row

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

OPERATIONS = Operations()
_LISTS = frozenset({"value", "fields", "fieldPermissions", "objectPermissions"})
_EMPTY_ZIP_HINT = "The multipart request needs a part named file with a zip and a part named json with deployOptions"


@OPERATIONS.on("POST", "/metadata/deployRequest")
def deploy(call: Call) -> Answer:
    check_right(call)
    archive = _archive(call)
    deploy_id = call.org.store.next_id("0Af")
    result = deploy_archive(call.org, archive, deploy_id, call.actor.user_id)
    call.org.store.save_setting(f"deploy.{deploy_id}", result)
    pending = {
        "checkOnly": False,
        "ignoreWarnings": False,
        "rollbackOnError": True,
        "singlePackage": True,
        "testLevel": None,
    }
    body = {
        "id": deploy_id,
        "validatedDeployRequestId": None,
        "deployOptions": pending,
        "deployResult": {**result, "details": None, "done": False, "status": "Pending", "success": False},
    }
    return Answer(201, body)


@OPERATIONS.on("GET", "/metadata/deployRequest/{deploy_id}")
def status(call: Call, deploy_id: str) -> Answer:
    result = call.org.store.setting(f"deploy.{deploy_id}")
    if result is None:
        raise not_found()
    shown = result if call.flag("includeDetails") else {**result, "details": None}
    return Answer(body={"id": deploy_id, "deployResult": shown, "validatedDeployRequestId": None})


def _archive(call: Call) -> zipfile.ZipFile:
    header = f"Content-Type: {call.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(header + call.raw)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    for part in parts:
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload[:2] == b"PK":
            return open_zip(payload)
    raise SalesforceError("INVALID_MULTIPART_REQUEST", _EMPTY_ZIP_HINT)


def open_zip(content: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise SalesforceError("INVALID_ZIP_FILE", "The file is not a zip archive") from None


# -------------------------------------------------------------------- what a deploy does


def deploy_archive(org: SalesforceOrg, archive: zipfile.ZipFile, deploy_id: str, user_id: str) -> dict[str, Any]:
    """Apply everything or nothing (rollbackOnError), and tell per component."""
    messages: list[dict[str, Any]] = []
    try:
        with org.store.transaction():
            for name in sorted(archive.namelist(), key=_deploy_order):
                _deploy_file(org, name, archive.read(name), messages)
            if any(not message["success"] for message in messages):
                raise _Failed
    except _Failed:
        org.reload_schema()
    return _result(org, deploy_id, user_id, messages)


class _Failed(Exception):
    """Rolls the deploy back."""


def _deploy_order(name: str) -> tuple[int, str]:
    return (1 if ".permissionset" in name else 0, name)


def _deploy_file(org: SalesforceOrg, name: str, content: bytes, messages: list[dict[str, Any]]) -> None:
    path = name.split("/")
    stem = path[-1].split(".")[0]
    actions = {"objects": _deploy_object, "permissionsets": _deploy_permission_set}
    folder = next((part for part in path[:-1] if part in actions), None)
    if folder is None or name.endswith("/"):
        if not name.endswith(("package.xml", "/")):
            messages.append(
                _message(
                    name,
                    stem,
                    "",
                    SalesforceError("UNKNOWN", "Not supported by this sandbox: objects and permissionsets are"),
                )
            )
        return
    try:
        root = to_plain(ElementTree.fromstring(content))  # noqa: S314 - our own loopback clients write it
    except ElementTree.ParseError as error:
        messages.append(_message(name, stem, folder, SalesforceError("XML_ERROR", f"Error parsing file: {error}")))
        return
    actions[folder](org, name, stem, root, messages)


def _try(messages: list[dict[str, Any]], file: str, full_name: str, kind: str, action: Any) -> None:
    try:
        created = action()
    except SalesforceError as error:
        messages.append(_message(file, full_name, kind, error))
    else:
        messages.append(_message(file, full_name, kind, None, created=bool(created)))


def _message(
    file: str, full_name: str, kind: str, error: SalesforceError | None, *, created: bool = True
) -> dict[str, Any]:
    return {
        "fileName": file,
        "fullName": full_name,
        "componentType": kind,
        "success": error is None,
        "created": error is None and created,
        "changed": error is None,
        "deleted": False,
        "problem": error.message if error else None,
        "problemType": "Error" if error else None,
        "lineNumber": 1 if error else None,
        "columnNumber": 1 if error else None,
    }


def _result(org: SalesforceOrg, deploy_id: str, user_id: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    failures = [message for message in messages if not message["success"]]
    now = org.stamp()
    return {
        "id": deploy_id,
        "done": True,
        "success": not failures,
        "status": "Failed" if failures else "Succeeded",
        "checkOnly": False,
        "createdBy": user_id,
        "createdDate": now,
        "startDate": now,
        "completedDate": now,
        "lastModifiedDate": now,
        "numberComponentErrors": len(failures),
        "numberComponentsDeployed": 0 if failures else len(messages),
        "numberComponentsTotal": len(messages),
        "numberTestErrors": 0,
        "numberTestsCompleted": 0,
        "numberTestsTotal": 0,
        "rollbackOnError": True,
        "ignoreWarnings": False,
        "runTestsEnabled": False,
        "stateDetail": None,
        "errorMessage": None,
        "errorStatusCode": None,
        "details": {
            "componentSuccesses": [message for message in messages if message["success"]],
            "componentFailures": failures,
            "runTestResult": {"numFailures": 0, "numTestsRun": 0, "totalTime": 0.0},
        },
    }


def to_plain(element: ElementTree.Element) -> dict[str, Any]:
    """XML metadata to what the JSON form would hold: texts, nested mappings, lists where there may be several."""
    found: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        value: Any = to_plain(child) if len(child) else (child.text or "").strip()
        if name in _LISTS:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def _deploy_object(
    org: SalesforceOrg, file: str, stem: str, root: dict[str, Any], messages: list[dict[str, Any]]
) -> None:
    if org.schema.get(stem) is None and stem != "Activity":
        _try(messages, file, stem, "CustomObject", lambda: create_object(org, stem, root))
        if org.schema.get(stem) is None:
            return
    for metadata in root.get("fields", ()):
        full_name = f"{stem}.{metadata.get('fullName')}"
        _try(
            messages,
            file,
            full_name,
            "CustomField",
            lambda metadata=metadata, full_name=full_name: _save_field(org, full_name, metadata),
        )


def create_object(org: SalesforceOrg, name: str, root: dict[str, Any]) -> SObject:
    name_field = root.get("nameField") or {}
    if not root.get("label") or not root.get("pluralLabel"):
        raise SalesforceError(
            "REQUIRED_FIELD_MISSING", "Must specify a non-empty label and pluralLabel for the CustomObject"
        )
    if not name_field.get("label"):
        raise SalesforceError(
            "REQUIRED_FIELD_MISSING", "Must specify a nameField of type Text or AutoNumber with a label"
        )
    if not root.get("sharingModel"):
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required field is missing: sharingModel")
    return customize.add_object(
        org,
        name,
        root["label"],
        root["pluralLabel"],
        name_label=name_field["label"],
        activities=root.get("enableActivities") == "true",
    )


def _save_field(org: SalesforceOrg, full_name: str, metadata: dict[str, Any]) -> bool:
    """True if it is new; a deploy of an existing field changes it."""
    owner, _, name = full_name.partition(".")
    sobject = org.schema.get("Task" if owner == "Activity" else owner)
    existing = sobject.field(name) if sobject else None
    if sobject is not None and existing is not None:
        customize.change_field(org, sobject, existing, metadata)
        return False
    customize.add_field(org, full_name, metadata)
    return True


def _deploy_permission_set(
    org: SalesforceOrg, file: str, stem: str, root: dict[str, Any], messages: list[dict[str, Any]]
) -> None:
    _try(messages, file, stem, "PermissionSet", lambda: _save_permission_set(org, stem, root))


def _save_permission_set(org: SalesforceOrg, name: str, root: dict[str, Any]) -> bool:
    person = org.person()
    found = org.store.scalar('SELECT "Id" FROM "PermissionSet" WHERE "Name" = ?', (name,))
    data = {"Label": root.get("label"), "Description": root.get("description")}
    parent = found or org.records.create(person, org.schema.require("PermissionSet"), {"Name": name, **data})
    for entry in root.get("objectPermissions", ()):
        verbs = {
            f"Permissions{verb}": entry.get(f"allow{verb}", "false") for verb in ("Read", "Create", "Edit", "Delete")
        }
        verbs["PermissionsViewAllRecords"] = entry.get("viewAllRecords", "false")
        verbs["PermissionsModifyAllRecords"] = entry.get("modifyAllRecords", "false")
        _save_grant(org, "ObjectPermissions", {"ParentId": parent, "SobjectType": entry.get("object")}, verbs)
    for entry in root.get("fieldPermissions", ()):
        rights = {"PermissionsRead": entry.get("readable", "false"), "PermissionsEdit": entry.get("editable", "false")}
        field = str(entry.get("field"))
        key = {"ParentId": parent, "SobjectType": field.partition(".")[0], "Field": field}
        _save_grant(org, "FieldPermissions", key, rights)
    return found is None


def _save_grant(org: SalesforceOrg, table: str, key: Row, rights: Row) -> None:
    sobject = org.schema.require(table)
    where = " AND ".join(f'"{name}" = ?' for name in key)
    found = org.store.scalar(f'SELECT "Id" FROM "{table}" WHERE {where}', tuple(key.values()))
    if found:
        org.records.update(org.person(), sobject, found, rights)
    else:
        org.records.create(org.person(), sobject, {**key, **rights})

"""Rules of the permission objects themselves, which are ordinary records to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.schema import Field, SObject

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg
    from crmsync.sandbox.salesforce.records import Draft


def check_permission_row(org: SalesforceOrg, draft: Draft) -> None:
    _CHECKS[draft.sobject.name](org, draft)


def _field_permissions(org: SalesforceOrg, draft: Draft) -> None:
    if draft.get("PermissionsEdit") and not draft.get("PermissionsRead"):
        message = "Field permissions: edit requires read"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["PermissionsEdit"])
    sobject, field = _target(org, draft)
    if not field.describe["permissionable"]:
        message = f"Field Name: bad value for restricted picklist field: {draft.get('Field')}"
        raise SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=["Field"])
    if draft.get("PermissionsEdit") and not (field.describe["updateable"] or field.describe["createable"]):
        message = f"You can't edit field permissions of the read-only field {sobject.name}.{field.name}"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["PermissionsEdit"])
    _one_row(org, draft, "Field", "FieldPermissions")


def _target(org: SalesforceOrg, draft: Draft) -> tuple[SObject, Field]:
    owner, _, name = str(draft.get("Field")).partition(".")
    sobject = org.schema.get("Task" if owner.lower() == "activity" else owner)
    field = sobject.field(name) if sobject else None
    if sobject is None or field is None:
        message = f"Field Name: bad value for restricted picklist field: {draft.get('Field')}"
        raise SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=["Field"])
    return sobject, field


def _object_permissions(org: SalesforceOrg, draft: Draft) -> None:
    name = draft.get("SobjectType")
    if org.schema.get(str(name)) is None:
        message = f"Sobject Type Name: bad value for restricted picklist field: {name}"
        raise SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=["SobjectType"])
    for verb in ("Create", "Edit", "Delete"):
        if draft.get(f"Permissions{verb}") and not draft.get("PermissionsRead"):
            message = f"Permission {verb} {name} depends on permission(s): Read {name}"
            raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=[f"Permissions{verb}"])
    _one_row(org, draft, "SobjectType", "ObjectPermissions")


def _one_row(org: SalesforceOrg, draft: Draft, field: str, table: str) -> None:
    if not draft.is_new:
        return
    other = org.store.scalar(
        f'SELECT "Id" FROM "{table}" WHERE "ParentId" = ? AND "{field}" = ?', (draft.get("ParentId"), draft.get(field))
    )
    if other:
        message = f"duplicate value found: <unknown> duplicates value on record with id: {other[:15]}"
        raise SalesforceError("DUPLICATE_VALUE", message, fields=[])


def _permission_set(org: SalesforceOrg, draft: Draft) -> None:
    draft.values["IsCustom"] = 1
    draft.values["Type"] = draft.get("Type") or "Regular"
    name = draft.given.get("Name")
    if name is None:
        return
    own = (draft.old or {}).get("Id", "")
    other = org.store.scalar('SELECT "Id" FROM "PermissionSet" WHERE "Name" = ? AND "Id" <> ?', (name, own))
    if other:
        message = f"duplicate value found: <unknown> duplicates value on record with id: {other[:15]}"
        raise SalesforceError("DUPLICATE_DEVELOPER_NAME", message, fields=["Name"])


_CHECKS = {
    "FieldPermissions": _field_permissions,
    "ObjectPermissions": _object_permissions,
    "PermissionSet": _permission_set,
}

"""The permission set ``crmsync``: rights on exactly what a mapping uses, assigned to the integration user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from simple_salesforce.format import format_soql

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.rows import query_rows
from crmsync.errors import Permanent

NAME = "crmsync"
_DESCRIPTION = "What the partner sync may read and write. Made and kept by crmsync provision."
_UNGRANTABLE = frozenset(
    {"User", "Task", "Event", "Activity", "OpportunityStage", "OpportunityPartner", "OpportunityContactRole"}
)
"""No object permissions exist for these: access follows a parent, a licence or a user permission."""
_BATCH = 200


_UNKNOWN_FIELD = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
"""The fields that can be granted are the values of a picklist; so Salesforce says of a name that is none of them."""


class PermissionSet:
    """The set in the org; nothing of it is made before it is needed."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @cached_property
    def id(self) -> str | None:
        rows = list(query_rows(self._client, format_soql("SELECT Id FROM PermissionSet WHERE Name = {}", NAME)))
        return rows[0]["Id"] if rows else None

    @cached_property
    def user_id(self) -> str:
        """Who is signed in ("UserInfo Endpoint" of the identity documentation)."""
        return str(self._client.request("GET", "/services/oauth2/userinfo").json()["user_id"])

    @cached_property
    def _objects(self) -> Mapping[str, Mapping[str, Any]]:
        fields = "Id, SobjectType, PermissionsRead, PermissionsEdit, PermissionsViewAllRecords"
        return {row["SobjectType"]: row for row in self._mine(fields, "ObjectPermissions")}

    @cached_property
    def _fields(self) -> Mapping[str, Mapping[str, Any]]:
        rows = self._mine("Id, SobjectType, Field, PermissionsRead, PermissionsEdit", "FieldPermissions")
        return {row["Field"]: row for row in rows}

    def is_assigned(self) -> bool:
        soql = "SELECT Id FROM PermissionSetAssignment WHERE PermissionSetId = {} AND AssigneeId = {}"
        return bool(self.id) and any(True for _ in query_rows(self._client, format_soql(soql, self.id, self.user_id)))

    def has_object(self, name: str, *, edit: bool) -> bool:
        if name in _UNGRANTABLE:
            return True
        row = self._objects.get(name, {})
        return bool(row.get("PermissionsViewAllRecords") and (row.get("PermissionsEdit") or not edit))

    def has_field(self, name: str, *, edit: bool) -> bool:
        """``name`` is ``Object.Field``."""
        return bool(self._fields.get(name, {}).get("PermissionsEdit" if edit else "PermissionsRead"))

    # ------------------------------------------------------------------ making

    def create(self) -> None:
        fields = {"Name": NAME, "Label": NAME, "Description": _DESCRIPTION}
        answer = self._client.request("POST", "sobjects/PermissionSet", json=fields)
        self._forget()
        self.__dict__["id"] = answer.json()["id"]

    def assign(self) -> None:
        fields = {"PermissionSetId": self.id, "AssigneeId": self.user_id}
        self._client.request("POST", "sobjects/PermissionSetAssignment", json=fields)

    def grant_objects(self, wanted: Mapping[str, bool]) -> None:
        """Read all records of every object (a part of them would look like the whole), write those marked so."""
        self._save(
            "ObjectPermissions",
            [
                (
                    {"SobjectType": name},
                    {
                        "PermissionsRead": True,
                        "PermissionsViewAllRecords": True,
                        "PermissionsCreate": edit,
                        "PermissionsEdit": edit,
                    },
                    self._objects.get(name),
                )
                for name, edit in wanted.items()
            ],
        )

    def grant_fields(self, wanted: Mapping[str, bool]) -> frozenset[str]:
        """Read on every field, edit on those marked so; the names that the org does not know."""
        return self._save(
            "FieldPermissions",
            [
                (
                    {"SobjectType": name.split(".")[0], "Field": name},
                    {"PermissionsRead": True, "PermissionsEdit": edit},
                    self._fields.get(name),
                )
                for name, edit in wanted.items()
            ],
        )

    def _save(
        self, kind: str, rows: Sequence[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any] | None]]
    ) -> frozenset[str]:
        """Rows of (what it is for, the rights, the row that exists); the names that the org does not know."""
        new = [{"ParentId": self.id, **about, **rights} for about, rights, existing in rows if not existing]
        old = [{"id": existing["Id"], **rights} for _, rights, existing in rows if existing]
        unknown = frozenset([*self._send("POST", kind, new), *self._send("PATCH", kind, old)])
        self._forget()
        return unknown

    def _send(self, method: str, kind: str, records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        for start in range(0, len(records), _BATCH):
            batch = [{"attributes": {"type": kind}, **record} for record in records[start : start + _BATCH]]
            body = {"allOrNone": False, "records": batch}
            results = self._client.request(method, "composite/sobjects", json=body).json()
            for record, result in zip(batch, results, strict=True):
                if not _is_granted(kind, record, result):
                    yield str(record.get("Field"))

    def _mine(self, fields: str, kind: str) -> Iterator[Mapping[str, Any]]:
        if self.id is None:
            return iter(())
        return query_rows(self._client, format_soql(f"SELECT {fields} FROM {kind} WHERE ParentId = {{}}", self.id))

    def _forget(self) -> None:
        for name in ("_objects", "_fields"):
            self.__dict__.pop(name, None)


def _is_granted(kind: str, record: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """``False`` for a field that the org does not have.

    :raises Permanent: when the user may not grant at all.
    """
    error: Mapping[str, Any] = next(iter(result.get("errors") or ()), {})
    if result.get("success") or error.get("statusCode") == "DUPLICATE_VALUE":
        return True  # the latter: granted by somebody since we looked
    if error.get("statusCode") == _UNKNOWN_FIELD and "Field" in record:
        return False
    about = record.get("Field") or record.get("SobjectType") or kind
    raise Permanent(
        f"salesforce did not grant access to '{about}' ({error.get('statusCode')} {error.get('message')})",
        system="salesforce",
        vendor_code=str(error.get("statusCode") or ""),
        hint="run crmsync provision as a user who may manage permission sets",
    )

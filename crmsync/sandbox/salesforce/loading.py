"""Bulk loading past the checks: objects, fields, users and rows as a migration would leave them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from crmsync.sandbox.salesforce import customize, seed
from crmsync.sandbox.salesforce.access import HIDDEN
from crmsync.sandbox.salesforce.base import Clock, OrgBase
from crmsync.sandbox.salesforce.effects import apply_stage, derive_name, derive_opportunity
from crmsync.sandbox.salesforce.records import default_value
from crmsync.sandbox.salesforce.schema import NUMBER_TYPES, Field, SObject
from crmsync.sandbox.salesforce.store import Row
from crmsync.sandbox.salesforce.values import parse_datetime, stamp


class Loading(OrgBase):
    """What the world loader uses. Nothing here is audited."""

    def __init__(self, path: str, clock: Clock | None) -> None:
        super().__init__(path, clock)
        self._first_user: str | None = None

    def create_object(
        self,
        name: str,
        label: str,
        plural: str,
        key_prefix: str | None = None,
        *,
        name_label: str = "",
        visible: bool = True,
    ) -> None:
        """A custom object; ``visible`` opens it to every profile."""
        with self.store.transaction():
            customize.add_object(self, name, label, plural, key_prefix, name_label, activities=True)
            if visible:
                verbs = {f"Permissions{verb}": True for verb in ("Read", "Create", "Edit", "Delete")}
                self.insert_rows(
                    "ObjectPermissions",
                    [{"ParentId": own, "SobjectType": name, **verbs} for own in self._profile_sets()],
                )
                self.forget_access()

    def create_field(
        self,
        object: str,  # noqa: A002
        name: str,
        type: str,  # noqa: A002
        label: str = "",
        *,
        length: int | None = None,
        options: Sequence[Any] = (),
        reference_to: str = "",
        external_id: bool = False,
        unique: bool = False,
        visible: bool = True,
        relationship: str = "",
        required: bool = False,
    ) -> None:
        """A custom field; ``type`` is the Metadata API's name or a plain word, ``visible``: for all profiles."""
        metadata = customize.metadata_for(
            customize.metadata_type(type),
            label or name.removesuffix("__c").replace("_", " "),
            length=length,
            options=options,
            reference_to=reference_to,
            external_id=external_id,
            unique=unique,
            relationship=relationship,
        )
        with self.store.transaction():
            customize.add_field(self, f"{object}.{name}", {**metadata, "required": required})
            if visible and not required:
                self.grant_field(object, name)

    def grant_field(self, object: str, name: str) -> None:  # noqa: A002
        """Field permissions for every profile."""
        row = {"SobjectType": object, "Field": f"{object}.{name}", "PermissionsRead": True, "PermissionsEdit": True}
        self.insert_rows("FieldPermissions", [{"ParentId": own, **row} for own in self._profile_sets()])
        self.forget_access()

    def hide_field(self, object: str, name: str) -> None:  # noqa: A002
        """Take a standard field away from everybody whom no permission set grants it."""
        with self.store.transaction():
            self.store.save_setting(HIDDEN, sorted({*(self.store.setting(HIDDEN) or ()), f"{object}.{name}".lower()}))
            self.forget_access()

    def _profile_sets(self) -> list[str]:
        return [row[0] for row in self.store.all('SELECT "Id" FROM "PermissionSet" WHERE "IsOwnedByProfile" = 1')]

    def add_picklist_values(self, object: str, field: str, values: Sequence[Any]) -> None:  # noqa: A002
        """More values; for Opportunity.StageName each becomes a stage too (open, 95 %, before the closed ones)."""
        with self.store.transaction():
            sobject = self.schema.require(object)
            item = sobject.fields[field.lower()]
            known = set(item.options)
            new = [
                {"value": option["fullName"], "label": option["label"]} for option in map(customize.as_value, values)
            ]
            spec = {
                **item.spec,
                "picklistValues": [
                    *item.describe["picklistValues"],
                    *(one for one in new if one["value"] not in known),
                ],
            }
            self.schema.add_field(sobject, Field(spec))
            self.store.save_field(sobject, Field(spec))
            if (object, field) == ("Opportunity", "StageName"):
                for one in new:
                    self._add_stage(one["value"])
            self.schema_changed()

    def _add_stage(self, name: str) -> None:
        first_closed = self.store.scalar('SELECT MIN("SortOrder") FROM "OpportunityStage" WHERE "IsClosed" = 1')
        self.store.connection.execute(
            'UPDATE "OpportunityStage" SET "SortOrder" = "SortOrder" + 1 WHERE "SortOrder" >= ?', (first_closed,)
        )
        self.insert_rows("OpportunityStage", [seed.stage_row(name, 95, "Commit", 0, 0, first_closed)])

    def create_user(
        self, first: str, last: str, email: str, *, active: bool = True, profile: str = seed.STANDARD_PROFILE
    ) -> str:
        profile_id = self.store.scalar('SELECT "Id" FROM "Profile" WHERE "Name" = ?', (profile,))
        return self.insert_rows("User", [seed.user_row(first, last, email, profile_id, active=active)])[0]

    def insert_rows(self, sobject: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Rows as they are, past checks and side effects; missing stamps, owners and derived fields are filled in."""
        target = self.schema.require(sobject)
        with self.store.transaction():
            blank = self._blank_row(target)
            prepared = [self._prepare(target, blank, row) for row in rows]
            self.store.insert(target, prepared)
        return [row["Id"] for row in prepared]

    def _blank_row(self, target: SObject) -> Row:
        now, owner = self.stamp(), self._loader_id()
        return {item.name: default_value(item, owner, now) for item in target.fields.values() if item.is_stored}

    def _loader_id(self) -> str:
        if self._first_user is None:
            first = self.store.scalar('SELECT "Id" FROM "User" ORDER BY "Id"')
            if first is None:
                return ""
            self._first_user = str(first)
        return self._first_user

    def _prepare(self, target: SObject, blank: Row, given: Mapping[str, Any]) -> Row:
        unknown = [name for name in given if name not in blank]
        if unknown:
            raise KeyError(f"{target.name} has no field {', '.join(unknown)}")
        values = {name: _loaded(target.fields[name.lower()], value) for name, value in given.items()}
        row = {**blank, **values}
        row["Id"] = values.get("Id") or self.store.next_id(target.key_prefix or "000")
        if "LastModifiedDate" in row and "LastModifiedDate" not in values:
            row["LastModifiedDate"] = (
                values.get("SystemModstamp") or values.get("CreatedDate") or row["LastModifiedDate"]
            )
        if "SystemModstamp" in row and "SystemModstamp" not in values:
            row["SystemModstamp"] = row.get("LastModifiedDate") or row["SystemModstamp"]
        derive_name(target, row, None)
        if target.name == "Opportunity":
            apply_stage(self, row, keep_given=values)
            derive_opportunity(row, None)
        return row


def _loaded(item: Field, value: Any) -> Any:
    """A Python value as its column holds it."""
    if value is None or isinstance(value, bool):
        return value if value is None else int(value)
    if item.type in NUMBER_TYPES:
        return float(value) if item.type != "int" else int(value)
    if item.type == "datetime":
        instant = value if isinstance(value, datetime) else parse_datetime(str(value))
        return stamp(instant) if instant is not None else None
    return str(value)

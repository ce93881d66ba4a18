"""Bulk loading past the checks: objects, fields, users and rows as a migration would leave them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from crmsync.sandbox.salesforce import customize, seed
from crmsync.sandbox.salesforce.access import HIDDEN
from crmsync.sandbox.salesforce.base import Clock, OrgBase
from crmsync.sandbox.salesforce.rowloader import RowLoader
from crmsync.sandbox.salesforce.schema import Field
from crmsync.sandbox.salesforce.store import Row


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
        formula: str = "",
    ) -> None:
        """A custom field; ``type`` is the Metadata API's name or a plain word, ``visible``: for all profiles.

        ``formula`` is a path to a parent's field (``Account.Industry``), whose value it shows.
        """
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
            customize.add_field(self, f"{object}.{name}", {**metadata, "required": required, "formula": formula})
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
        ids: list[str] = []
        for chunk in self._insert_chunks(sobject, rows):
            ids += [row["Id"] for row in chunk]
        return ids

    def load_rows(self, sobject: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """The same without remembering the ids: for a generator of millions."""
        return sum(len(chunk) for chunk in self._insert_chunks(sobject, rows))

    def _insert_chunks(self, sobject: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Row]]:
        target = self.schema.require(sobject)
        with self.store.transaction():
            for chunk in RowLoader(self, target, self._loader_id()).chunks(rows):
                self.store.insert(target, chunk)
                yield chunk

    def _loader_id(self) -> str:
        if self._first_user is None:
            first = self.store.scalar('SELECT "Id" FROM "User" ORDER BY "Id"')
            if first is None:
                return ""
            self._first_user = str(first)
        return self._first_user

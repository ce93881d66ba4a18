"""Who may see and do what: object permissions and field permissions by the user's profile and permission sets.

A custom field is invisible until some permission set of the user grants it, which is what surprises every integration:
it is missing from describe, and SOQL says there is no such column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crmsync.sandbox.salesforce.schema import Field, Schema, SObject
from crmsync.sandbox.salesforce.store import Store

HIDDEN = "hidden_fields"
_VERBS = {"Read": "read", "Create": "create", "Edit": "edit", "Delete": "delete"}


@dataclass(frozen=True, slots=True)
class Access:
    """One user's rights, resolved."""

    user_id: str
    sees_all_objects: bool
    changes_all_objects: bool
    readable: frozenset[str]
    editable: frozenset[str]
    objects: frozenset[tuple[str, str]]
    hidden: frozenset[str]

    def can(self, sobject: SObject, verb: str) -> bool:
        """``verb``: read, create, edit or delete. Standard objects are open to everybody here."""
        if not sobject.custom or self.changes_all_objects or (verb == "read" and self.sees_all_objects):
            return True
        return (sobject.name.lower(), verb) in self.objects

    def sees(self, sobject: SObject, field: Field) -> bool:
        return self._granted(self.readable, sobject, field)

    def edits(self, sobject: SObject, field: Field) -> bool:
        return self._granted(self.editable, sobject, field)

    def _granted(self, granted: frozenset[str], sobject: SObject, field: Field) -> bool:
        if not field.describe["permissionable"]:
            return True
        key = f"{sobject.name}.{field.name}".lower()
        return key in granted or not (field.custom or key in self.hidden)

    def visible(self, sobject: SObject) -> Iterator[Field]:
        return (field for field in sobject.fields.values() if self.sees(sobject, field))

    def field(self, sobject: SObject, name: str) -> Field | None:
        """The field of that name, if this user sees it."""
        found = sobject.field(name)
        return found if found is not None and self.sees(sobject, found) else None


def resolve(store: Store, schema: Schema, user_id: str) -> Access:
    """Read the rights of a user: the profile's own permission set and all assigned ones, added up."""
    sets = [row[0] for row in store.all(_SETS_OF_USER, (user_id, user_id))]
    marks = ", ".join("?" * len(sets))
    flags = store.one(
        f"SELECT MAX(PermissionsViewAllData), MAX(PermissionsModifyAllData) FROM PermissionSet WHERE Id IN ({marks})",
        sets,
    ) or (0, 0)
    fields = store.all(
        f"SELECT Field, PermissionsRead, PermissionsEdit FROM FieldPermissions WHERE ParentId IN ({marks})", sets
    )
    return Access(
        user_id=user_id,
        sees_all_objects=bool(flags[0] or flags[1]),
        changes_all_objects=bool(flags[1]),
        readable=frozenset(key for name, read, _ in fields if read for key in _field_keys(name)),
        editable=frozenset(key for name, _, edit in fields if edit for key in _field_keys(name)),
        objects=frozenset(_object_rights(store, schema, sets, marks)),
        hidden=frozenset(store.setting(HIDDEN) or ()),
    )


_SETS_OF_USER = """
SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = ?
UNION
SELECT s.Id FROM PermissionSet s JOIN User u ON u.ProfileId = s.ProfileId
WHERE u.Id = ? AND s.IsOwnedByProfile = 1
"""


def _field_keys(name: str) -> Iterator[str]:
    """Custom fields of Activity belong to tasks and events alike."""
    owner, _, field = name.lower().partition(".")
    return (f"{sobject}.{field}" for sobject in (("task", "event") if owner == "activity" else (owner,)))


def _object_rights(store: Store, schema: Schema, sets: list[str], marks: str) -> Iterator[tuple[str, str]]:
    columns = ", ".join(f"Permissions{verb}" for verb in _VERBS)
    for name, *granted in store.all(
        f"SELECT SobjectType, {columns} FROM ObjectPermissions WHERE ParentId IN ({marks})", sets
    ):
        for verb, given in zip(_VERBS.values(), granted, strict=True):
            if given and schema.get(name):
                yield name.lower(), verb

"""A person at a Salesforce screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crmsync.sandbox.hands.words import REFERENCES, HandsError, field_name, object_name, value_of
from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.salesforce.schema import NUMBER_TYPES, Field, SObject

_NAMES = ("Legacy_Id__c", "PRM_Number__c", "Name")


class InSalesforce:
    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org

    def sobject(self, kind: str) -> SObject:
        found = self.org.schema.get(object_name("salesforce", kind))
        if found is None:
            raise HandsError(f"Salesforce has no object '{kind}'")
        return found

    def field(self, kind: str, field: str) -> str:
        return field_name("salesforce", kind, field, self.sobject(kind).has)

    def find(self, kind: str, record: str, *, deleted: bool = False) -> str | None:
        """The id of a record by its id, key, number or exact name."""
        if kind == "user":
            return self.user(record)
        sobject = self.sobject(kind)
        live = f'"IsDeleted" = {int(deleted)}' if sobject.has("IsDeleted") else "1"
        for name in ("Id", *(name for name in _NAMES if sobject.has(name))):
            wanted = 'SUBSTR("Id", 1, 15) = SUBSTR(?, 1, 15)' if name == "Id" else f'"{name}" = ?'
            rows = self.org.rows(sobject.name, f"{wanted} AND {live}", (record,))
            if len(rows) > 1:
                raise HandsError(f"{len(rows)} records are called '{record}' in Salesforce: name one by its id")
            if rows:
                return str(rows[0]["Id"])
        return None

    def user(self, name: str) -> str | None:
        """A user by name, e-mail, user name or id; nobody named: the administrator."""
        if not name:
            return self.org.person().user_id
        rows = self.org.rows("User", '? IN ("Id", "Name", "Email", "Username") AND "IsActive" = 1', (name,))
        return str(rows[0]["Id"]) if rows else None

    def registration_numbers(self) -> list[str]:
        rows = self.org.rows(self.sobject("registration").name)
        return [row["PRM_Number__c"] for row in rows if row["PRM_Number__c"]]

    def row(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        sobject = self.sobject(kind)
        named = {self.field(kind, name): self._value(kind, name, value) for name, value in fields.items()}
        return {name: _typed(sobject.field(name), value) for name, value in named.items()}

    def _value(self, kind: str, name: str, value: Any) -> Any:
        target = REFERENCES.get(name)
        if target is None or not value:
            return None if value == "" else value_of("salesforce", kind, name, value)
        found = self.find(target, str(value))
        if found is None:
            raise HandsError(f"Salesforce has no {target} '{value}'")
        return found

    def edit(self, kind: str, record_id: str, fields: Mapping[str, Any], user: str) -> None:
        with _plainly():
            self.org.edit(self.sobject(kind).name, record_id, self.row(kind, fields), user)

    def create(self, kind: str, fields: Mapping[str, Any], user: str) -> str:
        row = self.row(kind, fields)
        if kind == "registration" and "PRM_Number__c" in row:
            row = {"Name": row["PRM_Number__c"], **row}
        with _plainly():
            return self.org.create(self.sobject(kind).name, row, user)

    def delete(self, kind: str, record_id: str, user: str) -> None:
        with _plainly():
            self.org.delete(self.sobject(kind).name, record_id, user)

    def restore(self, kind: str, record_id: str, user: str) -> None:
        with _plainly():
            self.org.undelete(self.sobject(kind).name, record_id, user)

    def merge(self, kind: str, master: str, losers: Sequence[str], user: str) -> str:
        with _plainly():
            self.org.merge(self.sobject(kind).name, master, losers, user)
        return master


def _typed(item: Field | None, value: Any) -> Any:
    """What was typed into a form, as the field wants it."""
    if item is None or not isinstance(value, str):
        return value
    if item.type == "boolean":
        return value.lower() == "true"
    if item.type in NUMBER_TYPES:
        try:
            return float(value)
        except ValueError:
            raise HandsError(f"{item.name} must be a number, not '{value}'") from None
    return value


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except SalesforceError as error:
        raise HandsError(f"Salesforce refuses: {error.code}: {error.message}") from None

"""A person at a HubSpot screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from crmsync.sandbox.hands.words import REFERENCES, HandsError, field_name, object_name, value_of
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.hubspot.problems import Refusal

ADMIN_USER = "76070032"
"""The super admin, who owns nothing (and made all the property definitions)."""
_NAMES = ("legacy_id", "prm_number", "dealname", "name", "prm_name", "email", "hs_task_subject")


class InHubSpot:
    def __init__(self, portal: HubSpotPortal) -> None:
        self.portal = portal

    def type(self, kind: str) -> ObjectType:
        try:
            return self.portal.types.get(object_name("hubspot", kind))
        except Refusal:
            raise HandsError(f"HubSpot has no object '{kind}'") from None

    def field(self, kind: str, field: str) -> str:
        known = self.portal.catalog.of(self.type(kind).id)
        return field_name("hubspot", kind, field, known.__contains__)

    def find(self, kind: str, record: str, *, deleted: bool = False) -> str | None:
        """The id of a record by its id, key, number or exact name."""
        if kind == "user":
            return self._owner(record)
        type_id, database = self.type(kind).id, self.portal.database
        state = "NOT NULL" if deleted else "NULL"
        sql = f"SELECT id FROM records WHERE type = ? AND archived_ms IS {state} AND merged_into IS NULL AND "
        with database.transaction():
            if record.isascii() and record.isdigit():
                rows = database.connection.execute(sql + "id = ?", (type_id, int(record))).fetchall()
            else:
                ids = [row[0] for row in database.connection.execute(sql + "INSTR(properties, ?)", (type_id, record))]
                rows = self._exactly(type_id, ids, record, deleted=deleted)
        if len(rows) > 1:
            raise HandsError(f"{len(rows)} records are called '{record}' in HubSpot: name one by its id")
        return str(rows[0][0]) if rows else None

    def _exactly(self, type_id: str, ids: Sequence[int], record: str, *, deleted: bool) -> list[tuple[int]]:
        """Keys go before numbers, numbers before names, as nothing else tells them apart."""
        rows = list(self.portal.records.get_many(type_id, ids, archived=deleted).values())
        for name in _NAMES:
            found = [(row.id,) for row in rows if row.properties.get(name) == record]
            if found:
                return found
        return []

    def user(self, name: str) -> str | None:
        """The user id of an owner by name, e-mail or either id; nobody named: the administrator."""
        if not name:
            return ADMIN_USER
        return next((str(owner["userId"]) for owner in self._owners() if name in _names_of(owner)), None)

    def _owner(self, name: str) -> str | None:
        return next((owner["id"] for owner in self._owners() if name in _names_of(owner)), None)

    def _owners(self) -> Iterator[dict[str, Any]]:
        return iter(self.portal.owners.page(archived=False, email=None, after=0, limit=1_000_000))

    def registration_numbers(self) -> list[str]:
        return [row.get("prm_number", "") for row in self.portal.rows(self.type("registration").name)]

    def row(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {self.field(kind, name): self._value(kind, name, value) for name, value in fields.items()}

    def _value(self, kind: str, name: str, value: Any) -> Any:
        target = REFERENCES.get(name)
        if target is None or not value:
            return value_of("hubspot", kind, name, value)
        found = self.find(target, str(value))
        if found is None:
            raise HandsError(f"HubSpot has no {target} '{value}'")
        return found

    def edit(self, kind: str, record_id: str, fields: Mapping[str, Any], user: str) -> None:
        row = self.row(kind, fields)
        account = self._take_account(kind, row)
        with _plainly():
            if row:
                self.portal.edit(self.type(kind).name, record_id, row, user)
            if account:
                self.portal.link("deals", record_id, "companies", account, "primary", user)

    def create(self, kind: str, fields: Mapping[str, Any], user: str) -> str:
        row = self.row(kind, fields)
        account = self._take_account(kind, row)
        with _plainly():
            made = self.portal.create(self.type(kind).name, row, user)
            if account:
                self.portal.link("deals", made, "companies", account, "primary", user)
        return made

    @staticmethod
    def _take_account(kind: str, row: dict[str, Any]) -> str | None:
        """A deal's company is an association, not a property."""
        return row.pop("account_id", None) if kind == "deal" else None

    def delete(self, kind: str, record_id: str, user: str) -> None:
        with _plainly():
            self.portal.archive(self.type(kind).name, record_id, user)

    def restore(self, kind: str, record_id: str, user: str) -> None:
        with _plainly():
            self.portal.restore(self.type(kind).name, record_id, user)

    def merge(self, kind: str, master: str, losers: Sequence[str], user: str) -> str:
        with _plainly():
            for loser in losers:
                master = self.portal.merge(self.type(kind).name, master, loser, user)
        return master


def _names_of(owner: Mapping[str, Any]) -> tuple[str, ...]:
    return f"{owner['firstName']} {owner['lastName']}", owner["email"], owner["id"], str(owner["userId"])


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise HandsError(f"HubSpot refuses: {refusal.body['message']}") from None
    except KeyError as error:
        raise HandsError(f"HubSpot: {error.args[0]}") from None

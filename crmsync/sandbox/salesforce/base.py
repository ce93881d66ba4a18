"""What every part of the org stands on: the store, the schema, the clock, and who may see what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from crmsync.sandbox.salesforce.access import Access, resolve
from crmsync.sandbox.salesforce.catalog import NAME_FIELDS, NAME_OBJECT
from crmsync.sandbox.salesforce.schema import Schema, build_object
from crmsync.sandbox.salesforce.store import Row, Store
from crmsync.sandbox.salesforce.values import stamp
from crmsync.sandbox.salesforce.visibility import Visibility


class Clock(Protocol):
    def now(self) -> datetime: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class OrgBase:
    """State and facts, without behaviour towards records."""

    def __init__(self, path: str, clock: Clock | None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.store = Store(str(path))
        self.schema = Schema()
        self.visibility = Visibility(self)
        self._access: dict[str, Access] = {}

    def close(self) -> None:
        self.store.close()

    @property
    def is_new(self) -> bool:
        """No schema yet: a file that was just made."""
        return not self.store.scalar("SELECT COUNT(*) FROM _object")

    def load_schema(self) -> None:
        fields: dict[str, list[dict[str, Any]]] = {}
        for owner, spec in self.store.all("SELECT object, spec FROM _field ORDER BY rowid"):
            fields.setdefault(owner, []).append(orjson.loads(spec))
        for name, spec in self.store.all("SELECT name, spec FROM _object ORDER BY rowid"):
            self.schema.add_object(build_object(orjson.loads(spec), fields[name]))
        self.name_everything()

    def reload_schema(self) -> None:
        """Back to what the database says, after a rollback took objects or fields away."""
        version = self.schema.version
        self.schema = Schema()
        self.load_schema()
        self.schema.version = version + 1
        self.forget_access()

    def name_everything(self) -> None:
        """(Re)define the pseudo-object that fields pointing to several objects lead to."""
        self.schema.add_object(build_object(NAME_OBJECT, NAME_FIELDS))
        self.store.create_name_view(self.schema)

    def stamp(self) -> str:
        return stamp(self.clock.now())

    @property
    def id(self) -> str:
        return str(self.store.scalar('SELECT "Id" FROM "Organization"'))

    def stage(self, name: str | None) -> Row:
        """The definition of a stage; a name that none has counts as open without probability."""
        rows = self.store.select(self.schema.require("OpportunityStage"), '"MasterLabel" = ?', (name,))
        unknown = {"IsClosed": 0, "IsWon": 0, "DefaultProbability": 0.0, "ForecastCategoryName": "Pipeline"}
        return rows[0] if rows else unknown

    def users(self) -> list[Row]:
        with self.store.lock:
            return self.store.select(self.schema.require("User"))

    def user_id(self, username: str) -> str | None:
        found = self.store.scalar('SELECT "Id" FROM "User" WHERE "Username" = ? AND "IsActive" = 1', (username,))
        return str(found) if found else None

    def access(self, user_id: str) -> Access:
        if user_id not in self._access:
            self._access[user_id] = resolve(self.store, self.schema, user_id)
        return self._access[user_id]

    def forget_access(self) -> None:
        """Rights changed: resolve them anew, and let cached describes expire."""
        self._access.clear()
        self.schema_changed()

    def schema_changed(self) -> None:
        self.schema.version += 1
        self.store.save_setting("schema_changed_at", self.stamp())

    @property
    def schema_changed_at(self) -> str:
        return str(self.store.setting("schema_changed_at"))

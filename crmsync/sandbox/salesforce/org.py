"""A Salesforce org in one SQLite file, and the in-process handle on it for tests, demos and the world loader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from starlette.routing import BaseRoute

from crmsync.sandbox.salesforce import customize, seed
from crmsync.sandbox.salesforce.access import HIDDEN, Access, resolve
from crmsync.sandbox.salesforce.audit import AuditEntry, read_audit
from crmsync.sandbox.salesforce.catalog import NAME_FIELDS, NAME_OBJECT
from crmsync.sandbox.salesforce.effects import apply_stage, derive_name, derive_opportunity
from crmsync.sandbox.salesforce.ids import to_18
from crmsync.sandbox.salesforce.records import Actor, Records, as_stamp, default_value
from crmsync.sandbox.salesforce.schema import Field, Schema, SObject, build_object
from crmsync.sandbox.salesforce.soql.runner import QueryRunner
from crmsync.sandbox.salesforce.store import Row, Store
from crmsync.sandbox.salesforce.values import stamp

DAILY_LIMIT = 100_000


if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.api.app import Front
    from crmsync.sandbox.salesforce.api.auth import Sessions


class Clock(Protocol):
    def now(self) -> datetime: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class SalesforceOrg:
    """Everything the HTTP side needs, plus direct edits "as a person" and bulk loading past the checks."""

    def __init__(self, path: str = ":memory:", clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.store = Store(str(path))
        self.schema = Schema()
        self.records = Records(self)
        self.requests: list[tuple[str, str, int]] = []
        self._writes_before = 0
        self.api_limit = DAILY_LIMIT
        self.api_calls = 0
        self.queries = QueryRunner(self)
        self._access: dict[str, Access] = {}
        self._jwt_keys: list[str] = []
        self._actor_id: str | None = None
        if self.store.scalar("SELECT COUNT(*) FROM _object"):
            self._load_schema()
            self.name_everything()
        else:
            with self.store.transaction():
                seed.create_standard_objects(self)
                self.name_everything()
                seed.plant(self)
                self.schema_changed()

    def close(self) -> None:
        self.store.close()

    def name_everything(self) -> None:
        """(Re)define the pseudo-object that fields pointing to several objects lead to."""
        self.schema.add_object(build_object(NAME_OBJECT, NAME_FIELDS))
        self.store.create_name_view(self.schema)

    @cached_property
    def front(self) -> Front:
        """The HTTP side, made when it is first needed."""
        from crmsync.sandbox.salesforce.api.app import Front

        return Front(self)

    def routes(self) -> list[BaseRoute]:
        return self.front.routes()

    @property
    def sessions(self) -> Sessions:
        return self.front.sessions

    def reload_schema(self) -> None:
        """Back to what the database says, after a rollback took objects or fields away."""
        version = self.schema.version
        self.schema = Schema()
        self._load_schema()
        self.name_everything()
        self.schema.version = version + 1
        self.forget_access()

    def _load_schema(self) -> None:
        fields: dict[str, list[dict[str, Any]]] = {}
        for owner, spec in self.store.all("SELECT object, spec FROM _field ORDER BY rowid"):
            fields.setdefault(owner, []).append(orjson.loads(spec))
        for name, spec in self.store.all("SELECT name, spec FROM _object ORDER BY rowid"):
            self.schema.add_object(build_object(orjson.loads(spec), fields[name]))

    # ---------------------------------------------------------------- facts

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

    # ---------------------------------------------------------------- loading, past checks and side effects

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
        self, object: str, name: str, type: str, label: str = "", *, length: int | None = None, options: Sequence[Any] = (),  # noqa: A002
        reference_to: str = "", external_id: bool = False, unique: bool = False, visible: bool = True, relationship: str = "",
        required: bool = False,
    ) -> None:  # fmt: skip
        """A custom field; ``type`` is the Metadata API's name or a plain word; ``visible`` grants it to every profile."""
        kind = customize.metadata_type(type)
        metadata = customize.metadata_for(
            kind, label or name.removesuffix("__c").replace("_", " "), length=length, options=options, reference_to=reference_to,
            external_id=external_id, unique=unique, relationship=relationship,
        )  # fmt: skip
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
                {"value": option["fullName"], "label": option["label"]} for option in map(customize._as_value, values)
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
        """Rows as they are, checks and side effects left out; missing stamps, owners and derived fields are filled in."""
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
        if self._actor_id is None:
            first = self.store.scalar('SELECT "Id" FROM "User" ORDER BY "Id"')
            if first is None:
                return ""
            self._actor_id = str(first)
        return self._actor_id

    def _prepare(self, target: SObject, blank: Row, given: Mapping[str, Any]) -> Row:
        unknown = [name for name in given if name not in blank]
        if unknown:
            raise KeyError(f"{target.name} has no field {', '.join(unknown)}")
        values = {name: _loaded(value) for name, value in given.items()}
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

    # ---------------------------------------------------------------- edits as a person

    def edit(self, sobject: str, record_id: str, fields: Mapping[str, Any], user_id: str | None = None) -> None:
        with self.store.transaction():
            self.records.update(self.person(user_id), self.schema.require(sobject), record_id, fields)

    def create(self, sobject: str, fields: Mapping[str, Any], user_id: str | None = None) -> str:
        with self.store.transaction():
            return self.records.create(self.person(user_id), self.schema.require(sobject), fields)

    def delete(self, sobject: str, record_id: str, user_id: str | None = None) -> None:
        with self.store.transaction():
            self.records.delete(self.person(user_id), self.schema.require(sobject), record_id)

    def merge(self, sobject: str, master_id: str, loser_ids: Sequence[str], user_id: str | None = None) -> None:
        with self.store.transaction():
            self.records.merge(self.person(user_id), self.schema.require(sobject), master_id, list(loser_ids))

    def undelete(self, sobject: str, record_id: str, user_id: str | None = None) -> None:
        with self.store.transaction():
            self.records.undelete(self.person(user_id), self.schema.require(sobject), record_id)

    def row(self, sobject: str, record_id: str) -> Row | None:
        """The stored row, all fields, whoever asks."""
        with self.store.lock:
            return self.store.get(self.schema.require(sobject), to_18(record_id) or record_id)

    def rows(self, sobject: str, where: str = "1", parameters: Iterable[Any] = ()) -> list[Row]:
        """Stored rows by an SQL condition over field names, deleted ones included."""
        with self.store.lock:
            return self.store.select(self.schema.require(sobject), where, parameters)

    def count(self, sobject: str) -> int:
        target = self.schema.require(sobject)
        live = ' WHERE "IsDeleted" = 0' if target.has("IsDeleted") else ""
        with self.store.lock:
            return int(self.store.scalar(f'SELECT COUNT(*) FROM "{target.name}"{live}'))

    def person(self, user_id: str | None = None) -> Actor:
        """Somebody at the keyboard: the administrator, unless a user is named."""
        from crmsync.sandbox.credentials import SALESFORCE_ADMIN_USERNAME

        return Actor(self.access(user_id or str(self.user_id(SALESFORCE_ADMIN_USERNAME))))

    # ---------------------------------------------------------------- sign-in, logs

    def register_jwt_key(self, public_pem: str) -> None:
        """Trust assertions signed by this key, as an uploaded certificate of the app would."""
        self._jwt_keys.append(public_pem)

    @property
    def jwt_keys(self) -> Sequence[str]:
        return tuple(self._jwt_keys)

    def log_request(self, method: str, path: str, status: int) -> None:
        self.requests.append((method, path, status))

    def reset_requests(self) -> None:
        self.requests.clear()
        self._writes_before = self._writes()

    @property
    def audit(self) -> list[AuditEntry]:
        """Every write to every record, oldest first; bulk loads leave no trace."""
        with self.store.lock:
            return list(read_audit(self))

    def write_count(self) -> int:
        """Record writes accepted over HTTP since the log was last reset."""
        return self._writes() - self._writes_before

    def _writes(self) -> int:
        with self.store.lock:
            return int(self.store.scalar("SELECT COUNT(*) FROM _audit WHERE http = 1"))


def _loaded(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return as_stamp(value)
    return value if isinstance(value, (int, float, str)) or value is None else str(value)

"""A HubSpot portal on SQLite: the handle that tests and the world loader hold, and the routes a server joins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from starlette.routing import Route

from crmsync.sandbox.hubspot.api.http import unknown_path
from crmsync.sandbox.hubspot.api.routes import ENDPOINTS
from crmsync.sandbox.hubspot.behaviour import Behaviour
from crmsync.sandbox.hubspot.data.associations import Associations, Pair
from crmsync.sandbox.hubspot.data.bulk import Loader
from crmsync.sandbox.hubspot.data.changes import Act, AuditEntry
from crmsync.sandbox.hubspot.data.checks import Checker
from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.data.merging import Merger
from crmsync.sandbox.hubspot.data.records import RecordStore, Row, visible_properties
from crmsync.sandbox.hubspot.data.search import SearchIndex
from crmsync.sandbox.hubspot.data.writes import Writer
from crmsync.sandbox.hubspot.definitions.association_types import AssociationType, AssociationTypes
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType, ObjectTypes
from crmsync.sandbox.hubspot.definitions.owners import Owners
from crmsync.sandbox.hubspot.definitions.pipelines import Pipelines
from crmsync.sandbox.hubspot.definitions.properties import PropertyCatalog
from crmsync.sandbox.hubspot.definitions.schemas import Schemas
from crmsync.sandbox.hubspot.limits import Limits
from crmsync.sandbox.hubspot.stamps import to_ms
from crmsync.sandbox.hubspot.tokens import Tokens

PORTAL_ID = 44_237_313


class Clock(Protocol):
    def now(self) -> datetime: ...


class HubSpotPortal:
    """``path`` is a file or ``:memory:``. Methods take every name of an object type that an URL takes."""

    def __init__(self, path: str, clock: Clock) -> None:
        self.clock = clock
        self.portal_id = PORTAL_ID
        self.account_type = "DEVELOPER_TEST"
        """As the account details tell it: ``STANDARD`` is a production account."""
        self.behaviour = Behaviour()
        self.limits = Limits()
        self.tokens = Tokens()
        self.database = Database(path)
        self.types = ObjectTypes()
        self.catalog = PropertyCatalog(self.database)
        self.pipelines = Pipelines(self.database)
        self.owners = Owners(self.database)
        self.records = RecordStore(self.database)
        self.index = SearchIndex(self.database)
        self.associations = Associations(self.database, AssociationTypes(self.database))
        self.schemas = Schemas(self.database, self.types, self.catalog, self.associations.types, self.portal_id)
        self.checker = Checker(self.catalog, self.records, self.pipelines, self.owners, self.portal_id)
        self.writer = Writer(
            self.database, self.types, self.catalog, self.records, self.associations, self.pipelines, self.behaviour
        )
        self.merger = Merger(self.records, self.catalog, self.associations, self.writer)
        self.changes = self.writer.changes
        self._loader = Loader(self.records, self.catalog, self.associations, self.pipelines)
        self.requests: list[tuple[str, str, int]] = []
        self._writes = 0

    def routes(self) -> list[Route]:
        return [route for endpoint in ENDPOINTS for route in endpoint.routes(self)] + unknown_path(self)

    def close(self) -> None:
        self.database.close()

    # the log of what came over HTTP

    def log_request(self, method: str, path: str, status: int) -> None:
        self.requests.append((method, path, status))

    def reset_requests(self) -> None:
        self.requests.clear()
        self._writes = 0

    def count_writes(self, records: int) -> None:
        self._writes += records

    def write_count(self) -> int:
        """Record writes accepted over HTTP since the log was last reset; an association counts as one."""
        return self._writes

    @property
    def audit(self) -> list[AuditEntry]:
        """Every write to every record, oldest first; bulk loads leave no trace."""
        with self.database.transaction():
            return self.changes.entries({kind.id: kind.name for kind in self.types.by_id.values()})

    # definitions

    def create_schema(
        self,
        name: str,
        labels: tuple[str, str] | Mapping[str, str],
        properties: Sequence[Mapping[str, Any]],
        primary_display: str,
        associated: Sequence[str] = ("companies", "contacts", "deals"),
    ) -> str:
        """A custom object; the ``2-…`` id of its type. ``labels`` are singular and plural."""
        words = labels if isinstance(labels, Mapping) else {"singular": labels[0], "plural": labels[1]}
        given = {
            "name": name,
            "labels": words,
            "properties": [_property(one) for one in properties],
            "primaryDisplayProperty": primary_display,
            "associatedObjects": associated,
        }
        with self.database.transaction():
            return self.schemas.create(given, self._now_ms()).id

    def create_property(
        self,
        object_type: str,
        name: str,
        type: str = "string",  # noqa: A002 - HubSpot's own word
        field_type: str = "text",
        label: str | None = None,
        options: Sequence[Any] = (),
        has_unique_value: bool = False,
        group: str | None = None,
    ) -> None:
        """``options`` are values, (value, label) pairs or mappings. Without a group: the object's own."""
        kind = self.types.get(object_type)
        group = group or next(iter(self.catalog.groups(kind.id)))
        given: dict[str, Any] = {"name": name, "type": type, "fieldType": field_type, "label": label or name}
        with self.database.transaction():
            if group not in self.catalog.groups(kind.id):
                shown = {"name": group, "label": group.replace("_", " ").title(), "displayOrder": -1, "archived": False}
                self.catalog.save_group(kind.id, shown)
            given |= {"groupName": group, "hasUniqueValue": has_unique_value, "options": options}
            self.catalog.create(kind.id, _property(given), self._now_ms())

    def add_options(self, object_type: str, prop: str, options: Sequence[Any]) -> None:
        kind = self.types.get(object_type)
        with self.database.transaction():
            standing = self.catalog.of(kind.id)[prop]["options"]
            known = {option["value"] for option in standing}
            added = [option for option in map(_option, options) if option["value"] not in known]
            self.catalog.update(kind.id, prop, {"options": [*standing, *added]}, self._now_ms())

    def create_association_label(
        self, from_type: str, to_type: str, label: str, inverse_label: str | None = None
    ) -> int:
        """The id of the label's type in the direction given."""
        a, b = self.types.get(from_type), self.types.get(to_type)
        name = label.lower().replace(" ", "_")
        with self.database.transaction():
            return self.associations.types.create_label(a.id, b.id, label, name, inverse_label)[0].id

    def create_owner(self, email: str, first: str, last: str, *, archived: bool = False) -> str:
        with self.database.transaction():
            return self.owners.create(email, first, last, self._now_ms(), archived=archived)

    # bulk loading

    def insert_rows(self, object_type: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Past all checks, side effects and history. Rows may bring ``hs_object_id`` and their dates."""
        with self.database.transaction():
            return self._loader.insert(self.types.get(object_type), rows, self._now_ms())

    def associate(self, from_type: str, from_id: str, to_type: str, to_id: str, label: str | None = None) -> None:
        self.associate_many(from_type, to_type, [(from_id, to_id, label)])

    def associate_many(self, from_type: str, to_type: str, rows: Iterable[Sequence[Any]]) -> None:
        """Rows of (from id, to id) or (from id, to id, label); stamps stay as they are."""
        a, b = self.types.get(from_type), self.types.get(to_type)
        with self.database.transaction():
            self._loader.associate(a, b, rows, self._link)

    # what a person does in the app

    def edit(
        self, object_type: str, record_id: str, properties: Mapping[str, Any], user_id: int | str | None = None
    ) -> None:
        kind = self.types.get(object_type)
        with self.database.transaction():
            row = self._row(kind, record_id)
            values = self.checker.values(kind, properties, row)
            self.checker.uniqueness(kind, values, row.id)
            self.writer.update(kind, row, values, self._person(user_id))

    def create(self, object_type: str, properties: Mapping[str, Any], user_id: int | str | None = None) -> str:
        kind = self.types.get(object_type)
        with self.database.transaction():
            values = self.checker.values(kind, properties)
            self.checker.uniqueness(kind, values, None)
            return str(self.writer.create(kind, values, self._person(user_id)).id)

    def archive(self, object_type: str, record_id: str, user_id: int | str | None = None) -> None:
        kind = self.types.get(object_type)
        with self.database.transaction():
            self.writer.archive(kind, self._row(kind, record_id), self._person(user_id))

    def restore(self, object_type: str, record_id: str, user_id: int | str | None = None) -> None:
        kind = self.types.get(object_type)
        with self.database.transaction():
            row = self.records.get(kind.id, int(record_id), archived=True)
            if row is None:
                raise KeyError(f"{kind.name} {record_id} is not in the recycle bin")
            self.writer.restore(kind, row, self._person(user_id))

    def merge(self, object_type: str, primary_id: str, loser_id: str, user_id: int | str | None = None) -> str:
        """The id of the third record that both become."""
        kind = self.types.get(object_type)
        with self.database.transaction():
            self._row(kind, primary_id), self._row(kind, loser_id)
            return str(self.merger.merge(kind, int(primary_id), int(loser_id), self._person(user_id)).id)

    def link(
        self,
        from_type: str,
        from_id: str,
        to_type: str,
        to_id: str,
        label: str | None = None,
        user_id: int | str | None = None,
    ) -> None:
        """Associate with side effects and stamps; what stood between the two stays."""
        a, b = self.types.get(from_type), self.types.get(to_type)
        pair = Pair(a.id, int(from_id), b.id, int(to_id))
        with self.database.transaction():
            self.writer.associate(pair, [self._link(a, b, label)], self._person(user_id), replace=False)

    def unlink(self, from_type: str, from_id: str, to_type: str, to_id: str, label: str | None = None) -> None:
        """Remove one label, or all that stands between the two."""
        a, b = self.types.get(from_type), self.types.get(to_type)
        pair = Pair(a.id, int(from_id), b.id, int(to_id))
        with self.database.transaction():
            self.writer.dissociate(pair, [self._link(a, b, label)] if label else None, self._person(None))

    # looking

    def get(self, object_type: str, record_id: str) -> dict[str, str]:
        """All values of one live record, merges followed."""
        kind = self.types.get(object_type)
        with self.database.transaction():
            row = self._row(kind, str(self.records.resolve(kind.id, int(record_id))))
        return _valued(visible_properties(row, kind, self._now_ms()))

    def rows(self, object_type: str) -> list[dict[str, str]]:
        """All live records, in order of id."""
        kind, now_ms = self.types.get(object_type), self._now_ms()
        with self.database.transaction():
            every = self.records.page(kind.id, 0, -1, archived=False)
        return [_valued(visible_properties(row, kind, now_ms)) for row in every]

    def count(self, object_type: str) -> int:
        with self.database.transaction():
            return self.records.count(self.types.get(object_type).id)

    def associated(self, from_type: str, from_id: str, to_type: str) -> dict[str, tuple[str, ...]]:
        """The associated ids, each with its labels."""
        a, b = self.types.get(from_type), self.types.get(to_type)
        with self.database.transaction():
            found = self.associations.read(a.id, [int(from_id)], b.id).get(int(from_id), {})
        return {str(to_id): tuple(link.label for link in links if link.label) for to_id, links in found.items()}

    def _link(self, a: ObjectType, b: ObjectType, label: str | None) -> AssociationType:
        types = self.associations.types
        found = types.by_label(a.id, b.id, label) if label else types.plain(a.id, b.id)
        if found is None:
            raise KeyError(f"no association {label!r} from {a.name} to {b.name}")
        return found

    def _row(self, kind: ObjectType, record_id: str) -> Row:
        row = self.records.get(kind.id, int(record_id))
        if row is None:
            raise KeyError(f"no live record {record_id} in {kind.name}")
        return row

    def _person(self, user_id: int | str | None) -> Act:
        user = str(user_id or 5_555_888)
        return Act(self._now_ms(), f"user:{user}", "CRM_UI", f"userId:{user}")

    def _now_ms(self) -> int:
        return to_ms(self.clock.now())


def _valued(properties: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if value}


def _option(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    value, label = (given, given) if isinstance(given, str) else given
    return {"value": value, "label": label}


def _property(given: Mapping[str, Any]) -> dict[str, Any]:
    """A property as on the wire; python names and bare option values are understood too."""
    shown = dict(given)
    for python, wired in (("field_type", "fieldType"), ("has_unique_value", "hasUniqueValue"), ("group", "groupName")):
        if python in shown:
            shown[wired] = shown.pop(python)
    shown.setdefault("type", "string")
    shown.setdefault("fieldType", _FIELD_TYPES[shown["type"]])
    shown.setdefault("label", shown["name"])
    shown["options"] = [_option(option) for option in shown.get("options") or ()]
    return shown


_FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "enumeration": "select",
    "bool": "booleancheckbox",
    "date": "date",
    "datetime": "date",
}

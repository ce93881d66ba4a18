"""Writing records as the portal does: stamps, computed properties, history, index lag, and what associating changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import orjson

from crmsync.sandbox.hubspot.behaviour import Behaviour
from crmsync.sandbox.hubspot.data import computed
from crmsync.sandbox.hubspot.data.associations import Associations, Pair
from crmsync.sandbox.hubspot.data.changes import Act, Changes
from crmsync.sandbox.hubspot.data.checks import Values
from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.data.records import RecordStore, Row
from crmsync.sandbox.hubspot.definitions.association_types import CHILD_TO_PARENT, PARENT_TO_CHILD, AssociationType
from crmsync.sandbox.hubspot.definitions.object_types import COMPANY, CONTACT, DEAL, ObjectType, ObjectTypes
from crmsync.sandbox.hubspot.definitions.pipelines import Pipelines
from crmsync.sandbox.hubspot.definitions.properties import PropertyCatalog
from crmsync.sandbox.hubspot.stamps import parse_ms, wire


class Writer:
    """Takes checked values; what a client sent is checked before it comes here."""

    def __init__(
        self,
        database: Database,
        types: ObjectTypes,
        catalog: PropertyCatalog,
        records: RecordStore,
        associations: Associations,
        pipelines: Pipelines,
        behaviour: Behaviour,
    ) -> None:
        self._execute = database.connection.execute
        self._types = types
        self._catalog = catalog
        self._records = records
        self._associations = associations
        self._pipelines = pipelines
        self._behaviour = behaviour
        self.changes = Changes(database)

    def create(self, kind: ObjectType, values: Values, act: Act) -> Row:
        record_id = self._records.new_ids(kind.id, 1)[0]
        row = Row(record_id, {}, act.now_ms, act.now_ms)
        self._lag(kind, row, act, is_new=True)
        self._set(kind, row, values, act)
        row.properties |= computed.initial(kind, row, act)
        row.properties |= computed.derived(kind, row, self._pipelines, act.now_ms)
        self._store(kind, row, act, is_new=True)
        self._follow(kind, row, values, act)
        return row

    def update(self, kind: ObjectType, row: Row, values: Values, act: Act) -> Row:
        """A write that changes nothing does not move the modified date."""
        changed = {name: value for name, value in values.items() if (row.properties.get(name) or None) != value}
        if changed:
            self._lag(kind, row, act)
            self._set(kind, row, changed, act)
            row.properties |= computed.derived(kind, row, self._pipelines, act.now_ms)
            self._stamp(row, act)
            self._store(kind, row, act)
            self._follow(kind, row, changed, act)
        return row

    def archive(self, kind: ObjectType, row: Row, act: Act) -> None:
        self._lag(kind, row, act)
        row.archived_ms = act.now_ms
        self.changes.note(kind.id, row.id, {"archived": ("false", "true")}, act)
        self._store(kind, row, act)

    def restore(self, kind: ObjectType, row: Row, act: Act) -> None:
        row.archived_ms = None
        self.changes.note(kind.id, row.id, {"archived": ("true", "false")}, act)
        self._stamp(row, act)
        self._store(kind, row, act)

    def associate(self, pair: Pair, kinds: Collection[AssociationType], act: Act, *, replace: bool = True) -> None:
        write = self._associations.replace if replace else self._associations.add
        self._with_associations(pair, lambda: write(pair, kinds), act)
        self._log_activity(pair)
        self._log_activity(pair.turned)

    def dissociate(self, pair: Pair, kinds: Collection[AssociationType] | None, act: Act) -> None:
        self._with_associations(pair, lambda: self._associations.remove(pair, kinds), act)

    def refresh(self, type_id: str, record_id: int, act: Act) -> None:
        """Bring what a record tells of its neighbours up to date."""
        row = self._records.get(type_id, record_id)
        if row is None:
            return
        kind = self._types.by_id[type_id]
        told = self._told(type_id, record_id)
        changed = {name: value for name, value in told.items() if (row.properties.get(name) or None) != value}
        if changed or self._behaviour.associations_touch:
            self._lag(kind, row, act)
            self._set(kind, row, changed, Act(act.now_ms, act.who, "CALCULATED", "", act.request_id))
            self._stamp(row, act)
            self._store(kind, row, act)

    def _set(self, kind: ObjectType, row: Row, values: Mapping[str, str | None], act: Act) -> None:
        """What was cleared reads as an empty text from then on, what never had a value as null (recorded: sessions)."""
        old = {name: row.properties.get(name) or None for name in values}
        for name, value in values.items():
            if value is not None:
                row.properties[name] = value
            elif old[name]:
                row.properties[name] = ""
        if values.get("createdate"):  # deals: a person may move it
            row.created_ms = parse_ms(str(row.properties.pop("createdate")))
        if "hubspot_owner_id" in values:
            self._set_owner(row, values["hubspot_owner_id"], act)
        noted = {name: (old[name], value) for name, value in values.items() if old[name] != value}
        self.changes.note(kind.id, row.id, noted, act)

    def _set_owner(self, row: Row, owner: str | None, act: Act) -> None:
        if owner:
            row.properties |= {"hs_all_owner_ids": owner, "hubspot_owner_assigneddate": wire(act.now_ms)}
        else:
            row.properties.pop("hs_all_owner_ids", None)

    def _stamp(self, row: Row, act: Act) -> None:
        row.updated_ms = max(act.now_ms, row.modified_ms(act.now_ms))
        row.settled_ms = None

    def _store(self, kind: ObjectType, row: Row, act: Act, *, is_new: bool = False) -> None:
        if row.archived_ms is None:
            row.settled_ms = self._behaviour.settled_ms(kind, row.id, act.now_ms, is_new=is_new)
        self._records.save(kind.id, [row])
        self._records.claim(kind.id, [row], self._catalog.unique_names(kind.id))

    def _lag(self, kind: ObjectType, row: Row, act: Act, *, is_new: bool = False) -> None:
        """Remember what the search index goes on seeing."""
        self._execute("DELETE FROM unindexed WHERE until_ms <= ?", (act.now_ms,))
        lag = self._behaviour.index_lag_ms
        if not lag:
            return
        before = None if is_new else orjson.dumps(row.properties).decode()
        seen = (kind.id, row.id, act.now_ms + lag, before, row.created_ms, row.modified_ms(act.now_ms))
        self._execute("INSERT INTO unindexed VALUES (?, ?, ?, ?, ?, ?)", seen)

    def _follow(self, kind: ObjectType, row: Row, values: Values, act: Act) -> None:
        """Two properties are associations in disguise: writing them associates."""
        if kind.id == CONTACT and "associatedcompanyid" in values:
            primary = self._associations.types.by_label(CONTACT, COMPANY, "primary")
            self._point(CONTACT, row.id, values["associatedcompanyid"], primary, act)
        if kind.id == COMPANY and "hs_parent_company_id" in values:
            parent = self._associations.types.find(COMPANY, COMPANY, "HUBSPOT_DEFINED", CHILD_TO_PARENT)
            self._point(COMPANY, row.id, values["hs_parent_company_id"], parent, act)

    def _point(self, type_id: str, record_id: int, target: str | None, kind: AssociationType | None, act: Act) -> None:
        if kind is None:
            return
        if target:
            pair = Pair(type_id, record_id, COMPANY, int(target))
            self._with_associations(pair, lambda: self._associations.add(pair, [kind]), act)
            return
        for other in self._associations.with_type(type_id, record_id, COMPANY, kind.id):
            self.dissociate(Pair(type_id, record_id, COMPANY, other), [kind], act)

    def _with_associations(self, pair: Pair, change: Callable[[], set[tuple[str, int]]], act: Act) -> None:
        before = self._labels(pair)
        touched = change()
        after = self._labels(pair)
        if before != after:
            field = f"association:{self._types.by_id[pair.to_type].name}:{pair.to_id}"
            self.changes.note(pair.from_type, pair.from_id, {field: (before, after)}, act)
        for type_id, record_id in sorted(touched):
            self.refresh(type_id, record_id, act)

    def _labels(self, pair: Pair) -> str | None:
        standing = [kind.label or "" for kind in self._associations.of(pair)]
        return ";".join(sorted(standing)).strip(";") if standing else None

    def _told(self, type_id: str, record_id: int) -> dict[str, str | None]:
        count = self._associations.count
        if type_id == CONTACT:
            company = self._associations.primary(CONTACT, record_id, COMPANY)
            deals = str(count(CONTACT, record_id, DEAL))
            return {"associatedcompanyid": str(company) if company else None, "num_associated_deals": deals}
        if type_id == COMPANY:
            return self._told_of_company(record_id)
        if type_id == DEAL:
            company = self._associations.primary(DEAL, record_id, COMPANY)
            contacts = str(count(DEAL, record_id, CONTACT))
            primary = str(company) if company else None
            return {"hs_primary_associated_company": primary, "num_associated_contacts": contacts}
        return {}

    def _told_of_company(self, record_id: int) -> dict[str, str | None]:
        parents = self._associations.with_type(COMPANY, record_id, COMPANY, CHILD_TO_PARENT)
        children = self._associations.with_type(COMPANY, record_id, COMPANY, PARENT_TO_CHILD)
        return {
            "hs_parent_company_id": str(parents[0]) if parents else None,
            "hs_num_child_companies": str(len(children)),
            "num_associated_contacts": str(self._associations.count(COMPANY, record_id, CONTACT)),
            "num_associated_deals": str(self._associations.count(COMPANY, record_id, DEAL)),
        }

    def _log_activity(self, pair: Pair) -> None:
        """A note, call, meeting or e-mail moves the last activity date of what it is about; a task does not."""
        kind = self._types.by_id[pair.from_type]
        if not kind.is_engagement or kind.name == "tasks" or pair.to_type not in {CONTACT, COMPANY, DEAL}:
            return
        activity, row = self._records.get(kind.id, pair.from_id), self._records.get(pair.to_type, pair.to_id)
        if activity is None or row is None:
            return
        at = activity.properties.get("hs_timestamp", wire(activity.created_ms))
        row.properties["notes_last_updated"] = max(at, row.properties.get("notes_last_updated", ""), key=_instant)
        row.properties["num_notes"] = str(int(row.properties.get("num_notes", "0")) + 1)
        self._records.save(pair.to_type, [row])


def _instant(text: str) -> int:
    return parse_ms(text) if text else 0

"""Creating, changing and deleting records as the platform does it: checks in its order, side effects, stamps, audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.salesforce import effects
from crmsync.sandbox.salesforce.access import Access
from crmsync.sandbox.salesforce.audit import write_audit
from crmsync.sandbox.salesforce.errors import (
    MultipleMatches,
    SalesforceError,
    bad_reference,
    entity_deleted,
    insufficient_access,
    no_column_on_type,
    no_external_field,
    not_found,
    not_writable,
    precondition_failed,
    required_missing,
)
from crmsync.sandbox.salesforce.fieldhistory import note_history
from crmsync.sandbox.salesforce.ids import to_18
from crmsync.sandbox.salesforce.schema import Field, SObject
from crmsync.sandbox.salesforce.store import Row, quote
from crmsync.sandbox.salesforce.values import from_stamp, to_stored

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

_IGNORED_KEYS = frozenset({"attributes", "type"})


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf a write happens."""

    access: Access
    request_id: str = ""
    over_http: bool = False
    base: str = "/services/data/v60.0"
    saves_duplicates: bool = False
    wants_duplicate_details: bool = False

    @property
    def user_id(self) -> str:
        return self.access.user_id


@dataclass(slots=True)
class Draft:
    """A record between JSON and row: ``given`` is what was asked for, ``values`` is what will be stored."""

    sobject: SObject
    old: Row | None
    given: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        return self.values[name] if name in self.values else (self.old or {}).get(name)

    @property
    def is_new(self) -> bool:
        return self.old is None


class Records:
    """The write side of the org."""

    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org

    # ---------------------------------------------------------------- create

    def create(self, actor: Actor, sobject: SObject, data: Mapping[str, Any]) -> str:
        self._allow(actor, sobject, "create", "createable")
        draft = Draft(sobject, None)
        self._accept(actor, draft, data)
        self._require(draft)
        self._default(actor, draft)
        record_id = draft.values["Id"] = self.org.store.next_id(sobject.key_prefix or "000")
        if sobject.custom and draft.values.get("Name") is None:
            draft.values["Name"] = record_id[:15]  # recorded: restforce-db
        effects.before_save(self.org, draft)
        self._check_unique(draft)
        self.org.rules.check(actor, draft)
        self.org.store.insert(sobject, [draft.values])
        write_audit(
            self.org,
            actor,
            "create",
            sobject.name,
            record_id,
            {name: (None, draft.values.get(name)) for name in draft.given},
        )
        effects.after_save(self.org, actor, draft)
        return record_id

    def _default(self, actor: Actor, draft: Draft) -> None:
        now = self.org.stamp()
        for item in draft.sobject.fields.values():
            if item.name in draft.values or not item.is_stored:
                continue
            draft.values[item.name] = default_value(item, actor.user_id, now)

    # ---------------------------------------------------------------- update

    def update(
        self,
        actor: Actor,
        sobject: SObject,
        record_id: str,
        data: Mapping[str, Any],
        unless_since: datetime | None = None,
    ) -> None:
        self._allow(actor, sobject, "edit", "updateable")
        old = self._live_row(sobject, record_id)
        if unless_since is not None and from_stamp(old["LastModifiedDate"]) > unless_since:
            raise precondition_failed()
        draft = Draft(sobject, old)
        self._accept(actor, draft, data)
        self._require(draft)
        effects.before_save(self.org, draft)
        self._check_unique(draft)
        self.org.rules.check(actor, draft)
        self._touch(actor, draft)
        self.org.store.update(sobject, old["Id"], draft.values)
        changes = {name: (old.get(name), draft.values.get(name)) for name in draft.given}
        write_audit(self.org, actor, "update", sobject.name, old["Id"], changes)
        note_history(self.org, actor, sobject, old["Id"], changes)
        effects.after_save(self.org, actor, draft)

    def _touch(self, actor: Actor, draft: Draft) -> None:
        now = self.org.stamp()
        stamps = {"LastModifiedDate": now, "LastModifiedById": actor.user_id, "SystemModstamp": now}
        draft.values.update({name: value for name, value in stamps.items() if draft.sobject.has(name)})

    # ---------------------------------------------------------------- upsert

    def upsert(
        self,
        actor: Actor,
        sobject: SObject,
        key: str,
        value: Any,
        data: Mapping[str, Any],
        *,
        update_only: bool = False,
    ) -> tuple[str, bool]:
        """(id, created). ``key`` may be an external id field, an idLookup field or Id."""
        matches = self.find(actor, sobject, key, value)
        if len(matches) > 1:
            raise MultipleMatches(matches)
        rest = {name: item for name, item in data.items() if name.lower() != "id"}
        if matches:
            self.update(actor, sobject, matches[0], rest)
            return matches[0], False
        if update_only:
            raise not_found()
        given = {name.lower() for name in rest}
        own = {} if key.lower() == "id" or key.lower() in given else {key: value}
        return self.create(actor, sobject, {**own, **rest}), True

    def find(self, actor: Actor, sobject: SObject, key: str, value: Any) -> list[str]:
        """Live records by a unique key, consistent with every write before."""
        item = actor.access.field(sobject, key)
        if item is None or not (item.describe["externalId"] or item.describe["idLookup"]):
            raise no_external_field(key)
        if value in (None, ""):
            if item.type == "id":
                return []
            message = f"{item.name} not specified"
            raise SalesforceError("MISSING_ARGUMENT", message, fields=[])
        stored = to_18(str(value)) if item.type == "id" else to_stored(item, value)
        if item.type == "id" and stored is None:
            raise SalesforceError("MALFORMED_ID", f"{item.label}: id value of incorrect type: {value}", fields=["Id"])
        live = ' AND "IsDeleted" = 0' if sobject.has("IsDeleted") else ""
        rows = self.org.store.all(
            f'SELECT "Id" FROM {quote(sobject.name)} WHERE {quote(item.name)} = ?{live} ORDER BY "Id"', (stored,)
        )
        if item.type == "id" and not rows:
            raise bad_reference(404)
        return [row[0] for row in rows]

    # ---------------------------------------------------------------- delete, merge, undelete

    def delete(self, actor: Actor, sobject: SObject, record_id: str) -> None:
        self._allow(actor, sobject, "delete", "deletable")
        row = self._live_row(sobject, record_id)
        effects.delete_tree(self.org, actor, sobject, row["Id"])
        write_audit(self.org, actor, "delete", sobject.name, row["Id"], {})

    def merge(self, actor: Actor, sobject: SObject, master_id: str, loser_ids: list[str]) -> None:
        """Losers end deleted with MasterRecordId; whatever pointed to them points to the master."""
        if not sobject.allows("mergeable"):
            raise SalesforceError("INVALID_TYPE", f"merge is not supported for {sobject.name}")
        master = self._live_row(sobject, master_id)["Id"]
        for loser_id in loser_ids:
            loser = self._live_row(sobject, loser_id)["Id"]
            effects.reparent_children(self.org, sobject, loser, master)
            effects.mark_deleted(self.org, actor, sobject, loser, master=master)
            write_audit(self.org, actor, "merge", sobject.name, loser, {"MasterRecordId": (None, master)})
        now = self.org.stamp()
        stamps = {"LastModifiedDate": now, "LastModifiedById": actor.user_id, "SystemModstamp": now}
        self.org.store.update(sobject, master, stamps)

    def undelete(self, actor: Actor, sobject: SObject, record_id: str) -> None:
        now = self.org.stamp()
        self.org.store.update(sobject, record_id, {"IsDeleted": 0, "SystemModstamp": now, "LastModifiedDate": now})
        self.org.store.connection.execute("DELETE FROM _deleted WHERE id = ?", (record_id,))
        write_audit(self.org, actor, "undelete", sobject.name, record_id, {})

    # ---------------------------------------------------------------- checks

    def _allow(self, actor: Actor, sobject: SObject, verb: str, flag: str) -> None:
        if not actor.access.can(sobject, "read"):
            raise not_found()
        if not sobject.allows(flag):
            message = f"entity type {sobject.name} does not support {verb.replace('edit', 'update')}"
            raise SalesforceError(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" if verb != "delete" else "INSUFFICIENT_ACCESS_OR_READONLY",
                message,
                fields=[],
            )
        if not actor.access.can(sobject, verb):
            raise insufficient_access("insufficient access rights on object id")

    def _live_row(self, sobject: SObject, record_id: str) -> Row:
        """The row to change; unknown ids and deleted ones are told apart as recorded (404 both)."""
        wanted = to_18(record_id)
        if wanted is None or wanted[:3] != sobject.key_prefix:
            label = sobject.fields["id"].label
            raise SalesforceError("MALFORMED_ID", f"{label}: id value of incorrect type: {record_id}", fields=["Id"])
        row = self.org.store.get(sobject, wanted)
        if row is None:
            raise bad_reference(404)
        if row.get("IsDeleted"):
            raise entity_deleted()
        return row

    def _accept(self, actor: Actor, draft: Draft, data: Mapping[str, Any]) -> None:
        """Names, rights, types and references of what the client sent, into ``draft.given``."""
        refused = []
        flag = "createable" if draft.is_new else "updateable"
        for name, value in data.items():
            if name in _IGNORED_KEYS:
                continue
            item, value = self._named(actor, draft.sobject, name, value)
            if not item.describe[flag] or not actor.access.edits(draft.sobject, item):
                refused.append(item.name)
                continue
            draft.given[item.name] = stored = to_stored(item, value)
            if stored is not None and item.type == "reference":
                self._check_reference(item, stored)
        if refused:
            raise not_writable(refused)
        draft.values.update(draft.given)

    def _named(self, actor: Actor, sobject: SObject, name: str, value: Any) -> tuple[Field, Any]:
        if name.lower() == "id":
            message = "The Id field should not be specified in the sobject data."
            raise SalesforceError("INVALID_FIELD", message, fields=["Id"])
        item = actor.access.field(sobject, name)
        if item is not None:
            return item, value
        related = sobject.by_relationship.get(name.lower())
        if related is not None and isinstance(value, dict) and actor.access.sees(sobject, related):
            return related, self._by_external_id(actor, related, value)
        if sobject.has(name):
            raise not_writable([sobject.fields[name.lower()].name])
        raise no_column_on_type(name, sobject.name)

    def _by_external_id(self, actor: Actor, related: Field, value: Mapping[str, Any]) -> str:
        """``{"Account": {"Legacy_Id__c": "A-1"}}`` sets AccountId."""
        given = {name: item for name, item in value.items() if name not in _IGNORED_KEYS}
        parent = self.org.schema.require(related.reference_to[0])
        if len(given) != 1:
            raise SalesforceError(
                "INVALID_FIELD", f"Foreign key of {related.name} needs exactly one external id", fields=[]
            )
        [(key, wanted)] = given.items()
        matches = self.find(actor, parent, key, wanted)
        if len(matches) != 1:
            problem = "not found" if not matches else "matches several records"
            message = f"Foreign key external ID: {wanted} {problem} for field {key} in entity {parent.name}"
            raise SalesforceError("INVALID_FIELD", message, fields=[])
        return matches[0]

    def _check_reference(self, item: Field, record_id: str) -> None:
        targets = [self.org.schema.get(name) for name in item.reference_to]
        known = [target for target in targets if target is not None]
        target = next((target for target in known if target.key_prefix == record_id[:3]), None)
        if target is None:
            if not known:
                return  # points to an object this org does not model
            message = f"{item.label}: id value of incorrect type: {record_id}"
            raise SalesforceError("MALFORMED_ID", message, fields=[item.name])
        deleted = '"IsDeleted"' if target.has("IsDeleted") else "0"
        row = self.org.store.one(f'SELECT {deleted} FROM {quote(target.name)} WHERE "Id" = ?', (record_id,))
        if row is None:
            raise bad_reference()
        if row[0]:
            raise entity_deleted(400)

    def _require(self, draft: Draft) -> None:
        fields = (item for item in draft.sobject.fields.values() if item.is_required)
        if draft.is_new:
            missing = [item.name for item in fields if draft.values.get(item.name) is None]
        else:
            missing = [item.name for item in fields if item.name in draft.given and draft.given[item.name] is None]
        if missing:
            raise required_missing(missing)

    def _check_unique(self, draft: Draft) -> None:
        live = ' AND "IsDeleted" = 0' if draft.sobject.has("IsDeleted") else ""
        own = (draft.old or {}).get("Id", "")
        for name, value in draft.given.items():
            if value is None or not draft.sobject.fields[name.lower()].describe["unique"]:
                continue
            other = self.org.store.scalar(
                f'SELECT "Id" FROM {quote(draft.sobject.name)} WHERE {quote(name)} = ? AND "Id" <> ?{live}',
                (value, own),
            )
            if other is not None:
                message = f"duplicate value found: {name} duplicates value on record with id: {other[:15]}"
                raise SalesforceError("DUPLICATE_VALUE", message, fields=[])


def default_value(item: Field, user_id: str, now: str) -> Any:
    """What a new record holds in a field that nobody set."""
    name = item.name
    if name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
        return now
    if name in ("CreatedById", "LastModifiedById", "OwnerId"):
        return user_id
    if item.type == "boolean":
        return int(bool(item.describe["defaultValue"]))
    if item.type in ("picklist", "multipicklist") and name != "CurrencyIsoCode":
        chosen = (option["value"] for option in item.describe["picklistValues"] if option["defaultValue"])
        return next(chosen, None)
    if name == "CurrencyIsoCode":
        return item.options[0]
    return None

"""People at work in either CRM, in canonical words; and what the CRM's own audit says of our writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from crmsync.mappings import Mapping as CrmMapping
from crmsync.records import Value
from crmsync.sync.session import load_rules
from tests.sync.conftest import Bench

PRIMARY = "primary"


@dataclass
class People:
    """Sellers and administrators of one CRM. Records are picked by number, as chance wants."""

    bench: Bench
    system: str

    @property
    def crm(self) -> Any:
        return getattr(self.bench.box, self.system)

    @cached_property
    def mapping(self) -> CrmMapping:
        project = self.bench.project
        return load_rules(project, project.connection(self.system))[0]

    def ids(self, kind: str) -> list[str]:
        """Live records of a kind, in order of id."""
        mapped = self.mapping.kind_mappings[kind]
        return sorted(record_id for record_id, fields in self.rows(mapped.object) if mapped.matches(fields))

    def rows(self, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if self.system == "salesforce":
            for row in self.crm.rows(name):
                if not row.get("IsDeleted"):
                    yield row["Id"], row
        else:
            for row in self.crm.rows(name):
                yield row["hs_object_id"], row

    def pick(self, kind: str, number: int) -> str | None:
        ids = self.ids(kind)
        return ids[number % len(ids)] if ids else None

    def value(self, kind: str, record_id: str, field: str) -> Any:
        """What the CRM holds, raw; ``None`` for a record that is gone."""
        target = self.mapping.field(kind, field)
        assert target is not None
        rows = dict(self.rows(target.object))
        return rows[record_id].get(target.remote_field) if record_id in rows else None

    def owners(self) -> list[str]:
        """Users who own deals now."""
        return sorted({owner for deal in self.ids("deal") if (owner := self.value("deal", deal, "owner_id"))})

    # -------------------------------------------------------------- work

    def edit(self, kind: str, record_id: str, field: str, value: Value) -> None:
        target = self.mapping.field(kind, field)
        assert target is not None
        raw = self.mapping.to_remote(kind, field, value)
        blank = "" if self.system == "hubspot" else None
        self.crm.edit(target.object, record_id, {target.remote_field: blank if raw is None else raw})

    def move(self, deal_id: str, account_id: str) -> None:
        """The deal belongs to another company."""
        if self.system == "salesforce":
            self.edit("deal", deal_id, "account_id", account_id)
            return
        for old in self.crm.associated("deals", deal_id, "companies"):
            self.crm.unlink("deals", deal_id, "companies", old)
        self.crm.link("deals", deal_id, "companies", account_id, PRIMARY)

    def meet(self, deal_id: str, contact_id: str) -> None:
        """A person takes part in the deal, or no longer does."""
        if self.system == "hubspot":
            act = self.crm.unlink if contact_id in self.crm.associated("deals", deal_id, "contacts") else self.crm.link
            act("deals", deal_id, "contacts", contact_id)
            return
        where = '"OpportunityId" = ? AND "ContactId" = ? AND "IsDeleted" = 0'
        known = self.crm.rows("OpportunityContactRole", where, (deal_id, contact_id))
        if known:
            self.crm.delete("OpportunityContactRole", known[0]["Id"])
        else:
            self.crm.create("OpportunityContactRole", {"OpportunityId": deal_id, "ContactId": contact_id})

    def register(self, number: str, **values: Value) -> str:
        mapped = self.mapping.kind_mappings["registration"]
        fields = {"number": number, "state": "submitted", "submitted_at": self.bench.now, **values}
        raw = {mapped.fields[name].remote_field: self.mapping.to_remote("registration", name, value)
               for name, value in fields.items() if value is not None}  # fmt: skip
        return str(self.crm.create(mapped.object, {**raw, **({mapped.title: number} if mapped.title else {})}))

    def delete(self, kind: str, record_id: str) -> None:
        name = self.mapping.object_of(kind)
        (self.crm.delete if self.system == "salesforce" else self.crm.archive)(name, record_id)

    def merge(self, kind: str, master: str, loser: str) -> None:
        name = self.mapping.object_of(kind)
        self.crm.merge(name, master, [loser] if self.system == "salesforce" else loser)


# ------------------------------------------------------------------ the audit


@dataclass(frozen=True)
class Written:
    """One field that crmsync wrote, as the CRM's audit has it."""

    object: str
    id: str
    field: str
    old: Any
    new: Any
    is_new_record: bool


def written_by_us(people: People) -> list[Written]:
    entries = people.crm.audit
    if people.system == "salesforce":
        return [Written(e.object, e.id, e.field or "", e.old, e.new, e.op == "create") for e in entries if e.over_http]
    made: dict[tuple[str, str], int] = {}
    for entry in entries:
        made.setdefault((entry.object, entry.id), entry.at_ms)
    ours = [e for e in entries if not e.who.startswith("user:")]
    return [
        Written(e.object, e.id, e.field, e.old, e.new, e.object in ("tasks",) and made[e.object, e.id] == e.at_ms)
        for e in ours
    ]


def assert_nobody_was_overwritten(people: People) -> None:
    """P3 by the audit: we write our own fields only, and what people may fill only while it is blank."""
    mapping = people.mapping
    modes: dict[tuple[str, str], set[str]] = {}
    for kind in mapping.kinds:
        for mapped in mapping.kind_mappings[kind].fields.values():
            modes.setdefault((mapped.object, mapped.remote_field), set()).add(mapped.mode)
    for write in written_by_us(people):
        allowed = modes.get((write.object, write.field), set())
        if not allowed or write.is_new_record:
            continue
        assert allowed != {"read_only"}, f"{write} is not ours to write"
        assert "engine_owned" in allowed or write.old in (None, ""), f"{write} overwrites"


def assert_nothing_is_doubled(people: People) -> None:
    """P4: every task and every registration exists once."""
    mapping = people.mapping
    assert mapping.task is not None
    for name, key in (
        (mapping.task.object, mapping.task.key_field),
        (mapping.object_of("registration"), mapping.key_field("registration")),
    ):
        keys = Counter(row.get(key) for _, row in people.rows(name) if row.get(key))
        assert {k: n for k, n in keys.items() if n > 1} == {}


def fields_of(bench: Bench, system: str) -> dict[tuple[str, str], Any]:
    """What the CRM holds of the fields that crmsync writes, the time of writing left out."""
    people = People(bench, system)
    names: dict[str, set[str]] = {}
    for kind in people.mapping.kinds:
        for mapped in people.mapping.written(kind):
            if mapped.field != "synced_at":
                names.setdefault(mapped.object, set()).add(mapped.remote_field)
    return {
        (name, record_id): {field: fields.get(field) or None for field in sorted(names[name])}
        for name in sorted(names)
        for record_id, fields in people.rows(name)
    }

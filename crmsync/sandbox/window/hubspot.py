"""The HubSpot portal as the window sees it: deals, companies, contacts and registrations as entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from crmsync.sandbox.hubspot.definitions.object_types import COMPANY, CONTACT, DEAL, TASK, ObjectType
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.window.card import build_path
from crmsync.sandbox.window.model import Change, Entry, Item, Person, Ref, Stage, Task
from crmsync.sandbox.window.wording import day, instant, money, number, parse_instant

_TYPES = {
    "deal": "deals",
    "account": "companies",
    "contact": "contacts",
    "partner": "companies",
    "registration": "prm_registration",
}
_PARTNERS = "json_extract(properties, '$.type') IN ('PARTNER', 'RESELLER')"
_NAMES = {"deals": "dealname", "companies": "name", "contacts": "hs_full_name_or_email", "tasks": "hs_task_subject"}
_FACTS: dict[str, dict[str, str]] = {
    "deals": {
        "name": "dealname", "account": "hs_primary_associated_company", "owner": "hubspot_owner_id",
        "stage": "dealstage", "amount": "amount", "currency": "deal_currency_code", "close_date": "closedate",
        "type": "dealtype", "product": "product_family", "lead_source": "prm_lead_source",
        "lost_reason": "closed_lost_reason", "last_activity": "notes_last_updated", "created_at": "createdate",
    },
    "companies": {
        "name": "name", "domain": "domain", "type": "type", "segment": "prm_segment", "country": "country",
        "parent": "hs_parent_company_id", "number": "prm_company_number", "owner": "hubspot_owner_id",
        "created_at": "createdate",
    },
    "contacts": {
        "account": "associatedcompanyid", "title": "jobtitle", "email": "email", "phone": "phone",
        "owner": "hubspot_owner_id", "created_at": "createdate",
    },
    "prm_registration": {"created_at": "hs_createdate"},
}  # fmt: skip
_REFERENCES = {
    "hs_primary_associated_company": "account",
    "associatedcompanyid": "account",
    "hs_parent_company_id": "account",
    "prm_partner_id": "account",
    "prm_original_partner_id": "account",
    "prm_account_id": "account",
    "prm_deal_id": "deal",
}
_FLAGS = ("prm_flags", "prm_partner_flags")
_KIND_OF = {"deals": "deal", "companies": "account", "contacts": "contact", "prm_registration": "registration"}
_LIVE = "type = ? AND archived_ms IS NULL AND merged_into IS NULL"


class HubSpotSource:
    key, title = "hubspot", "HubSpot"
    labels: Mapping[str, str] = {
        "deal": "Deals",
        "account": "Companies",
        "contact": "Contacts",
        "partner": "Partner companies",
        "registration": "Registrations",
    }

    def __init__(self, portal: HubSpotPortal) -> None:
        self._portal = portal

    # ---------------------------------------------------------------- lists

    def count(self, kind: str) -> int:
        target = self._type(kind)
        return self._count(_live(kind), [target.id]) if target else 0

    def page(self, kind: str, query: str, offset: int, limit: int, *, flagged: bool) -> tuple[int, list[Entry]]:
        target = self._type(kind)
        if target is None:
            return 0, []
        where, bound = _live(kind), [target.id]
        if query:
            where += " AND instr(lower_text(json_extract(properties, ?)), ?) > 0"
            bound += [f'$."{_name_property(target)}"', query.lower()]
        if flagged:
            carrying = (f"json_extract(properties, '$.{name}') IS NOT NULL" for name in _FLAGS)
            where += f" AND ({' OR '.join(carrying)})"
        newest = "max(updated_ms, coalesce(settled_ms, 0)) DESC, id"
        paged = f"WHERE {where} ORDER BY {newest} LIMIT {int(limit)} OFFSET {int(offset)}"
        found = self._all(f"SELECT id FROM records {paged}", bound)
        entries = [self.entry(kind, str(row[0])) for row in found]
        return self._count(where, bound), [entry for entry in entries if entry]

    def _count(self, where: str, bound: list[Any]) -> int:
        return int(self._all(f"SELECT count(*) FROM records WHERE {where}", bound)[0][0])

    def _all(self, sql: str, bound: list[Any]) -> list[tuple[Any, ...]]:
        with self._portal.database.transaction():
            return self._portal.database.connection.execute(sql, bound).fetchall()

    def _type(self, kind: str) -> ObjectType | None:
        return self._portal.types.find(_TYPES[kind])

    # ---------------------------------------------------------------- one record

    def entry(self, kind: str, record_id: str) -> Entry | None:
        target = self._type(kind)
        if target is None or not record_id.isdecimal():
            return None
        try:
            values = self._portal.get(target.id, record_id)
        except KeyError:
            return None
        return self._entry(kind, target, values)

    def with_key(self, kind: str, key: str) -> str | None:
        target = self._type(kind)
        if target is None:
            return None
        sql = f"SELECT id FROM records WHERE {_LIVE} AND json_extract(properties, '$.legacy_id') = ? LIMIT 1"
        found = self._all(sql, [target.id, key])
        return str(found[0][0]) if found else None

    def _entry(self, kind: str, target: ObjectType, values: Mapping[str, str]) -> Entry:
        known = _FACTS[_TYPES[kind]]
        facts = {canonical: self._item(target, name, values) for canonical, name in known.items()}
        standard = set(known.values())
        names = [name for name in self._portal.catalog.of(target.id) if name.startswith("prm_")]
        partner = {
            name.removeprefix("prm_"): self._item(target, name, values) for name in names if name not in standard
        }
        if kind == "registration":
            facts["amount"] = Item("Amount", money(values.get("prm_amount", ""), values.get("prm_currency", "")))
        details = tuple(item for canonical, item in facts.items() if canonical not in ("name", "currency"))
        record_id = values["hs_object_id"]
        name = values.get(_name_property(target)) or record_id
        return Entry(kind, record_id, name, values.get("legacy_id", ""), facts, partner, details)

    def _item(self, target: ObjectType, name: str, values: Mapping[str, str | None]) -> Item:
        definition = self._portal.catalog.find(target.id, name) or {"label": name, "type": "string"}
        label, raw = definition["label"], values.get(name) or ""
        if not raw:
            return Item(label, "")
        if name in _REFERENCES:
            ref = Ref(_REFERENCES[name], raw)
            return Item(label.removesuffix(" ID"), self._name_of(ref), raw, ref)
        if name == "hubspot_owner_id":
            return Item("Deal owner" if target.id == DEAL else "Owner", self._owner(raw), raw)
        if name == "dealstage":
            found = self._portal.pipelines.find_stage(DEAL, raw)
            return Item(label, found[1]["label"] if found else raw, raw)
        if name == "amount":
            return Item(label, money(raw, values.get("deal_currency_code") or ""), raw)
        return Item(label, _shown(definition, raw), raw)

    def _name_of(self, ref: Ref) -> str:
        target = self._type(ref.kind)
        if target is None or not ref.id.isdecimal():
            return ref.id
        try:
            return self._portal.get(target.id, ref.id).get(_name_property(target)) or ref.id
        except KeyError:
            return ref.id

    def _owner(self, owner_id: str) -> str:
        return _full_name(self._portal.owners.find(owner_id)) or owner_id

    # ---------------------------------------------------------------- what belongs to a record

    def stages(self, entry: Entry) -> list[Stage]:
        found = self._portal.pipelines.find_stage(DEAL, entry.facts["stage"].raw)
        pipeline = self._portal.pipelines.get(DEAL, found[0] if found else "default")
        opened, closed = [], []
        for stage in sorted(pipeline["stages"], key=lambda stage: stage["displayOrder"]):
            if stage["metadata"]["isClosed"] == "true":
                won = float(stage["metadata"]["probability"]) == 1
                closed.append((stage["id"], stage["label"], won))
            else:
                opened.append((stage["id"], stage["label"]))
        return build_path(opened, closed, entry.facts["stage"].raw)

    def tasks(self, entry: Entry) -> list[Task]:
        about = [entry, *self.registrations(entry)] if entry.kind == "deal" else [entry]
        found: dict[str, Task] = {}
        for one in about:
            for task_id in self._portal.associated(_TYPES[one.kind], one.id, "tasks"):
                found.setdefault(task_id, self._task(task_id, "" if one is entry else one.name))
        return list(found.values())

    def _task(self, task_id: str, about: str) -> Task:
        values = self._portal.get(TASK, task_id)
        return Task(
            values.get("hs_task_subject", ""),
            values.get("hs_body_preview", ""),
            self._owner(values.get("hubspot_owner_id", "")),
            day(values.get("hs_timestamp", "")),
            values.get("hs_task_status", "").replace("_", " ").capitalize(),
            about,
        )

    def people(self, entry: Entry) -> list[Person]:
        return [
            Person(self._name_of(ref := Ref(kind, to_id)), ", ".join(labels), note, ref)
            for kind, type_id, note in (("contact", CONTACT, "Contact"), ("account", COMPANY, "Company"))
            for to_id, labels in self._portal.associated("deals", entry.id, type_id).items()
        ]

    def registrations(self, entry: Entry) -> list[Entry]:
        target = self._type("registration")
        if target is None:
            return []
        account = entry.facts["account"].raw if "account" in entry.facts else entry.id
        numbers = [entry.partner[name].raw for name in ("registration_id", "last_registration_id")
                   if name in entry.partner]  # fmt: skip
        pairs = [("prm_deal_id", entry.id), ("prm_account_id", account or entry.id), ("prm_partner_id", entry.id)]
        pairs += [("prm_number", number_) for number_ in numbers if number_]
        return self._matching("registration", target, pairs)

    def deals(self, entry: Entry) -> list[Entry]:
        pairs = [("hs_primary_associated_company", entry.id), ("prm_partner_id", entry.id)]
        return self._matching("deal", self._portal.types.get(DEAL), pairs)

    def _matching(self, kind: str, target: ObjectType, pairs: list[tuple[str, str]]) -> list[Entry]:
        """Records of which one of these properties has the value."""
        any_of = " OR ".join("json_extract(properties, ?) = ?" for _ in pairs)
        bound = [part for name, value in pairs for part in (f'$."{name}"', value)]
        sql = f"SELECT id FROM records WHERE {_LIVE} AND ({any_of}) ORDER BY id DESC LIMIT 12"
        entries = [self.entry(kind, str(row[0])) for row in self._all(sql, [target.id, *bound])]
        return [entry for entry in entries if entry]

    def changes(self, entry: Entry | None, limit: int) -> list[Change]:
        target = self._type(entry.kind) if entry else None
        where, bound = ("WHERE type = ? AND id = ?", [target.id, int(entry.id)]) if entry and target else ("", [])
        sql = f"SELECT at_ms, who, field, old, new, type, id FROM changes {where} ORDER BY seq DESC LIMIT {int(limit)}"
        return [self._change(*row) for row in self._all(sql, bound)]

    def _change(
        self, at_ms: int, who: str, field: str, old: str | None, new: str | None, type_id: str, record_id: int
    ) -> Change:
        target = self._portal.types.by_id[type_id]
        definition = self._portal.catalog.find(type_id, field)
        label = definition["label"] if definition else field.replace(":", " ")
        shown = [self._item(target, field, {field: value}).text if definition else value or "" for value in (old, new)]
        kind = _KIND_OF.get(target.name)
        ref = Ref(kind, str(record_id)) if kind else None
        moment = parse_instant(str(at_ms))
        assert moment is not None  # noqa: S101 - a stamp of our own
        return Change(moment, self._author(who), label, shown[0], shown[1], ref, self._title(target, record_id))

    def _title(self, target: ObjectType, record_id: int) -> str:
        found = self._all("SELECT properties FROM records WHERE type = ? AND id = ?", [target.id, record_id])
        values = orjson.loads(found[0][0]) if found else {}
        return values.get(_name_property(target)) or str(record_id)

    def _author(self, who: str) -> str:
        kind, _, number_ = who.partition(":")
        if kind == "user":
            return _full_name(self._portal.owners.by_user(number_)) or f"User {number_}"
        return f"App {number_}"


def _live(kind: str) -> str:
    return f"{_LIVE} AND {_PARTNERS}" if kind == "partner" else _LIVE


def _name_property(target: ObjectType) -> str:
    return _NAMES.get(target.name) or target.schema.get("primaryDisplayProperty") or "hs_object_id"


def _full_name(owner: Mapping[str, Any] | None) -> str:
    return f"{owner['firstName']} {owner['lastName']}".strip() if owner else ""


def _shown(definition: Mapping[str, Any], raw: str) -> str:
    kind = definition["type"]
    if kind in ("date", "datetime"):
        return day(raw) if kind == "date" or definition["name"] == "closedate" else instant(raw)
    if kind == "bool":
        return "Yes" if raw == "true" else "No"
    if kind == "enumeration":
        labels = {option["value"]: option["label"] for option in definition.get("options", ())}
        return ", ".join(labels.get(one, one) for one in raw.split(";"))
    return number(raw) if kind == "number" else raw

"""The Salesforce org as the window sees it: opportunities, accounts, contacts and registrations as entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.salesforce.schema import Field, SObject
from crmsync.sandbox.salesforce.store import Row
from crmsync.sandbox.window.card import build_path
from crmsync.sandbox.window.model import Change, Entry, Item, Person, Ref, Stage, Task
from crmsync.sandbox.window.wording import day, instant, money, number, parse_instant

_OBJECTS = {
    "deal": "Opportunity",
    "account": "Account",
    "contact": "Contact",
    "partner": "Account",
    "registration": "PRM_Registration__c",
}
_PARTNERS = "\"Type\" IN ('Channel Partner / Reseller', 'Installation Partner', 'Technology Partner')"
_FLAGS = ("PRM_Flags__c", "PRM_Partner_Flags__c")
_KIND_OF = {"Opportunity": "deal", "Account": "account", "Contact": "contact", "PRM_Registration__c": "registration"}
_FACTS: dict[str, dict[str, str]] = {
    "Opportunity": {
        "name": "Name", "account": "AccountId", "owner": "OwnerId", "stage": "StageName", "amount": "Amount",
        "currency": "CurrencyIsoCode", "close_date": "CloseDate", "probability": "Probability", "type": "Type",
        "product": "Product_Family__c", "lead_source": "LeadSource", "lost_reason": "Loss_Reason__c",
        "last_activity": "LastActivityDate", "created_at": "CreatedDate",
    },
    "Account": {
        "name": "Name", "domain": "Website", "type": "Type", "segment": "Industry", "country": "BillingCountry",
        "parent": "ParentId", "number": "DunsNumber", "owner": "OwnerId", "created_at": "CreatedDate",
    },
    "Contact": {
        "name": "Name", "account": "AccountId", "title": "Title", "email": "Email", "phone": "Phone",
        "owner": "OwnerId", "created_at": "CreatedDate",
    },
    "PRM_Registration__c": {"name": "Name", "owner": "OwnerId", "created_at": "CreatedDate"},
}  # fmt: skip


class SalesforceSource:
    key, title = "salesforce", "Salesforce"
    labels: Mapping[str, str] = {
        "deal": "Opportunities",
        "account": "Accounts",
        "contact": "Contacts",
        "partner": "Partner accounts",
        "registration": "Registrations",
    }

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org

    # ---------------------------------------------------------------- lists

    def count(self, kind: str) -> int:
        target = self._object(kind)
        return self._count(target, _live(kind), []) if target else 0

    def page(self, kind: str, query: str, offset: int, limit: int, *, flagged: bool) -> tuple[int, list[Entry]]:
        target = self._object(kind)
        if target is None:
            return 0, []
        where, bound = _live(kind), list[str]()
        if query:
            where, bound = f"{where} AND \"Name\" LIKE ? ESCAPE '\\'", [_pattern(query)]
        if flagged:
            carrying = [f'"{name}" IS NOT NULL' for name in _FLAGS if target.has(name)]
            where = f"{where} AND ({' OR '.join(carrying) or '0'})"
        paged = f'{where} ORDER BY "SystemModstamp" DESC, "Id" LIMIT {int(limit)} OFFSET {int(offset)}'
        rows = self._org.rows(target.name, paged, bound)
        return self._count(target, where, bound), [self._entry(kind, target, row) for row in rows]

    def _count(self, target: SObject, where: str, bound: Sequence[str]) -> int:
        with self._org.store.lock:
            return int(self._org.store.scalar(f'SELECT COUNT(*) FROM "{target.name}" WHERE {where}', bound))

    def _object(self, kind: str) -> SObject | None:
        return self._org.schema.get(_OBJECTS[kind])

    # ---------------------------------------------------------------- one record

    def entry(self, kind: str, record_id: str) -> Entry | None:
        target = self._object(kind)
        row = self._org.row(target.name, record_id) if target else None
        return self._entry(kind, target, row) if target and row and not row.get("IsDeleted") else None

    def with_key(self, kind: str, key: str) -> str | None:
        target = self._object(kind)
        if target is None or not target.has("Legacy_Id__c"):
            return None
        rows = self._org.rows(target.name, '"Legacy_Id__c" = ? AND "IsDeleted" = 0', (key,))
        return str(rows[0]["Id"]) if rows else None

    def _entry(self, kind: str, target: SObject, row: Row) -> Entry:
        facts = {
            canonical: self._item(target.fields[name.lower()], row)
            for canonical, name in _FACTS[target.name].items()
            if target.has(name)
        }
        partner = {
            _canonical(item): self._item(item, row) for item in target.fields.values() if item.name.startswith("PRM_")
        }
        if kind == "registration":
            facts["amount"] = Item("Amount", money(_text(row.get("PRM_Amount__c")), row.get("PRM_Currency__c") or ""))
        details = [item for canonical, item in facts.items() if canonical not in ("name", "currency")]
        return Entry(
            kind, row["Id"], row["Name"] or row["Id"], row.get("Legacy_Id__c") or "", facts, partner, tuple(details)
        )

    def _item(self, item: Field, row: Row) -> Item:
        value = row.get(item.name)
        label = item.label.removesuffix(" ID") if item.reference_to else item.label
        if value is None:
            return Item(label, "")
        raw = _text(value)
        if item.reference_to:
            return Item(label, self._name_of(raw), raw, self._ref(raw))
        if item.type == "currency":
            return Item(label, money(raw, row.get("CurrencyIsoCode") or ""), raw)
        return Item(label, _shown(item, raw), raw)

    def _ref(self, record_id: str) -> Ref | None:
        target = self._org.schema.of_id(record_id)
        kind = _KIND_OF.get(target.name) if target else None
        return Ref(kind, record_id) if kind else None

    def _name_of(self, record_id: str) -> str:
        target = self._org.schema.of_id(record_id)
        column = target.name_field if target else None
        if target is None or column is None:
            return record_id
        with self._org.store.lock:
            found = self._org.store.scalar(f'SELECT "{column.name}" FROM "{target.name}" WHERE "Id" = ?', (record_id,))
        return str(found or record_id)

    # ---------------------------------------------------------------- what belongs to a record

    def stages(self, entry: Entry) -> list[Stage]:
        rows = self._org.rows("OpportunityStage", '"IsActive" = 1 ORDER BY "SortOrder"')
        current = entry.facts["stage"].raw
        return _path([(row["MasterLabel"], bool(row["IsClosed"]), bool(row["IsWon"])) for row in rows], current)

    def tasks(self, entry: Entry) -> list[Task]:
        about = [entry.id, *(one.id for one in self.registrations(entry))] if entry.kind == "deal" else [entry.id]
        marks = ", ".join("?" * len(about))
        where = f'"WhatId" IN ({marks}) AND "IsDeleted" = 0 ORDER BY "IsClosed", "ActivityDate"'
        return [
            Task(
                row["Subject"] or "",
                row["Description"] or "",
                self._name_of(row["OwnerId"]),
                day(row["ActivityDate"] or ""),
                row["Status"] or "",
                "" if row["WhatId"] == entry.id else self._name_of(row["WhatId"]),
            )
            for row in self._org.rows("Task", where, about)
        ]

    def people(self, entry: Entry) -> list[Person]:
        by_deal = ('"OpportunityId" = ? AND "IsDeleted" = 0', (entry.id,))
        found = [
            self._person(Ref("contact", row["ContactId"]), row["Role"], "Contact role")
            for row in self._org.rows("OpportunityContactRole", *by_deal)
        ]
        return found + [
            self._person(Ref("account", row["AccountToId"]), row["Role"], "Opportunity partner")
            for row in self._org.rows("OpportunityPartner", *by_deal)
        ]

    def _person(self, ref: Ref, role: str | None, note: str) -> Person:
        return Person(self._name_of(ref.id), role or "", note, ref)

    def registrations(self, entry: Entry) -> list[Entry]:
        target = self._object("registration")
        if target is None:
            return []
        numbers = [entry.partner[name].raw for name in ("registration_id", "last_registration_id")
                   if name in entry.partner]  # fmt: skip
        account = entry.facts["account"].raw if "account" in entry.facts else entry.id
        where = (
            '("PRM_Deal__c" = ? OR "PRM_Account__c" = ? OR "PRM_Partner__c" = ? OR "PRM_Number__c" IN (?, ?)) '
            'AND "IsDeleted" = 0 ORDER BY "PRM_Submitted_At__c" DESC LIMIT 12'
        )
        numbers += [""] * (2 - len(numbers))
        rows = self._org.rows(target.name, where, (entry.id, account or entry.id, entry.id, *numbers))
        return [self._entry("registration", target, row) for row in rows]

    def deals(self, entry: Entry) -> list[Entry]:
        target = self._org.schema.require("Opportunity")
        by_partner = ' OR "PRM_Partner__c" = ?2' if target.has("PRM_Partner__c") else ""
        where = f'("AccountId" = ?1{by_partner}) AND "IsDeleted" = 0 ORDER BY "SystemModstamp" DESC LIMIT ?3'
        bound = (entry.id, entry.id, 12)
        return [self._entry("deal", target, row) for row in self._org.rows("Opportunity", where, bound)]

    def changes(self, entry: Entry | None, limit: int) -> list[Change]:
        where = "WHERE object = ? AND id = ?" if entry else ""
        bound = (_OBJECTS[entry.kind], entry.id) if entry else ()
        sql = f"SELECT at, user_id, op, object, id, changes FROM _audit {where} ORDER BY seq DESC LIMIT {int(limit)}"
        with self._org.store.lock:
            rows = self._org.store.all(sql, bound)
        return [change for row in rows for change in self._changes(*row)][:limit]

    def _changes(self, at: str, user_id: str, op: str, sobject: str, record_id: str, changes: str) -> list[Change]:
        moment, target = parse_instant(at), self._org.schema.get(sobject)
        if moment is None or target is None:
            return []
        who, name, ref = self._name_of(user_id), self._name_of(record_id), self._ref(record_id)
        fields: dict[str, list[Any]] = orjson.loads(changes)
        if not fields:
            return [Change(moment, who, f"{op} of the record", "", "", ref, name)]
        return [
            Change(moment, who, self._label(target, one), self._value(target, one, old), self._value(target, one, new),
                   ref, name)
            for one, (old, new) in fields.items()
        ]  # fmt: skip

    def _label(self, target: SObject, name: str) -> str:
        item = target.field(name)
        return item.label if item else name

    def _value(self, target: SObject, name: str, value: Any) -> str:
        item = target.field(name)
        return self._item(item, {name: value}).text if item else _text(value)


def _live(kind: str) -> str:
    return f'"IsDeleted" = 0 AND {_PARTNERS}' if kind == "partner" else '"IsDeleted" = 0'


def _pattern(query: str) -> str:
    escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _canonical(item: Field) -> str:
    name = item.name.removeprefix("PRM_").removesuffix("__c").lower()
    return f"{name}_id" if item.reference_to else name


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _shown(item: Field, raw: str) -> str:
    if item.type == "boolean":
        return "Yes" if raw == "1" else "No"
    if item.type in ("date", "datetime"):
        return day(raw) if item.type == "date" else instant(raw)
    if item.type == "percent":
        return f"{number(raw)} %"
    if item.type in ("picklist", "multipicklist"):
        labels = {option["value"]: option["label"] for option in item.describe["picklistValues"]}
        return ", ".join(labels.get(one, one) for one in raw.split(";"))
    return number(raw) if item.type in ("double", "int") else raw


def _path(stages: list[tuple[str, bool, bool]], current: str) -> list[Stage]:
    return build_path(
        [(label, label) for label, closed, _ in stages if not closed],
        [(label, label, won) for label, closed, won in stages if closed],
        current,
    )

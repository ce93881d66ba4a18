"""What an admin lays down about records: duplicate rules and validation rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg
    from crmsync.sandbox.salesforce.records import Actor, Draft

_SETTING = "duplicate_rules"
ALERT, BLOCK = "alert", "block"
MESSAGE = "You're creating a duplicate record. We recommend you use an existing record instead."


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """Records alike in all of ``fields`` are duplicates. ``alert`` can be overridden by a header, ``block`` cannot."""

    name: str
    object: str
    fields: Sequence[str]
    action: str = ALERT
    message: str = MESSAGE
    matching_rule: str = ""
    on_update: bool = False


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """``refuses`` sees the record as it would be saved, by field name."""

    object: str
    refuses: Callable[[Mapping[str, Any]], bool]
    message: str
    field: str | None = None


class DuplicatesDetected(SalesforceError):
    """Single records get the whole result under the vendor's misspelt key (recorded); collections the plain error."""

    def __init__(self, rule: DuplicateRule, matches: Sequence[Mapping[str, Any]], base: str) -> None:
        super().__init__("DUPLICATES_DETECTED", rule.message, fields=[])
        self.rule, self.matches, self.base = rule, matches, base

    def body(self) -> list[dict[str, Any]]:
        rule = self.rule
        result = {
            "allowSave": rule.action == ALERT,
            "duplicateRule": rule.name,
            "duplicateRuleEntityType": rule.object,
            "errorMessage": rule.message,
            "matchResults": [
                {
                    "entityType": rule.object,
                    "errors": [],
                    "matchEngine": "ExactMatchEngine",
                    "matchRecords": [self._match(record) for record in self.matches],
                    "rule": rule.matching_rule or f"{rule.object}_MR",
                    "size": len(self.matches),
                    "success": True,
                }
            ],
        }
        return [{"duplicateResut": result, "errorCode": self.code, "message": self.message}]

    def _match(self, record: Mapping[str, Any]) -> dict[str, Any]:
        url = f"{self.base}/sobjects/{self.rule.object}/{record['Id']}"
        shown = {"attributes": {"type": self.rule.object, "url": url}, **record}
        return {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100, "record": shown}


@dataclass(slots=True)
class Rules:
    """The org's rules. Duplicate rules are kept in its database, validation rules as long as the process lives."""

    org: SalesforceOrg
    validations: list[ValidationRule] = field(default_factory=list)

    def add_duplicate_rule(self, rule: DuplicateRule) -> None:
        sobject = self.org.schema.require(rule.object)
        for name in rule.fields:
            if not sobject.has(name):
                raise KeyError(f"{rule.object} has no field {name}")
        kept = [one for one in self._kept() if one["name"] != rule.name]
        with self.org.store.transaction():
            self.org.store.save_setting(_SETTING, [*kept, asdict(rule)])

    def drop_duplicate_rules(self) -> None:
        with self.org.store.transaction():
            self.org.store.save_setting(_SETTING, [])

    def _kept(self) -> list[dict[str, Any]]:
        return self.org.store.setting(_SETTING) or []

    def check(self, actor: Actor, draft: Draft) -> None:
        """In the platform's order: validation first, duplicates after."""
        name = draft.sobject.name
        for rule in self.validations:
            if rule.object == name and rule.refuses({**(draft.old or {}), **draft.values}):
                fields = [rule.field] if rule.field else []
                raise SalesforceError("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields=fields)
        for kept in self._kept():
            duplicates = DuplicateRule(**kept)
            if duplicates.object == name and (draft.is_new or duplicates.on_update):
                self._check_duplicates(actor, draft, duplicates)

    def _check_duplicates(self, actor: Actor, draft: Draft, rule: DuplicateRule) -> None:
        wanted = [draft.get(name) for name in rule.fields]
        if any(value is None for value in wanted) or (rule.action == ALERT and actor.saves_duplicates):
            return
        alike = " AND ".join(f"{quote(name)} = ?" for name in rule.fields)
        live = ' AND "IsDeleted" = 0' if draft.sobject.has("IsDeleted") else ""
        rows = self.org.store.select(draft.sobject, f'{alike} AND "Id" <> ?{live}', [*wanted, draft.get("Id") or ""])
        if rows:
            shown = ("Id", *rule.fields) if actor.wants_duplicate_details else ("Id",)
            raise DuplicatesDetected(rule, [{name: row[name] for name in shown} for row in rows[:100]], actor.base)

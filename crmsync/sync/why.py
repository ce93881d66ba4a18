"""Why: what was decided for a record, by which rule, from which evidence, and what was written when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from crmsync.diagnostics import did_you_mean
from crmsync.errors import UsageError
from crmsync.mappings import Mapping as CrmMapping
from crmsync.records import KINDS, Record, kind_of
from crmsync.store import DecisionRow, FindingRow, HistoryRow, Store
from crmsync.sync.diff import label_of

ASKABLE = ("deal", "registration", "account", "contact", "partner")
"""Kinds that carry decisions, in the order in which a bare id or name is looked for."""

MOST_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class FieldStory:
    """One field: what it should be, why, and every write of ours that touched it (newest first)."""

    field: str
    remote_field: str
    value: Any
    reason: str
    code: str
    rule: str
    where: str
    trace: list[str]
    evidence: list[str]
    decided_at: datetime | None
    history: list[HistoryRow]


@dataclass(frozen=True, slots=True)
class Explanation:
    kind: str
    id: str
    label: str
    fields: list[FieldStory]
    findings: list[FindingRow]


@dataclass(frozen=True, slots=True)
class _Match:
    kind: str
    id: str
    label: str


def explain(store: Store, mapping: CrmMapping, record: str, field_name: str | None = None) -> Explanation:
    """The story of one record, or of one of its fields.

    :param record: ``kind:id``, an id, a registration number, or part of a name.
    :param field_name: canonical (``protection_end``) or the CRM's own (``PRM_Protection_End__c``).
    :raises UsageError: when no record, several records, or no such field is found.
    """
    match = _find(store, mapping, record)
    rows = store.decision(match.kind, match.id)
    if field_name is not None:
        rows = [_pick(mapping, match, rows, field_name)]
    return Explanation(
        kind=match.kind,
        id=match.id,
        label=match.label,
        fields=[_story(store, mapping, row) for row in rows],
        findings=store.findings(kind=match.kind, id=match.id),
    )


def _story(store: Store, mapping: CrmMapping, row: DecisionRow) -> FieldStory:
    target = mapping.field(row.kind, row.field)
    return FieldStory(
        field=row.field,
        remote_field=target.remote_field if target else "",
        value=orjson.loads(row.value),
        reason=row.reason,
        code=row.code,
        rule=row.rule,
        where=row.where,
        trace=row.trace,
        evidence=row.evidence,
        decided_at=row.decided_at,
        history=store.history(mapping.object_of(row.kind), row.id, row.field),
    )


def _pick(mapping: CrmMapping, match: _Match, rows: list[DecisionRow], name: str) -> DecisionRow:
    names: dict[str, DecisionRow] = {}
    for row in rows:
        names[row.field] = row
        target = mapping.field(row.kind, row.field)
        if target:
            names[target.remote_field] = row
    if name not in names:
        hint = did_you_mean(name, names) or f"fields with a story: {', '.join(sorted(row.field for row in rows))}"
        raise UsageError(f"nothing was decided about '{name}' of {match.kind} '{match.label}'", hint=hint)
    return names[name]


# ------------------------------------------------------------------ finding the record


def _find(store: Store, mapping: CrmMapping, text: str) -> _Match:
    kind, _, rest = text.partition(":")
    kinds = (kind,) if rest and kind in KINDS else ASKABLE
    wanted = rest.strip() if rest and kind in KINDS else text.strip()
    usable = [k for k in kinds if k in mapping.kinds]
    matches = list(_by_id(store, mapping, usable, wanted)) or list(_by_name(store, mapping, usable, wanted))
    if not matches:
        raise UsageError(
            f"no record '{text}' in the mirror", hint="give an id, a registration number or part of a name"
        )
    exact = [match for match in matches if match.label.lower() == wanted.lower()]
    if len(exact or matches) > 1:
        shown = ", ".join(f"{m.kind}:{m.id} ({m.label})" for m in (exact or matches)[:MOST_CANDIDATES])
        raise UsageError(f"'{text}' fits {len(exact or matches)} records", hint=f"say which: {shown}")
    return (exact or matches)[0]


def _by_id(store: Store, mapping: CrmMapping, kinds: Iterable[str], wanted: str) -> Iterator[_Match]:
    for kind in kinds:
        name = mapping.object_of(kind)
        row = store.row(name, store.resolve(name, wanted))
        if row is None:
            continue
        decided = [r for r in mapping.read(name, row).records if kind_of(r) == kind and store.decision(kind, r.id)]
        if decided:
            yield _match(decided[0])
            return


def _by_name(store: Store, mapping: CrmMapping, kinds: Iterable[str], wanted: str) -> Iterator[_Match]:
    needle = wanted.lower()
    for kind in kinds:
        name = mapping.object_of(kind)
        for row in store.rows(name):
            for record in mapping.read(name, row).records:
                if kind_of(record) == kind and needle in label_of(record).lower():
                    yield _match(record)


def _match(record: Record) -> _Match:
    return _Match(kind_of(record), record.id, label_of(record))

"""Why: what was decided for a record, by which rule, from which evidence, and what was written when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from crmsync.diagnostics import did_you_mean
from crmsync.errors import UsageError
from crmsync.mappings import Mapping as CrmMapping
from crmsync.records import KINDS, Record, kind_of
from crmsync.remote import RemoteRecord
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
    as_of: datetime | None = None
    deleted: bool = False
    """Gone from the CRM: nothing is decided about it any more, what was written is still told."""
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class _Match:
    kind: str
    id: str
    label: str
    row: RemoteRecord


@dataclass(slots=True)
class _Found:
    """What a word fits: how many records, and the first few."""

    word: str
    count: int = 0
    some: list[_Match] = field(default_factory=list)
    exact: list[_Match] = field(default_factory=list)

    def add(self, match: _Match) -> None:
        self.count += 1
        if len(self.some) < MOST_CANDIDATES:
            self.some.append(match)
        if match.label.lower() == self.word.lower() and len(self.exact) <= MOST_CANDIDATES:
            self.exact.append(match)


def explain(
    store: Store, mapping: CrmMapping, record: str, field_name: str | None = None, *, at: datetime | None = None
) -> Explanation:
    """The story of one record, or of one of its fields.

    :param record: ``kind:id``, an id, a registration number, or part of a name.
    :param field_name: canonical (``protection_end``) or the CRM's own (``PRM_Protection_End__c``).
    :param at: as it was known then; ``None``: now.
    :raises UsageError: when no record, several records, or no such field is found.
    """
    match = _find(store, mapping, record)
    if at is not None:
        return _as_of(store, mapping, match, field_name, at)
    rows = store.decision(match.kind, match.id)
    stories = [_story(store, mapping, row) for row in rows]
    if match.row.deleted:
        stories = list(_past(store, mapping, match))
    return _explanation(match, stories, field_name, store.findings(kind=match.kind, id=match.id))


def _as_of(store: Store, mapping: CrmMapping, match: _Match, field_name: str | None, at: datetime) -> Explanation:
    """The decision, findings and writes up to an instant. Whether the record still exists is told as of now."""
    stories = [_until(_story(store, mapping, row), at) for row in store.decision_at(match.kind, match.id, at)]
    if not stories:
        stories = [s for past in _past(store, mapping, match) if (s := _until(past, at)).history]
    return _explanation(match, stories, field_name, store.findings_at(match.kind, match.id, at), as_of=at)


def _explanation(
    match: _Match,
    stories: list[FieldStory],
    field_name: str | None,
    findings: list[FindingRow],
    *,
    as_of: datetime | None = None,
) -> Explanation:
    """The story of the record, or of the one field that was asked for."""
    return Explanation(
        kind=match.kind,
        id=match.id,
        label=match.label,
        fields=stories if field_name is None else [_pick(match, stories, field_name)],
        findings=findings,
        deleted=match.row.deleted,
        merged_into=match.row.merged_into,
        as_of=as_of,
    )


def _until(story: FieldStory, at: datetime) -> FieldStory:
    return replace(story, history=[row for row in story.history if row.at is not None and row.at <= at])


def _past(store: Store, mapping: CrmMapping, match: _Match) -> Iterator[FieldStory]:
    """The writes to a record that is no more, by field, each with its latest reason."""
    writes: dict[str, list[HistoryRow]] = {}
    for write in store.history(mapping.object_of(match.kind), match.id):
        writes.setdefault(write.field, []).append(write)
    for name in sorted(writes):
        last = writes[name][0]
        yield FieldStory(
            field=name,
            remote_field=last.remote_field,
            value=last.new,
            reason=last.reason,
            code="",
            rule=last.rule,
            where=last.where,
            trace=[],
            evidence=[],
            decided_at=last.at,
            history=writes[name],
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


def _pick(match: _Match, stories: list[FieldStory], name: str) -> FieldStory:
    names = {story.remote_field: story for story in stories if story.remote_field}
    names |= {story.field: story for story in stories}
    if name in names:
        return names[name]
    known = ", ".join(sorted(story.field for story in stories)) or "none"
    hint = did_you_mean(name, names) or f"fields with a story: {known}"
    raise UsageError(f"nothing was decided about '{name}' of {match.kind} '{match.label}'", hint=hint)


# ------------------------------------------------------------------ finding the record


def _find(store: Store, mapping: CrmMapping, text: str) -> _Match:
    kind, _, rest = text.partition(":")
    named = bool(rest.strip()) and kind in KINDS
    wanted = (rest if named else text).strip()
    if not wanted:
        raise UsageError("no record was named", hint=_HINT)
    usable = [k for k in ((kind,) if named else ASKABLE) if k in mapping.kinds]
    by_id = _by_id(store, mapping, usable, wanted)
    if by_id is not None:
        return by_id
    found = _by_name(store, mapping, usable, wanted)
    return _only_one(text, found, did_you_mean(kind, KINDS) if rest and not named else "")


_HINT = "give an id, a registration number or part of a name"


def _only_one(text: str, found: _Found, near_kind: str) -> _Match:
    if not found.count:
        raise UsageError(f"no record '{text}' in the mirror", hint=near_kind or _HINT)
    if len(found.exact) == 1:
        return found.exact[0]
    if found.count == 1:
        return found.some[0]
    count, some = (len(found.exact), found.exact[:MOST_CANDIDATES]) if found.exact else (found.count, found.some)
    shown = ", ".join(f"{m.kind}:{m.id} ({m.label})" for m in some)
    raise UsageError(f"'{text}' fits {count} records", hint=f"say which: {shown}")


def _by_id(store: Store, mapping: CrmMapping, kinds: Iterable[str], wanted: str) -> _Match | None:
    """The record with this id, as the first of the kinds in which something is known of it."""
    for kind in kinds:
        name = mapping.object_of(kind)
        row = store.row(name, wanted) or store.row(name, store.resolve(name, wanted))
        for record in _records(mapping, kind, row):
            is_known = store.decision(kind, record.id) or (row and row.deleted and store.history(name, record.id))
            if row and row.merged_into and not is_known:
                return _by_id(store, mapping, (kind,), store.resolve(name, wanted))
            if row and is_known:
                return _match(record, row)
    return None


def _by_name(store: Store, mapping: CrmMapping, kinds: Iterable[str], wanted: str) -> _Found:
    """Records whose name or number contains the word; deleted ones only by their whole number or name."""
    found, needle = _Found(wanted), wanted.lower()
    for kind in kinds:
        for row in store.rows(mapping.object_of(kind), include_deleted=True):
            for record in _records(mapping, kind, row):
                label = label_of(record).lower()
                if label == needle if row.deleted else needle in label:
                    found.add(_match(record, row))
    return found


def _records(mapping: CrmMapping, kind: str, row: RemoteRecord | None) -> Iterator[Record]:
    if row is not None:
        read = mapping.read(mapping.object_of(kind), replace(row, deleted=False))
        yield from (record for record in read.records if kind_of(record) == kind)


def _match(record: Record, row: RemoteRecord) -> _Match:
    return _Match(kind_of(record), record.id, label_of(record), row)

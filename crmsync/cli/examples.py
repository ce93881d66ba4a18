"""Which records the demo explains: the same ones in both CRMs, since they are picked by name and not by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from crmsync.store import DecisionRow, Store

if TYPE_CHECKING:
    from crmsync.mappings import Mapping


@dataclass(frozen=True, slots=True)
class Example:
    question: str
    record: str
    """``kind:id``, as ``why`` takes it."""
    field: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    question: str
    kind: str
    field: str
    rank: Callable[[object], int | None]
    """How good an example a value is, 0 the best; ``None``: none."""


def _one_of(*values: str) -> Callable[[object], int | None]:
    return lambda value: values.index(value) if value in values else None


_WANTED = (
    _Wanted("who brought this deal?", "deal", "attribution", _one_of("sourced")),
    _Wanted("who else claims it?", "registration", "conflict_status", _one_of("confirmed", "suspected")),
    _Wanted("until when is it protected?", "deal", "protection_end", lambda value: None if value is None else 0),
)


def pick_examples(store: Store, mapping: Mapping) -> list[Example]:
    """One record for each question, never the same twice; a question that nothing fits is left out."""
    taken: set[str] = set()
    examples = []
    for wanted in _WANTED:
        candidates = sorted(_candidates(store, mapping, wanted))
        fresh = [(label, record) for label, record in candidates if record not in taken]
        if fresh:
            taken.add(fresh[0][1])
            examples.append(Example(wanted.question, fresh[0][1], wanted.field))
    return examples


def _candidates(store: Store, mapping: Mapping, wanted: _Wanted) -> Iterator[tuple[str, str]]:
    """Fitting records with what sorts them: those with a reason worth reading first, then by name."""
    object_name = mapping.object_of(wanted.kind)
    for decision in store.decided(wanted.kind, wanted.field):
        rank = wanted.rank(orjson.loads(decision.value))
        if rank is None:
            continue
        written = store.history(object_name, decision.id, wanted.field)
        row = store.row(object_name, decision.id)
        name_field = mapping.field(wanted.kind, "name") or mapping.field(wanted.kind, "number")
        label = str(row.fields.get(name_field.remote_field)) if row and name_field else decision.id
        yield f"{not written:d}{not _is_told(decision):d}{rank}{label}", f"{wanted.kind}:{decision.id}"


def _is_told(decision: DecisionRow) -> bool:
    return bool(decision.trace or decision.evidence)

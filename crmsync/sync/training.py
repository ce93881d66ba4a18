"""Answers as teachers: the pairs that people judged, scored, and the model fitted to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

from crmsync.identity.keys import blocking_keys
from crmsync.identity.learn import refit
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared
from crmsync.identity.train import Pattern, pattern_of, train_on_patterns, usual_in
from crmsync.likeness import frequency_in, model_kind
from crmsync.store import Store
from crmsync.sync.answers import other_kind
from crmsync.sync.identity import BLOCK_CAP, CANDIDATE_CAP, load_answers
from crmsync.sync.session import Session

SAMPLE = 10_000
"""Records whose candidates are compared to learn without answers."""
FEWEST_PAIRS = 500

Label: TypeAlias = Literal["duplicate", "related", "different"]
Judged: TypeAlias = tuple[str, Prepared, Prepared, Label]
"""Kind, both records, answer."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What became of one kind. ``file`` is blank where there was too little to learn from."""

    kind: str
    answers: int
    text: str
    file: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "answers": self.answers, "file": self.file, "text": self.text}


def judged_pairs(session: Session) -> Iterator[Judged]:
    """Every pair with an answer whose records are both known: kind, records, answer. A skipped pair teaches nothing."""
    for (kind, one, other), line in sorted(load_answers(session).by_pair.items()):
        first = session.store.prepared_body(kind, one)
        second = session.store.prepared_body(other_kind(kind), other)
        if line.answer != "skip" and first is not None and second is not None:
            yield kind, Prepared.from_json(first), Prepared.from_json(second), line.answer


def scored_answers(session: Session) -> dict[str, list[tuple[float, bool]]]:
    """By kind: the probability that the model gives each judged pair, and whether it is the same."""
    scorers = {kind: session.matchmaker.scorer(kind, session.store.frequency) for kind in ("account", "contact")}
    found: dict[str, list[tuple[float, bool]]] = {"account": [], "contact": [], "registration": []}
    for kind, one, other, answer in judged_pairs(session):
        score = scorers[model_kind(kind)].score(one, other)
        found[kind].append((score.p_duplicate, answer == "duplicate"))
    return found


def train(session: Session, *, fewest: int, from_records: bool = False) -> list[Trained]:
    """Fit the models of accounts and contacts; what was learned is kept in ``identity/`` of the project.

    :param from_records: learn first from what the records show, without any answer, then from the answers.
    """
    by_kind: dict[str, list[Judged]] = {"account": [], "contact": []}
    for pair in judged_pairs(session):
        by_kind[model_kind(pair[0])].append(pair)
    return [_train(session, kind, pairs, fewest, from_records) for kind, pairs in by_kind.items()]


def _train(session: Session, kind: str, pairs: list[Judged], fewest: int, from_records: bool) -> Trained:
    model, from_pairs = session.matchmaker.models[kind], 0
    if from_records:
        model, from_pairs = learn_from_records(session.store, kind, model)
    told = len(pairs) >= fewest
    if told:
        frequency = frequency_in(kind, session.store.frequency)
        model = refit(model, [(one, other, answer) for _, one, other, answer in pairs], frequency)
    if not told and not from_pairs:
        seen = ", and too few records to learn from" if from_records else ""
        text = f"{kind}: {len(pairs)} answers, at least {fewest} are needed{seen}; nothing was changed"
        return Trained(kind, len(pairs), text)
    path = Path("identity") / f"{kind}.json"
    target = session.project.directory / path
    target.parent.mkdir(exist_ok=True)
    target.write_text(model.dumps(), encoding="utf-8")
    sources = [f"{from_pairs:,} pairs of records"] * bool(from_pairs) + [f"{len(pairs)} answers"] * told
    return Trained(kind, len(pairs), f"{kind}: learned from {' and '.join(sources)}, kept in {path}", str(path))


def learn_from_records(store: Store, kind: str, base: Model) -> tuple[Model, int]:
    """A model fitted to a sample of the index, and the number of pairs that it was fitted to.

    Records are taken at even distances; each is compared with all that share a key with it. Fewer than
    :data:`FEWEST_PAIRS` teach nothing: the base is given back with 0.
    """
    step = max(1, sum(1 for _ in store.prepared_ids(kind)) // SAMPLE)
    ids = islice(store.prepared_ids(kind), 0, None, step)
    sample = [Prepared.from_json(store.prepared_body(kind, record_id) or "") for record_id in ids]
    patterns: Counter[Pattern] = Counter()
    for one in sample:
        near = store.candidates(kind, blocking_keys(one), block_cap=BLOCK_CAP, cap=CANDIDATE_CAP)
        others = (Prepared.from_json(body) for other, body in near.ids.items() if other != one.id)
        patterns.update(pattern_of(one, other) for other in others)
    if patterns.total() < FEWEST_PAIRS:
        return base, 0
    return train_on_patterns(patterns, base, usual_in(sample, frequency_in(kind, store.frequency))), patterns.total()

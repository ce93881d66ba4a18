"""Answers as teachers: the pairs that people judged, scored, and the model fitted to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from crmsync.identity.learn import refit
from crmsync.identity.records import Prepared
from crmsync.likeness import model_kind
from crmsync.sync.answers import other_kind
from crmsync.sync.identity import load_answers
from crmsync.sync.session import Session

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


def train(session: Session, *, fewest: int) -> list[Trained]:
    """Fit the models of accounts and contacts; what was learned is kept in ``identity/`` of the project."""
    by_kind: dict[str, list[Judged]] = {"account": [], "contact": []}
    for pair in judged_pairs(session):
        by_kind[model_kind(pair[0])].append(pair)
    return [_train(session, kind, pairs, fewest) for kind, pairs in by_kind.items()]


def _train(session: Session, kind: str, pairs: list[Judged], fewest: int) -> Trained:
    if len(pairs) < fewest:
        text = f"{kind}: {len(pairs)} answers, at least {fewest} are needed; nothing was changed"
        return Trained(kind, len(pairs), text)
    model = refit(session.matchmaker.models[kind], [(one, other, answer) for _, one, other, answer in pairs])
    path = Path("identity") / f"{kind}.json"
    target = session.project.directory / path
    target.parent.mkdir(exist_ok=True)
    target.write_text(model.dumps(), encoding="utf-8")
    return Trained(kind, len(pairs), f"{kind}: learned from {len(pairs)} answers, kept in {path}", str(path))

"""Who is alike: keeps the blocking index and the scored pairs up to date with the records that changed.

A stored pair changes only when one of its records changes, when a person answers, or when the model changes; what
else happens in the CRM (how common a name has become) leaves it alone. So an incremental run and a full one hold the
same pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmsync.identity.keys import blocking_keys, terms
from crmsync.identity.records import Prepared as Compared
from crmsync.identity.score import Score, Scorer
from crmsync.likeness import COMPARED_WITH, KINDS, is_worth_keeping, model_kind, sentences
from crmsync.records import Record
from crmsync.rules import Likeness
from crmsync.store.blocks import Prepared
from crmsync.store.likenesses import AnswerRow, LikenessRow
from crmsync.sync.answers import FILE, Answers, Pair, load_lines, other_kind
from crmsync.sync.report import Matching
from crmsync.sync.session import Session

Subject = tuple[str, str]

BLOCK_CAP = 200
"""A key that more records have tells nothing."""
CANDIDATE_CAP = 300
PAIR_CAP = 20
"""Pairs that one record may bring about, the likeliest first."""
CHUNK = 5_000
BULK = 200_000
"""Records in memory, and records whose keys are sorted at once, while a whole base is indexed."""


class Index:
    """Follows the records of one run. ``note`` each one that was read again, then ``settle``."""

    def __init__(self, session: Session, answers: Answers) -> None:
        store, matchmaker = session.store, session.matchmaker
        self._store = store
        self._matchmaker = matchmaker
        self._policy = session.policy
        self._answers = answers
        self._progress = session.progress
        self._changed: dict[Subject, None] = {}
        self._gone: set[Subject] = set()
        self._fresh: list[Prepared] = []
        self._bulk = False
        self._in_bulk = 0
        self._is_empty = not store.has_prepared()
        self._scorers = {kind: matchmaker.scorer(kind, store.frequency) for kind in ("account", "contact")}
        self._fingerprints = {kind: model.fingerprint for kind, model in matchmaker.models.items()}
        self.report = Matching()
        self._hot: set[tuple[str, str]] = set()

    # ------------------------------------------------------------------ index

    def note(self, subject: Subject, record: Record | None) -> None:
        """A record was read again; ``None``: it is no more, or no longer of this kind."""
        if subject[0] not in KINDS:
            return
        if self._is_empty:
            if record is not None and subject not in self._changed:
                self._add(subject, record)
            return
        known = self._store.prepared_body(*subject)
        compared = None if record is None else self._matchmaker.prepare(record, self._policy)
        if compared is not None and compared.to_json() == known:
            return
        former = None if known is None else self._row(subject, Compared.from_json(known))
        if compared is None:
            self._drop(subject, former)
            return
        self._store.save_prepared(self._row(subject, compared), former)
        self._changed[subject] = None

    def _add(self, subject: Subject, record: Record) -> None:
        self._fresh.append(self._row(subject, self._matchmaker.prepare(record, self._policy)))
        self._changed[subject] = None
        if len(self._fresh) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        if not self._bulk:
            self._store.begin_bulk()
            self._bulk = True
        self._store.add_bulk(self._fresh)
        self._in_bulk += len(self._fresh)
        self._fresh.clear()
        if self._in_bulk >= BULK:
            self._end_bulk()

    def _end_bulk(self) -> None:
        self._store.end_bulk()
        self._bulk, self._in_bulk = False, 0

    def _drop(self, subject: Subject, former: Prepared | None) -> None:
        if former is not None:
            self._store.drop_prepared(former)
            self._gone.add(subject)

    def _row(self, subject: Subject, compared: Compared) -> Prepared:
        return Prepared(*subject, compared.to_json(), tuple(blocking_keys(compared)), tuple(terms(compared)))

    def build(self) -> None:
        """Finish the index of a base that is seen for the first time, so that it can be searched."""
        if self._fresh:
            self._flush()
        if self._bulk:
            self._end_bulk()
        self._is_empty = False

    # ------------------------------------------------------------------ pairs

    def settle(self, *, everything: bool = False) -> set[Subject]:
        """Score what changed against what may be the same; the records whose pairs are not what they were."""
        self.build()
        touched: set[Subject] = set()
        for subject in sorted(self._gone):
            touched |= self._save(subject, {})
        if everything:
            self._changed = dict.fromkeys((kind, i) for kind in KINDS for i in self._store.prepared_ids(kind))
        for kind, one, other in self._answered():
            self._changed[kind, one] = None
            touched |= {(kind, one), (other_kind(kind), other)}
        for done, subject in enumerate(sorted(self._changed)):
            touched |= self._score(subject)
            if done % 500 == 0:
                self._progress.step("compare", done, len(self._changed))
        self.report.indexed = len(self._changed)
        self.report.alike = len(touched)
        self.report.shared_keys = len(self._hot)
        return touched

    def _answered(self) -> Iterable[Pair]:
        """The pairs about which people say something else than at the last run."""
        said = self._answers.words()
        known = self._store.answers()
        if said == known:
            return ()
        self._store.save_answers(AnswerRow(*pair, answer) for pair, answer in sorted(said.items()))
        return sorted(pair for pair in said.keys() | known.keys() if said.get(pair) != known.get(pair))

    def _score(self, subject: Subject) -> set[Subject]:
        kind, record_id = subject
        body = self._store.prepared_body(kind, record_id)
        if body is None:
            return self._save(subject, {})
        own = Compared.from_json(body)
        scorer = self._scorers[model_kind(kind)]
        found: dict[Subject, LikenessRow] = {}
        for other, other_body in self._candidates(subject, own).items():
            if other != subject:
                self._compare(subject, own, other, Compared.from_json(other_body), scorer, found)
        return self._save(subject, _likeliest(found, self._answers))

    def _compare(
        self,
        subject: Subject,
        own: Compared,
        other: Subject,
        theirs: Compared,
        scorer: Scorer,
        found: dict[Subject, LikenessRow],
    ) -> None:
        first, second = ordered(subject, other)
        pair = (own, theirs) if first == subject else (theirs, own)
        score = scorer.score(*pair)
        self.report.compared += 1
        if is_worth_keeping(score) or self._answers.get(first[0], first[1], second[1]):
            found[other] = likeness_row(first, second, score, self._fingerprints[model_kind(first[0])])

    def _candidates(self, subject: Subject, own: Compared) -> dict[Subject, str]:
        """By a shared key, by a pair that is stored already, or because a person has answered."""
        kind, record_id = subject
        found: dict[Subject, str] = {}
        keys = blocking_keys(own)
        for near_kind in COMPARED_WITH[kind]:
            telling = [key for key in keys if (near_kind, key) not in self._hot]
            near = self._store.candidates(near_kind, telling, block_cap=BLOCK_CAP, cap=CANDIDATE_CAP)
            self._hot.update((near_kind, key) for key in near.hot)
            self.report.left_out += near.dropped
            found.update(((near_kind, i), body) for i, body in near.ids.items())
        kept = {row.partner_of(kind, record_id) for row in self._store.likenesses_of(kind, record_id)}
        for other in sorted((kept | self._answers.about(kind, record_id)) - found.keys()):
            if (body := self._store.prepared_body(*other)) is not None:
                found[other] = body
        return found

    def _save(self, subject: Subject, found: Mapping[Subject, LikenessRow]) -> set[Subject]:
        """Make these the pairs of a record; it and the others, where anything is new."""
        kind, record_id = subject
        known = {row.partner_of(kind, record_id): row for row in self._store.likenesses_of(kind, record_id)}
        gone = [row for other, row in known.items() if other not in found]
        new = [row for other, row in found.items() if known.get(other) != row]
        if not gone and not new:
            return set()
        self._store.save_likenesses(gone, new)
        moved = {known_or_found.partner_of(kind, record_id) for known_or_found in (*gone, *new)}
        return {subject, *moved}


class Unchanged(Index):
    """For those who only look: the stored pairs hold, whatever is read."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Answers())

    def note(self, subject: Subject, record: Record | None) -> None: ...

    def settle(self, *, everything: bool = False) -> set[Subject]:
        del everything
        return set()


def ordered(one: Subject, other: Subject) -> tuple[Subject, Subject]:
    """The way round in which a pair is kept: a registration before the account, else the smaller id."""
    if one[0] != other[0]:
        return (one, other) if one[0] == "registration" else (other, one)
    return (one, other) if one < other else (other, one)


def likeness_row(first: Subject, second: Subject, score: Score, fingerprint: str) -> LikenessRow:
    """A scored pair as it is stored; rounded, so that the last bit of a float never makes a change."""
    return LikenessRow(
        kind=first[0],
        one=first[1],
        other_kind=second[0],
        other=second[1],
        verdict=score.verdict,
        p_duplicate=round(score.p_duplicate, 9),
        p_related=round(score.p_related, 9),
        weight=round(score.weight, 6),
        evidence=tuple((e.field, e.level, round(e.weight, 3), e.text) for e in score.evidence),
        model=fingerprint,
    )


def _likeliest(found: Mapping[Subject, LikenessRow], answers: Answers) -> dict[Subject, LikenessRow]:
    """At most :data:`PAIR_CAP`, those that people spoke about before all others."""
    ranked = sorted(
        found.items(),
        key=lambda item: (
            answers.get(item[1].kind, item[1].one, item[1].other) is None,
            -max(item[1].p_duplicate, item[1].p_related),
            item[0],
        ),
    )
    return dict(ranked[:PAIR_CAP])


def as_likeness(row: LikenessRow, answers: Answers) -> Likeness:
    """A stored pair as the rules hear of it."""
    return Likeness(
        kind=row.kind,
        one=row.one,
        other=row.other,
        duplicate=row.p_duplicate,
        related=row.p_related,
        weight=row.weight,
        reasons=sentences(row.evidence),
        answer=answers.get(row.kind, row.one, row.other),
    )


def load_answers(session: Session) -> Answers:
    """The project's answers about the records of this connection, with merged records followed to the survivor."""
    lines = load_lines(session.project.directory / FILE)
    objects = {kind: session.mapping.object_of(kind) for kind in KINDS if kind in session.mapping.kinds}

    def resolve(kind: str, record_id: str) -> str:
        return session.store.resolve(objects[kind], record_id) if kind in objects else record_id

    return Answers(lines, resolve)

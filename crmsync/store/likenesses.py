"""Pairs of records that are alike, as they were scored, and what people said about pairs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from crmsync.store.blocks import Blocks
from crmsync.store.codec import from_json, to_json

TABLES = (
    # `kind`, `one` is the smaller of the two; a registration comes before the account that it may mean
    """CREATE TABLE likenesses (
        kind TEXT NOT NULL, one TEXT NOT NULL, other_kind TEXT NOT NULL, other TEXT NOT NULL, verdict TEXT NOT NULL,
        p_duplicate REAL NOT NULL, p_related REAL NOT NULL, weight REAL NOT NULL, evidence TEXT NOT NULL,
        model TEXT NOT NULL, PRIMARY KEY (kind, one, other_kind, other)) WITHOUT ROWID""",
    "CREATE INDEX likenesses_other ON likenesses (other_kind, other)",
    """CREATE TABLE answers (
        kind TEXT NOT NULL, one TEXT NOT NULL, other TEXT NOT NULL, answer TEXT NOT NULL,
        PRIMARY KEY (kind, one, other)) WITHOUT ROWID""",
    """CREATE VIEW alike_records AS
        SELECT kind, one, other_kind, other, verdict, p_duplicate, p_related, weight FROM likenesses""",
)

_COLUMNS = "kind, one, other_kind, other, verdict, p_duplicate, p_related, weight, evidence, model"


@dataclass(frozen=True, slots=True)
class LikenessRow:
    """One scored pair. ``evidence`` is a list of ``(field, level, weight in bits, plain words)``."""

    kind: str
    one: str
    other_kind: str
    other: str
    verdict: str
    p_duplicate: float
    p_related: float
    weight: float
    evidence: tuple[tuple[str, str, float, str], ...] = ()
    model: str = ""
    """Fingerprint of the model that scored it."""

    @property
    def key(self) -> str:
        """The key by which both records meet in one neighbourhood."""
        return f"alike:{self.kind}:{self.one}|{self.other_kind}:{self.other}"

    def partner_of(self, kind: str, id: str) -> tuple[str, str]:
        """The other record of the pair."""
        first, second = (self.kind, self.one), (self.other_kind, self.other)
        return second if (kind, id) == first else first


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What a person said about a pair: ``duplicate``, ``related``, ``different`` or ``skip``."""

    kind: str
    one: str
    other: str
    answer: str


class Likenesses(Blocks):
    def likenesses_of(self, kind: str, id: str) -> list[LikenessRow]:
        """Pairs that a record is part of, in a stable order."""
        sql = f"""SELECT {_COLUMNS} FROM likenesses WHERE kind = ?1 AND one = ?2
            UNION SELECT {_COLUMNS} FROM likenesses WHERE other_kind = ?1 AND other = ?2
            ORDER BY kind, one, other_kind, other"""
        return [_likeness(row) for row in self._rows(sql, (kind, id))]

    def likenesses(self, kind: str | None = None) -> Iterator[LikenessRow]:
        """All pairs, or those of one kind, the most certain first."""
        sql = f"""SELECT {_COLUMNS} FROM likenesses WHERE ?1 IS NULL OR kind = ?1
            ORDER BY p_duplicate DESC, kind, one, other"""
        return (_likeness(row) for row in self._rows(sql, (kind,)))

    def likeness_count(self) -> int:
        row = self._one("SELECT count(*) FROM likenesses")
        return row[0] if row else 0

    def save_likenesses(self, gone: Collection[LikenessRow], new: Collection[LikenessRow]) -> None:
        with self.transaction():
            self._many(
                "DELETE FROM likenesses WHERE kind = ? AND one = ? AND other_kind = ? AND other = ?",
                [(row.kind, row.one, row.other_kind, row.other) for row in gone],
            )
            self._many("INSERT OR REPLACE INTO likenesses VALUES (?,?,?,?,?,?,?,?,?,?)", [_values(row) for row in new])

    def clear_likenesses(self) -> None:
        self._run("DELETE FROM likenesses")

    # ------------------------------------------------------------------ answers

    def answers(self) -> dict[tuple[str, str, str], str]:
        """What people have said, as of the last decision: ``(kind, one, other)`` to answer."""
        return {(row[0], row[1], row[2]): row[3] for row in self._rows("SELECT kind, one, other, answer FROM answers")}

    def save_answers(self, answers: Iterable[AnswerRow]) -> None:
        """Make these all the answers there are."""
        with self.transaction():
            self._run("DELETE FROM answers")
            self._many("INSERT INTO answers VALUES (?, ?, ?, ?)", [(a.kind, a.one, a.other, a.answer) for a in answers])


def _values(row: LikenessRow) -> tuple[object, ...]:
    numbers = (row.p_duplicate, row.p_related, row.weight)
    return (row.kind, row.one, row.other_kind, row.other, row.verdict, *numbers, to_json(row.evidence), row.model)


def _likeness(row: tuple[object, ...]) -> LikenessRow:
    *named, evidence, model = row
    parsed = tuple((str(f), str(level), float(w), str(text)) for f, level, w, text in from_json(str(evidence)))
    return LikenessRow(*named, parsed, str(model))  # type: ignore[arg-type,call-arg]

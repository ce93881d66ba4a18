"""What people said about pairs of records: one line an answer, in a file of the project.

Answers are people's knowledge, so they do not live in the store, which may be deleted at any time, but in
``identity/answers.csv`` beside the policy, under version control. A line is only ever added; of two lines about one
pair, the later counts.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import get_args

from crmsync.diagnostics import Diagnostic, Span, did_you_mean
from crmsync.errors import ConfigError
from crmsync.rules.decision import Answer

FILE = Path("identity") / "answers.csv"
WORDS: tuple[Answer, ...] = get_args(Answer)

_SAID = {"accept": "duplicate", "same": "duplicate", "yes": "duplicate", "reject": "different", "no": "different"}
"""Words that people write in a spreadsheet, as answers."""

_KINDS = ("account", "contact", "registration")

Subject = tuple[str, str]
Pair = tuple[str, str, str]
"""``(kind, one, other)``; with a registration, ``other`` is an account."""


@dataclass(frozen=True, slots=True)
class Line:
    """One answer as it stands in the file. The names are for people who read the file; nothing is decided by them."""

    kind: str
    one: str
    other: str
    answer: Answer
    by: str = ""
    at: str = ""
    one_name: str = ""
    other_name: str = ""
    note: str = ""

    @property
    def pair(self) -> Pair:
        return pair_of(self.kind, self.one, self.other)


COLUMNS = tuple(field.name for field in fields(Line))


def pair_of(kind: str, one: str, other: str) -> Pair:
    """The pair in the order in which it is kept."""
    return (kind, one, other) if kind == "registration" or one < other else (kind, other, one)


class Answers:
    """All answers, by pair."""

    def __init__(self, lines: Iterable[Line] = (), resolve: Callable[[str, str], str] | None = None) -> None:
        """``resolve`` gives the id that a merged record has now."""
        self._by_pair: dict[Pair, Line] = {}
        self._about: dict[Subject, set[Subject]] = defaultdict(set)
        for line in lines:
            kind, one, other = self._resolved(line, resolve)
            if (kind, one) != (other_kind(kind), other):
                self._by_pair[pair_of(kind, one, other)] = line
        for kind, one, other in self._by_pair:
            self._about[kind, one].add((other_kind(kind), other))
            self._about[other_kind(kind), other].add((kind, one))

    @staticmethod
    def _resolved(line: Line, resolve: Callable[[str, str], str] | None) -> Pair:
        if resolve is None:
            return line.pair
        return line.kind, resolve(line.kind, line.one), resolve(other_kind(line.kind), line.other)

    def get(self, kind: str, one: str, other: str) -> Answer | None:
        line = self._by_pair.get(pair_of(kind, one, other))
        return line.answer if line else None

    def about(self, kind: str, record_id: str) -> set[Subject]:
        """The records that people have compared with this one."""
        return self._about.get((kind, record_id), set())

    @property
    def by_pair(self) -> Mapping[Pair, Line]:
        return self._by_pair

    def words(self) -> dict[Pair, str]:
        """Pair to answer."""
        return {pair: str(line.answer) for pair, line in self._by_pair.items()}


def other_kind(kind: str) -> str:
    """What the second record of a pair of this kind is."""
    return "account" if kind == "registration" else kind


def load_lines(path: Path) -> list[Line]:
    """Every line of an answers file; none where there is no file.

    :raises ConfigError: with every line that is not an answer.
    """
    if not path.exists():
        return []
    problems: list[Diagnostic] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as source:
            lines = list(_read(csv.DictReader(source), path, problems))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError([_problem(path, 1, f"not a CSV file in UTF-8: {error}", "save it as CSV, UTF-8")]) from None
    if problems:
        raise ConfigError(problems)
    return lines


def _read(reader: csv.DictReader[str], path: Path, problems: list[Diagnostic]) -> Iterator[Line]:
    missing = [name for name in ("kind", "one", "other", "answer") if name not in (reader.fieldnames or ())]
    if missing:
        problems.append(_problem(path, 1, f"no column '{missing[0]}'", f"the columns are: {', '.join(COLUMNS)}"))
        return
    for row in reader:
        values = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if not values["answer"]:
            continue  # a proposal that nobody has answered yet
        values["answer"] = _SAID.get(values["answer"].lower(), values["answer"].lower())
        if (problem := _mistake(values, path, reader.line_num)) is not None:
            problems.append(problem)
        else:
            yield Line(**values)  # type: ignore[arg-type]


def _mistake(values: Mapping[str, str], path: Path, line: int) -> Diagnostic | None:
    answer, kind = values["answer"], values["kind"]
    if answer not in WORDS:
        near = did_you_mean(answer, WORDS) or f"one of: {', '.join(WORDS)}"
        return _problem(path, line, f"unknown answer '{answer}'", near)
    if kind not in _KINDS:
        return _problem(path, line, f"unknown kind '{kind}'", f"one of: {', '.join(_KINDS)}")
    if not values["one"] or not values["other"]:
        return _problem(path, line, "an id is blank", "name both records")
    return None


def _problem(path: Path, line: int, message: str, hint: str) -> Diagnostic:
    return Diagnostic("E107", message, Span(str(path), line, 1, line, 1), hint)


def add_lines(path: Path, lines: Iterable[Line]) -> None:
    """Append answers to the file, which is made with its head where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists() or path.stat().st_size == 0
    with path.open("a", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows({name: getattr(line, name) for name in COLUMNS} for line in lines)


def new_line(pair: Pair, answer: Answer, *, by: str, at: datetime, names: tuple[str, str] = ("", "")) -> Line:
    return Line(*pair, answer, by, at.strftime("%Y-%m-%dT%H:%M:%SZ"), *names)

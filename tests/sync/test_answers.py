"""The file of answers: one line each, the last one counts, mistakes are shown where they are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmsync.errors import ConfigError
from crmsync.sync.answers import Answers, Line, add_lines, load_lines, new_line, pair_of

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def line(one: str, other: str, answer: str = "duplicate", kind: str = "account") -> Line:
    return new_line(pair_of(kind, one, other), answer, by="eva", at=NOW)  # type: ignore[arg-type]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "identity" / "answers.csv"
    add_lines(path, [line("2", "1")])
    add_lines(path, [line("3", "4", "skip", "contact")])
    assert load_lines(path) == [line("1", "2"), line("3", "4", "skip", "contact")]
    assert path.read_text().splitlines()[1] == "account,1,2,duplicate,eva,2026-11-22T06:00:00Z,,,"


def test_of_two_answers_the_later_counts() -> None:
    answers = Answers([line("1", "2"), line("2", "1", "different")])
    assert answers.get("account", "1", "2") == answers.get("account", "2", "1") == "different"


def test_a_registration_comes_before_its_account() -> None:
    answers = Answers([line("Z9", "A1", kind="registration")])
    assert answers.get("registration", "Z9", "A1") == "duplicate"
    assert answers.about("account", "A1") == {("registration", "Z9")}


def test_an_answer_follows_a_merge_and_ends_where_both_became_one() -> None:
    merged = {"2": "3", "5": "4"}
    answers = Answers([line("1", "2"), line("4", "5")], lambda _, i: merged.get(i, i))
    assert answers.words() == {("account", "1", "3"): "duplicate"}


def test_what_nobody_has_filled_in_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("kind,one,other,answer,score\naccount,1,2,,0.9\naccount,1,3,Accept,0.8\naccount,1,4,no,0.7\n")
    assert [(row.other, row.answer) for row in load_lines(path)] == [("3", "duplicate"), ("4", "different")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind,one,other,answer\naccount,1,2,duplicat\n", r"a.csv:2:1: unknown answer 'duplicat'"),
        ("kind,one,other,answer\nfirm,1,2,skip\n", r"a.csv:2:1: unknown kind 'firm'"),
        ("kind,one,other,answer\naccount,1,,skip\n", r"a.csv:2:1: an id is blank"),
        ("kind,one,other\naccount,1,2\n", r"a.csv:1:1: no column 'answer'"),
    ],
)
def test_a_mistake_is_shown_where_it_is(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_lines(path)
    assert caught.value.hint


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"kind,one\n\xff\xfe")
    with pytest.raises(ConfigError, match="not a CSV file"):
        load_lines(path)

import io
import json

import pytest

from crmsync.cli.progress import EventProgress, LineProgress
from crmsync.cli.render import Rows, clean
from crmsync.cli.words import count, show_value, size, took
from crmsync.sync.report import RunReport
from tests.cli.conftest import NOW


def test_text_from_a_crm_cannot_steer_the_terminal() -> None:
    assert clean("Ac\x1b[31mme\r\x07\x9b2J\n") == "Ac\\x1b[31mme\\r\\x07\\x9b2J\n"


def test_columns_are_aligned_and_nothing_is_cut() -> None:
    rows = Rows(("name", "n"), [("a" * 90, "1"), ("b", "1,000")], right=(1,))
    assert rows.lines() == [f"{'name':<90}      n", f"{'a' * 90}      1", f"{'b':<90}  1,000"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "(blank)"),
        ("", "(blank)"),
        ([], "(blank)"),
        (False, "no"),
        (0, "0"),
        (["A", "B"], "A; B"),
        ("x" * 50, "x" * 39 + "…"),
    ],
)
def test_values_on_one_line(value: object, shown: str) -> None:
    assert show_value(value) == shown


def test_numbers_read_well() -> None:
    assert [count(1, "record"), count(2000, "record")] == ["1 record", "2,000 records"]
    assert [size(812), size(10_400_000), size(84_500_000_000)] == ["0.8 kB", "10.4 MB", "84.5 GB"]
    assert took(NOW, None) == "-"
    assert took("2026-11-22T06:00:00Z", "2026-11-22T06:00:06.100000Z") == "6.1 s"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_off_a_terminal_is_a_line_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock)
    progress.step("pull deals", 100)
    clock.now = 11
    progress.step("pull deals", 200, 8800)
    progress.step("pull deals", 300, 8800)
    progress.step("pull deals", 8800, 8800)
    progress.step("pull deals", 8800, 8800)
    progress.note("mended\x1b")
    assert stream.getvalue() == "  pull deals: 200 of 8,800\n  pull deals: 8,800\nmended\\x1b\n"


def test_progress_for_programs_is_json_lines() -> None:
    stream = io.StringIO()
    progress = EventProgress(stream)
    progress.step("push", 2, 2)
    progress.note("x")
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["step", "note"]


def test_a_report_has_defaults_for_everything_it_shows() -> None:
    from crmsync.cli.view_run import report_lines

    report = RunReport("r-0001", "acme", "hubspot", "sync", started_at=NOW)
    text = "\n".join(str(line) for line in report_lines(report))
    assert "nothing: the CRM already holds what the policy says" in text

"""``dupes`` by file: proposals out, answers in; the model trained on them; merge plans; the picture."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from crmsync.cli.app import App, command
from crmsync.cli.render import Line
from crmsync.cli.view_dupes import merge_lines
from crmsync.cli.words import count
from crmsync.errors import UsageError

if TYPE_CHECKING:
    from crmsync.render.calibration import Point
    from crmsync.sync.answers import Line as AnswerLine
    from crmsync.sync.review import Proposal

_FEWEST = 10
"""Answers of a kind below which nothing is learned."""

_HEAD = (
    "kind", "one", "other", "answer", "one_name", "other_name", "score", "why", "one_record", "other_record", "note",
)  # fmt: skip
"""Of an exported file; the import reads the first six and the note."""

file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))


@command()
@file_argument
@click.option("--all", "everything", is_flag=True, help="The unlikely ones too.")
def export(app: App, file: Path, everything: bool) -> int:
    """Write all proposals to a CSV file, to be answered there in the column 'answer'."""
    from crmsync.sync.review import Review

    with app.session(readonly=True) as session:
        found = Review(session).open(everything=everything)
    _write_csv(file, found)
    data = {"file": file, "proposals": len(found)}
    app.render.show("dupes-export", data, lambda: [f"{count(len(found), 'proposal')} in {file}"])
    app.render.talk(
        f"Fill the column 'answer' (accept, reject, related, skip). Next: {app.command_line(f'dupes import {file}')}"
    )
    return 0


def _write_csv(file: Path, found: Iterable[Proposal]) -> None:
    with file.open("w", newline="", encoding="utf-8-sig") as target:  # with a mark: spreadsheets then know it is UTF-8
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(_HEAD)
        for p in found:
            sides = [" | ".join(f"{s.field}: {v}" for s in p.sides if (v := getattr(s, w))) for w in ("one", "other")]
            texts = (p.one_name, p.other_name, f"{p.duplicate:.3f}", "; ".join(p.reasons), *sides, "")
            writer.writerow([_cell(text) for text in (p.kind, p.one, p.other, "", *texts)])


def _cell(text: str) -> str:
    """A spreadsheet must not take a name for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


@command(name="import")
@file_argument
def import_(app: App, file: Path) -> int:
    """Take over the answers of a file that 'dupes export' has written."""
    from crmsync.sync.answers import FILE, add_lines, load_lines

    if not file.exists():
        raise UsageError(f"no file '{file}'", hint="crmsync dupes export FILE.csv")
    lines = load_lines(file)
    own = app.project.directory / FILE
    known = {line.pair: line.answer for line in load_lines(own)}
    fresh = [_signed(line) for line in lines if known.get(line.pair) != line.answer]
    add_lines(own, fresh)
    data = {"file": file, "answers": len(lines), "new": len(fresh)}
    app.render.show("dupes-import", data, lambda: [f"{count(len(lines), 'answer')} read, {len(fresh)} of them new"])
    app.render.talk(f"Kept in {FILE}. Next: {app.command_line('sync')}")
    return 0


def _signed(line: AnswerLine) -> AnswerLine:
    from dataclasses import replace
    from datetime import UTC, datetime

    from crmsync.cli.dupes import _who

    return replace(line, by=line.by or _who(), at=line.at or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


@command()
@click.option("--from-records", is_flag=True, help="Learn from the records themselves first, without any answer.")
def train(app: App, from_records: bool = False) -> int:
    """Fit the matching model to your answers; the next sync compares all records anew with it."""
    from crmsync.sync.training import train as fit

    with app.session(readonly=True) as session:
        trained = fit(session, fewest=_FEWEST, from_records=from_records)
    app.render.show("dupes-train", [t.as_dict() for t in trained], lambda: (t.text for t in trained))
    if any(t.file for t in trained):
        app.render.talk(f"Next: {app.command_line('dupes calibrate')}  ·  {app.command_line('sync')}")
    return 0


@command(name="merge-plan")
@click.argument("names", metavar="[ID…]", nargs=-1)
@click.option("--save", "file", type=click.Path(path_type=Path, dir_okay=False), help="Keep the plan as JSON.")
def merge_plan(app: App, names: tuple[str, ...], file: Path | None) -> int:
    """Say which records to merge into which, why, and what would be lost. crmsync merges nothing itself."""
    from crmsync.sync.mergeplan import build_merge_plan
    from crmsync.sync.review import Review

    with app.session(readonly=True) as session:
        plan = build_merge_plan(session, Review(session).find(names))
    if file:
        file.write_bytes(orjson.dumps(plan.as_dict(), option=orjson.OPT_INDENT_2) + b"\n")
    app.render.show("merge-plan", plan.as_dict(), lambda: merge_lines(plan))
    return 0


@command()
@click.option("--out", "file", type=click.Path(path_type=Path, dir_okay=False), help="Draw it: one HTML page.")
@click.option("--precision", type=click.FloatRange(0.5, 1.0), default=0.995, show_default=True, help="What is wanted.")
def calibrate(app: App, file: Path | None, precision: float) -> int:
    """Precision and recall of the matching model on your own answers, and the threshold that they suggest."""
    from crmsync.render.calibration import build_curve, render_page
    from crmsync.sync.training import scored_answers

    with app.session(readonly=True) as session:
        scored = scored_answers(session)
    curves = [(kind, build_curve(pairs)) for kind, pairs in scored.items() if pairs]
    if file:
        file.write_text(render_page(curves, wanted=precision), encoding="utf-8")
    app.render.show("calibrate", _curve_data(curves, precision), lambda: _curve_lines(curves, precision))
    if file:
        app.render.talk(f"Drawn in {file}")
    return 0


def _curve_data(curves: list[tuple[str, list[Point]]], wanted: float) -> list[dict[str, Any]]:
    from crmsync.render.calibration import suggest

    return [
        {
            "kind": kind,
            "suggested": chosen.at if (chosen := suggest(curve, wanted)) else None,
            "points": [{**asdict(p), "precision": p.precision, "recall": p.recall} for p in curve],
        }
        for kind, curve in curves
    ]


def _curve_lines(curves: list[tuple[str, list[Point]]], wanted: float) -> Iterator[Line]:
    from crmsync.render.calibration import advice, suggest

    if not curves:
        yield "No answers yet: crmsync dupes list"
    for kind, curve in curves:
        answers = count(curve[0].right + curve[0].wrong, "answer")
        yield f"{kind}: {answers}. {advice(kind, suggest(curve, wanted), wanted)}"

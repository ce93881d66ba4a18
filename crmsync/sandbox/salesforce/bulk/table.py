"""CSV as Bulk API 2.0 reads and writes it: every value quoted on the way out, whatever was quoted on the way in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from crmsync.sandbox.salesforce.bulk.jobs import DELIMITERS, LINE_ENDINGS, Job

csv.field_size_limit(131_072 * 8)  # a long text area holds up to 131,072 characters
BOM = "\ufeff"


class BadTable(Exception):
    """Fails the whole job; the text becomes its errorMessage."""


def read_table(job: Job, text: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows."""
    _check_line_ending(job, text)
    reader = csv.reader(
        io.StringIO(text.removeprefix(BOM), newline=""), delimiter=DELIMITERS[job.delimiter], strict=True
    )
    try:
        rows = [row for row in reader if row]
    except csv.Error as problem:
        raise BadTable(f"ClientInputError : Failed to parse CSV : {problem}") from None
    if not rows:
        raise BadTable("InvalidBatch : Failed to process query: the upload has no header")
    header, *data = rows
    for number, row in enumerate(data, 1):
        if len(row) != len(header):
            message = f"row {number} has {len(row)} columns, the header has {len(header)}"
            raise BadTable(f"ClientInputError : Failed to parse CSV : {message}")
    return header, data


def _check_line_ending(job: Job, text: str) -> None:
    """The first line tells: a line feed in a quoted value is no line ending."""
    first_line = text.partition("\n")[0]
    if "\n" in text and first_line.endswith("\r") != (job.line_ending == "CRLF"):
        message = f"LineEnding is invalid on user data. Current LineEnding setting is {job.line_ending}"
        raise BadTable(f"ClientInputError : {message}")


def write_table(job: Job, rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer, delimiter=DELIMITERS[job.delimiter], lineterminator=LINE_ENDINGS[job.line_ending], quoting=csv.QUOTE_ALL
    )
    writer.writerows(rows)
    return buffer.getvalue()

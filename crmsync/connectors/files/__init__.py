"""The third connector: a spreadsheet programme, from CSV and JSONL files."""

from crmsync.connectors.files.intake import (
    IntakeResult,
    IntakeRow,
    Lookup,
    RejectedRow,
    build_lookup,
    read_rows,
    resolve,
)
from crmsync.connectors.files.rejects import write_rejects

__all__ = [
    "IntakeResult",
    "IntakeRow",
    "Lookup",
    "RejectedRow",
    "build_lookup",
    "read_rows",
    "resolve",
    "write_rejects",
]

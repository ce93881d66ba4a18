"""``certify``: is the mirror complete? Counted by the CRM, mended where it is not."""

from __future__ import annotations

from collections.abc import Iterator

import click

from crmsync.cli.app import App, command
from crmsync.cli.render import Line
from crmsync.cli.view_run import certificate_table, completeness_line
from crmsync.cli.words import instant
from crmsync.sync.buckets import joint_proof
from crmsync.sync.report import RunReport

EXIT_INCOMPLETE = 1


@command()
@click.option("--full", is_flag=True, help="Read every record anew instead of comparing counts and dates.")
def certify(app: App, full: bool) -> int:
    """Compare all of the mirror with the CRM, mend what differs, print the certificate. Writes nothing to the CRM."""
    from crmsync.sync.cycle import certify as run_certify

    with app.session() as session:
        report = run_certify(session, full=full)
    complete = all(row.is_complete for row in report.completeness)
    app.render.show("certify", certificate_data(report), lambda: _lines(report), ok=complete)
    return 0 if complete else EXIT_INCOMPLETE


def certificate_data(report: RunReport) -> dict[str, object]:
    """For ``--json``: each object, and all of them together."""
    rows = report.completeness
    return {
        "run": report.run_id,
        "connection": report.connection,
        "at": report.started_at,
        "complete": all(row.is_complete for row in rows),
        "proof": joint_proof(row.proof for row in rows),
        "objects": rows,
    }


def _lines(report: RunReport) -> Iterator[Line]:
    yield f"Certificate of {report.connection}, {instant(report.started_at)}, run {report.run_id}"
    yield certificate_table(report.completeness)
    yield completeness_line(report.completeness)

"""How runs, findings and the state of things look. Pure: rows in, lines out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from crmsync.cli.render import Line, Rows, styled
from crmsync.cli.words import api_calls, count, instant, place, shorten, took
from crmsync.store import FindingRow, JournalRow
from crmsync.sync.buckets import joint_proof
from crmsync.sync.plan import FINGERPRINT
from crmsync.sync.report import Completeness, RunReport, WriteFailure

FAILURES_SHOWN = 5
_STATUS_STYLES = {"ok": "green", "partial": "yellow", "failed": "red", "running": "cyan"}
_SEVERITY_STYLES = {"error": "red", "warning": "yellow"}


def report_lines(report: RunReport) -> Iterator[Line]:
    """The summary of a finished run."""
    yield styled((f"Run {report.run_id}", "bold"), f" on {report.connection}: ", (report.status, _style(report.status)))
    read, changed = sum(report.pulled.values()), sum(report.changed.values())
    yield f"  read      {count(read, 'record')}, {changed:,} changed; {count(report.decided, 'neighbourhood')} decided"
    yield f"  written   {_written(report)}"
    if report.skipped or report.failed or report.rejects:
        yield f"  left      {_left_alone(report)}"
    if report.waiting:
        yield f"  waiting   {count(report.waiting, 'refused write')} until something changes: crmsync rejects"
    for one in report.overwritten[:FAILURES_SHOWN]:
        who = f"{one.by or 'somebody'}, {instant(one.at)}"
        yield styled(
            ("  lost      ", "red"), f"{one.label} {one.field}: {one.lost!r} by {who}, overwritten by {one.ours!r}"
        )
    if report.altered:
        yield f"  altered   {count(len(report.altered), 'record')}: written, and the CRM made another value of it"
    yield f"  findings  {_findings(report)}"
    if report.matching.shared_keys or report.matching.left_out:
        yield f"  compared  {_compared(report)}"
    yield completeness_line(report.completeness)
    yield f"  {api_calls(report.api)} · took {took(report.started_at, report.finished_at)}"
    yield from _failure_lines(report)


def _failure_lines(report: RunReport) -> Iterator[Line]:
    """The first few of each kind of failure, then how many more of it there are."""
    groups: dict[tuple[str, str], list[WriteFailure]] = {}
    for failure in report.failures:
        groups.setdefault((failure.status, failure.code), []).append(failure)
    for (status, code), group in groups.items():
        for failure in group[:FAILURES_SHOWN]:
            name = f"{failure.label} ({failure.object} {failure.record_id})"
            yield styled((f"  {status:<8}", "red"), f"  {name}  {code} {shorten(failure.message, 120)}")
        if len(group) > FAILURES_SHOWN:
            yield f"            and {len(group) - FAILURES_SHOWN:,} more with {code}: crmsync runs {report.run_id}"


def _compared(report: RunReport) -> str:
    """What was not compared, because too many records would have been alike in the same way."""
    found = report.matching
    left = f"; {found.left_out:,} candidates beyond the limit left out" if found.left_out else ""
    return f"{count(found.compared, 'pair')}; {count(found.shared_keys, 'key')} that too many records share{left}"


def _written(report: RunReport) -> str:
    if not report.written:
        return "nothing: the CRM already holds what the policy says" if not report.failures else "0 records"
    return f"{count(report.written, 'record')} ({report.created:,} created, {count(report.tasks, 'task')})"


def _left_alone(report: RunReport) -> str:
    rejects = count(report.rejects, "intake row")
    return f"{report.skipped:,} changed by somebody meanwhile, {report.failed:,} refused, {rejects} rejected"


def _findings(report: RunReport) -> str:
    return f"{report.findings_opened:,} opened, {report.findings_cleared:,} cleared, {report.findings_open:,} open"


def _style(status: str) -> str:
    return _STATUS_STYLES.get(status, "")


def completeness_line(rows: Sequence[Completeness]) -> Line:
    """The certificate in one line; an object that differs is named."""
    off = [row for row in rows if not row.is_complete]
    counts = " · ".join(f"{row.object} {row.remote:,}" for row in rows)
    if not off:
        return styled(
            ("  complete  ", "green"), f"{certificate_total(rows)} ({counts})" if rows else "nothing to count"
        )
    names = ", ".join(f"{row.object} {row.remote:,} in the CRM, {row.mirror:,} in the mirror" for row in off)
    return styled(("  incomplete  ", "yellow"), f"{names}; the rest is equal ({counts})")


def certificate_total(rows: Sequence[Completeness]) -> str:
    """All objects together: ``41,873/41,873 records, 0 missing, 0 stale, 20 calls, proof a91f03bc``."""
    remote, mirror, missing, stale, healed, calls = (
        sum(getattr(row, name) for row in rows) for name in ("remote", "mirror", "missing", "stale", "healed", "calls")
    )
    mended = f" ({healed:,} mended)" if healed else ""
    proof = joint_proof(row.proof for row in rows)
    words = [f"{mirror:,}/{remote:,} records", f"{missing:,} missing", f"{stale:,} stale{mended}"]
    return ", ".join([*words, count(calls, "call"), f"proof {proof}"])


def certificate_table(rows: Sequence[Completeness]) -> Rows:
    """One line per object."""
    lines = [
        (
            row.object,
            f"{row.remote:,}",
            f"{row.mirror:,}",
            f"{row.missing:,}",
            f"{row.stale:,}",
            f"{row.surplus:,}",
            f"{row.healed:,}",
            f"{row.checked:,}/{row.buckets:,}" if row.buckets else "by id",
            f"{row.calls:,}",
            row.proof,
        )
        for row in rows
    ]
    head = (
        "object",
        "in the CRM",
        "in the mirror",
        "missing",
        "stale",
        "surplus",
        "mended",
        "buckets",
        "calls",
        "proof",
    )
    return Rows(head, lines, right=tuple(range(1, 9)))


def load_certificate(run: Mapping[str, Any]) -> list[Completeness]:
    """The certificate in a stored run; what an older crmsync has not kept has its default."""
    known = {item.name for item in fields(Completeness)}
    kept = [{name: value for name, value in row.items() if name in known} for row in run.get("completeness") or []]
    return [Completeness(**row) for row in kept]


def runs_table(runs: Sequence[Mapping[str, Any]]) -> Rows:
    rows = [
        (
            run["run_id"],
            run.get("mode", ""),
            instant(run.get("started_at")),
            took(run.get("started_at"), run.get("finished_at")),
            f"{sum((run.get('pulled') or {}).values()):,}",
            f"{run.get('written', 0):,}",
            f"{run.get('skipped', 0):,}",
            f"{run.get('failed', 0):,}",
            f"{run.get('findings_open', 0):,}",
            run["status"],
        )
        for run in runs
    ]
    head = ("run", "mode", "started", "took", "read", "written", "skip", "fail", "findings", "outcome")
    return Rows(head, rows, right=(3, 4, 5, 6, 7, 8))


def run_lines(run: Mapping[str, Any], writes: Sequence[JournalRow], *, show: int | None) -> Iterator[Line]:
    """One run with what it wrote."""
    yield runs_table([run])
    if run.get("error"):
        yield styled(("error  ", "red"), str(run["error"]))
    for failure in run.get("failures") or []:
        yield styled(
            (f"{failure['status']:<8}", "red"),
            f"  {failure['label']}  {failure['code']} {shorten(failure['message'], 120)}",
        )
    for one in run.get("overwritten") or []:
        text = f"  {one['label']} ({one['object']} {one['record_id']})  {one['field']}: {one['lost']!r} by {one['by']}"
        yield styled(("lost    ", "red"), f"{text}, {instant(one['at'])}; crmsync wrote {one['ours']!r}")
    if certified := load_certificate(run):
        yield completeness_line(certified)
    writes = [write for write in writes if write.field != FINGERPRINT]
    shown = writes if show is None else writes[:show]
    if shown:
        yield ""
        yield Rows(
            ("record", "field", "old", "new", "status", "where"),
            [
                (shorten(w.label, 40), w.field, _short(w.old), _short(w.new), w.status or "unknown", place(w.where))
                for w in shown
            ],
        )
    if len(shown) < len(writes):
        yield f"… {count(len(writes) - len(shown), 'more field')} (--show all)"


def _short(value: Any) -> str:
    return "(blank)" if value in (None, "") else shorten(str(value), 32)


def findings_lines(
    findings: Sequence[FindingRow], meanings: Mapping[str, tuple[str, str]], *, show: int | None
) -> Iterator[Line]:
    """By code: how many and what it means, then each with its place."""
    shown = findings if show is None else findings[:show]
    for code in dict.fromkeys(finding.code for finding in shown):
        group = [finding for finding in shown if finding.code == code]
        total = sum(finding.code == code for finding in findings)
        severity = group[0].severity
        _, meaning = meanings.get(code, ("", ""))
        yield styled(
            (f"{severity:<8}", _SEVERITY_STYLES.get(severity, "cyan")),
            (code, "bold"),
            f"  {total:,}",
            (f"  {meaning}".rstrip(), "dim"),
        )
        for finding in group:
            sure = f" ({score:.1%})" if (score := finding.detail.get("score")) is not None else ""
            closed = f"  cleared {instant(finding.cleared_at)}" if finding.cleared_at else ""
            head = f"{finding.kind}  {shorten(finding.label or finding.id, 48)} ({finding.id})"
            yield styled(f"    {head}  {finding.message}{sure}", (f"  {place(finding.where)}{closed}", "dim"))
    if len(shown) < len(findings):
        yield f"… {count(len(findings) - len(shown), 'more finding')} (--show all)"
    open_count = sum(finding.cleared_at is None for finding in findings)
    yield f"{count(open_count, 'open finding')}"

"""Decide: wake the neighbourhoods that a change or the time can have touched, and keep what the rules answer."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from traceback import extract_tb

import orjson
import structlog

from crmsync.mappings import ValueProblem
from crmsync.records import Record, kind_of
from crmsync.remote import RemoteRecord
from crmsync.rules import Decision, FieldDecision, Finding, Rule, TaskRequest, decide
from crmsync.rules.capacity import has_capacity, open_claims
from crmsync.store import DecisionRow, FindingRow
from crmsync.sync.bases import Memory
from crmsync.sync.diff import Differ, Suggestion, label_of
from crmsync.sync.edits import EditBook, Held
from crmsync.sync.facts import DECIDED, Neighbourhood, Reader, Subject
from crmsync.sync.places import place_of
from crmsync.sync.plan import Change, Plan
from crmsync.sync.report import RunReport, WriteFailure
from crmsync.sync.session import Session

_log = structlog.get_logger("crmsync.sync")


@dataclass(slots=True)
class Outcome:
    """What deciding gave: the changes to write and the tasks that findings ask for."""

    changes: list[Change] = field(default_factory=list)
    tasks: list[tuple[Finding, TaskRequest]] = field(default_factory=list)


def decide_changes(session: Session, report: RunReport, *, everything: bool = False) -> Outcome:
    """Decide every neighbourhood that is awake and diff it against the mirror; nothing is pending afterwards.

    Runs in one transaction of the caller, who marks as pending what still has to be written (see ``mark_owed``).
    """
    store = session.store
    indexed_by = store.get_meta("identity_model")
    new_model = indexed_by != session.matchmaker.fingerprint
    if not session.matchmaker.can_search(indexed_by):
        store.clear_index()
    reader = Reader(session)
    pending = store.pending()
    everything = everything or new_model or store.get_meta("config_hash") != session.config_hash
    # what was deleted is pending but no longer among all rows: it has to leave the index, too
    rows = dict.fromkeys(chain(pending, _all_rows(session))) if everything else pending
    woken = reader.index(rows, new_model=new_model)
    report.matching = reader.matching
    seeds = woken.seeds | _woken(session, woken.watch_keys)
    seeds |= _counted(session, reader, seeds, woken.vanished)
    run_id = report.run_id
    work = _Work(session, report, Outcome(), Memory(session, run_id), EditBook(session, run_id))
    for done, neighbourhood in enumerate(reader.neighbourhoods(seeds)):
        work.decide_or_report(neighbourhood)
        if done % 50 == 0:
            session.progress.step("decide", done)
    session.progress.step("decide", report.decided, report.decided)
    work.finish()
    _drop_vanished(session, report, woken.vanished)
    store.clear_pending(pending)
    store.mark_pending(work.failed)
    store.set_meta("config_hash", session.config_hash)
    store.set_meta("identity_model", session.matchmaker.fingerprint)
    return work.outcome


def mark_owed(session: Session, plan: Plan) -> None:
    """Records that differ from their decision, or lack a task, are pending until the CRM agrees.

    A crash, or a write that failed, is so taken up again by the next run, whatever woke the neighbourhood in this one.
    """
    session.store.mark_pending(sorted({change.place for change in plan.changes if change.place}))


def _all_rows(session: Session) -> Iterable[tuple[str, str]]:
    store = session.store
    for name in store.objects():
        for record_id in store.object_ids(name):
            yield name, record_id


def _drop_vanished(session: Session, report: RunReport, vanished: set[Subject]) -> None:
    """Forget neighbourhoods that have no member left, and clear what was found in them."""
    store = session.store
    for root in sorted({root for subject in vanished if (root := store.neighbourhood_of(*subject))}):
        if not any(store.keys(*member) for member in store.neighbourhood_members(root)):
            store.drop_neighbourhood(root)
    report.findings_cleared += store.clear_orphans(run_id=report.run_id, now=session.now)


def _woken(session: Session, touched: set[str]) -> set[Subject]:
    """Members of the neighbourhoods whose hour has come, or that watch something that changed."""
    roots = session.store.due(session.now) | session.store.watching(touched)
    return {member for root in roots for member in session.store.neighbourhood_members(root)}


def _counted(session: Session, reader: Reader, seeds: set[Subject], vanished: set[Subject]) -> set[Subject]:
    """Count every partner's open registrations before anything is decided by the count; whom a new count wakes.

    Where no policy limits them, they are only kept count of, while everything is decided anyway.
    """
    gone = {i for kind, i in vanished if kind == "registration"}
    partners = session.store.save_claims(gone, {})
    if not has_capacity(session.policy):
        return set()
    for neighbourhood in reader.neighbourhoods(seeds, holding="registration"):
        with suppress(Exception):  # what fails here fails again when it is decided, and is told then
            partners |= _count(session, neighbourhood, decide(neighbourhood.facts, session.policy, session.now))
    roots = session.store.watching({f"capacity:{partner}" for partner in partners})
    return {member for root in roots for member in session.store.neighbourhood_members(root)}


def _count(session: Session, neighbourhood: Neighbourhood, decision: Decision) -> set[str]:
    ids = {i for kind, i in neighbourhood.members if kind == "registration"}
    return session.store.save_claims(ids, open_claims(neighbourhood.facts, decision)) if ids else set()


@dataclass(slots=True)
class _Work:
    session: Session
    report: RunReport
    outcome: Outcome
    memory: Memory
    edits: EditBook
    held: list[Held] = field(default_factory=list)
    """Neighbourhoods in which somebody edited a field of ours: who did is asked for all of them at once."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """``(object, id)`` of what could not be decided, to be tried again by the next run."""

    def decide_or_report(self, neighbourhood: Neighbourhood) -> None:
        """A bug that one neighbourhood brings to light stops that one, by name; its last decision stands."""
        try:
            decision = _own(decide(neighbourhood.facts, self.session.policy, self.session.now), neighbourhood)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not the others' fault
            self._fail(neighbourhood, error)
        else:
            self.decide(neighbourhood, decision)

    def _fail(self, neighbourhood: Neighbourhood, error: Exception) -> None:
        """The error's own text may quote a customer's data, so only its kind and place are told."""
        at = extract_tb(error.__traceback__)[-1]
        message = f"the rules failed with {type(error).__name__} at {Path(at.filename).name}:{at.lineno}"
        _log.error("rules failed", error=type(error).__name__, at=f"{Path(at.filename).name}:{at.lineno}", code="RULES")
        for kind, record_id in sorted(neighbourhood.members):
            link = kind.removeprefix("link:")
            name = link if link != kind else self.session.mapping.object_of(kind)
            self.failed.append((name, record_id))
            self.report.failures.append(WriteFailure(name, record_id, record_id, "failed", "RULES_FAILED", message))

    def decide(self, neighbourhood: Neighbourhood, decision: Decision) -> None:
        """Keep the decision and what it asks for."""
        store = self.session.store
        _count(self.session, neighbourhood, decision)
        records = _records(neighbourhood)
        rows = self._rows(records)
        found = self._differ().compare(decision.fields, records, rows, self.memory.of(rows))
        self.memory.agree(found.agreed)
        self.edits.clear(found)
        unreadable = [_value_finding("UNREADABLE_VALUE", "could not be read", p) for p in neighbourhood.problems]
        unwritable = [_value_finding("UNWRITABLE_VALUE", "was not written", p) for p in found.problems]
        suggested = [_suggestion_finding(suggestion) for suggestion in found.suggestions]
        findings = [*decision.findings, *unreadable, *unwritable, *suggested]
        root = neighbourhood.root
        store.save_neighbourhood(root, neighbourhood.members, neighbourhood.watches, decision.next_due_at)
        store.save_decisions(root, [self._decision_row(row) for row in decision.fields])
        self.report.decided += 1
        self.outcome.tasks += [(finding, finding.task) for finding in findings if finding.task]
        held = Held(root, findings, records, found)
        if found.edited:
            self.held.append(held)
        else:
            self._keep(held)

    def finish(self) -> None:
        """Settle what waits for who edited it."""
        if self.held:
            self.edits.settle(self._differ(), self.held)
        for held in self.held:
            self._keep(held)

    def _keep(self, held: Held) -> None:
        directory = self.session.project.directory
        opened, cleared = self.session.store.save_findings(
            held.root,
            [_finding_row(finding, held.records, directory) for finding in held.findings],
            run_id=self.report.run_id,
            now=self.session.now,
        )
        self.report.findings_opened += opened
        self.report.findings_cleared += cleared
        self.outcome.changes += self._differ().changes(held.found)

    def _differ(self) -> Differ:
        session = self.session
        return Differ(session.mapping, session.project.directory, session.now, self._was_written, self._was_blank)

    def _was_blank(self, kind: str, record_id: str, field_name: str) -> bool:
        rows = self.session.store.decision(kind, record_id, field_name)
        return bool(rows) and rows[0].value in ("null", "[]", '""')

    def _was_written(self, object_name: str, record_id: str, field_name: str) -> bool:
        return any(entry.status == "ok" for entry in self.session.store.history(object_name, record_id, field_name))

    def _rows(self, records: dict[Subject, Record]) -> dict[tuple[str, str], RemoteRecord]:
        ids: dict[str, list[str]] = {}
        for kind, record_id in records:
            ids.setdefault(self.session.mapping.object_of(kind), []).append(record_id)
        return {(name, row.id): row for name in ids for row in self.session.store.rows(name, ids[name])}

    def _decision_row(self, decision: FieldDecision) -> DecisionRow:
        return DecisionRow(
            kind=decision.kind,
            id=decision.id,
            field=decision.field,
            value=orjson.dumps(self.session.mapping.to_json(decision.value)).decode(),
            code=decision.code,
            reason=decision.reason,
            rule=decision.rule.name,
            where=place_of(decision.rule.span, self.session.project.directory),
            trace=list(decision.trace),
            evidence=list(decision.evidence),
            policy_version=self.session.policy.version,
            decided_at=self.session.now,
        )


def _own(decision: Decision, neighbourhood: Neighbourhood) -> Decision:
    """Only what belongs to the neighbourhood: a partner that is merely named here is decided in its own."""
    members = neighbourhood.members
    return Decision(
        fields=tuple(row for row in decision.fields if (row.kind, row.id) in members),
        findings=tuple(row for row in decision.findings if (row.kind, row.id) in members),
        next_due_at=decision.next_due_at,
    )


def _records(neighbourhood: Neighbourhood) -> dict[Subject, Record]:
    facts = neighbourhood.facts
    groups: tuple[Iterable[Record], ...] = (*(getattr(facts, f"{kind}s", ()) for kind in DECIDED if kind != "touch"),)
    records: dict[Subject, Record] = {(kind_of(r), r.id): r for group in groups for r in group}
    records.update({("touch", touch.id): touch for touch in facts.touches})
    records.update({("partner", partner.id): partner for partner in facts.partners.values()})
    return {subject: record for subject, record in records.items() if subject in neighbourhood.members}


def _finding_row(finding: Finding, records: dict[Subject, Record], directory: Path) -> FindingRow:
    record = records.get((finding.kind, finding.id))
    return FindingRow(
        code=finding.code,
        severity=finding.severity,
        kind=finding.kind,
        id=finding.id,
        subject=finding.subject,
        message=finding.message,
        rule=finding.rule.name,
        where=place_of(finding.rule.span, directory),
        evidence=list(finding.evidence),
        label=label_of(record) if record else finding.id,
        detail=finding.detail.as_dict() if finding.detail else {},
    )


def _value_finding(code: str, what: str, problem: ValueProblem) -> Finding:
    message = f"{problem.field} {what}: {problem.message}"
    return Finding(code, "error", problem.kind, problem.id, message, Rule("mapping"), problem.field)


def _suggestion_finding(suggestion: Suggestion) -> Finding:
    decision = suggestion.decision
    wanted = "blank" if suggestion.value is None else f"'{suggestion.value}'"
    message = f"{suggestion.remote_field} should be {wanted}: {decision.reason}"
    return Finding("SUGGESTION", "info", decision.kind, decision.id, message, decision.rule, decision.field)

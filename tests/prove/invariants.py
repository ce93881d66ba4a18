"""What must hold, whatever went wrong. Each returns what it found to be broken; the CRM's own audit is the judge."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from crmsync.sandbox.window.traffic import Seen
from crmsync.sync.plan import Plan
from crmsync.sync.report import RunReport
from tests.prove.judge import Entry, Place
from tests.prove.trial import Trial
from tests.sync.conftest import SECRETS
from tests.sync.people import fields_of

LONGEST_CYCLE_S = 3600.0
"""Of the sandbox's time, in which each request takes a second and a storm of refusals lasts three minutes."""


@dataclass(frozen=True)
class Evidence:
    """All that is known when the fault is over and two clean cycles have run."""

    trial: Trial
    base: dict[Place, Any]
    """What our fields held when the case began."""
    entries: list[Entry]
    requests: list[Seen]
    writing: list[bool]
    cycles: tuple[tuple[Plan, RunReport], ...]
    """Two clean ones, then a full one."""
    written_in_second: int
    requests_in_second: int
    pending: list[tuple[str, str]]
    unresolved: list[Any]
    damage: list[str]
    codes: frozenset[str] = frozenset()
    """Of the findings that are open in the end."""


Found = Iterator[str]


def complete(e: Evidence) -> Found:
    """I1: the CRM is as it would be without the fault, or a failure names what is not."""
    _, third = e.cycles[2]
    full = e.cycles[2][0]
    if full.changes and not e.trial.may_reject:
        yield f"a full run after the incremental ones still changes {_named(full)}"
    if changed := {name: n for name, n in third.changed.items() if n}:
        yield f"a full pull brings what the incremental ones missed: {changed}"
    if e.pending and not e.trial.may_reject:
        yield f"still pending: {e.pending[:3]}"
    if e.unresolved:
        yield f"still unknown: {[(row.object, row.record_id, row.field) for row in e.unresolved[:3]]}"
    if not e.trial.people_acted and not e.trial.may_reject:
        yield from _differences(e)


def _differences(e: Evidence) -> Found:
    now = fields_of(e.trial.ground.bench, e.trial.system)
    usual = e.trial.usual.result
    for place in sorted({*now, *usual}):
        if now.get(place) != usual.get(place):
            yield f"{place}: {_first_difference(now.get(place), usual.get(place))}"


def _first_difference(now: dict[str, Any] | None, usual: dict[str, Any] | None) -> str:
    if now is None or usual is None:
        return "missing" if now is None else "not there usually"
    name = next(name for name in usual if now.get(name) != usual[name])
    return f"{name} is {now.get(name)!r}, usually {usual[name]!r}"


def _named(plan: Plan) -> list[str]:
    return [f"{c.object} {c.id or c.key} {[f.field for f in c.fields]}" for c in plan.changes[:3]]


def no_double_create(e: Evidence) -> Found:
    """I2: at most one record is ever made with a key of ours."""
    mapping = e.trial.people.mapping
    keys = {(mapping.object_of("registration"), mapping.field("registration", "number").remote_field)}  # type: ignore[union-attr]
    if mapping.task:
        keys.add((mapping.task.object, mapping.task.key_field))
    made = Counter((x.object, x.new) for x in e.entries if x.created and (x.object, x.field) in keys and x.new)
    for (name, key), times in made.items():
        if times > 1:
            yield f"{name} {key} was made {times} times"


def no_idle_write(e: Evidence) -> Found:
    """I3: no write leaves a value as it is, and none takes an own value back that nobody else has touched.

    Somebody who enters our value between our last look and the write is met by chance, as in I4.
    """
    past: dict[Place, list[Any]] = {}
    theirs: dict[Place, Entry] = {}
    stamps = _stamps(e)
    for x in e.entries:
        if not x.ours:
            past.pop(x.place, None)
            theirs[x.place] = x
            continue
        if x.field.startswith("association:") or x.field in stamps:
            continue
        edit = theirs.pop(x.place, None)
        if x.old == x.new and x.field and not x.created and not (edit and _fell_into_the_gap(edit, x)):
            yield f"{x.place} was written although it held {x.new!r} already"
        if x.new in past.get(x.place, [])[:-1] and not e.trial.lively:
            yield f"{x.place} went back to {x.new!r}"
        past.setdefault(x.place, []).append(x.new)


def _stamps(e: Evidence) -> set[str]:
    """Fields that ride along with every write: when it was, and the fingerprint of what was written."""
    mapping = e.trial.people.mapping
    stamps = {f.remote_field for kind in mapping.kinds for f in mapping.written(kind) if f.field == "synced_at"}
    return stamps | {mapping.fingerprint_field(spec.object) for spec in mapping.objects()}


def nobody_overwritten(e: Evidence) -> Found:
    """I4: what we overwrite is what both sides agreed on, or our own; what falls into the last gap must be reported."""
    last: dict[Place, Entry] = {}
    known = {place[:2] for place in e.base}
    born: dict[tuple[str, str], Any] = {}
    for x in e.entries:
        if (x.object, x.id) not in known:
            born.setdefault((x.object, x.id), x.at)
        before = last.get(x.place)
        is_theirs = x.ours and before and not before.ours and before.new != e.base.get(x.place)
        is_theirs = is_theirs and before.at != born.get((x.object, x.id))  # what a record is made with is no edit
        if before and is_theirs and not _is_restored_by_policy(e, before) and not _fell_into_the_gap(before, x):
            yield f"{x.place}: somebody's {before.new!r} of {before.at:%H:%M:%S} became {x.new!r}"
        last[x.place] = x


def _is_restored_by_policy(e: Evidence, edit: Entry) -> bool:
    """The project may ask for edits of a field to be undone; blank fields are ours to fill."""
    mapping = e.trial.people.mapping
    for kind in mapping.kinds:
        for mapped in mapping.kind_mappings[kind].fields.values():
            if (mapped.object, mapped.remote_field) == (edit.object, edit.field):
                if mapped.mode == "read_only":
                    continue
                if mapped.mode == "fill_if_empty" and edit.new is None:
                    return True
                if getattr(mapped, "on_user_edit", "restore") == "restore" and mapped.mode == "engine_owned":
                    return True
    return edit.field in _stamps(e)


def _fell_into_the_gap(edit: Entry, write: Entry) -> bool:
    """No request stands between the edit and the write: no client could have seen it."""
    return edit.at == write.at


def cursor_behind(e: Evidence) -> Found:
    """I5: what a checkpoint has passed is in the mirror; looked at right after the fault and again at the end."""
    yield from (text for text in e.trial.say if text.startswith("I5"))


def unknown_is_read_back(e: Evidence) -> Found:
    """I6: a write without an answer is not sent again before its records were read."""
    open_writes: set[str] = set()
    for seen, wrote in zip(e.requests, e.writing, strict=True):
        if seen.system != e.trial.system:
            continue
        is_write = wrote or seen.method in ("PATCH", "DELETE") or "/batch/up" in seen.path
        if not is_write:
            open_writes.clear()
            continue
        if seen.path in open_writes:
            yield f"{seen.method} {seen.path} was sent again although its first outcome was unknown"
        if wrote and (seen.status == 0 or seen.status >= 500):
            open_writes.add(seen.path)


def store_sound(e: Evidence) -> Found:
    """I7: the store passes SQLite's check and its own."""
    yield from e.damage


def single_writer(e: Evidence) -> Found:
    """I8: the writes of two runs never mix, and the lock is free when all is over."""
    yield from (text for text in e.trial.say if text.startswith("I8"))


def polite(e: Evidence) -> Found:
    """I9: in a storm of refusals at most two requests in ten seconds leave."""
    times = [x.at.timestamp() for x in e.requests if x.system == e.trial.system and x.status in (429, 403)]
    for start, third in zip(times, times[2:], strict=False):
        if third - start < 10:
            yield f"three refused requests within {third - start:.0f} s"
            return


def bounded(e: Evidence) -> Found:
    """I10: a run under a fault ends."""
    if e.trial.waited_s > LONGEST_CYCLE_S:
        yield f"a run took {e.trial.waited_s:.0f} s"


def silent(e: Evidence) -> Found:
    """I11: no secret in the log, an error, a report, the store or any file of the project."""
    texts = [e.trial.ground.log.getvalue(), *(f"{x!r} {x}" for x in e.trial.errors)]
    texts += [orjson.dumps(dataclasses.asdict(r), default=str).decode() for r in e.trial.reports]
    blobs = [text.encode() for text in texts]
    blobs += [path.read_bytes() for path in e.trial.ground.bench.directory.rglob("*") if path.is_file()]
    for name, secret in SECRETS.items():
        if any(secret.encode() in blob for blob in blobs):
            yield f"{name} is in a log, an error or a file"


def loud(e: Evidence) -> Found:
    """I12: a fault leaves an error, a failure, or at least a line with a code in the log; what is open is said."""
    t = e.trial
    told = (
        "USER_EDIT" in e.codes
        or t.died
        or t.errors
        or any(r.failures for r in t.reports)
        or '"code":' in t.ground.log.getvalue()
    )
    if t.fired and not told and not t.needs_no_word:
        yield "nothing was said of it"
    for error in t.errors:
        if getattr(error, "hint", "-") == "" and getattr(error, "exit_code", 1) != 1:
            yield f"{error} does not say what to do"


def quiet(e: Evidence) -> Found:
    """I13: a run with nothing to do writes nothing and asks no more than usual."""
    if e.written_in_second:
        yield f"the second clean run wrote {e.written_in_second} fields"
    if e.requests_in_second > e.trial.usual.quiet + 2 and not e.trial.people_acted and not e.trial.may_reject:
        yield f"the second clean run asked {e.requests_in_second} times, usually {e.trial.usual.quiet}"


def recovers(e: Evidence) -> Found:
    """I14: the first run after the fault does all that was left, and the second has nothing to do."""
    for number, (plan, report) in enumerate(e.cycles[:2]):
        if report.status != "ok" and not e.trial.may_reject:
            yield f"clean run {number + 1} ended {report.status}: {report.failures[:2]}"
        if number and plan.changes and not e.trial.may_reject:
            yield f"the second clean run still changes {_named(plan)}"


INVARIANTS: dict[str, Callable[[Evidence], Found]] = {
    "I1": complete, "I2": no_double_create, "I3": no_idle_write, "I4": nobody_overwritten, "I5": cursor_behind,
    "I6": unknown_is_read_back, "I7": store_sound, "I8": single_writer, "I9": polite, "I10": bounded, "I11": silent,
    "I12": loud, "I13": quiet, "I14": recovers,
}  # fmt: skip
"""I15, that a case played twice gives the same log, compares two cases and is a test of its own."""


def violations(e: Evidence, names: tuple[str, ...]) -> list[str]:
    found = [f"{name} {text}" for name in names if name in INVARIANTS for text in INVARIANTS[name](e)]
    return found + [text for text in e.trial.say if not text.startswith(("I5", "I8"))]

"""Plays one case and judges it: the fault, then faults off, two clean cycles, a full one, and the invariants."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from crmsync.errors import CrmsyncError
from crmsync.remote import Cursor
from crmsync.store import Store
from tests.prove.case import Case
from tests.prove.ground import START, WORLDS, Ground
from tests.prove.invariants import Evidence, violations
from tests.prove.judge import Place, count_entries, read_entries, read_requests, values_now
from tests.prove.matrix import BY_ID
from tests.prove.trial import Trial, Usual
from tests.sync.conftest import SYSTEMS
from tests.sync.people import People, fields_of

QUIET_S = 60.0
"""Between the fault's end and the next run, and between runs."""


QUIET_RUNS = 4
"""What is looked at in turns does not cost the same in each."""
USUAL_RUNS = (False, False, True)
"""Which of the clean cycles are full."""
CASE_LIMIT_S = 40
"""Of real time; a case takes about one."""


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """:raises TimeoutError: in the main thread, whatever it waits for."""

    def end(_number: int, _frame: object) -> None:
        raise TimeoutError(f"the case hangs: not over in {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True, slots=True)
class Result:
    case: Case
    fired: bool
    violations: tuple[str, ...]
    seconds: float


@dataclass
class Prover:
    """A ground, and what is usual on it."""

    ground: Ground
    usual: dict[tuple[str, str], Usual]

    @classmethod
    def on(cls, ground: Ground) -> Prover:
        return cls(ground, {(s, w): look_at(ground, s, w) for s in SYSTEMS for w in WORLDS})

    def play(self, case: Case) -> Result:
        """Whatever happens is a result; an error that nobody expected is a violation."""
        began = time.process_time()
        trial = Trial(self.ground, case, self.usual[case.system, case.world])
        try:
            with ends_within(CASE_LIMIT_S):
                found = self._played(trial)
        except Exception as error:  # noqa: BLE001
            frames = traceback.extract_tb(error.__traceback__)
            where = next((f for f in reversed(frames) if "/crmsync/" in f.filename), frames[-1])
            said = getattr(error, "message", str(error))
            found = [f"{type(error).__name__} {said} ({where.filename.rpartition('/')[2]}:{where.lineno})"]
        return Result(case, trial.fired, tuple(found), time.process_time() - began)

    def _played(self, trial: Trial) -> list[str]:
        fault = BY_ID[trial.case.fault]
        self.ground.begin(trial.case.world)
        base = our_values(trial)
        fault.inject(trial)
        box = self.ground.box
        trial.fired = trial.fired and not any(f.about.group != "state" and f.seen == 0 for f in box.faults.armed())
        box.faults.clear()
        if not trial.fired:
            return []
        trial.say += [f"I5 {text}" for text in passed_by(trial)]
        return self.judge(trial, base, fault.invariants)

    def judge(
        self, trial: Trial, base: dict[Place, object], names: tuple[str, ...], runs: tuple[bool, ...] = USUAL_RUNS
    ) -> list[str]:
        """Clean cycles, the last of them full, then the invariants."""
        return violations(self._evidence(trial, base, runs), names)

    def _evidence(self, trial: Trial, base: dict[Place, object], runs: tuple[bool, ...]) -> Evidence:
        crm, box = trial.crm, self.ground.box
        cycles = []
        written = asked = 0
        for full in runs:
            self.ground.wait(QUIET_S)
            before, sent = count_entries(crm), len(box.writing)
            cycles.append(trial.run(full=full))
            if len(cycles) == 2:
                written, asked = count_entries(crm) - before, len(box.writing) - sent
        with trial.ground.bench.session(trial.system) as session:
            store = session.store
            pending, unresolved, damage = store.pending(), store.unresolved(), store.integrity()
            codes = frozenset(finding.code for finding in store.findings())
        trial.say += [f"I5 {text}" for text in passed_by(trial)]
        return Evidence(
            trial=trial,
            base=base,
            entries=read_entries(crm, trial.system, START),
            requests=list(box.traffic.seen),
            writing=list(box.writing),
            cycles=(cycles[0], cycles[1], cycles[-1]),
            written_in_second=written,
            requests_in_second=asked,
            pending=list(pending),
            unresolved=list(unresolved),
            damage=damage,
            codes=codes,
        )


def our_values(trial: Trial) -> dict[Place, object]:
    return values_now(trial.crm, trial.system, our_fields(trial.people))


def our_fields(people: People) -> dict[str, set[str]]:
    """What the mapping lets us write, by the CRM's names."""
    names: dict[str, set[str]] = {}
    for kind in people.mapping.kinds:
        for mapped in people.mapping.written(kind):
            names.setdefault(mapped.object, set()).add(mapped.remote_field)
    return names


def look_at(ground: Ground, system: str, world: str) -> Usual:
    """Play the world undisturbed, once."""
    ground.begin(world)
    commits: list[int] = []
    real: Callable[..., object] = Store._run

    def noting(store: Store, sql: str, *rest: object) -> object:
        if sql == "COMMIT":
            commits.append(sum(ground.box.writing))
        return real(store, sql, *rest)

    with patch.object(Store, "_run", noting):
        _, report = ground.bench.sync(system)
    assert report.status == "ok", report.failures
    requests = read_requests(list(ground.box.traffic.seen), ground.box.writing, system)
    written = tuple(e for e in read_entries(getattr(ground.box, system), system, START) if e.ours)
    result = fields_of(ground.bench, system)
    quiet = max(_requests_of_a_quiet_run(ground, system) for _ in range(QUIET_RUNS))
    points = tuple("K" if after else "S" for after in commits)
    return Usual(tuple(requests), points, result, quiet, written)


def _requests_of_a_quiet_run(ground: Ground, system: str) -> int:
    ground.wait(QUIET_S)
    sent = len(ground.box.writing)
    plan, _ = ground.bench.sync(system)
    assert plan.changes == (), plan.changes
    return len(ground.box.writing) - sent


def passed_by(trial: Trial) -> list[str]:
    """Live records that a checkpoint says were read and the mirror does not have."""
    path = trial.ground.bench.project.store_path(trial.system)
    if not path.exists():
        return []
    try:
        with Store.open(path, readonly=True) as store:
            return [text for name in trial.people.mapping.objects() for text in _passed(trial, store, name.object)]
    except CrmsyncError:  # a damaged store is refused, and another invariant's business
        return []


def _passed(trial: Trial, store: Store, name: str) -> list[str]:
    cursor = store.cursor(name)
    if not cursor or not cursor.get("after"):
        return []
    known = set(store.object_ids(name))
    rows = [row for row in trial.crm.rows(name) if not row.get("IsDeleted")] if _has(trial, name) else []
    missing = [row for row in rows if _id(row) not in known and _is_before(row, cursor)]
    return [f"the checkpoint of {name} has passed {_id(row)}, which the mirror lacks" for row in missing[:1]]


def _has(trial: Trial, name: str) -> bool:
    return trial.system == "salesforce" or name not in ("owners", "pipelines")


def _id(row: dict[str, str]) -> str:
    return row.get("Id") or row["hs_object_id"]


def _is_before(row: dict[str, str], cursor: Cursor) -> bool:
    after = cursor["after"]
    if isinstance(after, str | int):
        return int(row["hs_object_id"]) < int(after)
    stamp, last = after
    return (row.get("SystemModstamp") or "", row["Id"]) <= (stamp, last)

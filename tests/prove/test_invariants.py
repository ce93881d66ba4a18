"""Each invariant finds what it is there to find: the evidence of a good case, with one thing made wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crmsync.errors import Unreachable
from crmsync.sync.report import WriteFailure
from tests.prove.case import Case
from tests.prove.ground import START
from tests.prove.invariants import INVARIANTS, Evidence
from tests.prove.judge import Entry
from tests.prove.run import USUAL_RUNS, Prover, our_values
from tests.prove.trial import Trial
from tests.sync.conftest import SECRETS

SYSTEM = "salesforce"


@pytest.fixture(scope="module")
def good(kept: Prover) -> Evidence:
    """A case in which a connection was cut, and nothing else."""
    prover = kept
    with prover.ground.stand():
        case = Case("F8", "Q", SYSTEM, 3, "before")
        trial = Trial(prover.ground, case, prover.usual[SYSTEM, case.world])
        prover.ground.begin(case.world)
        base = our_values(trial)
        trial.arm("drop", when="before")
        trial.cycle()
        prover.ground.box.faults.clear()
        return prover._evidence(trial, base, USUAL_RUNS)


def changed(e: Evidence, **what: Any) -> Evidence:
    """The same with a trial of its own, so that nothing spills over."""
    return replace(e, trial=replace(e.trial, say=[], errors=list(e.trial.errors)), **what)


def entry(e: Evidence, **what: Any) -> Entry:
    """One field that the undisturbed run wrote, with something about it changed."""
    names = {f.remote_field for f in e.trial.people.mapping.written("deal") if f.field == "partner_name"}
    usual = next(x for x in e.trial.usual.written if x.field in names and not x.created)
    return replace(usual, **what)


def report_with(e: Evidence, **what: Any) -> tuple[Any, ...]:
    plan, report = e.cycles[0]
    return ((plan, replace(report, **what)), *e.cycles[1:])


def overwritten(e: Evidence) -> Evidence:
    first = entry(e, ours=False, new="typed", at=START)
    return changed(e, entries=[first, entry(e, old="typed", at=START + timedelta(seconds=5))])


def made_twice(e: Evidence) -> Evidence:
    task = e.trial.people.mapping.task
    assert task is not None
    row = {"object": task.object, "field": task.key_field, "created": True, "old": None, "new": "key-1"}
    return changed(e, entries=[entry(e, id="00T1", **row), entry(e, id="00T2", **row)])


def sent_again(e: Evidence) -> Evidence:
    write = next(s for s, wrote in zip(e.requests, e.writing, strict=True) if wrote)
    return changed(e, requests=[replace(write, status=0), write], writing=[True, True])


def refused_often(e: Evidence) -> Evidence:
    refused = replace(e.requests[0], status=429)
    return changed(e, requests=[replace(refused, at=START + timedelta(seconds=n)) for n in range(3)])


def secret_said(e: Evidence) -> Evidence:
    broken = changed(e)
    broken.trial.errors.append(Unreachable(f"token {next(iter(SECRETS.values()))} refused", system=SYSTEM))
    return broken


def nothing_said(e: Evidence) -> Evidence:
    broken = changed(e)
    e.trial.ground.log.seek(0)
    e.trial.ground.log.truncate()
    return broken


def said(text: str) -> Callable[[Evidence], Evidence]:
    def broken(e: Evidence) -> Evidence:
        other = changed(e)
        other.trial.say.append(text)
        return other

    return broken


BROKEN: dict[str, Callable[[Evidence], Evidence]] = {
    "I1": lambda e: changed(e, pending=[("Opportunity", "006")]),
    "I2": made_twice,
    "I3": lambda e: changed(e, entries=[entry(e, old="same", new="same")]),
    "I4": overwritten,
    "I5": said("I5 the checkpoint has passed a record"),
    "I6": sent_again,
    "I7": lambda e: changed(e, damage=["row 7 missing from index"]),
    "I8": said("I8 two runs wrote at once"),
    "I9": refused_often,
    "I10": lambda e: replace(changed(e), trial=replace(e.trial, waited_s=10_000)),
    "I11": secret_said,
    "I12": nothing_said,
    "I13": lambda e: changed(e, written_in_second=1),
    "I14": lambda e: changed(e, cycles=report_with(e, status="partial", failures=[])),
}


@pytest.mark.parametrize("name", INVARIANTS)
def test_an_invariant_holds_when_nothing_is_wrong(good: Evidence, name: str) -> None:
    assert list(INVARIANTS[name](good)) == []


@pytest.mark.parametrize("name", sorted(BROKEN, key=lambda name: name == "I12"))  # which empties the log
def test_an_invariant_finds_what_is_wrong(good: Evidence, name: str) -> None:
    assert list(INVARIANTS[name](BROKEN[name](good)))


def test_a_difference_from_the_usual_is_found(good: Evidence) -> None:
    usual = good.trial.usual
    place = next(iter(usual.result))
    other = replace(usual, result={**usual.result, place: {**usual.result[place], "StageName": "Elsewhere"}})
    assert list(INVARIANTS["I1"](replace(good, trial=replace(good.trial, usual=other))))


def test_what_falls_into_the_last_gap_could_not_be_seen(good: Evidence) -> None:
    """A vendor without conditional writes; docs/proof.md says so."""
    first = entry(good, ours=False, new="typed", at=START)
    together = changed(good, entries=[first, entry(good, old="typed", at=START)])
    policy = list(INVARIANTS["I4"](together))
    assert policy == []


def test_a_failure_is_a_word(good: Evidence) -> None:
    quiet = nothing_said(good)
    quiet.trial.errors.clear()
    failure = WriteFailure("Opportunity", "006", "deal", "failed", "X", "refused")
    quiet.trial.reports[:] = [replace(good.cycles[0][1], failures=[failure])]
    assert list(INVARIANTS["I12"](quiet)) == []

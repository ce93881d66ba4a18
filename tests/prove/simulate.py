"""Random worlds: sellers, admins and partners at work between any two requests, while whatever can fails does.

``python -m tests.prove.simulate --seed 4711 --system hubspot`` plays one again; without a seed it plays many in
turn. *Safety*: the faults go on from run to run, and what must always hold is looked at after each.
*Liveness*: then all faults end, and the next runs must do all that is left.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from typing import Any

from tests.prove.case import Case
from tests.prove.ground import START, WORLDS, Ground, standing_ground
from tests.prove.judge import read_entries
from tests.prove.run import Prover, ends_within, our_values
from tests.prove.trial import Trial, die, hear_nothing, interrupt
from tests.sync.conftest import SYSTEMS
from tests.sync.people import People
from tests.sync.test_properties import ACTS, let_time_pass

SEED_LIMIT_S = 60
MOST_REQUESTS = 60
ROUNDS, PEOPLE, FAULTS = (1, 2), (1, 3), (0, 2)
IN_THE_END = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I11", "I13", "I14")

SPOILS: tuple[dict[str, Any], ...] = (
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "truncate"},
    {"kind": "down"},
    {"kind": "server_error", "status": 500, "when": "after"},
    {"kind": "server_error", "status": 502, "when": "before"},
    {"kind": "html", "status": 200},
    {"kind": "rate_limit"},
    {"kind": "rate_limit", "retry_after": "30"},
    {"kind": "unauthorized"},
    {"kind": "missing_scope"},
    {"kind": "lock"},
    {"kind": "partial"},
    {"kind": "silent"},
    {"kind": "garble"},
    {"kind": "fewer"},
    {"kind": "quota"},
)
ENDS: tuple[Callable[[], Any], ...] = (die, die, interrupt, hear_nothing)


def type_reason(people: People, one: int, two: int) -> None:
    """Somebody types into a field that crmsync decides."""
    if deal := people.pick("deal", one):
        people.edit("deal", deal, ("attribution_reason", "partner_name")[two % 2], ("I know better", None)[one % 2])


DEEDS = (*(act for act in ACTS if act is not let_time_pass), type_reason)


@dataclass(frozen=True, slots=True)
class Outcome:
    seed: int
    system: str
    violations: tuple[str, ...]
    story: tuple[str, ...]


class Story:
    """One seed played out."""

    def __init__(self, prover: Prover, seed: int, system: str) -> None:
        self.prover, self.ground = prover, prover.ground
        self.chance = Random(f"{seed}/{system}")  # noqa: S311
        world = self.chance.choice(WORLDS)
        case = Case("SIM", "-", system, seed, "", world)
        self.trial = Trial(self.ground, case, prover.usual[system, world], people_acted=True, lively=True)
        self.told: list[str] = [f"world {world}"]

    def play(self) -> list[str]:
        self.ground.begin(self.trial.case.world)
        base = our_values(self.trial)
        for _ in range(self.chance.randint(*ROUNDS)):
            self._round()
            self.ground.wait(self.chance.choice((10, 60, 600, 3 * 3600)))
        self.ground.box.faults.clear()
        self.trial.needs_no_word = True
        return self.prover.judge(self.trial, base, IN_THE_END)

    def _round(self) -> None:
        """Faults are armed, people are about to act, and the engine runs, perhaps to its death."""
        chance, trial = self.chance, self.trial
        for _ in range(chance.randint(*FAULTS)):
            spoil, k = chance.choice(SPOILS), chance.randrange(MOST_REQUESTS)
            trial.arm(k=k, times=chance.choice((1, 1, 1, 3, 10)), seed=chance.randrange(99), **spoil)
            self.told.append(f"request {k}: {spoil}")
        with ExitStack() as stack:
            for _ in range(chance.randint(*PEOPLE)):
                stack.enter_context(self._somebody())
            if chance.random() < 0.25:
                self._run_to_an_end(stack)
            else:
                trial.cycle()
        trial.say += [f"I7 {text}" for text in self._damage()]

    def _somebody(self) -> Any:
        act, k = self.chance.choice(DEEDS), self.chance.randrange(-10, MOST_REQUESTS)
        one, two = self.chance.randrange(31), self.chance.randrange(31)
        self.told.append(f"before request {max(k, 0)}: {act.__name__}({one}, {two})")
        return self.trial.at_request(lambda: act(self.trial.people, one, two), "before", max(k, 0))

    def _run_to_an_end(self, stack: ExitStack) -> None:
        end, k = self.chance.choice(ENDS), self.chance.randrange(MOST_REQUESTS)
        when = self.chance.choice(("before", "after"))
        self.told.append(f"{when} request {k}: {end.__name__}")
        stack.enter_context(self.trial.at_request(end, when, k))
        if end is die:
            self.trial.in_child()
        else:
            self.trial.cycle()

    def _damage(self) -> list[str]:
        with self.ground.bench.session(self.trial.system) as session:
            return session.store.integrity()


def play(prover: Prover, seed: int, system: str) -> Outcome:
    story = Story(prover, seed, system)
    try:
        with ends_within(SEED_LIMIT_S):
            found = story.play()
    except Exception as error:  # noqa: BLE001
        found = [f"{type(error).__name__} {getattr(error, 'message', error)}"]
    return Outcome(seed, system, tuple(found), tuple(story.told))


def event_log(ground: Ground, system: str) -> list[Any]:
    """What I15 compares: every request and every field that changed, with their times."""
    return [*ground.box.arrivals, *read_entries(getattr(ground.box, system), system, START)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.prove.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one, and tell its story")
    parser.add_argument("--system", choices=SYSTEMS, help="in this CRM; default: both")
    parser.add_argument("--first", type=int, default=0, help="the first of many seeds")
    parser.add_argument("--count", type=int, default=0, help="how many; 0: as many as there is time for")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    systems = (options.system,) if options.system else SYSTEMS
    if options.seed is not None:
        return _tell(options.seed, systems)
    return simulate(systems, options.first, options.count, options.minutes, options.jobs)


def _tell(seed: int, systems: Sequence[str]) -> int:
    with standing_ground() as ground:
        prover = Prover.on(ground)
        outcomes = [play(prover, seed, system) for system in systems]
    for one in outcomes:
        sys.stdout.write(f"seed {one.seed} in {one.system}\n" + "".join(f"  {text}\n" for text in one.story))
        sys.stdout.write("".join(f"VIOLATION {text}\n" for text in one.violations) or "no violation\n")
    return int(any(one.violations for one in outcomes))


def simulate(systems: Sequence[str], first: int, count: int, minutes: float, jobs: int) -> int:
    """Seeds in turn, in several processes, until the time is over; 1 when something was violated."""
    began = time.monotonic()
    shares = [(tuple(systems), first + number, count, minutes, jobs) for number in range(jobs)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(_share, shares))
    spent = time.monotonic() - began
    played = sum(number for number, _ in parts)
    bad = [one for _, found in parts for one in found]
    for one in bad[:20]:
        sys.stdout.write(f"VIOLATION seed {one.seed} {one.system}: {one.violations[0][:300]}\n")
        sys.stdout.write(f"    python -m tests.prove.simulate --seed {one.seed} --system {one.system}\n")
    sys.stdout.write(f"simulation: {played} seeds, {len(bad)} with violations, {played / spent:.1f} seeds/s\n")
    return int(bool(bad))


def _share(job: tuple[Sequence[str], int, int, float, int]) -> tuple[int, list[Outcome]]:
    systems, first, count, minutes, step = job
    warnings.simplefilter("error")
    ends_at = time.monotonic() + 60 * minutes
    with standing_ground() as ground:
        prover = Prover.on(ground)
        found, played = [], 0
        for seed in _seeds(first, count, step):
            if time.monotonic() > ends_at:
                break
            outcome = play(prover, seed, systems[played % len(systems)])
            played += 1
            if outcome.violations:
                found.append(outcome)
                sys.stderr.write(f"VIOLATION seed {seed} {outcome.system}: {outcome.violations[0][:300]}\n")
    return played, found


def _seeds(first: int, count: int, step: int) -> Iterator[int]:
    seed = first
    while not count or seed < first + count:
        yield seed
        seed += step


if __name__ == "__main__":
    sys.exit(main())

"""Cases played in several processes, each with a ground of its own."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.prove.case import Case
from tests.prove.ground import standing_ground
from tests.prove.run import Prover, Result


def play_all(cases: Sequence[Case], jobs: int) -> list[Result]:
    """In processes of their own, each with its own ground; in the order given."""
    jobs = max(1, min(jobs, len(cases)))
    parts = [list(cases[start::jobs]) for start in range(jobs)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(play_part, parts))
    by_case = {result.case: result for part in done for result in part}
    return [by_case[case] for case in cases]


def play_part(cases: Sequence[Case]) -> list[Result]:
    warnings.simplefilter("error")
    with standing_ground() as ground:
        prover = Prover.on(ground)
        results = []
        began = time.monotonic()
        for number, case in enumerate(cases):
            results.append(prover.play(case))
            for text in results[-1].violations[:2]:
                sys.stderr.write(f"VIOLATION {case}: {text[:300]}\n")
            if number % 50 == 49:
                spent = time.monotonic() - began
                bad = sum(bool(result.violations) for result in results)
                sys.stderr.write(f"{number + 1}/{len(cases)} cases, {bad} with violations, {spent:.0f} s\n")
        return results

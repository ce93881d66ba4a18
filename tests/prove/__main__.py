"""``python -m tests.prove``: the matrix, whole or a sample, or one case."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from itertools import chain

from tests.prove.case import Case
from tests.prove.cases import every_case, sample, take_turns
from tests.prove.ground import standing_ground
from tests.prove.matrix import BY_ID
from tests.prove.pool import play_all
from tests.prove.run import Prover
from tests.prove.simulate import simulate
from tests.prove.table import render, render_violations
from tests.sync.conftest import SYSTEMS

SIMULATION_MIN = 12.0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    warnings.simplefilter("error")
    faults = [BY_ID[name] for name in options.fault or BY_ID]
    if options.case:
        with standing_ground() as ground:
            prover = Prover.on(ground)
            results = [prover.play(Case.parse(text)) for text in options.case]
            if options.log:
                sys.stdout.write(ground.log.getvalue())
    else:
        with standing_ground() as ground:
            cases = list(every_case(Prover.on(ground).usual, faults))
        chosen = sample(cases, options.each, options.seed) if options.each else cases
        if options.nightly:
            chosen = take_turns(cases, options.seed)
        sys.stdout.write(f"{len(chosen)} of {len(cases)} cases, seed {options.seed}\n")
        results = play_all(chosen, options.jobs)
    for line in chain(render(results), render_violations(results)):
        sys.stdout.write(f"{line}\n")
    failed = any(result.violations for result in results)
    if options.nightly:
        failed |= bool(simulate(SYSTEMS, 1_000 * options.seed, 0, SIMULATION_MIN, options.jobs))
    return int(failed)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("--case", action="append", help="play this case (F7:W:salesforce:k=12:after); may be repeated")
    parser.add_argument("--fault", action="append", choices=list(BY_ID), help="only this fault; may be repeated")
    parser.add_argument("--each", type=int, default=0, help="so many cases of each fault in each CRM; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    parser.add_argument("--nightly", action="store_true", help="every index, many variants in turns; then simulate")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--log", action="store_true", help="show the engine's log of a case")
    return parser


if __name__ == "__main__":
    sys.exit(main())

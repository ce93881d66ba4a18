"""What is printed at the end: per fault the cases, the violations, the time; and what does not apply, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.prove.matrix import FAULTS
from tests.prove.run import Result


def render(results: Iterable[Result]) -> Iterator[str]:
    rows = list(results)
    yield f"{'':5}{'fault':58}{'cases':>7}{'missed':>8}{'violations':>12}{'seconds':>9}"
    for fault in FAULTS:
        own = [row for row in rows if row.case.fault == fault.id]
        if own:
            bad = sum(bool(row.violations) for row in own)
            cost = sum(row.seconds for row in own)
            missed = sum(not row.fired for row in own)
            yield f"{fault.id:5}{fault.name:58}{len(own):7}{missed:8}{bad:12}{cost:9.1f}"
        for point, why in fault.not_applicable.items():
            yield f"{fault.id if not own else '':5}  not applicable at {point}: {why}"
    bad = sum(bool(row.violations) for row in rows)
    yield f"{'':5}{'all':58}{len(rows):7}{sum(not r.fired for r in rows):8}{bad:12}{sum(r.seconds for r in rows):9.1f}"


def render_violations(results: Iterable[Result], most: int = 40) -> Iterator[str]:
    bad = [row for row in results if row.violations]
    for row in bad[:most]:
        yield f"VIOLATION {row.case}"
        yield from (f"    {text[:400]}" for text in row.violations[:4])
    if len(bad) > most:
        yield f"and {len(bad) - most} more cases with violations"
    if bad:
        yield f"play one again: python -m tests.prove --case {bad[0].case}"

"""Which cases there are, and which of them are played when there is not time for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from tests.prove.case import Case
from tests.prove.matrix import BY_ID, FAULTS, Fault
from tests.prove.trial import Usual

MOST_VARIANTS = 1
Usuals = dict[tuple[str, str], Usual]


def every_case(usual: Usuals, faults: Iterable[Fault] = FAULTS) -> Iterator[Case]:
    """All of them: every index of every point."""
    for fault in faults:
        for (system, world), normal in usual.items():
            if system not in fault.systems or world not in fault.worlds:
                continue
            for point in fault.points.split():
                for k in fault.indices(point, normal):
                    yield from (Case(fault.id, point, system, k, variant, world) for variant in fault.variants)


def sample(cases: Iterable[Case], each: int, seed: int) -> list[Case]:
    """``each`` cases of every fault in every CRM, first one of each variant at different points."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.fault, case.system), []).append(case)
    return [case for group in groups.values() for case in _some(group, each, seed)]


def _some(group: list[Case], each: int, seed: int) -> list[Case]:
    chance = Random(f"{seed}/{group[0].fault}/{group[0].system}")  # noqa: S311
    mixed = chance.sample(group, len(group))
    chosen: list[Case] = []
    while mixed and len(chosen) < each:
        seen_variants = {case.variant for case in chosen}
        seen_points = {case.point for case in chosen}
        best = min(mixed, key=lambda c: (c.variant in seen_variants) + (c.point in seen_points))
        mixed.remove(best)
        chosen.append(best)
    return chosen


def take_turns(cases: Iterable[Case], seed: int) -> list[Case]:
    """Every index of every point; where a fault has more than two variants each index meets one, by the seed."""
    chosen = []
    for case in cases:
        variants = BY_ID[case.fault].variants
        turn = (variants.index(case.variant) - case.k - seed - (case.world == "later")) % len(variants)
        if len(variants) <= 2 or turn < MOST_VARIANTS or BY_ID[case.fault].counts:
            chosen.append(case)
    return chosen

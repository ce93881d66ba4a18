"""How well records are matched: crmsync beside exact rules, recordlinkage and Splink, in one run.

python benchmarks/identity.py [SET …] [--others]

Every method runs in a process of its own. Thresholds are fixed beforehand: a pair is found at a probability of 0.5.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import bench
from matching_sets import SETS, Labelled, Pair, pair

from crmsync.identity.keys import blocking_keys
from crmsync.identity.learn import refit
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared, prepare
from crmsync.identity.score import Scorer
from crmsync.identity.train import train, usual_in
from crmsync.likeness import TermCounts, frequency_in

MOST_PER_KEY = 200
ANSWERS = (200, 500)
SEEDS = (1, 2, 3)
OURS = ("shipped", "no labels", *(f"{n} answers" for n in ANSWERS))
OTHERS = ("recordlinkage ECM", "Splink")
Found = set[Pair]


class Ours:
    """The records of a set, prepared, with their candidate pairs and the frequency of their values."""

    def __init__(self, data: Labelled) -> None:
        self.data = data
        self.records: dict[str, Prepared] = {raw["id"]: prepare(data.kind, raw) for raw in data.records}
        counts = TermCounts()
        for record in self.records.values():
            counts.add(record)
        self.frequency = frequency_in(data.kind, counts)
        self.pairs = self._candidates()

    def _candidates(self) -> list[Pair]:
        blocks: dict[str, list[str]] = defaultdict(list)
        for record in self.records.values():
            for key in blocking_keys(record):
                blocks[key].append(record.id)
        small = (ids for ids in blocks.values() if 1 < len(ids) <= MOST_PER_KEY)
        return sorted({pair(a, b) for ids in small for a, b in combinations(ids, 2) if self.data.counts(a, b)})

    def two(self, pair: Pair) -> tuple[Prepared, Prepared]:
        return self.records[pair[0]], self.records[pair[1]]

    def without_labels(self) -> Model:
        usual = usual_in(self.records.values(), self.frequency)
        return train(map(self.two, self.pairs), Model.default(self.data.kind), usual)

    def bits(self, model: Model) -> dict[Pair, float]:
        scorer = Scorer(model, self.frequency)
        return {pair: scorer.bits(*self.two(pair)) for pair in self.pairs}

    def found(self, bits: Mapping[Pair, float], model: Model) -> Found:
        """The same at 0.5, relatives apart; each record once, where two lists have no duplicates inside."""
        scorer = Scorer(model, self.frequency)
        likely = [p for p in self.pairs if bits[p] >= 0]
        scores = {p: scorer.score(*self.two(p)) for p in likely}
        kept = {p for p, score in scores.items() if not self.data.family or score.p_duplicate >= 0.5}
        return _each_once(kept, bits) if self.data.first else kept

    def answered(self, bits: Mapping[Pair, float], model: Model, number: int, seed: int) -> Model:
        """As somebody answers: half of the most doubtful pairs, half of all that are not certain."""
        chance = random.Random(seed)
        unsure = sorted((p for p in self.pairs if abs(bits[p]) < 12), key=lambda p: (abs(bits[p]), p))
        asked = {*chance.sample(unsure[: number * 4], min(number // 2, len(unsure)))}
        asked |= {*chance.sample(unsure, min(number // 2, len(unsure)))}
        family = self.data.family or {}
        said = [(*self.two(p), _answer(p, self.data.truth, family)) for p in sorted(asked)]
        return refit(model, said, self.frequency)


def _answer(pair: Pair, truth: Found, family: Mapping[str, int]) -> str:
    if pair in truth:
        return "duplicate"
    return "related" if family and family[pair[0]] == family[pair[1]] else "different"


def _each_once(pairs: Found, bits: Mapping[Pair, float]) -> Found:
    taken: set[str] = set()
    kept: Found = set()
    for one in sorted(pairs, key=lambda p: (-bits[p], p)):
        if not taken & {*one}:
            taken |= {*one}
            kept.add(one)
    return kept


def quality(found: Found, truth: Found) -> tuple[float, float, float]:
    """Precision, recall, F1 of pairs."""
    right = len(found & truth)
    precision, recall = right / len(found) if found else 0.0, right / len(truth)
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def exact(data: Labelled) -> Found:
    found: Found = set()
    for field in data.exact:
        groups: dict[str, list[str]] = defaultdict(list)
        for raw in data.records:
            if value := prepare(data.kind, raw).text(field):
                groups[value].append(raw["id"])
        found |= {pair(a, b) for ids in groups.values() for a, b in combinations(ids, 2) if data.counts(a, b)}
    return found


def run(name: str, method: str) -> dict[str, Any]:
    """One method on one set, in this process."""
    data = SETS[name]()
    with bench.spending() as spent:
        rows = _results(data, method)
    mean = [fmean(row[at] for row in rows) for at in range(3)]
    f1 = sorted(row[2] for row in rows)
    return {"quality": mean, "range": [f1[0], f1[-1]], "cpu": spent().cpu_s, "rss": bench.peak_mib()}


def _results(data: Labelled, method: str) -> list[tuple[float, float, float]]:
    if method == "exact":
        return [quality(exact(data), data.truth)]
    if method in OTHERS:
        import identity_others

        return [quality(identity_others.METHODS[method](data), data.truth)]
    ours = Ours(data)
    if method == "shared keys":
        return [quality({*ours.pairs}, data.truth)]
    model = Model.default(data.kind) if method == "shipped" else ours.without_labels()
    bits = ours.bits(model)
    if not method.endswith("answers"):
        return [quality(ours.found(bits, model), data.truth)]
    told = [ours.answered(bits, model, int(method.split()[0]), seed) for seed in SEEDS]
    return [quality(ours.found(ours.bits(model), model), data.truth) for model in told]


def main(names: list[str]) -> None:
    print(bench.machine())
    print(
        f"{'set':14}{'method':22}{'precision':>9} {'recall':>8} {'F1':>8}  {'F1 of the seeds':17}{'CPU s':>7}{'MB':>7}"
    )
    others = OTHERS if "--others" in names else ()
    for name in [n for n in names if n in SETS] or list(SETS):
        for method in ("exact", "shared keys", *OURS, *others):
            command = [sys.executable, __file__, "--one", name, method]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
            if done.returncode:
                print(f"{name:14}{method:22}{(done.stderr.strip().splitlines() or ['failed'])[-1][:70]}", flush=True)
                continue
            row = json.loads(done.stdout.splitlines()[-1])
            numbers = "".join(f"{value:9.4f}" for value in row["quality"])
            spread = "{:.4f}-{:.4f}".format(*row["range"]) if method.endswith("answers") else ""
            print(f"{name:14}{method:22}{numbers}  {spread:17}{row['cpu']:7.1f}{row['rss']:7.0f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(run(sys.argv[2], sys.argv[3])))
    else:
        main(sys.argv[1:])

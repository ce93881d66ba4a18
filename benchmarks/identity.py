"""How well records are matched: the shipped model, and the same trained without labels, beside exact rules.

python benchmarks/identity.py [SET …]
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from pathlib import Path
from time import process_time
from typing import Any

import bench

from crmsync.identity.keys import blocking_keys, terms
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared, prepare
from crmsync.identity.score import Scorer
from crmsync.identity.train import train

DATA = Path(__file__).parents[1] / "fixtures" / "matching"
MOST_PER_KEY = 200
Pair = tuple[str, str]
Rows = list[Mapping[str, Any]]


def rows_of(name: str) -> Rows:
    with (DATA / name).open(newline="", encoding="utf-8", errors="replace") as file:
        return list(csv.DictReader(file))


def chicago() -> tuple[list[Prepared], set[Pair], Callable[[Pair], bool]]:
    rows = rows_of("chicago_sites.csv")
    found = [
        prepare(
            "account",
            {
                "id": r["Id"],
                "name": r["Site name"],
                "street": r["Address"],
                "postal_code": r["Zip"],
                "phone": r["Phone"],
            },
        )
        for r in rows
    ]
    return found, _pairs({r["Id"]: r["True Id"] for r in rows}), lambda _: True


def fodors_zagats() -> tuple[list[Prepared], set[Pair], Callable[[Pair], bool]]:
    found = [
        prepare(
            "account", {"id": r["id"], "name": r["name"], "street": r["addr"], "city": r["city"], "phone": r["phone"]}
        )
        for name in ("fodors.csv", "zagats.csv")
        for r in rows_of(name)
    ]
    first = {r["id"] for r in rows_of("fodors.csv")}
    truth = {_pair(r["fodors_id"], r["zagats_id"]) for r in rows_of("match_fodors_zagats_more_attrs.csv")}
    return found, truth, lambda pair: (pair[0] in first) != (pair[1] in first)


def fake_1000() -> tuple[list[Prepared], set[Pair], Callable[[Pair], bool]]:
    rows = rows_of("fake_1000.csv")
    found = [
        prepare(
            "contact",
            {
                "id": r["unique_id"],
                "first_name": r["first_name"],
                "last_name": r["surname"],
                "email": r["email"],
                "city": r["city"],
                "birth_date": r["dob"],
            },
        )
        for r in rows
    ]
    return found, _pairs({r["unique_id"]: r["cluster"] for r in rows}), lambda _: True


SETS = {"chicago": chicago, "fodors_zagats": fodors_zagats, "fake_1000": fake_1000}
EXACT = {"chicago": "phone", "fodors_zagats": "phone", "fake_1000": "email"}


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _pairs(group_of: Mapping[str, str]) -> set[Pair]:
    groups: dict[str, list[str]] = defaultdict(list)
    for record_id, group in group_of.items():
        groups[group].append(record_id)
    return {_pair(*pair) for ids in groups.values() for pair in combinations(ids, 2)}


def candidates(records: Iterable[Prepared], counts: Callable[[Pair], bool]) -> list[Pair]:
    blocks: dict[str, list[str]] = defaultdict(list)
    for record in records:
        for key in blocking_keys(record):
            blocks[key].append(record.id)
    small = (ids for ids in blocks.values() if 1 < len(ids) <= MOST_PER_KEY)
    return sorted({pair for ids in small for a, b in combinations(ids, 2) if counts(pair := _pair(a, b))})


def quality(found: set[Pair], truth: set[Pair]) -> str:
    right = len(found & truth)
    precision, recall = right / len(found) if found else 0.0, right / len(truth)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return f"{precision:9.3f} {recall:9.3f} {f1:9.3f}"


def main(names: list[str]) -> None:
    print(bench.machine())
    print(f"{'set':15}{'method':28}{'precision':>9} {'recall':>9} {'F1':>9}  CPU s  pairs")
    for name in names or list(SETS):
        records, truth, counts = SETS[name]()
        by_id = {record.id: record for record in records}
        start = process_time()
        pairs = candidates(records, counts)
        blocked = process_time() - start
        field = EXACT[name]
        same = {p for p in pairs if (v := by_id[p[0]].text(field)) and v == by_id[p[1]].text(field)}
        print(f"{name:15}{f'exact {field}':28}{quality(same, truth)}")
        print(f"{name:15}{'shared keys (recall limit)':28}{quality(set(pairs), truth)}  {blocked:5.1f}  {len(pairs):,}")
        shipped = Model.default(records[0].kind)
        shares = Counter(term for record in records for term in terms(record))
        for method, trained in (("shipped", False), ("trained, no labels", True)):
            start = process_time()
            model = train(((by_id[a], by_id[b]) for a, b in pairs), shipped) if trained else shipped
            hits = _hits(pairs, by_id, Scorer(model, _frequency(shares, len(records))))
            print(f"{name:15}{method:28}{quality(hits, truth)}  {process_time() - start:5.1f}")


def _frequency(shares: Mapping[tuple[str, str], int], total: int) -> Callable[[str, str], float]:
    return lambda column, value: shares[column, value] / total


def _hits(pairs: Iterable[Pair], by_id: Mapping[str, Prepared], scorer: Scorer) -> set[Pair]:
    """Pairs that are alike rather than not; the sets have no families."""
    scores = ((pair, scorer.score(by_id[pair[0]], by_id[pair[1]])) for pair in pairs)
    return {pair for pair, score in scores if score.p_duplicate + score.p_related >= 0.5}


if __name__ == "__main__":
    main(sys.argv[1:])

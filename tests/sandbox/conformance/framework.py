"""Holding the sandbox to what the real systems were recorded answering.

An :class:`Exchange` was recorded. Its request is sent to the sandbox, both answers are made comparable (ids, instants,
correlation ids), and what still differs must be claimed by a :class:`Difference`: a deliberate one, with its reason.
The ledger of all that is printed at the end of the run, and the same table of differences stands in the docs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PROPERTY = "conformance"
NOTHING = "<nothing>"


@dataclass(frozen=True)
class Exchange:
    """``source`` is the recording it is from, ``name`` says which of its exchanges."""

    source: str
    name: str
    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    request: Any = None
    body: Any = None


@dataclass(frozen=True)
class Answer:
    """What the sandbox said."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Delta:
    """One place where the two differ. ``path`` is ``status``, ``header.<name>`` or ``body.<key>.<key>…``."""

    path: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.path}: recorded {self.theirs!r}, the sandbox {self.ours!r}"


@dataclass(frozen=True)
class Difference:
    """What the sandbox does otherwise on purpose."""

    name: str
    reason: str
    covers: Callable[[Exchange, Delta], bool]


class Ledger:
    """What was replayed, per recording: plain counts, since they travel from one process to another."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, int]] = {}

    def note(self, source: str, reasons: Sequence[str]) -> None:
        counts = self.counts.setdefault(source, {"replayed": 0, "equal": 0})
        for name in ("replayed", *(reasons or ("equal",))):
            counts[name] = counts.get(name, 0) + 1
        if reasons:
            counts["differing"] = counts.get("differing", 0) + 1


def judge(
    exchange: Exchange, deltas: Sequence[Delta], differences: Sequence[Difference], ledger: Ledger
) -> tuple[str, ...]:
    """The names of the differences that explain the deltas; fails on a delta that none explains."""
    found: dict[str, None] = {}
    unexplained = []
    for delta in deltas:
        claiming = next((one.name for one in differences if one.covers(exchange, delta)), None)
        if claiming is None:
            unexplained.append(delta)
        else:
            found[claiming] = None
    assert not unexplained, f"{exchange.source} {exchange.name} {exchange.method} {exchange.path}\n" + "\n".join(
        map(str, unexplained[:12])
    )
    ledger.note(exchange.source, tuple(found))
    return tuple(found)


def compare(theirs: Any, ours: Any, path: str = "body") -> Iterator[Delta]:
    """Objects by key, lists of records by id, other lists by place."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted({**theirs, **ours}):
            yield from compare(theirs.get(key, NOTHING), ours.get(key, NOTHING), f"{path}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        yield from _compare_lists(theirs, ours, path)
    elif theirs != ours:
        yield Delta(path, theirs, ours)


def _compare_lists(theirs: list[Any], ours: list[Any], path: str) -> Iterator[Delta]:
    key = next((name for name in ("id", "name") if _keyed(theirs, name) and _keyed(ours, name)), None)
    if key is None:
        yield from compare(dict(enumerate(theirs)), dict(enumerate(ours)), path) if theirs != ours else ()
        return
    both = {str(one[key]) for one in theirs} & {str(one[key]) for one in ours}
    yield from compare(_by(key, theirs), _by(key, ours), path)
    orders = [[str(one[key]) for one in listed if str(one[key]) in both] for listed in (theirs, ours)]
    if orders[0] != orders[1]:
        yield Delta(f"{path}[order]", *orders)


def _keyed(listed: list[Any], key: str) -> bool:
    return all(isinstance(one, dict) and key in one for one in listed) and len(_by(key, listed)) == len(listed)


def _by(key: str, listed: list[Any]) -> dict[str, Any]:
    return {str(one[key]): one for one in listed}


def render_table(totals: Mapping[str, Mapping[str, int]], width: int = 100) -> Iterator[str]:
    """Lines for the terminal: one per recording, then what the differing ones differ by."""
    yield f"{'recording':<{width - 36}}{'replayed':>10}{'equal':>10}{'differing':>16}"
    for source in sorted(totals):
        counts = totals[source]
        shown = (counts["replayed"], counts["equal"], counts.get("differing", 0))
        yield f"{source:<{width - 36}}{shown[0]:>10}{shown[1]:>10}{shown[2]:>16}"
        for reason in sorted(counts.keys() - {"replayed", "equal", "differing"}):
            yield f"    because of {reason}: {counts[reason]}"
    sums = [sum(counts.get(name, 0) for counts in totals.values()) for name in ("replayed", "equal", "differing")]
    yield f"{'all':<{width - 36}}{sums[0]:>10}{sums[1]:>10}{sums[2]:>16}"

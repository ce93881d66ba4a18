"""How true to life the portal behaves, for tests to turn up or down. By default as recorded, but without index lag."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TypeVar
from zlib import crc32

from crmsync.sandbox.hubspot.definitions.object_types import COMPANY, CONTACT, ObjectType

_Item = TypeVar("_Item")


@dataclass(slots=True)
class Behaviour:
    """``index_lag_ms``: how long the search index goes on seeing the record as it was before a write.

    ``settles``: the portal recomputes properties a while after a write and moves the modified date again (recorded
    2022: companies 0.7 to 4.8 s, contacts 1 to 25 s, custom objects never). In those sessions only new records moved
    again, since nothing computed hung on what was updated; ``settles_updates`` assumes the worse. ``shuffles``: batch
    answers come in another order than the inputs (all 14 recorded ones). ``associations_touch``: associating moves the
    modified date of both records. ``required``: per object, the properties that API versions from 2026-09 on demand of
    new records.
    """

    index_lag_ms: int = 0
    settles: bool = True
    settles_updates: bool = True
    shuffles: bool = True
    associations_touch: bool = True
    required: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seed: int = 20_260_922

    def settled_ms(self, kind: ObjectType, record_id: int, now_ms: int, *, is_new: bool = True) -> int | None:
        if not self.settles or kind.is_custom or not (is_new or self.settles_updates):
            return None
        chance = crc32(f"{kind.id}:{record_id}:{now_ms}:{self.seed}".encode()) % 10_000 / 10_000
        if kind.id == CONTACT:
            return now_ms + 1_000 + int(24_000 * chance)
        return now_ms + (700 + int(4_100 * chance) if kind.id == COMPANY else 500 + int(2_500 * chance))

    def shuffled(self, results: list[_Item], key: str) -> list[_Item]:
        """The same inputs always come back in the same disorder, and several never in the order they were sent."""
        if not self.shuffles or len(results) < 2:
            return results
        mixed = list(results)
        Random(crc32(key.encode()) ^ self.seed).shuffle(mixed)
        return mixed if mixed != results else [*results[1:], results[0]]

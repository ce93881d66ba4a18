"""How one object is best asked for: known from its describe, and then kept in the cursor, so that a later pull that
finds nothing new costs one call and not two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crmsync.remote import ObjectInfo

_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
_FATES = ("IsDeleted", "MasterRecordId")


@dataclass(frozen=True, slots=True)
class Shape:
    """``stamp``: the field to page by; ``fates``: fields that tell of deletes and merges; ``apart``: read by id."""

    stamp: str | None
    fates: tuple[str, ...]
    apart: tuple[str, ...]

    @property
    def sees_deleted(self) -> bool:
        return _FATES[0] in self.fates

    def save(self) -> dict[str, Any]:
        return {"stamp": self.stamp, "fates": list(self.fates), "apart": list(self.apart)}


def shape_of(info: ObjectInfo, fields: Sequence[str]) -> Shape:
    stamp = next((name for name in _STAMPS if name in info.fields), None)
    return Shape(stamp, tuple(name for name in _FATES if name in info.fields), tuple(_long_texts(info, fields)))


def load_shape(saved: object) -> Shape | None:
    """The shape in a cursor; ``None`` where there is none, or another version's."""
    if not isinstance(saved, Mapping) or saved.keys() != {"stamp", "fates", "apart"}:
        return None
    stamp, fates, apart = saved["stamp"], saved["fates"], saved["apart"]
    if stamp not in (None, *_STAMPS) or not _are_names(fates) or not _are_names(apart):
        return None
    return Shape(stamp, tuple(fates), tuple(apart))


def _are_names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _long_texts(info: ObjectInfo, fields: Sequence[str]) -> list[str]:
    """Custom long texts that a query should not ask for: from two on, a page has 200 rows and no longer 2,000.

    ("Change the Batch Size in Queries" of the SOQL reference.) Read by id they cost one call per 2,000 rows.
    """
    custom = [info.fields[name] for name in dict.fromkeys(fields) if info.fields[name].custom]
    long = [field.name for field in custom if field.type == "long_text"]
    return long if len(long) > 1 else []

"""How one object is best asked for: known from its describe, and then kept in the cursor, so that a later pull that
finds nothing new costs one call and not two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from crmsync.remote import ObjectInfo

_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
_FATES = ("IsDeleted", "MasterRecordId")


@dataclass(frozen=True, slots=True)
class Shape:
    """``stamp``: the field to page by; ``fates``: fields that tell of deletes and merges; ``apart``: read by id;
    ``quiet``: fields whose values change without the stamp."""

    stamp: str | None
    fates: tuple[str, ...]
    apart: tuple[str, ...]
    quiet: tuple[str, ...] = ()

    @property
    def sees_deleted(self) -> bool:
        return _FATES[0] in self.fates

    def save(self) -> dict[str, Any]:
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


def shape_of(info: ObjectInfo, names: Sequence[str]) -> Shape:
    fates = tuple(name for name in _FATES if name in info.fields)
    quiet = tuple(name for name in dict.fromkeys(names) if info.fields[name].calculated)
    return Shape(stamp_of(info), fates, tuple(_long_texts(info, names)), quiet)


def stamp_of(info: ObjectInfo) -> str | None:
    """The field that says when a row last changed, the best that there is."""
    return next((name for name in _STAMPS if name in info.fields), None)


def load_shape(saved: object) -> Shape | None:
    """The shape in a cursor; ``None`` where there is none, or another version's."""
    if not isinstance(saved, Mapping) or saved.keys() != {field.name for field in fields(Shape)}:
        return None
    lists = [saved[name] for name in ("fates", "apart", "quiet")]
    if saved["stamp"] not in (None, *_STAMPS) or not all(map(_are_names, lists)):
        return None
    return Shape(saved["stamp"], *map(tuple, lists))


def _are_names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _long_texts(info: ObjectInfo, fields: Sequence[str]) -> list[str]:
    """Custom long texts that a query should not ask for: from two on, a page has 200 rows and no longer 2,000.

    ("Change the Batch Size in Queries" of the SOQL reference.) Read by id they cost one call per 2,000 rows.
    """
    custom = [info.fields[name] for name in dict.fromkeys(fields) if info.fields[name].custom]
    long = [field.name for field in custom if field.type == "long_text"]
    return long if len(long) > 1 else []

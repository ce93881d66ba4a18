"""Rows as a migration leaves them: past checks and side effects, missing stamps and derived fields filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.salesforce.effects import apply_stage, derive_name, derive_opportunity
from crmsync.sandbox.salesforce.records import default_value
from crmsync.sandbox.salesforce.schema import NUMBER_TYPES, Field, SObject
from crmsync.sandbox.salesforce.store import Row
from crmsync.sandbox.salesforce.values import parse_datetime, stamp

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.base import OrgBase

CHUNK = 2000


class RowLoader:
    """Fills in rows of one object."""

    def __init__(self, org: OrgBase, target: SObject, owner: str) -> None:
        self.org, self.target = org, target
        now = org.stamp()
        self._blank = {item.name: default_value(item, owner, now) for item in target.fields.values() if item.is_stored}
        self._fields = {item.name: item for item in target.fields.values()}
        self._stage = cache(org.stage)

    def chunks(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Row]]:
        """Finished rows, ``CHUNK`` at a time."""
        source = iter(rows)
        while given := list(islice(source, CHUNK)):
            numbered = sum(1 for row in given if not row.get("Id"))
            ids = iter(self.org.store.next_ids(self.target.key_prefix or "000", numbered))
            yield [self._prepare(row, ids) for row in given]

    def _prepare(self, given: Mapping[str, Any], ids: Iterator[str]) -> Row:
        unknown = given.keys() - self._blank.keys()
        if unknown:
            raise KeyError(f"{self.target.name} has no field {', '.join(sorted(unknown))}")
        values = {name: _loaded(self._fields[name], value) for name, value in given.items()}
        row = {**self._blank, **values}
        row["Id"] = values.get("Id") or next(ids)
        self._stamp(row, values)
        derive_name(self.target, row, None)
        if self.target.name == "Opportunity":
            apply_stage(self._stage(row.get("StageName")), row, keep_given=values)
            derive_opportunity(row, None)
        return row

    @staticmethod
    def _stamp(row: Row, values: Row) -> None:
        if "LastModifiedDate" in row and "LastModifiedDate" not in values:
            last = values.get("SystemModstamp") or values.get("CreatedDate")
            row["LastModifiedDate"] = last or row["LastModifiedDate"]
        if "SystemModstamp" in row and "SystemModstamp" not in values:
            row["SystemModstamp"] = row.get("LastModifiedDate") or row["SystemModstamp"]


def _loaded(item: Field, value: Any) -> Any:
    """A Python value as its column holds it."""
    if value is None or isinstance(value, bool):
        return value if value is None else int(value)
    if item.type in NUMBER_TYPES:
        return float(value) if item.type != "int" else int(value)
    if item.type == "datetime":
        instant = value if isinstance(value, datetime) else parse_datetime(str(value))
        return stamp(instant) if instant is not None else None
    return str(value)

"""Salesforce behind the Connector protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crmsync.connectors.base import ConnectionSettings
from crmsync.connectors.salesforce import census
from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.describe import Descriptions, checked_object
from crmsync.connectors.salesforce.history import read_edits
from crmsync.connectors.salesforce.pull import load_position, pull
from crmsync.connectors.salesforce.push import MAX_WRITES, Pusher
from crmsync.connectors.salesforce.rows import all_ids, count_rows, find_ids, read_rows, remote_record
from crmsync.connectors.salesforce.shape import stamp_of
from crmsync.connectors.salesforce.soql import parse_instant
from crmsync.errors import Permanent
from crmsync.remote import (
    ApiBudget,
    Bucket,
    Cursor,
    Edit,
    HealthCheck,
    ObjectInfo,
    ObjectSpec,
    Outcome,
    Page,
    ProvisionStep,
    RemoteLink,
    RemoteRecord,
    SchemaSpec,
    Tally,
    Write,
)


class SalesforceConnector:
    """One org, one signed-in user."""

    system = "salesforce"
    batch_size = MAX_WRITES
    counts_are_current = True
    tallies_at_once = True

    def __init__(
        self,
        settings: ConnectionSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._client = Client(settings, clock=clock, sleep=sleep)
        self._descriptions = Descriptions(self._client)
        self._pusher = Pusher(self._client, self._descriptions)
        self._shapes: dict[str, Mapping[str, Any]] = {}  # as the pulls of this session found them

    def describe(self, object_name: str) -> ObjectInfo | None:
        return self._descriptions.info(object_name)

    def pull(self, spec: ObjectSpec, cursor: Cursor | None) -> Iterator[Page]:
        for page in pull(self._client, self._descriptions, spec, cursor, self._settings.overlap_s):
            self._shapes[spec.object] = page.cursor["shape"]
            yield page

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, RemoteRecord]:
        if not ids:
            return {}
        info = checked_object(self._descriptions, object_name, fields)
        stamp = "SystemModstamp" if "SystemModstamp" in info.fields else None
        asked = list(dict.fromkeys(["Id", *([stamp] if stamp else []), *fields]))
        rows = read_rows(self._client, object_name, list(dict.fromkeys(ids)), asked)
        return {record_id: remote_record(row, fields, stamp) for record_id, row in rows.items()}

    def edits(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[tuple[str, str], Sequence[Edit]]:
        return read_edits(self._client, self._descriptions, object_name, ids, fields)

    def find(self, object_name: str, key_field: str, keys: Sequence[str]) -> Mapping[str, str]:
        if not keys:
            return {}
        checked_object(self._descriptions, object_name, [key_field])
        return find_ids(self._client, object_name, key_field, keys)

    def push(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._pusher.push(writes)

    def count(self, object_name: str) -> int:
        try:
            return count_rows(self._client, object_name)
        except Permanent as error:
            if error.vendor_code == "INVALID_TYPE":
                checked_object(self._descriptions, object_name, ())  # says what to do about it
            raise

    def ids(self, object_name: str) -> Iterator[str]:
        checked_object(self._descriptions, object_name, ())
        return all_ids(self._client, object_name)

    def known_until(self, cursor: Cursor) -> datetime | None:
        position = load_position(cursor)
        return parse_instant(position.through) if position and position.done and position.through else None

    def is_dated(self, object_name: str) -> bool:
        return self._stamp(object_name) is not None

    def tally(self, object_name: str, buckets: Sequence[Bucket]) -> Sequence[Tally]:
        return census.tally(self._client, object_name, self._stamp(object_name) or "", buckets)

    def stamps(self, object_name: str, bucket: Bucket) -> Iterator[tuple[str, datetime | None]]:
        return census.stamps(self._client, object_name, self._stamp(object_name) or "", bucket)

    def _stamp(self, object_name: str) -> str | None:
        if shape := self._shapes.get(object_name):
            return str(shape["stamp"]) if shape["stamp"] else None
        return stamp_of(checked_object(self._descriptions, object_name, ()))

    def fetch(self, spec: ObjectSpec, ids: Sequence[str]) -> Sequence[RemoteRecord]:
        return list(self.read(spec.object, ids, spec.fields).values())

    def quiet_fields(self, spec: ObjectSpec) -> Sequence[str]:
        if shape := self._shapes.get(spec.object):
            return list(shape["quiet"])
        info = checked_object(self._descriptions, spec.object, spec.fields)
        return [name for name in spec.fields if info.fields[name].calculated]

    def ties(self, spec: ObjectSpec, ids: Sequence[str]) -> Mapping[str, tuple[RemoteLink, ...]]:
        """None: what ties records together are fields, or rows with a stamp of their own."""
        del spec, ids
        return {}

    def provision(self, spec: SchemaSpec, *, apply: bool) -> Sequence[ProvisionStep]:
        from crmsync.connectors.salesforce.provision import Provisioner

        return Provisioner(self._client, self._descriptions).run(spec, apply=apply)

    def check(self, spec: SchemaSpec) -> Sequence[HealthCheck]:
        from crmsync.connectors.salesforce.check import run_checks

        return run_checks(self._client, self._descriptions, spec)

    def is_production(self) -> bool | None:
        from crmsync.connectors.salesforce.check import is_production

        return is_production(self._client)

    def record_url(self, object_name: str, record_id: str) -> str:
        return f"{self._client.transport.base_url}/lightning/r/{object_name}/{record_id}/view"

    def budget(self) -> ApiBudget:
        return self._client.transport.budget.state()

    def close(self) -> None:
        self._client.close()

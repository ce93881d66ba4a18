"""HubSpot behind the connector protocol. Each concern has a file of its own; this one only joins them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from crmsync.connectors.base import ConnectionSettings
from crmsync.connectors.hubspot import census
from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.associations import read_links
from crmsync.connectors.hubspot.health import HealthChecks
from crmsync.connectors.hubspot.history import PropertyHistory
from crmsync.connectors.hubspot.provision import Provisioner
from crmsync.connectors.hubspot.pull import Puller, PullState
from crmsync.connectors.hubspot.push import Pusher
from crmsync.connectors.hubspot.records import BATCH, RecordReader, list_page, next_after, parse_instant, results_of
from crmsync.connectors.hubspot.types import ObjectTypes
from crmsync.connectors.hubspot.whole import WHOLE, pull_whole, read_whole
from crmsync.connectors.pacing import Pacer
from crmsync.connectors.wire import is_loopback
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


class HubSpotConnector:
    """One portal. Counts come from the search index, which lags a few seconds behind writes."""

    system = "hubspot"
    batch_size = BATCH
    counts_are_current = False
    tallies_at_once = False

    def __init__(self, settings: ConnectionSettings, *, pacer: Pacer | None = None) -> None:
        self._settings = settings
        self._api = HubSpotApi(settings, pacer=pacer)
        self._types = ObjectTypes(self._api)
        self._reader = RecordReader(self._api)
        self._history = PropertyHistory(self._api)
        self._pusher = Pusher(self._api, self._types.resolve)
        self._health = HealthChecks(self._api, self._types)
        self._whole: dict[str, Sequence[str]] = {}

    def describe(self, object_name: str) -> ObjectInfo | None:
        return self._types.describe(object_name)

    def pull(self, spec: ObjectSpec, cursor: Cursor | None) -> Iterator[Page]:
        if spec.object in WHOLE:
            page = pull_whole(self._api, spec)
            self._whole[spec.object] = [record.id for record in page.records]
            yield page
            return
        yield from Puller(self._api, spec, self._types.resolve, overlap_s=self._settings.overlap_s).pages(cursor)

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, RemoteRecord]:
        if object_name in WHOLE:
            page = pull_whole(self._api, ObjectSpec(object_name, tuple(fields)))
            return {record.id: record for record in page.records if record.id in set(ids)}
        return self._reader.read(self._types.resolve(object_name), ids, fields)

    def edits(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[tuple[str, str], Sequence[Edit]]:
        return self._history.read(self._types.resolve(object_name), ids, fields)

    def find(self, object_name: str, key_field: str, keys: Sequence[str]) -> Mapping[str, str]:
        return self._reader.find(self._types.resolve(object_name), key_field, keys) if keys else {}

    def push(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._pusher.push(writes)

    def count(self, object_name: str) -> int:
        if object_name in WHOLE:
            return sum(1 for _ in self._whole_ids(object_name))
        return census.tally(self._api, self._types.resolve(object_name), object_name, Bucket()).count

    def known_until(self, cursor: Cursor) -> datetime | None:
        state = PullState.load(cursor)
        return parse_instant(state.since) if state.phase == "done" else None

    def is_dated(self, object_name: str) -> bool:
        return object_name not in WHOLE

    def tally(self, object_name: str, buckets: Sequence[Bucket]) -> Sequence[Tally]:
        url_type = self._types.resolve(object_name)
        return [census.tally(self._api, url_type, object_name, bucket) for bucket in buckets]

    def stamps(self, object_name: str, bucket: Bucket) -> Iterator[tuple[str, datetime | None]]:
        return census.stamps(self._api, self._types.resolve(object_name), object_name, bucket)

    def fetch(self, spec: ObjectSpec, ids: Sequence[str]) -> Sequence[RemoteRecord]:
        found = self.read(spec.object, ids, spec.fields)
        if spec.object in WHOLE or not spec.associations:
            return list(found.values())
        ties = self.ties(spec, [record.id for record in found.values() if not record.deleted])
        return [replace(record, links=ties.get(record.id, record.links)) for record in found.values()]

    def quiet_fields(self, spec: ObjectSpec) -> Sequence[str]:
        info = None if spec.object in WHOLE else self._types.describe(spec.object)
        return [name for name in spec.fields if info and name in info.fields and info.fields[name].calculated]

    def ties(self, spec: ObjectSpec, ids: Sequence[str]) -> Mapping[str, tuple[RemoteLink, ...]]:
        links: dict[str, tuple[RemoteLink, ...]] = dict.fromkeys(ids, ()) if spec.associations else {}
        own = self._types.resolve(spec.object)
        for wanted in spec.associations if ids else ():
            found = read_links(self._api, own, self._types.resolve(wanted.to_object), wanted.to_object, ids)
            links = {record_id: held + found.get(record_id, ()) for record_id, held in links.items()}
        return links

    def ids(self, object_name: str) -> Iterator[str]:
        if object_name in WHOLE:
            yield from self._whole_ids(object_name)
            return
        url_type = self._types.resolve(object_name)
        after: str | None = ""
        while after is not None:
            answer = list_page(self._api, url_type, ["hs_object_id"], after=after)
            yield from (str(row["id"]) for row in results_of(answer.body))
            after = next_after(answer.body) or None

    def _whole_ids(self, object_name: str) -> Sequence[str]:
        """What the pull of this session has just read whole is not read again to be counted."""
        if object_name not in self._whole:
            self._whole[object_name] = [str(row["id"]) for row in read_whole(self._api, object_name)]
        return self._whole[object_name]

    def provision(self, spec: SchemaSpec, *, apply: bool) -> Sequence[ProvisionStep]:
        return Provisioner(self._api, self._types, apply=apply).run(spec)

    def check(self, spec: SchemaSpec) -> Sequence[HealthCheck]:
        return self._health.run(spec)

    def is_production(self) -> bool | None:
        return self._health.is_production()

    def record_url(self, object_name: str, record_id: str) -> str:
        """In the account's own domain (``app-eu1…``) once a call has told it; on a sandbox, the sandbox's page."""
        base = self._settings.url.rstrip("/") if is_loopback(self._settings.url) else self._health.app_url()
        return f"{base}/contacts/{self._health.portal_id()}/record/{self._types.type_id(object_name)}/{record_id}"

    def budget(self) -> ApiBudget:
        return self._api.transport.budget.state()

    def close(self) -> None:
        self._api.close()

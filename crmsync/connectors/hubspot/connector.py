"""HubSpot behind the connector protocol. Each concern has a file of its own; this one only joins them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from crmsync.connectors.base import ConnectionSettings
from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.health import HealthChecks
from crmsync.connectors.hubspot.limits import SEARCH
from crmsync.connectors.hubspot.provision import Provisioner
from crmsync.connectors.hubspot.pull import Puller
from crmsync.connectors.hubspot.push import Pusher
from crmsync.connectors.hubspot.records import BATCH, RecordReader, list_page, next_after, results_of, total_of
from crmsync.connectors.hubspot.types import ObjectTypes
from crmsync.connectors.hubspot.whole import WHOLE, pull_whole, read_whole
from crmsync.connectors.pacing import Pacer
from crmsync.connectors.wire import is_loopback
from crmsync.remote import (
    ApiBudget,
    Cursor,
    HealthCheck,
    ObjectInfo,
    ObjectSpec,
    Outcome,
    Page,
    ProvisionStep,
    RemoteRecord,
    SchemaSpec,
    Write,
)


class HubSpotConnector:
    """One portal. Counts come from the search index, which lags a few seconds behind writes."""

    system = "hubspot"
    batch_size = BATCH
    counts_are_current = False

    def __init__(self, settings: ConnectionSettings, *, pacer: Pacer | None = None) -> None:
        self._settings = settings
        self._api = HubSpotApi(settings, pacer=pacer)
        self._types = ObjectTypes(self._api)
        self._reader = RecordReader(self._api)
        self._pusher = Pusher(self._api, self._types.resolve)
        self._health = HealthChecks(self._api, self._types)

    def describe(self, object_name: str) -> ObjectInfo | None:
        return self._types.describe(object_name)

    def pull(self, spec: ObjectSpec, cursor: Cursor | None) -> Iterator[Page]:
        if spec.object in WHOLE:
            yield pull_whole(self._api, spec)
            return
        yield from Puller(self._api, spec, self._types.resolve, overlap_s=self._settings.overlap_s).pages(cursor)

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, RemoteRecord]:
        if object_name in WHOLE:
            page = pull_whole(self._api, ObjectSpec(object_name, tuple(fields)))
            return {record.id: record for record in page.records if record.id in set(ids)}
        return self._reader.read(self._types.resolve(object_name), ids, fields)

    def find(self, object_name: str, key_field: str, keys: Sequence[str]) -> Mapping[str, str]:
        return self._reader.find(self._types.resolve(object_name), key_field, keys) if keys else {}

    def push(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._pusher.push(writes)

    def count(self, object_name: str) -> int:
        if object_name in WHOLE:
            return sum(1 for _ in read_whole(self._api, object_name))
        url_type = self._types.resolve(object_name)
        body = {"filterGroups": [], "properties": ["hs_object_id"], "limit": 1}
        answer = self._api.call(self._api.search.do_search, url_type, body, safe=True, lane=SEARCH)
        return total_of(answer.body)

    def ids(self, object_name: str) -> Iterator[str]:
        if object_name in WHOLE:
            yield from (str(row["id"]) for row in read_whole(self._api, object_name))
            return
        url_type = self._types.resolve(object_name)
        after: str | None = ""
        while after is not None:
            answer = list_page(self._api, url_type, ["hs_object_id"], after=after)
            yield from (str(row["id"]) for row in results_of(answer.body))
            after = next_after(answer.body) or None

    def provision(self, spec: SchemaSpec, *, apply: bool) -> Sequence[ProvisionStep]:
        return Provisioner(self._api, self._types, apply=apply).run(spec)

    def check(self, spec: SchemaSpec) -> Sequence[HealthCheck]:
        return self._health.run(spec)

    def record_url(self, object_name: str, record_id: str) -> str:
        """In the account's own domain (``app-eu1…``) once a call has told it; on a sandbox, the sandbox's page."""
        base = self._settings.url.rstrip("/") if is_loopback(self._settings.url) else self._health.app_url()
        return f"{base}/contacts/{self._health.portal_id()}/record/{self._types.type_id(object_name)}/{record_id}"

    def budget(self) -> ApiBudget:
        return self._api.transport.budget.state()

    def close(self) -> None:
        self._api.close()

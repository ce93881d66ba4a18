"""Owners and pipeline stages: small, without a modified date to search by, read whole on every pull."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.objects import OWNERS, PIPELINES
from crmsync.connectors.hubspot.records import next_after, parse_instant, results_of
from crmsync.remote import ObjectSpec, Page, RemoteRecord, Scalar

WHOLE = (OWNERS, PIPELINES)
_OWNER_PAGE = 500


def pull_whole(api: HubSpotApi, spec: ObjectSpec) -> Page:
    wanted = set(spec.fields)
    records = tuple(
        RemoteRecord(str(row["id"]), {k: v for k, v in row.items() if k in wanted}, parse_instant(row.get("updatedAt")))
        for row in read_whole(api, spec.object)
    )
    return Page(records, {"phase": "done"}, len(records))


def read_whole(api: HubSpotApi, object_name: str) -> Iterator[Mapping[str, Any]]:
    return _owners(api) if object_name == OWNERS else _stages(api)


def _owners(api: HubSpotApi) -> Iterator[Mapping[str, Any]]:
    """Former owners too: deals still carry their ids."""
    for archived in (False, True):
        after = ""
        while True:
            options: dict[str, Any] = {"after": after} if after else {}
            answer = api.call(api.owners.get_page, limit=_OWNER_PAGE, archived=archived, **options)
            yield from results_of(answer.body)
            after = next_after(answer.body)
            if not after:
                break


def _stages(api: HubSpotApi) -> Iterator[Mapping[str, Scalar]]:
    """Stages of every deal pipeline; closed and won are told by strings in their metadata (recorded)."""
    for pipeline in results_of(api.call(api.pipelines.get_all, "deals").body):
        for stage in pipeline.get("stages") or ():
            metadata = stage.get("metadata") or {}
            yield {
                "id": stage["id"],
                "pipeline": pipeline["id"],
                "pipelineLabel": pipeline.get("label"),
                "label": stage.get("label"),
                "isClosed": metadata.get("isClosed"),
                "probability": metadata.get("probability"),
                "displayOrder": stage.get("displayOrder"),
                "archived": stage.get("archived"),
                "updatedAt": stage.get("updatedAt"),
            }

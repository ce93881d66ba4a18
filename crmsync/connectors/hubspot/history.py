"""Who changed a property, and when: its own history, kept by HubSpot for every property.

``propertiesWithHistory`` of a batch read, 50 records a call. An entry holds ``value``, ``timestamp``, ``sourceType``
and ``sourceId``; a person's also ``updatedByUserId`` (developers.hubspot.com, "Properties"; older entries name the
person as ``userId:…`` in ``sourceId``). The order is not promised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.objects import OWNERS
from crmsync.connectors.hubspot.records import chunked, parse_instant, results_of
from crmsync.connectors.hubspot.whole import read_whole
from crmsync.errors import AuthError
from crmsync.remote import Edit

BATCH_WITH_HISTORY = 50
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class PropertyHistory:
    """Reads histories; the names of users are read once, when the first person turns up."""

    def __init__(self, api: HubSpotApi) -> None:
        self._api = api

    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[tuple[str, str], Sequence[Edit]]:
        """By id and property, newest first."""
        edits: dict[tuple[str, str], Sequence[Edit]] = {}
        names = list(dict.fromkeys(fields))
        for chunk in chunked(dict.fromkeys(ids), BATCH_WITH_HISTORY):
            body = {
                "inputs": [{"id": i} for i in chunk],
                "properties": ["hs_object_id"],
                "propertiesWithHistory": names,
            }
            for record in results_of(self._api.call(self._api.batches.read, object_type, body, safe=True).body):
                for name, entries in (record.get("propertiesWithHistory") or {}).items():
                    found = sorted(map(self._edit, entries or ()), key=lambda e: e.at or _LONG_AGO, reverse=True)
                    if found:
                        edits[str(record["id"]), name] = tuple(found)
        return edits

    def _edit(self, entry: Mapping[str, Any]) -> Edit:
        source, source_id = str(entry.get("sourceType") or ""), str(entry.get("sourceId") or "")
        user = str(entry.get("updatedByUserId") or (source_id if source_id.startswith("userId:") else ""))
        user = user.removeprefix("userId:")
        by = self._names.get(user, f"user {user}") if user else str(entry.get("sourceLabel") or "")
        return Edit(entry.get("value") or None, parse_instant(entry.get("timestamp")), by, source, user or source_id)

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Names of users by user id: those who own records, also former ones."""
        try:
            owners = list(read_whole(self._api, OWNERS))
        except AuthError as error:
            if error.missing_scopes:  # without the scope for owners, people keep their numbers
                return {}
            raise
        return {
            str(row.get("userIdIncludingInactive") or row.get("userId")): _full_name(row)
            for row in owners
            if row.get("userIdIncludingInactive") or row.get("userId")
        }


def _full_name(owner: Mapping[str, Any]) -> str:
    parts = (str(owner.get(name) or "").strip() for name in ("firstName", "lastName"))
    return " ".join(part for part in parts if part) or str(owner.get("email") or "")

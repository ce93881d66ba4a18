"""What changed in HubSpot, and everything there is.

*Full*: a walk over the list, by id, 100 a page. It is stable while people edit and knows no 10,000 cap.

*Incremental*, per object and run: first the recycle bin (archived records have no date filter, so it is walked, newly
archived ones are told), then a search for records modified in a closed window, by keyset on the id. Search is an index
that lags, and HubSpot moves modified dates seconds after a write (recorded), so each window starts ``overlap_s`` before
the end of the last one; ties on the date do not matter, because pages go by id. A record that a merge left behind is
named by the survivor (``hs_merged_object_ids``).

An association that changes does not for certain move a record's modified date: ties are read for the records that did
change, and for all of them on a full pull.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.associations import read_links
from crmsync.connectors.hubspot.limits import SEARCH
from crmsync.connectors.hubspot.objects import modified_property
from crmsync.connectors.hubspot.records import (
    MERGED_IDS,
    list_page,
    merged_records,
    next_after,
    parse_instant,
    read_batch,
    remote_record,
    results_of,
)
from crmsync.connectors.transport import Answer
from crmsync.remote import Cursor, ObjectSpec, Page, RemoteLink, RemoteRecord

SEARCH_PAGE = 200
LIST_PAGES = 10
"""List pages that make one of ours where associations are read: they come by the thousand."""
BIN_PAGES = 50
"""The recycle bin is read so far per run; the next run goes on where this one stopped, so none is missed for ever."""
URL_ROOM = 6_000
"""Characters of property names that a list request may carry before it becomes an id walk with batch reads."""
SEARCH_ROOM = 2_000
"""The same for a search, whose whole body may have 3,000 characters ("Search the CRM")."""
LEAST_OVERLAP_S = 10.0
WINDOW_MARGIN = timedelta(seconds=30)
"""A ``Date`` header knows whole seconds, and servers renew it late: a window stays open a little beyond it."""

Resolve = Callable[[str], str]
"""An object's name to what goes into a URL."""


@dataclass(frozen=True, slots=True)
class PullState:
    """A cursor, typed. ``phase``: ``list`` · ``bin`` · ``search`` · ``done``."""

    phase: str = "list"
    since: str = ""
    """Everything modified before is known."""
    until: str = ""
    after: str = ""
    """The last id seen (search), or where the next page starts (list, bin)."""
    bin_since: str = ""
    """Everything archived before is known."""
    bin_after: str = ""
    bin_began: str = ""

    @classmethod
    def load(cls, cursor: Cursor | None) -> PullState:
        """A cursor that is not one of ours (or of another version) means: from the beginning."""
        known = {f.name for f in fields(cls)}
        given = dict(cursor or {})
        usable = given.keys() <= known and all(isinstance(value, str) for value in given.values())
        state = cls(**given) if usable else cls()
        instants = (state.since, state.until, state.bin_since, state.bin_began)
        readable = all(parse_instant(text) for text in instants if text)
        dated = state.phase in ("bin", "search", "done") and state.since
        return state if readable and (dated or state.phase == "list") else cls()

    def save(self) -> Cursor:
        return {name: value for name, value in asdict(self).items() if value}


class Puller:
    """Pages of one object, from a cursor."""

    def __init__(self, api: HubSpotApi, spec: ObjectSpec, resolve: Resolve, *, overlap_s: int) -> None:
        self._api = api
        self._spec = spec
        self._resolve = resolve
        self._type = resolve(spec.object)
        self._overlap = timedelta(seconds=max(float(overlap_s), LEAST_OVERLAP_S))
        self._properties = [*dict.fromkeys((*spec.fields, MERGED_IDS))]

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        state = PullState.load(cursor)
        if state.phase == "list":
            yield from self._walk(state)
            return
        if state.phase in ("done", "bin"):
            for page, after in self._bin(replace(state, phase="bin")):
                state = after
                yield page
        yield from self._window(replace(state, phase="search"))

    # ------------------------------------------------------------------ full

    def _walk(self, state: PullState) -> Iterator[Page]:
        most = LIST_PAGES if self._spec.associations else 1
        rows: list[Mapping[str, Any]] = []
        for number in count(1):
            answer = self._list_page(state.after)
            rows += results_of(answer.body)
            after = next_after(answer.body)
            since = state.since or _server_time(answer).isoformat()
            state = PullState("list", since, after=after) if after else PullState("done", since, bin_since=since)
            if not after or number % most == 0:
                yield self._page(self._with_values(rows, wide=self._is_wide(URL_ROOM)), state)
                rows = []
            if not after:
                return

    def _list_page(self, after: str) -> Answer:
        wanted = ["hs_object_id"] if self._is_wide(URL_ROOM) else self._properties
        return list_page(self._api, self._type, wanted, after=after)

    # ------------------------------------------------------------------ archived

    def _bin(self, state: PullState) -> Iterator[tuple[Page, PullState]]:
        """Newly archived records, with the state after each page; the last one is ready for the search."""
        for _ in range(BIN_PAGES):
            answer = list_page(self._api, self._type, ["hs_object_id"], after=state.bin_after, archived=True)
            began = state.bin_began or _server_time(answer).isoformat()
            gone = self._newly_archived(results_of(answer.body), state.bin_since or state.since)
            after = next_after(answer.body)
            if after:
                state = replace(state, bin_after=after, bin_began=began)
            else:
                state = replace(state, phase="search", bin_after="", bin_began="", bin_since=began)
            yield Page(gone, state.save()), state
            if not after:
                return

    def _newly_archived(self, rows: Sequence[Mapping[str, Any]], since: str) -> tuple[RemoteRecord, ...]:
        from_ = datetime.fromisoformat(since) - self._overlap
        gone = []
        for row in rows:
            at = parse_instant(row.get("archivedAt"))
            if at is None or at >= from_:
                gone.append(RemoteRecord(str(row["id"]), {}, at, deleted=True))
        return tuple(gone)

    # ------------------------------------------------------------------ changed

    def _window(self, state: PullState) -> Iterator[Page]:
        """The loop ends on a missing next link, never on a count: totals lag behind (recorded)."""
        batch_values = self._is_wide(SEARCH_ROOM) or self._type in ("contacts", "0-1")
        offset = ""
        while state.phase == "search":
            answer = self._search_page(state, offset, ids_only=batch_values)
            rows = results_of(answer.body)
            until = state.until or (_server_time(answer) + WINDOW_MARGIN).isoformat()
            offset = "" if rows else next_after(answer.body)
            if next_after(answer.body):
                last = str(max((int(row["id"]) for row in rows), default=state.after))
                state = replace(state, until=until, after=last)
            else:
                known = datetime.fromisoformat(until) - WINDOW_MARGIN
                state = PullState(
                    "done",
                    known.isoformat(),
                    bin_since=state.bin_since,
                    bin_after=state.bin_after,
                    bin_began=state.bin_began,
                )
            yield self._page(self._with_values(rows, wide=batch_values), state, _total(answer.body))

    def _search_page(self, state: PullState, offset: str, *, ids_only: bool) -> Answer:
        modified = modified_property(self._spec.object)
        start = datetime.fromisoformat(state.since) - self._overlap
        filters = [{"propertyName": modified, "operator": "GTE", "value": _epoch_ms(start)}]
        if state.until:
            end = datetime.fromisoformat(state.until)
            filters.append({"propertyName": modified, "operator": "LTE", "value": _epoch_ms(end)})
        if state.after:
            filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": state.after})
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [modified] if ids_only else self._properties,
            "limit": SEARCH_PAGE,
            **({"after": offset} if offset else {}),
        }
        return self._api.call(self._api.search.do_search, self._type, body, safe=True, lane=SEARCH)

    # ------------------------------------------------------------------ pages

    def _is_wide(self, room: int) -> bool:
        return sum(len(name) + len("&properties=") for name in self._properties) > room

    def _with_values(self, rows: list[Mapping[str, Any]], *, wide: bool) -> list[Mapping[str, Any]]:
        """The rows themselves, or the same records read again with all their properties."""
        if not wide or not rows:
            return rows
        return read_batch(self._api, self._type, [str(row["id"]) for row in rows], self._properties)

    def _page(self, rows: list[Mapping[str, Any]], state: PullState, expected: int | None = None) -> Page:
        links = self._links([str(row["id"]) for row in rows])
        records: list[RemoteRecord] = []
        for row in rows:
            records.extend(merged_records(row))
            records.append(remote_record(row, self._spec.fields, links.get(str(row["id"]))))
        return Page(tuple(records), state.save(), expected)

    def _links(self, ids: list[str]) -> dict[str, tuple[RemoteLink, ...]]:
        if not self._spec.associations:
            return {}
        links: dict[str, tuple[RemoteLink, ...]] = dict.fromkeys(ids, ())
        for spec in self._spec.associations if ids else ():
            found = read_links(self._api, self._type, self._resolve(spec.to_object), spec.to_object, ids)
            links = {record_id: links[record_id] + found.get(record_id, ()) for record_id in links}
        return links


def _total(body: Mapping[str, Any]) -> int | None:
    total = body.get("total")
    return total if isinstance(total, int) else None


def _server_time(answer: Answer) -> datetime:
    """HubSpot's clock, which also stamps its records; ours may be off."""
    return answer.at or datetime.now(UTC)


def _epoch_ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))

"""The window's routes: HTML rendered here, without a script and without anything fetched from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crmsync.sandbox.window.card import build_bar, build_card, flags, group_writes
from crmsync.sandbox.window.hubspot import HubSpotSource
from crmsync.sandbox.window.layout import LISTS, tone
from crmsync.sandbox.window.model import KINDS, Ref, Source
from crmsync.sandbox.window.salesforce import SalesforceSource
from crmsync.sandbox.window.traffic import Seen

if TYPE_CHECKING:
    from crmsync.sandbox.server import Sandbox

HOME = "/_sandbox/window/"
PER_PAGE, PER_LOG, HISTORY, LATEST = 25, 50, 120, 12
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Paging:
    """One page out of ``total`` rows, and the links to its neighbours."""

    page: int
    per_page: int
    total: int
    base: str
    wanted: tuple[tuple[str, str], ...]

    @property
    def first(self) -> int:
        return min(self.total, (self.page - 1) * self.per_page + 1)

    @property
    def last(self) -> int:
        return min(self.total, self.page * self.per_page)

    @property
    def previous(self) -> str | None:
        return self._link(self.page - 1) if self.page > 1 else None

    @property
    def next(self) -> str | None:
        return self._link(self.page + 1) if self.last < self.total else None

    def _link(self, page: int) -> str:
        return f"{self.base}?{urlencode([pair for pair in (*self.wanted, ('page', str(page))) if pair[1]])}"


class Window:
    """The pages of one sandbox. They read the databases directly and write nothing."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        sources: tuple[Source, ...] = (SalesforceSource(box.salesforce), HubSpotSource(box.hubspot))
        self.sources = {source.key: source for source in sources}
        self._templates = Environment(
            loader=PackageLoader("crmsync.sandbox.window"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(home=HOME, kinds=KINDS, link=_link, sources=self.sources, world=box.world)
        self._templates.filters.update(tone=tone)
        self._templates.tests["ok"] = lambda status: 200 <= status < 400

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self.door, methods=["GET"]),
            Route(HOME, self.overview, methods=["GET"]),
            Route(f"{HOME}requests", self.requests, methods=["GET"]),
            Route(f"{HOME}changes", self.changes, methods=["GET"]),
            Route(f"{HOME}{{system}}/{{kind}}", self.listing, methods=["GET"]),
            Route(f"{HOME}{{system}}/{{kind}}/{{record_id}}", self.record, methods=["GET"]),
            Route(f"{HOME}{{path:path}}", self.nothing, methods=["GET"]),
        ]

    async def door(self, _request: Request) -> Response:
        return RedirectResponse(HOME)

    async def nothing(self, _request: Request) -> Response:
        return self._page("missing.html", 404)

    async def overview(self, _request: Request) -> Response:
        counts = {key: {kind: source.count(kind) for kind in KINDS} for key, source in self.sources.items()}
        changes = {key: group_writes(source.changes(None, LATEST * 4))[:4] for key, source in self.sources.items()}
        seen = self._seen()[:LATEST]
        return self._page("overview.html", counts=counts, changes=changes, seen=seen, now=self.box.clock.now())

    async def listing(self, request: Request) -> Response:
        source, kind = self.sources.get(request.path_params["system"]), request.path_params["kind"]
        if source is None or kind not in KINDS:
            return await self.nothing(request)
        query = request.query_params.get("q", "").strip()
        number = _number(request)
        flagged = request.query_params.get("flagged", "")
        total, entries = source.page(kind, query, (number - 1) * PER_PAGE, PER_PAGE, flagged=bool(flagged))
        paging = Paging(number, PER_PAGE, total, f"{HOME}{source.key}/{kind}", (("q", query), ("flagged", flagged)))
        shown: dict[str, Any] = {
            "source": source,
            "kind": kind,
            "query": query,
            "flagged": flagged,
            "columns": LISTS[kind],
        }
        return self._page("list.html", entries=entries, paging=paging, flags=flags, **shown)

    async def record(self, request: Request) -> Response:
        source, kind = self.sources.get(request.path_params["system"]), request.path_params["kind"]
        entry = source.entry(kind, request.path_params["record_id"]) if source and kind in KINDS else None
        if source is None or entry is None:
            return await self.nothing(request)
        today = self.box.clock.now().date()
        is_deal = kind == "deal"
        shown: dict[str, Any] = {
            "card": build_card(entry, today),
            "stages": source.stages(entry) if is_deal else [],
            "people": source.people(entry) if is_deal else [],
            "deals": [] if is_deal or kind in ("contact", "registration") else source.deals(entry),
            "registrations": [
                (one, build_bar(one.partner, today)) for one in source.registrations(entry) if one.id != entry.id
            ],
            "tasks": source.tasks(entry),
            "changes": group_writes(source.changes(entry, HISTORY)),
            "twins": self._twins(source, kind, entry.key),
        }
        return self._page("record.html", source=source, kind=kind, entry=entry, **shown)

    def _twins(self, source: Source, kind: str, key: str) -> dict[str, str]:
        """The same record in the other CRM, where the demo world has loaded both."""
        others = [other for other in self.sources.values() if other is not source and key]
        found = {other.key: other.with_key(kind, key) for other in others}
        return {system: record_id for system, record_id in found.items() if record_id}

    async def requests(self, request: Request) -> Response:
        wanted = {name: request.query_params.get(name, "") for name in ("system", "status", "q")}
        chosen = [one for one in self._seen() if _matches(one, **wanted)]
        paging = Paging(_number(request), PER_LOG, len(chosen), f"{HOME}requests", tuple(wanted.items()))
        rows = chosen[(paging.page - 1) * PER_LOG :][:PER_LOG]
        return self._page("requests.html", rows=rows, paging=paging, wanted=wanted)

    def _seen(self) -> list[Seen]:
        """The request log, newest first, with people called by their names."""
        names = {user["Id"]: str(user["Name"]) for user in self.box.salesforce.users()}
        return [replace(one, who=names.get(one.who, one.who)) for one in reversed(self.box.traffic.seen)]

    async def changes(self, request: Request) -> Response:
        system = request.query_params.get("system", "salesforce")
        source = self.sources.get(system)
        if source is None:
            return await self.nothing(request)
        return self._page("changes.html", source=source, changes=group_writes(source.changes(None, PER_LOG * 4)))

    def _page(self, name: str, status: int = 200, **shown: Any) -> Response:
        body = self._templates.get_template(name).render(shown)
        return HTMLResponse(body, status, headers=_HEADERS)


def _link(source: Source, ref: Ref) -> str:
    return f"{HOME}{source.key}/{ref.kind}/{ref.id}"


def _number(request: Request) -> int:
    """The page asked for; anything that is none is the first."""
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 8 else 1


def _matches(one: Seen, system: str, status: str, q: str) -> bool:
    failed = not 200 <= one.status < 400
    return (
        (not system or one.system == system)
        and (status != "failed" or failed)
        and q.lower() in f"{one.method} {one.path}?{one.query} {one.who}".lower()
    )

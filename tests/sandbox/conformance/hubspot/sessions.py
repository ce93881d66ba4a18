"""Replaying a recorded session: same requests, same order, same clock."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import (
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_REFRESH_TOKEN,
    HUBSPOT_TOKEN,
)
from tests.sandbox.conformance.framework import Answer, Exchange

RECORDED = Path(__file__).parents[4] / "fixtures" / "recorded" / "hubspot"


def session(name: str) -> list[Exchange]:
    """A session of grouparoo's, in the order of time."""
    with gzip.open(RECORDED / "grouparoo" / f"{name}.json.gz", "rb") as file:
        listed = json.load(file)["exchanges"]
    return [
        Exchange(
            f"grouparoo {name}", f"#{n}", one["method"], one["path"], one["status"], one["headers"], one["request"],
            one["body"] or None,
        )
        for n, one in enumerate(listed)
    ]  # fmt: skip


@dataclass
class Replay:
    """``key`` is the property by which a created record is recognised in the two answers."""

    box: Sandbox
    kind: str
    key: str
    http: requests.Session
    theirs: dict[str, str] = field(default_factory=dict)
    ours: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _oauth: str = ""

    def prepare(self, exchanges: list[Exchange]) -> None:
        """Records that were there before the session began."""
        made = {one["id"] for e in exchanges if e.status == 201 for one in e.body["results"]}
        for exchange in exchanges:
            for one in (exchange.body or {}).get("results", ()):
                if one["id"] not in made and one["id"] not in self._ids:
                    values = {name: value for name, value in one["properties"].items() if value is not None}
                    self.box.hubspot.insert_rows(self.kind, [values])
                    self._bind(one["id"], one["id"])

    def send(self, exchange: Exchange) -> Answer:
        self.box.clock.set(max(self.box.clock.now(), instant(exchange)))
        self._limit(exchange)
        path = f"/crm/v3/objects/{self.kind}/{exchange.path.split('/', 5)[5]}"
        headers = {"Authorization": f"Bearer {self._token(exchange)}"}
        request = self._translated(exchange.request)
        answer = self.http.request(exchange.method, self.box.url + path, json=request, headers=headers, timeout=10)
        body = answer.json() if answer.content else None
        if exchange.status == 201 and answer.status_code == 201:
            self._recognise(exchange.body["results"], body["results"])
        return Answer(answer.status_code, answer.headers, body)

    def _limit(self, exchange: Exchange) -> None:
        """The recording tells whole seconds only, so what a limiter had counted is taken from its verdict."""
        limits = self.box.hubspot.limits
        limits.enforce = exchange.status == 429
        limits.daily, limits.maximum["burst"] = 250_000, 100
        limits.maximum["search"] = 0 if limits.enforce else 5

    def _token(self, exchange: Exchange) -> str:
        """Answers to OAuth apps lack the daily limit; the second half of each session was one."""
        if "X-HubSpot-RateLimit-Daily" in exchange.headers:
            return HUBSPOT_TOKEN
        if not self._oauth:
            now_ms = int(self.box.clock.now().timestamp() * 1_000)
            tokens = self.box.hubspot.tokens
            grant = tokens.refresh(HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN, now_ms)
            self._oauth = grant.value
        return self._oauth

    def _recognise(self, theirs: list[Mapping[str, Any]], ours: list[Mapping[str, Any]]) -> None:
        mine = {one["properties"][self.key]: one["id"] for one in ours}
        for one in theirs:
            self._bind(one["id"], mine[one["properties"][self.key]])

    def _bind(self, theirs: str, ours: str) -> None:
        mark = f"#{len(self._ids) + 1:03}"
        self._ids[theirs], self.theirs[theirs], self.ours[ours] = ours, mark, mark

    def _translated(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._translated(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._translated(one) for one in value]
        return self._ids.get(value, value) if isinstance(value, str) else value


def instant(exchange: Exchange) -> datetime:
    """To the millisecond where the body tells it, else the whole second of the ``Date``."""
    started = (exchange.body or {}).get("startedAt")
    if started:
        return datetime.fromisoformat(started)
    return parsedate_to_datetime(exchange.headers["Date"]).astimezone(UTC)

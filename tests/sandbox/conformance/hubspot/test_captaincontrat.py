"""Single exchanges of 2022 to 2026 with all their headers: associations, tasks, tickets, an HTML 404, a bad instant."""

from __future__ import annotations

import copy

import pytest
import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from tests.sandbox.conformance.framework import Answer, Exchange, Ledger, judge
from tests.sandbox.conformance.hubspot.captaincontrat import exchanges, prepare
from tests.sandbox.conformance.hubspot.differences import DIFFERENCES
from tests.sandbox.conformance.hubspot.normal import deltas


@pytest.mark.parametrize("exchange", exchanges(), ids=lambda one: f"{one.name}-{one.method}-{one.status}")
def test_an_exchange(box: Sandbox, http: requests.Session, ledger: Ledger, exchange: Exchange) -> None:
    prepare(box, exchange)
    request = copy.deepcopy(exchange.request)
    if isinstance(request, dict) and "properties" in request and isinstance(request["properties"], dict):
        request["properties"].pop("hubspot_owner_id", None)  # an owner of theirs
    authorization = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}
    answer = http.request(exchange.method, box.url + exchange.path, json=request, headers=authorization, timeout=10)
    is_json = answer.content and "json" in answer.headers.get("Content-Type", "")
    ours = Answer(answer.status_code, answer.headers, answer.json() if is_json else answer.text or None)
    judge(exchange, list(deltas(exchange, ours)), DIFFERENCES, ledger)

"""Three sessions of 2022, 810 exchanges in the order of time: batches, searches after them, refusals in between.

The clock of the portal is that of the recording, the index lags as long as fits the session best.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import requests

from crmsync.sandbox import Sandbox
from tests.sandbox.conformance.framework import Ledger, judge
from tests.sandbox.conformance.hubspot.differences import DIFFERENCES
from tests.sandbox.conformance.hubspot.normal import deltas
from tests.sandbox.conformance.hubspot.sessions import Replay, instant, session


@dataclass(frozen=True)
class Case:
    session: str
    key: str
    lag_ms: int
    unlike: int
    """How many searches may find more or less than recorded."""


CASES = (
    Case("companies", "domain", 3_000, 9),
    Case("contact", "email", 5_000, 2),
    Case("custom-object", "grouparoo_object_property", 2_500, 5),
)


def _object_type(box: Sandbox, name: str) -> str:
    """With the properties that the recorded portal had; what a request names beyond them was undefined there too."""
    portal = box.hubspot
    if name == "companies":
        return "COMPANY"
    if name == "contact":
        portal.create_property("contacts", "text_field")
        portal.create_property("contacts", "number_field", "number", "number")
        portal.create_property("contacts", "date_field", "date", "date")
        return "CONTACT"
    texts = [{"name": one} for one in ("grouparoo_object_property", "first_name", "last_name", "text_field")]
    others = [{"name": "number_field", "type": "number"}]
    return portal.create_schema("thing", ("Thing", "Things"), [*texts, *others], "grouparoo_object_property")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.session)
def test_a_session(box: Sandbox, http: requests.Session, ledger: Ledger, case: Case) -> None:
    exchanges = session(case.session)
    box.clock.set(instant(exchanges[0]))
    box.hubspot.behaviour.index_lag_ms = case.lag_ms
    box.hubspot.behaviour.settles_updates = False
    replay = Replay(box, _object_type(box, case.session), case.key, http)
    replay.prepare(exchanges)
    reasons: list[str] = []
    for exchange in exchanges:
        answer = replay.send(exchange)
        reasons += judge(exchange, list(deltas(exchange, answer, replay.theirs, replay.ours)), DIFFERENCES, ledger)
    assert reasons.count("index-lag") <= case.unlike

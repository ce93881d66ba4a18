"""Recorded sessions, exchange by exchange: status, headers that matter, bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from crmsync.sandbox import Sandbox
from tests.sandbox.conformance.framework import Exchange, Ledger, judge
from tests.sandbox.conformance.salesforce.differences import DIFFERENCES
from tests.sandbox.conformance.salesforce.replay import Replay, sessions, set_clock, wipe

CUMULUSCI = list(sessions("cumulusci_sessions.json"))
RESTFORCE = list(sessions("restforce_db_sessions.json"))  # describes: see test_describes
VERSION_OF_2015 = "v34.0"
Play = Callable[[list[Exchange], str], None]


@pytest.fixture
def play(box: Sandbox, request: pytest.FixtureRequest, ledger: Ledger) -> Iterator[Play]:
    """Plays a session in its own time, to an org that holds what its org held."""

    def run(exchanges: list[Exchange], version: str) -> None:
        wipe(box.salesforce)
        set_clock(box, exchanges[0])  # before signing in: sessions end when they are idle for long
        replay = Replay(box, request.getfixturevalue("send"), version)
        replay.hold(exchanges)
        for exchange in exchanges:
            set_clock(box, exchange)
            answer = replay.play(exchange)
            judge(exchange, list(replay.deltas(exchange, answer)), DIFFERENCES, ledger)

    yield run
    box.clock.reset()


@pytest.mark.parametrize("exchanges", [pytest.param(found, id=name) for name, found in CUMULUSCI])
def test_a_session_of_cumulusci(exchanges: list[Exchange], play: Play) -> None:
    play(exchanges, "v60.0")


@pytest.fixture(scope="module", autouse=True)
def objects_of_restforce(box) -> None:  # type: ignore[no-untyped-def]
    org = box.salesforce
    org.create_object("CustomObject__c", "Custom Object", "Custom Objects")
    org.create_object("CustomObjectDetail__c", "Custom Object Detail", "Custom Object Details")
    org.create_field("CustomObject__c", "Example_Field__c", "Text", length=255)
    for owner in ("CustomObject__c", "Contact", "CustomObjectDetail__c"):
        org.create_field(owner, "SynchronizationId__c", "Text", length=255, external_id=True)
    org.create_field("CustomObject__c", "Visible__c", "Checkbox")
    org.schema.require("CustomObject__c").fields["visible__c"].describe["defaultValue"] = True
    org.create_field("CustomObject__c", "Friend__c", "Lookup", reference_to="Contact")
    org.create_field(
        "CustomObjectDetail__c", "CustomObject__c", "MasterDetail", reference_to="CustomObject__c", required=True
    )


@pytest.mark.parametrize("exchanges", [pytest.param(found, id=name) for name, found in RESTFORCE])
def test_a_session_of_restforce(exchanges: list[Exchange], play: Play) -> None:
    play([exchange for exchange in exchanges if not exchange.path.endswith("describe")], VERSION_OF_2015)

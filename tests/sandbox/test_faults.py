"""Arming and mending: which requests a fault hits, when, how often; over HTTP and in Python."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.faults import CATALOGUE, Fault
from tests.sandbox.conftest import HUBSPOT_HEADERS

TESTS = Path(__file__).parent


def owners(box: Sandbox, http: requests.Session, count: int = 1) -> list[int]:
    url = f"{box.url}/crm/v3/owners"
    return [http.get(url, headers=HUBSPOT_HEADERS, timeout=5).status_code for _ in range(count)]


def test_a_fault_happens_once_unless_it_is_said_how_often(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="down")
    assert owners(box, http, 2) == [503, 200]
    box.faults.add(kind="down", times=2)
    assert owners(box, http, 3) == [503, 503, 200]


def test_a_fault_may_wait_for_a_chosen_request(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="down", at=3, times=2)
    assert owners(box, http, 5) == [200, 200, 503, 503, 200]


def test_a_fault_may_last_until_it_is_mended(box: Sandbox, http: requests.Session) -> None:
    fault = box.faults.add(kind="down", times=None)
    assert owners(box, http, 3) == [503] * 3
    assert box.faults.remove(fault) == [fault]
    assert owners(box, http) == [200]


def test_chance_is_drawn_from_the_seed(box: Sandbox, http: requests.Session) -> None:
    runs = []
    for _ in range(2):
        box.faults.add(kind="down", times=None, chance=0.5, seed=11)
        runs.append(owners(box, http, 12))
        box.faults.clear()
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 503}


def test_one_request_uses_up_one_fault(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="down")
    box.faults.add(kind="unauthorized")
    assert owners(box, http, 3) == [503, 401, 200]


@pytest.mark.parametrize(
    "miss",
    [{"system": "salesforce"}, {"method": "POST"}, {"match": "/crm/v3/objects"}],
    ids=lambda miss: next(iter(miss)),
)
def test_only_matching_requests_are_hit(box: Sandbox, http: requests.Session, miss: dict[str, str]) -> None:
    box.faults.add(kind="down", **miss)
    assert owners(box, http) == [200]
    assert len(box.faults.armed()) == 1


def test_sign_in_has_no_quota(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="quota")
    answer = http.post(f"{box.url}/oauth/v1/token", data={}, timeout=5)
    assert answer.status_code == 400
    assert owners(box, http) == [429]


def test_over_http_faults_are_armed_listed_and_mended(box: Sandbox, http: requests.Session) -> None:
    url = f"{box.url}/_sandbox/faults"
    [armed] = http.post(url, json={"kind": "down", "system": "hubspot", "times": None}, timeout=5).json()
    assert (armed["kind"], armed["times"], armed["active"]) == ("down", None, False)
    http.post(url, json={"kind": "latency", "seconds": 0.01}, timeout=5)
    assert [one["kind"] for one in http.get(url, timeout=5).json()] == ["down", "latency"]
    assert http.delete(f"{url}/{armed['id']}", timeout=5).json()[0]["id"] == armed["id"]
    assert http.delete(f"{url}/latency", timeout=5).status_code == 200
    assert http.delete(f"{url}/latency", timeout=5).status_code == 404
    assert http.delete(url, timeout=5).json() == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"kind": "dwon"}, "did you mean down?"),
        ({"kind": "down", "system": "siebel"}, "system must be"),
        ({"kind": "down", "times": "many"}, "times must be a whole number"),
        ({"kind": "down", "at": 0}, "from 1 on"),
        ({"kind": "down", "share": 0.1}, "takes no share"),
        ({"kind": "down", "colour": "red"}, "colour"),
        ({"kind": "down", "retry_after": "1\r\nX: y"}, "printable"),
        ({"kind": "drop", "when": "later"}, "before or after"),
        ({"kind": "search_limit", "system": "salesforce"}, "known in hubspot only"),
        ({"kind": "hide_field", "object": "deal"}, "needs field"),
        ({"kind": "late_rows"}, "needs seconds"),
        ({"kind": "hide_field", "object": "deal", "field": "no_such"}, "has no field"),
        ({"kind": "hide_field", "system": "salesforce", "object": "lorry", "field": "x"}, "no object"),
        ({"kind": "remove_option", "object": "deal", "field": "products", "value": "Cake"}, "Cake"),
        ({"kind": "remove_field", "object": "deal", "field": "amount"}, "cannot be"),
        ({"kind": "person", "act": {"verb": "juggle"}}, "nobody can"),
        ({"kind": "person", "act": {"verb": "move", "deal": "x"}}, "needs stage"),
        ([], "JSON object"),
        ({}, "kind"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(box: Sandbox, http: requests.Session, bad: object, said: str) -> None:
    answer = http.post(f"{box.url}/_sandbox/faults", json=bad, timeout=5)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert box.faults.armed() == []


def test_what_is_shown_of_a_fault_arms_it_again() -> None:
    fault = Fault(kind="latency", seconds=1.5, at=2, times=3)
    shown = {name: value for name, value in fault.as_dict().items() if name not in ("id", "seen")}
    again = Fault(**shown).as_dict()
    assert {name: again[name] for name in shown} == shown


def test_every_kind_has_a_sentence_and_a_test() -> None:
    text = "".join(path.read_text() for path in TESTS.glob("test_faults_*.py"))
    for kind in CATALOGUE.values():
        assert kind.says.endswith(".")
        assert f'"{kind.name}"' in text, f"no test arms {kind.name}"

"""docs/sandbox.md says what is so: every fault, option, verb, route and sign-in constant has its place."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import requests
from hubspot import HubSpot
from simple_salesforce import Salesforce
from starlette.routing import Route

from crmsync.sandbox import Sandbox, credentials
from crmsync.sandbox.control import Control
from crmsync.sandbox.faults import CATALOGUE, Fault, Kind
from crmsync.sandbox.hands import VERBS, Verb

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
_SHOWN_ELSEWHERE = {"kind", "id", "seen", "random"}


def row_of(name: str) -> list[str]:
    [row] = [line for line in PAGE.splitlines() if re.match(rf"\| `{name}\b", line)]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_fault_has_its_row(kind: Kind) -> None:
    _, says, options, where = row_of(kind.name)
    assert says == kind.says
    assert tuple(re.findall(r"`(\w+)`", options)) == kind.options
    assert where == (
        "both" if len(kind.systems) == 2 else {"salesforce": "Salesforce", "hubspot": "HubSpot"}[kind.systems[0]]
    )


def test_every_option_of_a_fault_is_explained() -> None:
    heads = " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    names = {field.name for field in dataclasses.fields(Fault)} - _SHOWN_ELSEWHERE
    assert {name for name in names if f"`{name}`" not in heads} == set()


@pytest.mark.parametrize("verb", VERBS.values(), ids=list(VERBS))
def test_every_verb_has_its_row(verb: Verb) -> None:
    usage, says = row_of(verb.name)
    assert says == verb.says
    assert len(usage.split()) == 1 + len(verb.takes) + len(verb.optional)


def test_every_control_route_has_its_row() -> None:
    box = Sandbox(world="blank")
    routes = [route for route in Control(box).routes() if isinstance(route, Route)]
    shown = {
        path: set(methods.split(", "))
        for methods, path in re.findall(r"^\| `([A-Z, ]+) (/_sandbox/\S+)`", PAGE, re.MULTILINE)
    }
    assert shown == {route.path: (route.methods or set()) - {"HEAD"} for route in routes}


def test_every_sign_in_constant_is_shown() -> None:
    values = [value for name, value in vars(credentials).items() if name.isupper()]
    assert [value for value in values if f"`{value}`" not in PAGE] == []


def test_the_python_example_signs_in(box: Sandbox) -> None:
    [code] = [
        block
        for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        if "hubspot.com" in block or "HubSpot(" in block
    ]
    names: dict[str, object] = {}
    exec(code.replace("http://127.0.0.1:8790", box.url), names)  # noqa: S102 - the page's own example
    hubspot, salesforce = names["hubspot"], names["salesforce"]
    assert isinstance(hubspot, HubSpot)
    assert isinstance(salesforce, Salesforce)
    assert hubspot.crm.deals.basic_api.get_page(limit=1).results
    assert salesforce.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1
    salesforce.session.close()


def test_the_curl_example_is_answered(box: Sandbox, http: requests.Session) -> None:
    [path] = re.findall(r"curl -H \"Authorization: Bearer \S+\" http://127.0.0.1:8790(\S+)", PAGE)
    headers = {"Authorization": f"Bearer {credentials.HUBSPOT_TOKEN}"}
    assert http.get(box.url + path, headers=headers, timeout=5).status_code == 200

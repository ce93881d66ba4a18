"""A small world in both CRMs in which one deal has its partner facts, and pages read with a parser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import requests

from crmsync.sandbox import Sandbox

VOID = frozenset({"meta", "input", "rect", "br", "link"})
FACTS = {
    "attribution": "sourced",
    "attribution_reason": "An approved registration was submitted before the deal was created.",
    "flags": "CERT_LAPSED;CONFLICT_PARTNER",
    "next_action": "Remind the partner <today>.",
    "partner_name": "Alder IT Supply",
    "protection_status": "active",
    "protection_start": "2026-01-01",
    "protection_end": "2026-04-01",
}
OPTIONS = {
    "attribution": ["sourced", "direct"],
    "protection_status": ["active", "expired"],
    "flags": ["CERT_LAPSED", "CONFLICT_PARTNER"],
}


class Page(HTMLParser):
    """Text and attributes by element id; refuses tags that do not match, scripts, and anything from elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.texts: dict[str, list[str]] = {"": []}
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert tag != "script"
        assert not str(given.get("href") or given.get("src") or "").startswith("http")
        self.elements.append((tag, given))
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag not in VOID:
            self.open.append((tag, given.get("id") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1][0] == "style":
            return
        for owner in {"", *(name for _, name in self.open)}:
            self.texts.setdefault(owner, []).append(data)

    def text(self, owner: str = "") -> str:
        return " ".join(" ".join(self.texts[owner]).split())

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [given for name, given in self.elements if name == tag]


Look = Callable[..., Page]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(world="small") as running:
        tell_salesforce(running)
        tell_hubspot(running)
        yield running


def tell_salesforce(box: Sandbox) -> None:
    org = box.salesforce
    target = org.schema.require("Opportunity")
    named = {name: f"PRM_{name.title()}__c" for name in FACTS}
    for name, field in named.items():
        if not target.has(field):
            kind = "multipicklist" if name == "flags" else "date" if name.endswith(("start", "end")) else "text"
            org.create_field("Opportunity", field, kind, options=OPTIONS.get(name, []) if kind != "text" else [])
    org.edit("Opportunity", deal_of(box, "salesforce"), {named[name]: value for name, value in FACTS.items()})


def tell_hubspot(box: Sandbox) -> None:
    portal = box.hubspot
    for name in FACTS:
        if portal.catalog.find("0-3", f"prm_{name}") is None:
            kinds: dict[str, Any] = {"type": "date", "field_type": "date"} if name.endswith(("start", "end")) else {}
            options = (
                {"type": "enumeration", "field_type": "checkbox", "options": OPTIONS[name]} if name == "flags" else {}
            )
            portal.create_property("deals", f"prm_{name}", **{**kinds, **options})
    portal.edit("deals", deal_of(box, "hubspot"), {f"prm_{name}": value for name, value in FACTS.items()})


def deal_of(box: Sandbox, system: str) -> str:
    """Scenario 52: a registered partner, a second one who influenced, a distributor."""
    if system == "salesforce":
        return str(box.salesforce.rows("Opportunity", '"Legacy_Id__c" = ?', ("SCN-52-D1",))[0]["Id"])
    return next(row["hs_object_id"] for row in box.hubspot.rows("deals") if row.get("legacy_id") == "SCN-52-D1")


@pytest.fixture(scope="module")
def look(box: Sandbox) -> Look:
    def read(path: str = "", expect: int = 200, **params: Any) -> Page:
        reply = requests.get(f"{box.url}/_sandbox/window/{path}", params=params, timeout=10)
        assert reply.status_code == expect
        return Page(reply.text)

    return read

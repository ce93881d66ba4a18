"""The demo world: what it holds, and that one day gives one world."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, time
from typing import Any

import orjson
import pytest

from crmsync.sandbox.world.base import FIXTURES, FixtureMissing, base_rows
from crmsync.sandbox.world.fields import STATES
from crmsync.sandbox.world.generate import build_demo_world, build_small_world
from crmsync.sandbox.world.model import World
from crmsync.sandbox.world.partners import PARTNER_COUNT

TODAY = date(2026, 3, 9)
INSTANTS = {
    "created_at", "submitted_at", "approved_at", "decided_at", "occurred_at", "logged_at", "extension_requested_at",
    "extension_granted_at",
}  # fmt: skip
NAMED = ("sellers", "accounts", "partners", "contacts", "deals")


@pytest.fixture(scope="module")
def world() -> World:
    return build_demo_world(TODAY)


def test_one_day_gives_one_world(world: World):
    build_demo_world.cache_clear()
    assert orjson.dumps(build_demo_world(TODAY)) == orjson.dumps(world)
    assert orjson.dumps(build_demo_world(date(2026, 3, 10))) != orjson.dumps(world)


def test_the_base_is_whole_and_keeps_its_dirt(world: World):
    base = [deal for deal in world.deals if not deal.key.startswith("SCN-")]
    assert len(base) == 8800
    assert sum(deal.account is None for deal in base) == 1425
    assert {"GTXPro"} == {deal.product for deal in base if "Pro" in deal.product and "Plus" not in deal.product}
    real = [account for account in world.accounts if account.key.startswith("acc-")]
    assert len(real) == 85
    assert sum(account.parent is not None for account in real) == 15
    assert "technolgy" in {account.segment for account in real}


def test_dates_end_today(world: World):
    closed = [deal.close_date for deal in world.deals if deal.stage.startswith("closed")]
    assert max(closed) == TODAY


def test_nothing_has_happened_in_the_future(world: World):
    midnight = datetime.combine(TODAY, time(), UTC)
    late = [
        (record["key"], name)
        for group in ("accounts", "partners", "contacts", "deals", "registrations", "touches")
        for record in orjson.loads(orjson.dumps(getattr(world, group)))
        for name in INSTANTS & record.keys()
        if record[name] and datetime.fromisoformat(record[name]) > midnight
    ]
    assert late == []


def test_the_programme_has_its_size(world: World):
    merged = {merge.loser for merge in world.merges}
    assert len([p for p in world.partners if p.key not in merged]) == PARTNER_COUNT == 60
    assert len(world.registrations) == 400
    assert len(world.touches) > 300
    assert {"USD", "EUR", "GBP", "JPY"} <= {r.currency for r in world.registrations}
    assert {p.agreement_status for p in world.partners} == {"none", "draft", "active", "expired", "terminated"}
    assert len({p.type for p in world.partners}) >= 10


def test_every_registration_state_occurs(world: World):
    counts = Counter(r.state for r in world.registrations)
    assert set(counts) == set(STATES)
    assert min(counts.values()) >= 5


def test_every_account_has_contacts_and_some_are_there_twice(world: World):
    staffed = {contact.account for contact in world.contacts}
    assert {account.key for account in world.accounts} <= staffed
    assert sum(contact.key.endswith("-twin") for contact in world.contacts) == 20
    assert sum(account.key.startswith("twin-") for account in world.accounts) == 12


def test_hubspot_would_take_every_address(world: World):
    addresses = [contact.email.lower() for contact in world.contacts if contact.email]
    assert len(addresses) == len(set(addresses))


def test_only_reserved_domains(world: World):
    text = orjson.dumps(world).decode()
    hosts = set(re.findall(r"[a-z0-9-]+\.(?:com|net|org|io|de|co\.uk|eu)\b", text))
    assert hosts == {"gmail.com"}


def test_most_deals_are_direct(world: World):
    involved = (
        {r.deal for r in world.registrations}
        | {t.deal for t in world.touches}
        | {d.key for d in world.deals if d.partner}
    )
    assert 200 <= len(involved - {None}) <= 320


def test_dirt_is_seasoning_not_the_meal(world: World):
    """A believable demo has a few hundred findings, so each cause is limited here."""
    open_deals = [deal for deal in world.deals if not deal.stage.startswith("closed")]
    quiet = [d for d in open_deals if d.last_activity_on and (TODAY - d.last_activity_on).days > 60]
    assert 100 < len(quiet) < 300
    assert sum(d.account is None for d in open_deals if d.stage not in ("registered", "qualified")) < 120
    assert sum(d.lost_reason is None for d in world.deals if d.stage == "closed_lost") < 150


def test_references_point_to_records(world: World):
    keys = {
        record.key
        for group in ("sellers", "accounts", "partners", "contacts", "deals")
        for record in getattr(world, group)
    }
    assert dangling(world, keys) == []


def test_the_small_world_is_a_part_of_the_demo(world: World):
    small = build_small_world(TODAY)
    keys = {
        record.key
        for group in ("sellers", "accounts", "partners", "contacts", "deals")
        for record in getattr(small, group)
    }
    assert dangling(small, keys) == []
    assert len(small.deals) < 400
    assert {d.key for d in world.deals if d.key.startswith("SCN-")} <= {d.key for d in small.deals}
    assert {r.key for r in world.registrations if r.key.startswith("SCN-")} <= {r.key for r in small.registrations}


def dangling(world: World, keys: set[str]) -> list[tuple[str, Any]]:
    names = (
        "account",
        "owner",
        "parent",
        "partner",
        "original_partner",
        "deal",
        "contact",
        "manager",
        "master",
        "loser",
    )
    groups = [f for f in World.__dataclass_fields__ if f != "today"]
    return [
        (group, getattr(record, name))
        for group in groups
        for record in getattr(world, group)
        for name in names
        if getattr(record, name, None) is not None and getattr(record, name) not in keys
    ]


def test_missing_fixtures_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr("crmsync.sandbox.world.base.FIXTURES", tmp_path)
    with pytest.raises(FixtureMissing, match="run it from a checkout"):
        base_rows("accounts.csv")


def test_the_fixture_names_its_source_and_licence():
    readme = (FIXTURES / "crm-sales-opportunities" / "README.md").read_text(encoding="utf-8")
    assert "Maven Analytics" in readme
    assert "public domain" in readme

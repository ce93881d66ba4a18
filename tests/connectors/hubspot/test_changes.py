"""What the sandbox's people and its lagging index do between two pulls, and that nothing of it is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmsync.remote import AssociationSpec, ObjectSpec, RemoteRecord

COMPANIES = ObjectSpec("companies", ("name",))


def pull(connector, spec=COMPANIES, cursor=None) -> tuple[dict[str, RemoteRecord], dict]:
    found: dict[str, RemoteRecord] = {}
    for page in connector.pull(spec, cursor):
        found |= {record.id: record for record in page.records}
        cursor = page.cursor
    return found, dict(cursor)


@pytest.fixture
def companies(box, portal) -> list[str]:
    stamp = (box.clock.now() - timedelta(days=2)).isoformat()
    return portal.insert_rows("companies", [{"name": f"c{n}", "hs_lastmodifieddate": stamp} for n in range(5)])


def test_a_change_that_the_index_shows_late_is_found_by_the_overlap(hubspot, portal, box, companies):
    _, cursor = pull(hubspot)
    portal.behaviour.index_lag_ms = 30_000
    portal.edit("companies", companies[0], {"name": "late"})
    unseen, cursor = pull(hubspot, cursor=cursor)
    assert companies[0] not in unseen
    box.clock.advance(60)
    seen, _ = pull(hubspot, cursor=cursor)
    assert seen[companies[0]].fields == {"name": "late"}


def test_more_ties_than_one_query_may_show_all_come(hubspot, portal, box, monkeypatch):
    monkeypatch.setattr("crmsync.sandbox.hubspot.api.objects.MAX_HITS", 400)
    _, cursor = pull(hubspot)
    stamp = box.clock.now().isoformat()
    ids = portal.insert_rows("companies", [{"name": "t", "hs_lastmodifieddate": stamp} for _ in range(900)])
    changed, _ = pull(hubspot, cursor=cursor)
    assert changed.keys() == set(ids)


def test_an_idle_run_costs_one_list_and_one_search(hubspot, portal, companies):
    _, cursor = pull(hubspot)
    portal.reset_requests()
    changed, _ = pull(hubspot, cursor=cursor)
    assert changed == {}
    assert len(portal.requests) == 2


def test_windows_follow_the_portal_s_clock_and_not_ours(hubspot, portal, box, companies):
    box.clock.advance(-40 * 86_400)
    _, cursor = pull(hubspot)
    portal.edit("companies", companies[0], {"name": "in the past"})
    changed, _ = pull(hubspot, cursor=cursor)
    assert companies[0] in changed


def test_merged_contacts_name_their_survivor(hubspot, portal):
    one, two = (portal.create("contacts", {"email": f"{n}@acme.example"}) for n in ("a", "b"))
    spec = ObjectSpec("contacts", ("email",))
    _, cursor = pull(hubspot, spec)
    survivor = portal.merge("contacts", one, two)
    changed, _ = pull(hubspot, spec, cursor)
    assert {i: changed[i].merged_into for i in (one, two)} == {one: survivor, two: survivor}
    assert changed[survivor].fields == {"email": "a@acme.example"}


def test_a_chain_of_merges_leads_to_the_last_survivor(hubspot, portal, companies):
    first = portal.merge("companies", companies[0], companies[1])
    last = portal.merge("companies", companies[2], first)
    records, _ = pull(hubspot)
    assert {records[i].merged_into for i in (companies[0], companies[1], companies[2], first)} == {last}


def test_ties_of_changed_records_come_with_their_labels(hubspot, portal, companies):
    portal.create_association_label("deals", "companies", "Partner")
    deal = portal.create("deals", {"dealname": "d", "pipeline": "default", "dealstage": "qualifiedtobuy"})
    spec = ObjectSpec("deals", ("dealname",), (AssociationSpec("companies"), AssociationSpec("contacts")))
    _, cursor = pull(hubspot, spec)
    portal.link("deals", deal, "companies", companies[0], "primary")
    portal.link("deals", deal, "companies", companies[1], "Partner")
    portal.edit("deals", deal, {"dealname": "d2"})
    changed, _ = pull(hubspot, spec, cursor)
    labels = {link.to_id: {label for label in link.labels if label} for link in changed[deal].links or ()}
    assert labels == {companies[0]: {"primary"}, companies[1]: {"Partner"}}


def test_owners_come_with_the_former_ones_and_stages_with_their_pipeline(hubspot, portal):
    active = portal.create_owner("dana@acme.example", "Dana", "Grey")
    former = portal.create_owner("rob@acme.example", "Rob", "Old", archived=True)
    owners, _ = pull(hubspot, ObjectSpec("owners", ("id", "email", "archived")))
    assert owners[active].fields == {"id": active, "email": "dana@acme.example", "archived": False}
    assert owners[former].fields["archived"] is True
    stages, _ = pull(hubspot, ObjectSpec("pipelines", ("pipeline", "isClosed", "probability")))
    assert stages["closedwon"].fields == {"pipeline": "default", "isClosed": "true", "probability": "1.0"}
    assert hubspot.count("pipelines") == len(list(hubspot.ids("pipelines"))) == len(stages)

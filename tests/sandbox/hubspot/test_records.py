"""What writing does to a record: values, stamps, history, uniqueness, restoring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmsync.sandbox import Sandbox
from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.hubspot.conftest import Send

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def _update(send: Send, kind: str, record_id: str, **properties: Any) -> dict[str, Any]:
    answer = send("PATCH", f"/crm/v3/objects/{kind}/{record_id}", {"properties": properties})
    assert answer.status_code == 200, answer.text
    return answer.json()


def _codes(send: Send, kind: str, **properties: Any) -> list[str]:
    answer = send("POST", f"/crm/v3/objects/{kind}", {"properties": properties})
    assert answer.status_code == 400, answer.text
    return [one["code"] for one in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("kind", "name", "value", "code"),
    [
        ("deals", "amount", "12,000", "INVALID_INTEGER"),
        ("deals", "closedate", "tomorrow", "INVALID_LONG"),
        ("deals", "dealstage", "won", "INVALID_OPTION"),
        ("deals", "pipeline", "other", "INVALID_OPTION"),
        ("deals", "hubspot_owner_id", "1", "INVALID_OPTION"),
        ("deals", "deal_currency_code", "eur", "INVALID_OPTION"),
        ("deals", "hs_is_closed", "true", "READ_ONLY_VALUE"),
        ("deals", "unknown", "x", "PROPERTY_DOESNT_EXIST"),
        ("contacts", "email", "not an address", "INVALID_EMAIL"),
        ("contacts", "associatedcompanyid", "1", "INVALID_COMPANY_ID"),
        ("companies", "is_public", "maybe", "INVALID_OPTION"),
    ],
)
def test_bad_values(send: Send, kind: str, name: str, value: str, code: str) -> None:
    assert _codes(send, kind, **{name: value}) == [code]


def test_values_come_back_as_strings(send: Send, portal: HubSpotPortal) -> None:
    portal.create_property("deals", "signed_on", "date", "date")
    deal = portal.insert_rows("deals", [{}])[0]
    given = {"amount": 12.5, "closedate": 1772445600000, "signed_on": 1772409600000, "dealname": "x" * 10}
    shown = _update(send, "deals", deal, **given)["properties"]
    assert (shown["amount"], shown["closedate"], shown["signed_on"]) == ("12.5", "2026-03-02T10:00:00Z", "2026-03-02")
    assert _update(send, "deals", deal, amount="", dealname=None)["properties"]["amount"] == ""
    assert send("GET", f"/crm/v3/objects/deals/{deal}").json()["properties"]["amount"] == ""
    assert send("GET", f"/crm/v3/objects/deals/{deal}?properties=dealtype").json()["properties"]["dealtype"] is None


def test_a_date_must_be_midnight(send: Send, portal: HubSpotPortal) -> None:
    portal.create_property("deals", "signed_on", "date", "date")
    assert _codes(send, "deals", signed_on="1772445600000") == ["INVALID_DATE"]


def test_checkboxes_replace_or_append(send: Send, portal: HubSpotPortal) -> None:
    portal.create_property("deals", "flags", "enumeration", "checkbox", options=["a", "b", "c"])
    deal = portal.insert_rows("deals", [{"flags": "a"}])[0]
    assert _update(send, "deals", deal, flags=";b")["properties"]["flags"] == "a;b"
    assert _update(send, "deals", deal, flags="c")["properties"]["flags"] == "c"


def test_closing_a_deal_computes(send: Send, portal: HubSpotPortal) -> None:
    deal = portal.insert_rows("deals", [{"amount": "100", "createdate": "2026-01-01", "closedate": "2026-01-31"}])[0]
    shown = _update(send, "deals", deal, dealstage="closedwon", pipeline="default")["properties"]
    assert {name: shown[name] for name in ("hs_is_closed_won", "hs_closed_amount", "days_to_close")} == {
        "hs_is_closed_won": "true",
        "hs_closed_amount": "100",
        "days_to_close": "30",
    }


def test_the_modified_date_moves_again_by_itself(box: Sandbox, send: Send) -> None:
    box.clock.set(NOON)
    company = box.hubspot.insert_rows("companies", [{"name": "Acme"}])[0]
    answered = _update(send, "companies", company, name="Acme Ltd")["updatedAt"]
    assert answered == "2026-03-09T12:00:00Z"
    box.clock.advance(5)
    settled = send("GET", f"/crm/v3/objects/companies/{company}").json()
    assert "2026-03-09T12:00:00.7" <= settled["updatedAt"] <= "2026-03-09T12:00:04.8"
    assert settled["properties"]["hs_lastmodifieddate"] == settled["updatedAt"]
    box.clock.advance(60)
    assert send("GET", f"/crm/v3/objects/companies/{company}").json()["updatedAt"] == settled["updatedAt"]


def test_a_write_of_the_same_value_does_not_move_it(send: Send, portal: HubSpotPortal) -> None:
    company = portal.insert_rows("companies", [{"name": "Acme", "createdate": "2025-01-01"}])[0]
    assert _update(send, "companies", company, name="Acme")["updatedAt"] == "2025-01-01T00:00:00Z"


def test_a_batch_ties(send: Send, portal: HubSpotPortal) -> None:
    ids = portal.insert_rows("deals", [{} for _ in range(20)])
    inputs = [{"id": one, "properties": {"dealname": f"Deal {one}"}} for one in ids]
    results = send("POST", "/crm/v3/objects/deals/batch/update", {"inputs": inputs}).json()["results"]
    assert len({one["updatedAt"] for one in results}) == 1
    assert [one["id"] for one in results] != ids
    assert sorted(one["id"] for one in results) == ids


def test_history_tells_who(box: Sandbox, send: Send) -> None:
    portal = box.hubspot
    box.clock.set(NOON)
    deal = portal.insert_rows("deals", [{"dealname": "One", "createdate": "2026-01-01"}])[0]
    portal.edit("deals", deal, {"dealname": "Two"}, user_id=77)
    _update(send, "deals", deal, dealname="Three")
    shown = send("GET", f"/crm/v3/objects/deals/{deal}?propertiesWithHistory=dealname").json()
    versions = shown["propertiesWithHistory"]["dealname"]
    assert [one["value"] for one in versions] == ["Three", "Two", "One"]
    assert [one["sourceType"] for one in versions] == ["INTEGRATION", "CRM_UI", "IMPORT"]
    assert versions[1]["sourceId"] == "userId:77"
    assert versions[2]["timestamp"] == "2026-01-01T00:00:00Z"


def test_unique_values(send: Send, portal: HubSpotPortal) -> None:
    portal.create_property("deals", "prm_key", has_unique_value=True)
    first = send("POST", "/crm/v3/objects/deals", {"properties": {"prm_key": "K1"}}).json()["id"]
    assert _codes(send, "deals", prm_key="k1") == ["CONFLICTING_UNIQUE_VALUE"]
    found = send("GET", "/crm/v3/objects/deals/K1?idProperty=prm_key").json()
    assert found["id"] == first
    portal.archive("deals", first)
    assert send("POST", "/crm/v3/objects/deals", {"properties": {"prm_key": "K1"}}).status_code == 201


def test_a_refused_batch_leaves_nothing_behind(send: Send, portal: HubSpotPortal) -> None:
    portal.create_property("deals", "prm_key", has_unique_value=True)
    inputs = [{"properties": {"prm_key": key}} for key in ("a", "b", "a")]
    assert send("POST", "/crm/v3/objects/deals/batch/create", {"inputs": inputs}).status_code == 400
    assert (portal.count("deals"), portal.write_count()) == (0, 0)


def test_archive_and_restore(send: Send, portal: HubSpotPortal) -> None:
    deal = portal.insert_rows("deals", [{"dealname": "Pump"}])[0]
    assert send("DELETE", f"/crm/v3/objects/deals/{deal}").status_code == 204
    assert send("GET", f"/crm/v3/objects/deals/{deal}").headers["X-HubSpot-NotFound"] == "true"
    (bin_row,) = send("GET", "/crm/v3/objects/deals?archived=True").json()["results"]
    assert (bin_row["id"], bin_row["archived"]) == (deal, True)
    assert bin_row["archivedAt"]
    portal.restore("deals", deal)
    assert send("GET", f"/crm/v3/objects/deals/{deal}").status_code == 200


def test_merged_ids_are_known_to_single_calls_only(send: Send, portal: HubSpotPortal) -> None:
    a, b = portal.insert_rows("companies", [{"name": "Acme"}, {"name": "Acme Ltd", "domain": "acme.example"}])
    deal = portal.insert_rows("deals", [{}])[0]
    portal.associate("deals", deal, "companies", b, "primary")
    merged = portal.merge("companies", a, b)
    assert send("GET", f"/crm/v3/objects/companies/{b}").json()["id"] == merged
    read = send("POST", "/crm/v3/objects/companies/batch/read", {"inputs": [{"id": a}, {"id": merged}]}).json()
    assert [one["id"] for one in read["results"]] == [merged]
    assert send("GET", "/crm/v3/objects/companies?archived=true").json()["results"] == []
    assert portal.associated("deals", deal, "companies") == {merged: ("Primary",)}
    assert portal.get("companies", merged)["domain"] == "acme.example"


def test_limits_of_a_call(send: Send) -> None:
    assert send("GET", "/crm/v3/objects/deals?limit=101").status_code == 400
    too_many = {"inputs": [{"id": str(n)} for n in range(101)]}
    assert send("POST", "/crm/v3/objects/deals/batch/read", too_many).status_code == 400
    for body in (None, [], {"inputs": "x"}, {"inputs": [1]}):
        assert send("POST", "/crm/v3/objects/deals/batch/update", body).status_code == 400


def test_properties_may_be_repeated_or_joined(send: Send, portal: HubSpotPortal) -> None:
    portal.insert_rows("deals", [{"dealname": "Pump", "amount": "1"}])
    answers = [
        send("GET", f"/crm/v3/objects/deals?{q}")
        for q in ("properties=dealname&properties=amount", "properties=dealname,amount")
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["results"][0]["properties"].keys() == {
        "dealname", "amount", "createdate", "hs_lastmodifieddate", "hs_object_id",
    }  # fmt: skip


def test_the_audit_names_the_request(send: Send, portal: HubSpotPortal) -> None:
    deal = portal.insert_rows("deals", [{"dealname": "One"}])[0]
    answer = send("PATCH", f"/crm/v3/objects/deals/{deal}", {"properties": {"dealname": "Two"}})
    (entry,) = portal.audit
    assert (entry.object, entry.id, entry.field, entry.old, entry.new) == ("deals", deal, "dealname", "One", "Two")
    assert entry.request_id == answer.headers["X-HubSpot-Correlation-Id"]
    assert portal.requests[-1] == ("PATCH", f"/crm/v3/objects/deals/{deal}", 200)
    assert portal.write_count() == 1
    portal.reset_requests()
    assert (portal.requests, portal.write_count()) == ([], 0)


def test_a_portal_is_its_file(tmp_path: Path) -> None:
    path = str(tmp_path / "hubspot.db")
    portal = HubSpotPortal(path, SandboxClock())
    kind = portal.create_schema("prm_touch", ("Touch", "Touches"), [{"name": "prm_name"}], "prm_name")
    portal.create_association_label("deals", "companies", "Partner")
    touch = portal.insert_rows(kind, [{"prm_name": "Meeting"}])[0]
    company, deal = portal.insert_rows("companies", [{"name": "Acme"}])[0], portal.insert_rows("deals", [{}])[0]
    portal.associate("deals", deal, "companies", company, "Partner")
    owner = portal.create_owner("anna@example.com", "Anna", "Berg")
    portal.close()
    again = HubSpotPortal(path, SandboxClock())
    assert again.get("prm_touch", touch)["prm_name"] == "Meeting"
    assert again.associated("deals", deal, "companies") == {company: ("Partner",)}
    assert again.insert_rows(kind, [{}])[0] == str(int(touch) + 1)
    assert again.owners.find(owner)
    again.close()


def test_ten_thousand_rows_load_with_their_stamps(portal: HubSpotPortal) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [{"dealname": f"Deal {n}", "createdate": (start + timedelta(minutes=n)).isoformat()} for n in range(10_000)]
    ids = portal.insert_rows("deals", rows)
    assert len(set(ids)) == portal.count("deals") == 10_000
    assert portal.get("deals", ids[1])["hs_lastmodifieddate"] == "2025-01-01T00:01:00Z"


def test_a_generator_is_loaded_as_it_comes(portal: HubSpotPortal) -> None:
    stored: list[int] = []

    def rows() -> Iterator[dict[str, str]]:
        for n in range(11_000):
            if n == 10_999:
                stored.append(portal.count("deals"))
            yield {"dealname": f"Deal {n}"}

    assert len(portal.insert_rows("deals", rows())) == 11_000
    assert stored == [10_000]


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [{"id": {}, "properties": {}}]},
        {"inputs": [{"id": "1", "properties": 3}]},
        {"inputs": [{"id": "1", "properties": {}, "associations": {}}]},
        {"inputs": ["1"]},
        "text",
    ],
)
def test_a_body_of_the_wrong_structure(send: Send, body: Any) -> None:
    for path in ("batch/create", "batch/update", "batch/read", "batch/upsert"):
        answer = send("POST", f"/crm/v3/objects/deals/{path}", body)
        assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("record_id", ["x", "²", "9" * 40, "-1"])
def test_ids_that_cannot_be(send: Send, record_id: str) -> None:
    assert send("GET", f"/crm/v3/objects/deals/{record_id}").status_code == 404
    assert send("DELETE", f"/crm/v3/objects/deals/{record_id}").status_code == 204


def test_large_answers_are_zipped_for_those_who_ask(send: Send, portal: HubSpotPortal) -> None:
    plain = send("GET", "/crm/v3/properties/deals", headers={"Accept-Encoding": "identity"})
    zipped = send("GET", "/crm/v3/properties/deals")
    assert (plain.headers.get("Content-Encoding"), zipped.headers["Content-Encoding"]) == (None, "gzip")
    assert plain.json() == zipped.json()


def test_too_long_a_query(send: Send) -> None:
    assert send("GET", "/crm/v3/objects/deals?properties=" + "x" * 17_000).status_code == 414

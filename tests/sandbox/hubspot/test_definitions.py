"""Pipelines, properties, schemas and labels: what an admin defines, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.hubspot.conftest import Send

STAGES = "/crm/v3/pipelines/deals/default/stages"
TOUCH = {
    "name": "prm_touch",
    "labels": {"singular": "Touch", "plural": "Touches"},
    "properties": [{"name": "prm_name", "label": "Name", "type": "string", "fieldType": "text"}],
    "primaryDisplayProperty": "prm_name",
    "requiredProperties": ["prm_name"],
}


def _property(**changed: Any) -> dict[str, Any]:
    given = {"name": "prm_tier", "label": "Tier", "type": "string", "fieldType": "text", "groupName": "dealinformation"}
    return given | changed


def test_a_stage_is_closed_by_its_probability(send: Send) -> None:
    given = {"label": "Verbal", "displayOrder": 4, "metadata": {"probability": "1.0"}}
    made = send("POST", STAGES, given)
    assert (made.status_code, made.json()["metadata"]) == (201, {"isClosed": "true", "probability": "1.0"})
    changed = send("PATCH", f"{STAGES}/{made.json()['id']}", {"metadata": {"probability": 0.95}})
    assert changed.json()["metadata"] == {"isClosed": "false", "probability": "0.95"}
    options = send("GET", "/crm/v3/properties/deals/dealstage").json()["options"]
    assert made.json()["id"] in {one["value"] for one in options}


def test_a_stage_in_use_stays(send: Send, portal: HubSpotPortal) -> None:
    deal = portal.insert_rows("deals", [{"dealstage": "contractsent", "pipeline": "default"}])[0]
    refused = send("DELETE", f"{STAGES}/contractsent")
    assert (refused.status_code, refused.json()["subCategory"]) == (400, "PipelineError.STAGE_ID_IN_USE")
    assert refused.json()["context"] == {"stageIds": ["contractsent"], "objectIds": [deal]}
    portal.edit("deals", deal, {"dealstage": "closedlost"})
    assert send("DELETE", f"{STAGES}/contractsent").status_code == 204


def test_stages_belong_to_their_pipeline(send: Send) -> None:
    stages = [{"label": "Open", "displayOrder": 0, "stageId": "open", "metadata": {"probability": "0.5"}}]
    made = send("POST", "/crm/v3/pipelines/deals", {"label": "Partner", "displayOrder": 1, "stages": stages}).json()
    mixed = {"properties": {"pipeline": made["id"], "dealstage": "closedwon"}}
    assert send("POST", "/crm/v3/objects/deals", mixed).json()["errors"][0]["code"] == "INVALID_OPTION"
    right = {"properties": {"pipeline": made["id"], "dealstage": "open"}}
    assert send("POST", "/crm/v3/objects/deals", right).status_code == 201


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Tier"},
        {"name": "hs_tier"},
        {"type": "text"},
        {"fieldType": "select"},
        {"groupName": "nowhere"},
        {"label": ""},
        {"type": "enumeration", "fieldType": "select"},
    ],
)
def test_definitions_that_cannot_be(send: Send, changed: dict[str, Any]) -> None:
    refused = send("POST", "/crm/v3/properties/deals", _property(**changed))
    assert (refused.status_code, refused.json()["category"]) == (400, "VALIDATION_ERROR")


def test_a_name_is_taken_once(send: Send) -> None:
    assert send("POST", "/crm/v3/properties/deals", _property()).status_code == 201
    refused = send("POST", "/crm/v3/properties/deals", _property())
    assert (refused.status_code, refused.json()["subCategory"]) == (409, "Properties.PROPERTY_WITH_NAME_EXISTS")


def test_options_are_replaced_whole(send: Send, portal: HubSpotPortal) -> None:
    portal.create_property("deals", "prm_tier", "enumeration", "select", options=["gold", "silver"])
    portal.add_options("deals", "prm_tier", ["bronze", "gold"])
    path = "/crm/v3/properties/deals/prm_tier"
    assert [one["value"] for one in send("GET", path).json()["options"]] == ["gold", "silver", "bronze"]
    one = {"label": "Gold", "value": "gold", "displayOrder": 0, "hidden": False}
    assert send("PATCH", path, {"options": [one]}).json()["options"] == [one]


def test_at_most_ten_unique_properties(send: Send) -> None:
    codes = [
        send("POST", "/crm/v3/properties/deals", _property(name=f"key_{n}", hasUniqueValue=True)).status_code
        for n in range(11)
    ]
    assert codes == [201] * 10 + [400]


def test_hubspots_own_definitions_stay(send: Send) -> None:
    assert send("DELETE", "/crm/v3/properties/deals/dealname").status_code == 400
    assert send("PATCH", "/crm/v3/properties/deals/dealname", {"type": "number"}).status_code == 400


def test_a_custom_object_and_its_end(send: Send, portal: HubSpotPortal) -> None:
    schemas = "/crm-object-schemas/v3/schemas"
    made = send("POST", schemas, TOUCH).json()
    assert made["fullyQualifiedName"] == f"p{portal.portal_id}_prm_touch"
    assert send("POST", schemas, TOUCH).status_code == 409
    objects = f"/crm/v3/objects/{made['objectTypeId']}"
    assert send("POST", objects, {"properties": {}}).status_code == 400
    record = send("POST", objects, {"properties": {"prm_name": "Meeting"}}).json()
    assert record["properties"]["hs_createdate"]
    assert send("DELETE", f"{schemas}/prm_touch").status_code == 400
    send("DELETE", f"{objects}/{record['id']}")
    assert send("DELETE", f"{schemas}/prm_touch").status_code == 204
    assert send("GET", objects).json()["message"].startswith("Unable to infer object type")


def test_a_refused_schema_leaves_nothing_behind(send: Send, portal: HubSpotPortal) -> None:
    bad = {**TOUCH, "properties": [*TOUCH["properties"], {"name": "Bad Name", "label": "x"}]}
    assert send("POST", "/crm-object-schemas/v3/schemas", bad).status_code == 400
    assert portal.types.find("prm_touch") is None
    assert send("POST", "/crm-object-schemas/v3/schemas", TOUCH).status_code == 201


def test_labels(send: Send) -> None:
    path = "/crm/v4/associations/deals/companies/labels"
    both = {"label": "Partner", "name": "partner", "inverseLabel": "Partner of"}
    there, back = send("POST", path, both).json()["results"]
    assert send("POST", path, both).status_code == 409
    inverse = send("GET", "/crm/v4/associations/companies/deals/labels").json()["results"]
    assert {"category": "USER_DEFINED", "typeId": back["typeId"], "label": "Partner of"} in inverse
    assert send("PUT", path, {"associationTypeId": there["typeId"], "label": "Reseller"}).status_code == 204
    assert "Reseller" in {one["label"] for one in send("GET", path).json()["results"]}
    assert send("DELETE", f"{path}/{there['typeId']}").status_code == 204
    assert len(send("GET", path).json()["results"]) == 2

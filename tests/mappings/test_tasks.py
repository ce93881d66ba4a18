from datetime import UTC, datetime
from typing import Any

from tests.mappings.test_starter import STARTERS


def values(system: str, **change: Any) -> tuple[dict[str, Any], Any]:
    given: dict[str, Any] = {
        "key": "k1",
        "subject": "Call the partner",
        "body": "Because.",
        "owner_id": "u1",
        "due_at": datetime(2026, 1, 31, 15, 0, tzinfo=UTC),
        "about": ("Opportunity" if system == "salesforce" else "deals", "d1"),
    }
    task = STARTERS[system].task
    assert task is not None
    return task.values(**{**given, **change})


def test_a_salesforce_task_names_its_record_in_a_field() -> None:
    assert values("salesforce") == (
        {
            "PRM_Key__c": "k1",
            "Subject": "Call the partner",
            "Description": "Because.",
            "OwnerId": "u1",
            "ActivityDate": "2026-01-31",
            "WhatId": "d1",
            "Status": "Not Started",
            "Priority": "Normal",
        },
        (),
    )


def test_a_salesforce_task_about_a_person_goes_to_the_person() -> None:
    fields, _ = values("salesforce", about=("Contact", "p1"))
    assert fields["WhoId"] == "p1"
    assert "WhatId" not in fields


def test_a_hubspot_task_is_tied_by_an_association() -> None:
    fields, ties = values("hubspot")
    assert ties == (("deals", "d1", ""),)
    assert fields["hs_timestamp"] == "2026-01-31T15:00:00Z"
    assert fields["hs_task_status"] == "NOT_STARTED"


def test_what_is_unknown_is_left_out_and_long_texts_are_cut() -> None:
    fields, _ = values("salesforce", owner_id=None, due_at=None, subject="x" * 300)
    assert "OwnerId" not in fields
    assert "ActivityDate" not in fields
    assert len(fields["Subject"]) == 255

"""Batch answers are brought back to their writes: by trace id, by id, by unique value, and never by position."""

from __future__ import annotations

from crmsync.connectors.hubspot.push import match_outcomes
from crmsync.remote import Write

UPDATES = {n: Write(f"w{n}", "update", "deals", {"a": "1"}, id=str(100 + n)) for n in range(3)}
UPSERTS = {
    n: Write(f"w{n}", "upsert", "prm_registration", {"a": "1"}, key_field="prm_number", key=f"R-{n}") for n in range(3)
}


def test_shuffled_results_find_their_writes_by_trace_id():
    results = [{"id": str(900 + n), "objectWriteTraceId": str(n), "new": n == 2} for n in (2, 0, 1)]
    outcomes = match_outcomes(UPSERTS, {"results": results}, "q")
    assert {n: (o.ref, o.id, o.created) for n, o in outcomes.items()} == {
        0: ("w0", "900", False),
        1: ("w1", "901", False),
        2: ("w2", "902", True),
    }


def test_without_trace_ids_updates_match_by_id_and_upserts_by_key():
    by_id = match_outcomes(UPDATES, {"results": [{"id": "102"}, {"id": "100"}, {"id": "101"}]}, "q")
    assert [by_id[n].id for n in range(3)] == ["100", "101", "102"]
    results = [{"id": str(900 + n), "properties": {"prm_number": f"r-{n}"}} for n in (1, 2, 0)]
    by_key = match_outcomes(UPSERTS, {"results": results}, "q")
    assert [by_key[n].id for n in range(3)] == ["900", "901", "902"]


def test_one_error_entry_may_name_several_records():
    error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "gone", "context": {"ids": ["100", "102"]}}
    outcomes = match_outcomes(UPDATES, {"results": [{"id": "101"}], "errors": [error]}, "q")
    assert [outcomes[n].status for n in range(3)] == ["failed", "ok", "failed"]
    assert outcomes[0].code == "OBJECT_NOT_FOUND"


def test_a_plain_200_that_holds_errors_is_not_a_success():
    error = {"category": "CONFLICT", "message": "…", "context": {"objectWriteTraceId": ["1"], "existingId": ["77"]}}
    body = {"status": "COMPLETE", "results": [{"id": "100"}, {"id": "102"}], "errors": [error]}
    outcomes = match_outcomes(UPDATES, body, "q")
    assert [outcomes[n].status for n in range(3)] == ["ok", "failed", "ok"]


def test_an_error_that_names_nobody_goes_to_whom_the_results_leave_out():
    body = {"results": [{"id": "100"}, {"id": "101"}], "errors": [{"category": "VALIDATION_ERROR", "message": "bad"}]}
    assert match_outcomes(UPDATES, body, "q")[2].code == "VALIDATION_ERROR"


def test_what_an_answer_does_not_mention_is_unknown():
    assert match_outcomes(UPDATES, {"results": [{"id": "100"}]}, "q")[1].status == "unknown"
    assert {o.status for o in match_outcomes(UPDATES, None, "q").values()} == {"unknown"}

"""The three-way merge as a table: every standing, mode and policy."""

from __future__ import annotations

import pytest

from crmsync.mappings import Mode, OnNull, OnUserEdit
from crmsync.sync.fingerprint import digest_of
from crmsync.sync.merge import Base, Standing, Verdict, is_rounding, standing, verdict

BASE, OURS, THEIRS = "base", "ours", "theirs"
KNOWN = (Base("base", "base"),)


def decide(theirs: str, ours: str, bases: tuple[Base, ...] = KNOWN, *, mode: Mode = Mode.ENGINE_OWNED,
           edit: OnUserEdit = OnUserEdit.FLAG, null: OnNull = OnNull.CLEAR) -> Verdict:  # fmt: skip
    stands = standing(bases, theirs, ours)
    return verdict(stands, theirs, ours, mode=mode, on_user_edit=edit, on_null=null)


@pytest.mark.parametrize(
    ("bases", "theirs", "expected"),
    [
        (KNOWN, OURS, Standing.AGREED),
        ((), OURS, Standing.AGREED),
        (KNOWN, BASE, Standing.UNTOUCHED),
        (KNOWN, THEIRS, Standing.EDITED),
        (KNOWN, "", Standing.EDITED),
        ((), THEIRS, Standing.UNKNOWN),
        ((Base(), Base("other", "other")), "other", Standing.UNTOUCHED),
        ((Base(text=None, digest=digest_of(THEIRS)),), THEIRS, Standing.UNTOUCHED),
        ((Base(text=None, digest=digest_of(BASE)),), THEIRS, Standing.EDITED),
    ],
)
def test_standing(bases: tuple[Base, ...], theirs: str, expected: Standing) -> None:
    assert standing(bases, theirs, OURS) is expected


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ("0.01", "0.0061", True),
        ("1.08", "1.0834", True),
        ("1.083", "1.0834", True),
        ("1.08", "1.09", False),
        ("1083", "1083.4", False),
        ("1", "1.004", True),
        ("", "1.5", False),
        ("x", "1.5", False),
    ],
)
def test_a_number_that_the_crm_rounded_is_still_ours(theirs: str, ours: str, expected: bool) -> None:
    assert is_rounding(theirs, ours) is expected


def test_agreed_writes_nothing() -> None:
    assert decide(OURS, OURS) is Verdict.NOTHING


def test_what_nobody_touched_is_written() -> None:
    assert decide(BASE, OURS) is Verdict.WRITE
    assert decide(BASE, "") is Verdict.WRITE


@pytest.mark.parametrize("theirs", [THEIRS, ""])
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (OnUserEdit.FLAG, Verdict.FLAG_EDIT),
        (OnUserEdit.KEEP, Verdict.NOTHING),
        (OnUserEdit.RESTORE, Verdict.RESTORE),
    ],
)
def test_an_edit_goes_by_the_policy_and_a_blank_is_one(theirs: str, policy: OnUserEdit, expected: Verdict) -> None:
    assert decide(theirs, OURS, edit=policy) is expected


def test_the_first_contact_writes_and_never_blanks() -> None:
    assert decide(THEIRS, OURS, ()) is Verdict.WRITE
    assert decide("", OURS, ()) is Verdict.WRITE
    assert decide(THEIRS, "", ()) is Verdict.FLAG_EDIT


@pytest.mark.parametrize("bases", [(), KNOWN])
@pytest.mark.parametrize(("policy", "expected"), [(OnNull.KEEP, Verdict.NOTHING), (OnNull.FLAG, Verdict.FLAG_NULL)])
def test_a_decision_to_blank_goes_by_on_null(bases: tuple[Base, ...], policy: OnNull, expected: Verdict) -> None:
    assert decide(BASE, "", bases, null=policy) is expected
    assert decide(BASE, "", bases, null=policy, edit=OnUserEdit.RESTORE) is expected


def test_fill_if_empty_fills_blanks_that_nobody_made() -> None:
    assert decide("", OURS, (), mode=Mode.FILL_IF_EMPTY) is Verdict.WRITE
    assert decide("", OURS, (Base(),), mode=Mode.FILL_IF_EMPTY) is Verdict.WRITE
    assert decide("", OURS, mode=Mode.FILL_IF_EMPTY) is Verdict.FLAG_EDIT
    assert decide(THEIRS, OURS, mode=Mode.FILL_IF_EMPTY, edit=OnUserEdit.RESTORE) is Verdict.NOTHING


def test_first_sync_only_fills_once() -> None:
    assert decide("", OURS, (), mode=Mode.FIRST_SYNC_ONLY) is Verdict.WRITE
    assert decide("", OURS, mode=Mode.FIRST_SYNC_ONLY, edit=OnUserEdit.RESTORE) is Verdict.NOTHING
    assert decide(THEIRS, OURS, (), mode=Mode.FIRST_SYNC_ONLY) is Verdict.NOTHING

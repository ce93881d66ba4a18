"""The three-way merge of one field: what both sides last agreed on, what the CRM holds, what the rules decided. Pure.

The *base* only moves when both sides agree: the CRM acknowledged our value, or already held it. So an edit that is
kept stays an edit, whatever the rules decide later, until somebody brings the two sides together again. Values are
compared as normal texts (:meth:`FieldMapping.normal`), never dates: our own writes come back as changes, too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from crmsync.mappings import Mode, OnNull, OnUserEdit
from crmsync.remote import Scalar
from crmsync.sync.fingerprint import digest_of


@dataclass(frozen=True, slots=True)
class Base:
    """What both sides agreed on: the value, or only its digest where nothing but a fingerprint told of it."""

    value: Scalar = None
    text: str | None = ""
    """Normal text of ``value``; ``None`` where only the digest is known."""
    digest: str = ""

    def matches(self, text: str) -> bool:
        return text == self.text if self.text is not None else digest_of(text) == self.digest


class Standing(StrEnum):
    """How the CRM's value stands to ours."""

    AGREED = "agreed"
    UNTOUCHED = "untouched"
    """Nobody changed the value since both sides agreed on it."""
    UNKNOWN = "unknown"
    """Nothing was ever agreed on: the first contact with this field."""
    EDITED = "edited"
    """Somebody put another value there."""


class Verdict(StrEnum):
    NOTHING = "nothing"
    WRITE = "write"
    FLAG_EDIT = "flag_edit"
    RESTORE = "restore"
    FLAG_NULL = "flag_null"
    """The rules say blank, the value stays, and a finding says so."""


LEAST_DECIMALS = 2
"""No CRM rounds what it says is a decimal to less: Salesforce's currencies keep two."""


def is_rounding(theirs: str, ours: str) -> bool:
    """Whether a CRM made ``theirs`` of our number by keeping fewer decimals."""
    try:
        kept, given = Decimal(theirs), Decimal(ours)
    except InvalidOperation:
        return False
    places = max(-int(kept.as_tuple().exponent), LEAST_DECIMALS)
    return abs(kept - given) * 2 <= Decimal(1).scaleb(-places)


def standing(bases: Collection[Base], theirs: str, ours: str) -> Standing:
    """Compare normal texts.

    :param bases: every value that counts as agreed on: more than one after a merger of records.
    """
    if theirs == ours:
        return Standing.AGREED
    if not bases:
        return Standing.UNKNOWN
    return Standing.UNTOUCHED if any(base.matches(theirs) for base in bases) else Standing.EDITED


def verdict(
    stands: Standing, theirs: str, ours: str, *, mode: Mode, on_user_edit: OnUserEdit, on_null: OnNull
) -> Verdict:
    """What to do about a field that is not agreed on."""
    if stands is Standing.AGREED or (mode is not Mode.ENGINE_OWNED and theirs):
        return Verdict.NOTHING
    if mode is Mode.FIRST_SYNC_ONLY and stands is not Standing.UNKNOWN:
        return Verdict.NOTHING
    if theirs and not ours and on_null is not OnNull.CLEAR:
        return Verdict.NOTHING if on_null is OnNull.KEEP else Verdict.FLAG_NULL
    if _is_free(stands, theirs, ours):
        return Verdict.WRITE
    return _ABOUT_EDITS[on_user_edit]


def _is_free(stands: Standing, theirs: str, ours: str) -> bool:
    """Whether ours may take the place of theirs: not over an edit, and no first contact ever blanks a field."""
    if stands is Standing.UNKNOWN:
        return not theirs or bool(ours)
    return stands is Standing.UNTOUCHED


_ABOUT_EDITS = {
    OnUserEdit.KEEP: Verdict.NOTHING,
    OnUserEdit.FLAG: Verdict.FLAG_EDIT,
    OnUserEdit.RESTORE: Verdict.RESTORE,
}

from __future__ import annotations

import pytest

from crmsync.sandbox.salesforce.ids import checksum, custom_prefix, make_id, to_18


@pytest.mark.parametrize(
    ("id15", "suffix"), [("a01M00000062mPg", "IAI"), ("001M000000qfPyS", "IAU"), ("aBcDEfgHIJKLMNO", "025")]
)
def test_the_suffix_says_which_characters_are_capitals(id15: str, suffix: str) -> None:
    assert checksum(id15) == suffix
    assert to_18(id15) == to_18(id15 + suffix) == id15 + suffix


@pytest.mark.parametrize("text", ["", "001", "001M000000qfPySIAA", "001M000000qfPy!", "001M000000qfPySIAUx"])
def test_what_is_no_id(text: str) -> None:
    assert to_18(text) is None


def test_ids_grow_in_their_own_order() -> None:
    ids = [make_id("001", number) for number in (1, 61, 62, 3843, 3844)]
    assert ids == sorted(ids)
    assert {len(one) for one in ids} == {18}
    assert (custom_prefix(0), custom_prefix(62)) == ("a00", "a10")

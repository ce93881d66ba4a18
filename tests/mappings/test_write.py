from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.mappings import ValueProblem
from crmsync.records import ProtectionStatus, Stage
from tests.mappings.conftest import mapping

FIELDS = """
next_action: X
amount: X
is_tender: X
close_date: X
created_at: X
flags: X
protection_status: X
influencing_partners: {field: X, separator: "; "}
"""
MAPPINGS = {system: mapping(FIELDS, system=system) for system in ("salesforce", "hubspot")}
MOMENT = datetime(2026, 1, 31, 23, 30, 5, 999, tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize(
    ("field", "value", "salesforce", "hubspot"),
    [
        ("next_action", "Call", "Call", "Call"),
        ("amount", Decimal("1200"), 1200, "1200"),
        ("amount", Decimal("12.50"), 12.5, "12.5"),
        ("amount", Decimal("1E+3"), 1000, "1000"),
        ("is_tender", False, False, "false"),
        ("close_date", date(2026, 1, 31), "2026-01-31", "2026-01-31"),
        ("created_at", MOMENT, "2026-02-01T04:30:05.000+0000", "2026-02-01T04:30:05Z"),
        ("flags", ("B", "A", "B"), "A;B", "A;B"),
        ("influencing_partners", ("Beta", "Alpha"), "Alpha; Beta", "Alpha; Beta"),
        ("protection_status", ProtectionStatus.ACTIVE, "active", "active"),
        ("next_action", None, None, None),
        ("flags", (), None, None),
    ],
)
def test_each_crm_gets_its_own_dialect(field: str, value: Any, salesforce: Any, hubspot: Any) -> None:
    said = {system: loaded.to_remote("deal", field, value) for system, loaded in MAPPINGS.items()}
    assert said == {"salesforce": salesforce, "hubspot": hubspot}
    assert type(said["salesforce"]) is type(salesforce)


def test_an_enum_is_said_by_the_first_value_listed() -> None:
    assert MAPPINGS["salesforce"].to_remote("deal", "stage", Stage.QUALIFIED) == "Open"


@pytest.mark.parametrize(
    ("entry", "field", "value", "message"),
    [
        ("", "stage", Stage.COMMITTED, "no CRM value stands for 'committed'"),
        ("flags: F", "flags", ("A;B",), "contains ';'"),
        ("next_action: {field: F, max: 5}", "next_action", "too long", "has 8 characters, the field holds 5"),
        ("lead_source: {field: [A, B]}", "lead_source", "x", "not one field"),
        ("currency: {constant: USD}", "currency", "USD", "not one field"),
        ("created_at: C", "created_at", "soon", "not an instant"),
    ],
)
def test_what_the_crm_cannot_hold_is_a_problem(entry: str, field: str, value: Any, message: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        mapping(entry).to_remote("deal", field, value)
    assert message in caught.value.message
    assert (caught.value.kind, caught.value.field) == ("deal", field)


def test_long_text_is_cut_only_where_the_mapping_says_so() -> None:
    loaded = mapping("next_action: {field: F, max: 8, cut: true}")
    assert loaded.to_remote("deal", "next_action", "Call the buyer") == "Call th…"
    assert loaded.to_remote("deal", "next_action", "Call her") == "Call her"


def test_a_transform_with_a_way_back_is_undone() -> None:
    for system, raw in (("salesforce", False), ("hubspot", "false")):
        loaded = mapping("is_tender: {field: F, transform: negate}", system=system)
        assert loaded.to_remote("deal", "is_tender", True) == raw
        assert loaded.from_remote("deal", "is_tender", raw) is True


def test_list_items_are_said_by_the_value_map() -> None:
    loaded = mapping("products: {field: P, values: {GTXPro: GTX Pro}}")
    assert loaded.to_remote("deal", "products", ("MG", "GTX Pro")) == "GTXPro;MG"


def test_one_raw_value_can_be_read_by_itself() -> None:
    loaded = mapping("amount: {field: A, default: 0}")
    assert loaded.from_remote("deal", "amount", 5.0) == Decimal(5)
    assert loaded.from_remote("deal", "amount", "") == Decimal(0)
    with pytest.raises(ValueProblem, match=r"deal\.amount: found 'x'"):
        loaded.from_remote("deal", "amount", "x")


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (("a", "b"), ["a", "b"]),
        (Decimal("1E+3"), "1000"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, tzinfo=UTC), "2026-01-31T00:00:00+00:00"),
        (None, None),
        (True, True),
    ],
)
def test_canonical_values_have_a_json_form(value: Any, json: Any) -> None:
    assert MAPPINGS["hubspot"].to_json(value) == json


WORDS = st.text(alphabet=st.characters(blacklist_categories=["C", "Z"], blacklist_characters=";"), min_size=1)
VALUES = st.one_of(
    st.tuples(st.just("next_action"), WORDS),
    st.tuples(st.just("amount"), st.decimals(-(10**12), 10**12, places=2, allow_nan=False)),
    st.tuples(st.just("is_tender"), st.booleans()),
    st.tuples(st.just("close_date"), st.dates(date(1900, 1, 1))),
    st.tuples(st.just("created_at"), st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001
    st.tuples(st.just("flags"), st.lists(WORDS, min_size=1, unique=True).map(lambda x: tuple(sorted(x)))),
    st.tuples(st.just("protection_status"), st.sampled_from(ProtectionStatus)),
)


@pytest.mark.parametrize("system", ["salesforce", "hubspot"])
@given(case=VALUES)
def test_what_was_said_reads_back_the_same(system: str, case: tuple[str, Any]) -> None:
    field, value = case
    if isinstance(value, datetime):
        value = value.replace(microsecond=0)
    loaded = MAPPINGS[system]
    raw = loaded.to_remote("deal", field, value)
    assert loaded.from_remote("deal", field, raw) == value
    assert loaded.to_remote("deal", field, loaded.from_remote("deal", field, raw)) == raw

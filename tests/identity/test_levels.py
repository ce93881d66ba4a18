"""What two records show, field by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.identity.keys import blocking_keys
from crmsync.identity.levels import LEVELS, compare
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared, prepare
from crmsync.identity.score import Scorer


def account(**raw: str) -> Prepared:
    return prepare("account", {"id": "1", **raw})


def contact(**raw: str) -> Prepared:
    return prepare("contact", {"id": "1", **raw})


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("3901 S State", "3901 South State Street", "same"),
        ("Hauptstr. 12", "12 Hauptstr", "same"),
        ("2653 W. Ogden", "2653 W Ogdan Avenue", "near"),
        ("12 Mill Road", "13 Mill Rd", "neighbour"),
        ("12 Mill Road", "Mill Road", "street"),
        ("12 Mill Road", "97 Mill Road", "road"),
        ("12 Mill Road", "12 Harbour Lane", "house"),
        ("12 Mill Road", "97 Harbour Lane", "other"),
    ],
)
def test_a_street_is_a_house_number_and_a_road(one: str, other: str, level: str) -> None:
    assert compare(account(street=one), account(street=other)) == {"street": level}


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Gads Hill Child Care", "Child Care Gads Hill", "same"),
        ("Alpen Bau GmbH", "Alpenbau", "same"),
        ("Kestrel Foods", "Kestral Foods", "near"),
        ("Kestrel", "Kestrel Foods Holding Europe", "part"),
        ("Nordwind Logistik Hafen Kiel", "Kiel Hafen Nordwind Spedition", "most"),
        ("Nordwind Logistik", "Kestrel Logistik", "some"),
        ("Quarz", "Elbtal", "other"),
    ],
)
def test_a_company_name(one: str, other: str, level: str) -> None:
    assert compare(account(name=one), account(name=other))["name"] == level


@pytest.mark.parametrize(
    ("one", "other", "levels"),
    [
        ({"first_name": "Ana", "last_name": "Silva"}, {"first_name": "Silva", "last_name": "Ana"}, "swapped swapped"),
        ({"first_name": "Jonathan", "last_name": "Allen"}, {"first_name": "J", "last_name": "Alen"}, "initial near"),
        ({"first_name": "Maria", "last_name": "Weber"}, {"first_name": "Marie", "last_name": "Quist"}, "near other"),
    ],
)
def test_a_person(one: dict[str, str], other: dict[str, str], levels: str) -> None:
    found = compare(contact(**one), contact(**other))
    assert f"{found['first']} {found['last']}" == levels


def test_codes_are_mistyped() -> None:
    one = contact(
        birth_date="1971-06-24", phone="+49 30 555 0110", email="robert255@smith.example", postal_code="10115"
    )
    other = contact(birth_date="1971-06-42", phone="030 555 0161", email="robert25@smyth.example", postal_code="10151")
    assert compare(one, other) == {
        "phone": "close", "postal_code": "near", "born": "near", "email": "near"
    }  # fmt: skip


TEXTS = st.text(max_size=40)
ACCOUNTS = st.builds(account, name=TEXTS, street=TEXTS, city=TEXTS, phone=TEXTS, postal_code=TEXTS, state=TEXTS)
CONTACTS = st.builds(contact, first_name=TEXTS, last_name=TEXTS, email=TEXTS, street=TEXTS, birth_date=TEXTS)


@given(st.one_of(st.tuples(ACCOUNTS, ACCOUNTS), st.tuples(CONTACTS, CONTACTS)))
def test_a_comparison_has_no_direction_and_only_known_levels(pair: tuple[Prepared, Prepared]) -> None:
    one, other = pair
    found = compare(one, other)
    assert found == compare(other, one)
    assert all(level in LEVELS[name] for name, level in found.items())
    assert set(compare(one, one).values()) <= {"same"}


@given(st.one_of(ACCOUNTS, CONTACTS))
def test_keys_are_few_and_each_once(record: Prepared) -> None:
    keys = blocking_keys(record)
    assert len(set(keys)) == len(keys) <= 50


def test_a_level_that_weighs_nothing_still_tells_a_family() -> None:
    """Most of a name under one domain: two companies of one group, although ``name.most`` weighs nothing."""
    one = account(name="Nordwind Logistik Hafen Kiel", domain="nordwind.example")
    other = account(name="Kiel Hafen Nordwind Spedition", domain="nordwind.example")
    model = Model.default("account")
    assert (compare(one, other)["name"], model.weights["name.most"]) == ("most", 0.0)
    score = Scorer(model, lambda *_: 1e-4).score(one, other)
    assert score.p_related > score.p_duplicate

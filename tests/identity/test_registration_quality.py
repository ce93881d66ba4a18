"""Which account a registration means, by the code of `benchmarks/matching_registrations.py`."""

import pytest


def test_half_of_the_registrations_mean_an_account_of_the_base_and_none_is_in_it() -> None:
    import matching_registrations as made

    base, asked = made.base_and_held_out(2_000, 60, 5)
    known = {entry.entity for entry in base}
    assert sum(one.entity in known for one in asked) == 30
    assert not {f"R{entry.raw['id'][1:]}" for entry in base} & {one.registration.id for one in asked}
    assert (base, asked) == made.base_and_held_out(2_000, 60, 5)
    assert asked != made.base_and_held_out(2_000, 60, 6)[1]


def test_a_registration_gives_a_domain_or_an_address_and_no_more_than_partners_do() -> None:
    import matching_registrations as made

    registrations = [one.registration for one in made.base_and_held_out(2_000, 60, 5)[1]]
    assert all(r.account_name and r.account_country and not r.extra for r in registrations)
    assert not any(r.account_domain and r.contact_email for r in registrations)
    assert any(r.account_domain for r in registrations)
    addresses = [r.contact_email for r in registrations if r.contact_email]
    assert 0 < sum(text.endswith("@gmail.com") for text in addresses) < len(addresses)


def test_it_says_when_the_base_is_too_small_for_so_many() -> None:
    import matching_registrations as made

    with pytest.raises(ValueError, match="repeat one of 20 accounts: ask for fewer"):
        made.base_and_held_out(20, 400, 5)


def test_a_relative_counts_neither_for_nor_against() -> None:
    import matching_crm
    import matching_registrations as made

    from crmsync.records import Registration

    def answer(entity: int, family: int, probability: float) -> made.Answer:
        asked = made.Asked(Registration(id="R1"), entity=1, family=1)
        return made.Answer(asked, matching_crm.Entry({}, entity, family), probability)

    given = [answer(1, 1, 0.99), answer(2, 1, 0.9), answer(3, 3, 0.6), answer(1, 1, 0.3)]
    found = made.quality(given, expected=4, at=0.5)
    assert found == made.Quality(answered=3, right=1, relatives=1, expected=4)
    assert (found.precision, found.recall) == (0.5, 0.25)
    assert made.quality(given, expected=4, at=0.999).precision == 0.0


def test_the_shipped_model_finds_the_account_that_is_meant() -> None:
    import matching_registrations as made

    from crmsync.rules import load_policy

    base, asked = made.base_and_held_out(2_000, 60, 5)
    given = list(made.answers(base, asked, load_policy(made.POLICY)))
    found = made.quality(given, expected=30, at=0.5)
    assert found.precision >= 0.9
    assert found.recall >= 0.6

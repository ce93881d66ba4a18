"""Weights learnt from the records alone."""

from hashlib import sha256
from itertools import pairwise

from crmsync.identity.levels import compare
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared, prepare
from crmsync.identity.score import Scorer
from crmsync.identity.train import train

BASE = Model.default("contact")
CITIES = ("Rome", "Bonn", "Lyon", "Oslo", "Cork")


def person(prefix: str, number: int, city: int) -> Prepared:
    words = [sha256(f"{part}{number}".encode()).hexdigest()[:8] for part in ("first", "last")]
    names = ["".join(chr(ord("a") + int(c, 16)) for c in word) for word in words]
    raw = {"first_name": names[0], "last_name": names[1], "email": f"{names[0]}@x.example", "city": CITIES[city % 5]}
    return prepare("contact", {"id": f"{prefix}{number}", **raw})


def people() -> list[tuple[Prepared, Prepared]]:
    """Two records of each of forty persons, half of whom have moved, and every person beside the next."""
    first = [person("a", n, n) for n in range(40)]
    second = [person("b", n, n + n % 2) for n in range(40)]
    return [*zip(first, second, strict=True), *pairwise(first)]


def test_what_the_same_persons_share_weighs_and_what_they_do_not_share_does_not() -> None:
    model = train(people(), BASE)
    assert model.weights["email.same"] > 4
    assert model.weights["email.other"] < -3
    assert abs(model.weights["city.other"]) < 2
    assert model.weights["phone.same"] == BASE.weights["phone.same"]


def test_the_trained_model_tells_them_apart() -> None:
    pairs = people()
    scorer = Scorer(train(pairs, BASE), lambda _column, _value: 0.01)
    found = [scorer.score(one, other).verdict for one, other in pairs]
    assert found[:40] == ["duplicate"] * 40
    assert "duplicate" not in found[40:]


def test_it_is_the_same_in_any_order_and_survives_a_file() -> None:
    model = train(people(), BASE)
    assert train(reversed(people()), BASE) == model
    assert Model.loads(model.dumps()) == model


def test_too_few_pairs_teach_nothing() -> None:
    assert train(people()[:1], BASE) is BASE


def test_levels_are_those_of_the_score() -> None:
    one, other = people()[0]
    assert {e.field: e.level for e in Scorer(BASE, lambda *_: 0.01).score(one, other).evidence}.items() <= compare(
        one, other
    ).items()

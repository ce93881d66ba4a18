"""What people answer moves the weights."""

from itertools import product

from crmsync.identity.learn import refit
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared, prepare
from crmsync.identity.score import Scorer

BASE = Model.default("account")


def pair(number: int, *, phone: bool, street: bool) -> tuple[Prepared, Prepared]:
    """Two sites of one name, with or without the same phone and the same street."""
    name = f"Haus {chr(97 + number)}berg"
    one = {"id": f"a{number}", "name": name, "phone": f"030 1111 {number:03}", "street": f"{number} Mill Road"}
    changed = {"phone": one["phone"] if phone else f"040 9999 {900 - number}"}
    changed["street"] = one["street"] if street else f"{number + 500} Harbour Lane"
    return prepare("account", one), prepare("account", {**one, **changed, "id": f"b{number}"})


PAIRS = [
    pair(n * 4 + place, phone=phone, street=street)
    for n in range(5)
    for place, (phone, street) in enumerate(product((True, False), repeat=2))
]
"""Here it is the street that tells, and the phone says nothing."""
ANSWERS = [
    (one, other, "duplicate" if one.text("street") == other.text("street") else "different") for one, other in PAIRS
]


def test_the_level_that_tells_gains_and_the_other_does_not() -> None:
    model = refit(BASE, ANSWERS)
    gained = {name: bits - BASE.weights.get(name, 0.0) for name, bits in model.weights.items()}
    assert gained["street.same"] > 0.5
    assert gained["street.other"] < -0.5
    assert gained["phone.same"] < -0.5
    assert gained["number.same"] == 0


def test_it_then_agrees_with_the_answers() -> None:
    scorer = Scorer(refit(BASE, ANSWERS), lambda *_: 1e-4)
    said = [scorer.bits(one, other) > 0 for one, other, _ in ANSWERS]
    assert said == [answer == "duplicate" for _, _, answer in ANSWERS]


def test_it_stays_sane_where_answers_contradict_each_other() -> None:
    """Step by step it only ever gets closer: a leap beyond the answers would turn strangers into duplicates."""
    odd = [(one, other, "different" if number % 3 else said) for number, (one, other, said) in enumerate(ANSWERS)]
    model = refit(BASE, [*odd * 10, *ANSWERS])
    assert all(abs(bits - BASE.weights.get(name, 0.0)) < 15 for name, bits in model.weights.items())
    strangers = pair(90, phone=False, street=False)[0], pair(91, phone=False, street=False)[1]
    assert Scorer(model, lambda *_: 1e-4).bits(*strangers) < 0


def test_no_answer_changes_nothing() -> None:
    model = refit(BASE, [])
    assert (model.weights, model.prior) == (BASE.weights, BASE.prior)


def test_the_probability_is_that_of_the_bits() -> None:
    scorer = Scorer(refit(BASE, ANSWERS), lambda *_: 1e-4)
    for one, other in PAIRS:
        score = scorer.score(one, other)
        alike = 1 / (1 + 2 ** -scorer.bits(one, other))
        assert abs(score.p_duplicate / (1 - 0.004) - alike) < 1e-9

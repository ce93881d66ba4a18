"""The language of ``when:``: what it says yes to, what it refuses and where, and that it always ends quietly."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.records import Account, Deal, FieldType, Motion, Partner, PartnerType, Registration, Stage
from crmsync.rules.expressions import FUNCTIONS, ExpressionError, Scope, build_names, compile_expression

BERLIN = ZoneInfo("Europe/Berlin")
EXTRA = {"account": {"employees": FieldType("int"), "region": FieldType("text", ("EMEA", "APAC"))}}
NAMES = build_names("deal", EXTRA, frozenset({"deal.flags"}))

DEAL = Deal(
    id="D1",
    name="Pilot for Acme",
    stage=Stage.PROPOSAL,
    motion=Motion.RENEWAL,
    amount=Decimal(12000),
    currency="EUR",
    created_at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
    close_date=date(2026, 3, 31),
    products=("GTX Pro", "MG Special"),
    is_tender=False,
)
SCOPE = Scope(
    deal=DEAL,
    account=Account(id="A1", name="Acme", country="DE", extra={"employees": 120, "region": "EMEA"}),
    partner=Partner(id="P1", type=PartnerType.RESELLER, tier="gold"),
    today=date(2026, 3, 1),
)


def holds(text: str, scope: Scope = SCOPE) -> bool:
    return compile_expression(text, NAMES, BERLIN).holds(scope)


@pytest.mark.parametrize(
    "text",
    [
        "amount > 10000",
        "amount >= 12000 and amount <= 12000.00",
        "amount * 1.19 - 280 == 14000",
        "amount / 3 == 4000",
        "-amount < 0",
        'stage == "proposal"',
        'deal.stage != "negotiation"',
        'stage in ["proposal", "negotiation"]',
        'stage not in ["closed_won"]',
        'partner.tier in ["gold"] or false',
        'not (stage == "closed_won")',
        "not is_tender",
        "is_tender == false",
        'account.region == "EMEA" and account.employees > 100',
        '"GTX Pro" in products',
        'any_of(products, ["MG Special", "X"])',
        "len(products) == 2",
        'starts_with(name, "pilot") and ends_with(name, "ACME") and contains(name, "for")',
        'like(name, "p*t for ????")',
        'domain("https://shop.acme.example/x") == "acme.example"',
        'lower(currency) == "eur"',
        'coalesce(lead_source, "none") == "none"',
        "coalesce(amount, 0) > 0",
        "is_blank(lost_reason) and not is_blank(name)",
        'close_date > "2026-03-30" and close_date <= "2026-03-31"',
        'created_at >= "2026-02-01"',
        'created_at < "2026-02-01T00:31:00+01:00"',
        'day(created_at) == "2026-02-01"',
        "days_between(created_at, today) == 28",
        "days_between(today, close_date) > 29",
        "true",
        "(((amount > 1)))",
    ],
)
def test_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "registration.amount > 0",
        "registration.amount != 5",
        'lost_reason == ""',
        'lead_source in ["web"]',
        'lead_source not in ["web"]',
        'contains(lead_source, "x")',
        "amount / 0 > 1",
        "amount / 0 < 1",
        "days_between(registration.submitted_at, today) > 0",
        "registration.amount + 1 > 0",
        "lead_source in products",
        "registration.protection_start < registration.protection_end",
    ],
)
def test_a_blank_answers_no(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "start", "end", "message", "hint"),
    [
        ("amuont > 1", 0, 6, "unknown field 'amuont'", "did you mean 'amount'?"),
        ('country == "DE"', 0, 7, "unknown field 'country'", "did you mean 'account.country'?"),
        ('stage == "propsal"', 9, 18, "'stage' is never 'propsal'", "did you mean 'proposal'?"),
        ('partner.type in ["reseler"]', 17, 26, "'partner.type' is never 'reseler'", "did you mean 'reseller'?"),
        ('account.region == "EMAE"', 18, 24, "'account.region' is never 'EMAE'", "did you mean 'EMEA'?"),
        ('stage = "x"', 6, 7, "found '='", "use '==' to compare"),
        ("stage > 5", 0, 9, "cannot compare 'stage' (text) with a number", "quotes"),
        ('stage > "x"', 0, 11, "has no order", "in [...]"),
        ('amount > "5"', 0, 12, "cannot compare", "quotes"),
        ("amount", 0, 6, "wanted a condition", "compare it"),
        ("amount == null", 10, 14, "'null' cannot be compared", "is_blank"),
        ("1 < amount < 3", 0, 10, "two comparisons", "a < b and b < c"),
        ('name in "abc"', 8, 13, "wanted a list", "contains"),
        ('close_date > "31.12.2026"', 13, 25, "wanted a date", "year-month-day"),
        ('created_at > "2026-01-01T10:00"', 13, 31, "has no zone", "Z"),
        ("close_date - created_at > 3", 0, 10, "wanted a number", "days_between"),
        ("close_date > created_at", 0, 23, "cannot compare", "day(...)"),
        ('starts_wth(name, "x")', 0, 10, "unknown function", "did you mean 'starts_with'?"),
        ("starts_with(name)", 0, 17, "takes 2 values", "for example"),
        ('starts_with(amount, "1")', 12, 18, "found 'amount' (a number), wanted text", "for example"),
        ("flags == products", 0, 5, "'flags' is decided by crmsync", "people"),
        ("amount >", 8, 9, "the expression ends", ""),
        ("amount > 1 1", 11, 12, "found '1'", ""),
        ("stage == Proposal", 9, 17, "unknown field 'Proposal'", "quotes"),
        ('name == "open', 8, 13, "not closed", "close the quote"),
        ("amount > 1 && true", 11, 13, "found '&&'", "write 'and'"),
        ("amount > 1 AND true", 11, 14, "found 'AND'", ""),
        ("", 0, 1, "empty", ""),
        ("products in []", 12, 14, "the list is empty", ""),
        ("name.__class__ == 1", 0, 14, "unknown field", ""),
        ("coalesce(amount, name) > 1", 17, 21, "beside", "one type"),
        ("(" * 60 + "true" + ")" * 60, 40, 41, "nested deeper", ""),
        ("true" + " or true" * 200, 796, 800, "more than 200 parts", ""),
        ("amount > " + "1" * 2000, 0, 1, "characters", ""),
    ],
)
def test_refuses(text: str, start: int, end: int, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, NAMES, BERLIN)
    error = caught.value
    assert message in error.message
    assert hint in error.hint
    if len(text) < 100:
        assert (error.start, error.end) == (start, end)


def test_every_function_has_a_working_example() -> None:
    for function in FUNCTIONS.values():
        compile_expression(function.example, NAMES, BERLIN)


def test_a_registration_sees_its_partner_account_and_deal() -> None:
    names = build_names("registration", {})
    expression = compile_expression('amount > 5 and deal.stage == "proposal" and partner.tier == "gold"', names, BERLIN)
    assert expression.holds(
        Scope(registration=Registration(id="R", amount=Decimal(6)), deal=DEAL, partner=SCOPE.partner)
    )


def test_an_expression_that_asks_for_today_says_so() -> None:
    assert compile_expression("days_between(close_date, today) > 3", NAMES, BERLIN).uses_today
    assert not compile_expression("amount > 3", NAMES, BERLIN).uses_today


# ---------------------------------------------------------------- whatever is written, and whatever is in the records

PIECES = """
amount stage products is_tender close_date created_at name today partner.tier account.employees
and or not in == != < <= > >= + - * / ( ) [ ] , = true null 0 1.5 "proposal" "2026-01-01" "*" ["a","b"]
len( like( domain( coalesce( is_blank( any_of( days_between( day( contains(
"""
texts = st.lists(st.sampled_from(PIECES.split()), max_size=12).map(" ".join) | st.text(max_size=30)
odd: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.text(max_size=5),
    st.dates(),
    st.tuples(st.text(max_size=3)),
)


@settings(max_examples=400, deadline=None)
@given(text=texts, values=st.lists(odd, min_size=6, max_size=6))
def test_never_raises_anything_but_its_own_error(text: str, values: list[Any]) -> None:
    try:
        expression = compile_expression(text, NAMES, BERLIN)
    except ExpressionError:
        return
    amount, stage, products, tender, close, created = values
    deal = Deal(
        id="1", amount=amount, stage=stage, products=products, is_tender=tender, close_date=close, created_at=created
    )
    assert expression.holds(Scope(deal=deal)) in (True, False)


comparisons = st.builds(
    "{} {} {}".format,
    st.sampled_from(["amount", "amount + 1", "amount / amount", "len(name)", "coalesce(amount, 0)"]),
    st.sampled_from(["==", "!=", "<", ">="]),
    st.sampled_from(["amount", "0", "amount * amount", "-amount"]),
)


@settings(max_examples=200, deadline=None)
@given(text=st.lists(comparisons, min_size=1, max_size=4).map(" and ".join), amount=st.decimals() | odd)
def test_arithmetic_never_raises(text: str, amount: Any) -> None:
    assert compile_expression(text, NAMES, BERLIN).holds(Scope(deal=Deal(id="1", amount=amount))) in (True, False)

"""Whatever a statement says, it is answered or refused: never a traceback, never a 500."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.org import SalesforceOrg

BASE = "/services/data/v60.0"
FIELDS = [
    "Id",
    "Name",
    "AccountId",
    "Amount",
    "StageName",
    "CloseDate",
    "CreatedDate",
    "IsWon",
    "Description",
    "Account.Name",
    "Account.BillingAddress",
    "Owner.Profile.Name",
    "Account.Parent.Owner.Name",
    "Nope",
    "o.Name",
]
FUNCTIONS = [
    "COUNT",
    "COUNT_DISTINCT",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "CALENDAR_YEAR",
    "DAY_ONLY",
    "HOUR_IN_DAY",
    "toLabel",
    "convertCurrency",
    "convertTimezone",
    "FORMAT",
    "FIELDS",
    "WEEK_IN_YEAR",
]
LITERALS = [
    "'x'",
    "''",
    "'%é_'",
    "'\\u00e9'",
    "'\\ud800'",
    "'\\q'",
    "null",
    "true",
    "FALSE",
    "1",
    "-1.5e300",
    "1e999",
    "USD5",
    "2026-01-01",
    "2026-13-45",
    "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "TODAY",
    "LAST_N_DAYS:7",
    "NEXT_N_YEARS:99999999",
    "LAST_FISCAL_QUARTER",
    "'006000000000001AAA'",
]
OPERATORS = ("=", "!=", "<>", "<", "<=", ">", ">=", "LIKE")


@pytest.fixture(scope="module")
def org() -> Iterator[SalesforceOrg]:
    org = SalesforceOrg()
    [account] = org.insert_rows("Account", [{"Name": "Acme"}])
    org.insert_rows("Opportunity", [{"Name": "d", "AccountId": account, "StageName": "Prospecting", "Amount": 1}])
    yield org
    org.close()


field = st.sampled_from(FIELDS)
literal = st.sampled_from(LITERALS)
operand = st.recursive(field, lambda inner: st.builds("{}({})".format, st.sampled_from(FUNCTIONS), inner), max_leaves=3)
simple = st.one_of(
    st.builds("{} {} {}".format, operand, st.sampled_from(OPERATORS), literal),
    st.builds("{} {} ({})".format, operand, st.sampled_from(["IN", "NOT IN", "INCLUDES", "EXCLUDES"]),
              st.lists(literal, min_size=1, max_size=3).map(", ".join)),
    st.builds("{} {} (SELECT {} FROM {})".format, field, st.sampled_from(["IN", "NOT IN"]), field,
              st.sampled_from(["Account", "Contact", "Opportunity"])),
)  # fmt: skip
condition = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds("NOT {}".format, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
    ),
    max_leaves=6,
)
item = st.one_of(
    operand, st.builds("{} alias{}".format, operand, st.integers(0, 3)), st.just("(SELECT Id FROM Partners)")
)
tail = st.one_of(
    st.just(""),
    st.builds("GROUP BY {}".format, operand),
    st.builds("GROUP BY {} HAVING {}".format, operand, condition),
    st.builds("ORDER BY {} {}".format, operand, st.sampled_from(["", "DESC", "ASC NULLS LAST"])),
    st.builds("LIMIT {}".format, st.sampled_from(["1", "0", "1.5", "-1", "99999999999999999999"])),
    st.builds("LIMIT 5 OFFSET {}".format, st.integers(0, 3000)),
    st.sampled_from(["FOR VIEW", "FOR UPDATE", "ALL ROWS", "WITH SECURITY_ENFORCED", "USING SCOPE mine"]),
)
statement = st.builds(
    "SELECT {} FROM Opportunity o {} {}".format,
    st.lists(item, min_size=1, max_size=4).map(", ".join),
    st.one_of(st.just(""), st.builds("WHERE {}".format, condition)),
    tail,
)


def answer(org: SalesforceOrg, text: str) -> None:
    access = org.access(org.users()[0]["Id"])
    refused = None
    try:
        org.queries.run(text, access, BASE).dump()
    except SalesforceError as problem:
        refused = problem
    assert refused is None or 400 <= refused.status < 500


FUZZ = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(statement)
def test_statements_of_the_grammar(org: SalesforceOrg, text: str) -> None:
    answer(org, text)


@FUZZ
@given(statement, st.integers(0, 200), st.text(max_size=4))
def test_statements_with_a_splice(org: SalesforceOrg, text: str, at: int, splice: str) -> None:
    answer(org, text[:at] + splice + text[at:])


@FUZZ
@given(st.text(max_size=60))
def test_any_text(org: SalesforceOrg, text: str) -> None:
    answer(org, f"SELECT Id FROM Account {text}")
    answer(org, text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Id FROM Account WHERE " + "NOT " * 3000 + "Name = 'x'",
        "SELECT Id FROM Account WHERE " + "(" * 3000 + "Name = 'x'" + ")" * 3000,
        "SELECT Id FROM Account WHERE " + "(Name = 'a' OR " * 1500 + "Name = 'b'" + ")" * 1500,
        "SELECT Id FROM Account WHERE " + " OR ".join(["Name = 'x'"] * 5000),
        "SELECT " + "MAX(" * 2000 + "Id" + ")" * 2000 + " FROM Account",
        "SELECT Id FROM Account WHERE Name = '" + "x" * 99_000 + "'",
        "SELECT Id FROM Account WHERE Name IN (" + ",".join(["'x'"] * 20_000) + ")",
    ],
    ids=["not", "parentheses", "deep", "long", "functions", "literal", "list"],
)
def test_statements_beyond_measure(org: SalesforceOrg, text: str) -> None:
    answer(org, text)

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmsync.connectors.salesforce.soql import fits, in_chunks, in_url, instant, is_name, parse_instant, split_fields


@pytest.mark.parametrize("text", ["Account", "PRM_Tier__c", "ns__PRM_Tier__c"])
def test_api_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", ["", "1Account", "Account WHERE", "Account;", "../x", "Id FROM User--", "Ünicode"])
def test_nothing_else_gets_into_a_query_or_a_path(text: str) -> None:
    assert not is_name(text)


def test_instants_go_and_come_in_the_vendors_forms() -> None:
    at = datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC)
    assert instant(at) == "2026-11-22T10:00:00.123Z"
    assert parse_instant("2026-11-22T10:00:00.123+0000") == at


def test_keys_are_quoted_against_injection() -> None:
    (soql,) = in_chunks("SELECT Id FROM A WHERE K IN {}", [r"x') OR (Name != '", "back\\slash"])
    assert soql == r"SELECT Id FROM A WHERE K IN ('x\') OR (Name != \'','back\\slash')"


def test_long_key_lists_are_split_to_fit_a_url() -> None:
    keys = [f"{number:0100d}%&" for number in range(1000)]
    queries = list(in_chunks("SELECT Id FROM A WHERE K IN {}", keys))
    assert len(queries) > 5
    assert all(fits(soql) for soql in queries)
    assert sum(soql.count("%&") for soql in queries) == 1000


def test_fields_beyond_the_url_limit_are_left_for_a_second_read() -> None:
    names = [f"Field_With_A_Rather_Long_Name_{number:04d}__c" for number in range(500)]
    fitting, rest = split_fields(["Id"], names, "FROM A ORDER BY Id")
    assert fitting + rest == names
    assert rest
    assert fits(f"SELECT Id,{','.join(fitting)} FROM A ORDER BY Id")


def test_commas_stay_short_in_the_url() -> None:
    assert in_url("SELECT Id,Name FROM A WHERE X > 1+2") == "SELECT%20Id,Name%20FROM%20A%20WHERE%20X%20%3E%201%2B2"

"""Registrations, partners and touches from spreadsheets: good rows come through typed, bad ones say where and why."""

from __future__ import annotations

import csv
import json
import stat
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crmsync.connectors.files import IntakeResult, build_lookup, read_rows, resolve, write_rejects
from crmsync.errors import ConfigError, UsageError

GOOD = {"number": "R-1", "partner": "Acme", "account_name": "Globex"}


@pytest.fixture
def write(tmp_path: Path):
    def _write(text: str | bytes, name: str = "registrations.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return _write


@pytest.fixture
def registration(write):
    def _read(**cells: str) -> IntakeResult:
        row = {**GOOD, **cells}
        path = write("")
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerow(row)
        return read_rows(path, "registration")

    return _read


def test_a_full_row_is_read_with_its_types(registration):
    result = registration(
        amount="12000.50",
        currency="eur",
        products="Alpha; Beta;Alpha",
        state="Under Review",
        submitted_at="2026-11-01T09:30:00+01:00",
        expected_close="2026-12-31",
        account_country="de",
    )
    (row,) = result.rows
    assert row.values == {
        "number": "R-1",
        "account_name": "Globex",
        "amount": Decimal("12000.50"),
        "currency": "EUR",
        "products": ("Alpha", "Beta"),
        "state": "under_review",
        "submitted_at": datetime(2026, 11, 1, 8, 30, tzinfo=UTC),
        "expected_close": date(2026, 12, 31),
        "account_country": "DE",
    }
    assert (row.line, row.partner_ref, row.account_ref) == (2, "Acme", None)


def test_an_empty_cell_is_left_out(registration):
    (row,) = registration(amount="", currency=" ").rows
    assert "amount" not in row.values


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"account_name": ""}, "account_name", "account_name is empty"),
        ({"expected_close": "31.12.2026"}, "expected_close", "'31.12.2026' is not a date, wanted YYYY-MM-DD"),
        ({"amount": "12,5", "currency": "EUR"}, "amount", "wanted digits and a point: 12000.50"),
        ({"amount": "-1", "currency": "EUR"}, "amount", "wanted 0 or more"),
        ({"amount": "nan", "currency": "EUR"}, "amount", "wanted 0 or more"),
        ({"amount": "12"}, "currency", "an amount needs a currency"),
        ({"amount": "12", "currency": "Euro"}, "currency", "wanted an ISO 4217 code"),
        ({"state": "aproved"}, "state", "did you mean 'approved'?"),
        ({"motion": "barter"}, "motion", "wanted one of new_business, expansion"),
        ({"contact_email": "nobody"}, "contact_email", "is not an e-mail address"),
        ({"submitted_at": "yesterday"}, "submitted_at", "is not a point in time"),
        ({"account_country": "Germany"}, "account_country", "wanted an ISO 3166 code"),
    ],
)
def test_a_bad_cell_is_rejected_with_its_column_and_reason(registration, cells, column, reason):
    result = registration(**cells)
    assert result.rows == ()
    (reject,) = result.rejects
    assert (reject.line, reject.column) == (2, column)
    assert reason in reject.reason


def test_every_problem_of_a_row_is_named(registration):
    result = registration(state="aproved", expected_close="soon", contact_email="x")
    assert {reject.column for reject in result.rejects} == {"state", "expected_close", "contact_email"}


def test_a_number_may_be_there_once(write):
    path = write("number,partner,account_name\nR-1,A,B\nR-2,A,B\nr-1,A,C\n")
    result = read_rows(path, "registrations")
    assert [row.values["number"] for row in result.rows] == ["R-1", "R-2"]
    assert [(r.line, r.reason) for r in result.rejects] == [(4, "this number is already on line 2")]


@pytest.mark.parametrize(
    "text",
    [
        "number,partner,account_name\nR-1,Ümläut,B\n".encode(),
        "\ufeffnumber,partner,account_name\r\nR-1,Ümläut,B\r\n".encode(),
        "number;partner;account_name\nR-1;Ümläut;B\n".encode(),
        "Number\tPartner\tAccount Name\nR-1\tÜmläut\tB\n".encode(),
        "number,partner,account-name\n\nR-1,Ümläut,B\n,,\n".encode(),
    ],
    ids=["utf-8", "byte order mark", "semicolons", "tabs and titles", "empty lines"],
)
def test_spreadsheets_save_csv_in_many_ways(write, text):
    (row,) = read_rows(write(text), "registration").rows
    assert (row.partner_ref, row.values["account_name"]) == ("Ümläut", "B")


def test_lines_count_from_where_a_row_starts(write):
    path = write('number,partner,account_name,evidence\nR-1,A,B,"two\nlines"\nR-2,A,,x\nR-3,A,B,y\n')
    result = read_rows(path, "registration")
    assert [row.line for row in result.rows] == [2, 5]
    assert [reject.line for reject in result.rejects] == [4]


def test_a_row_with_too_many_cells_is_rejected(write):
    result = read_rows(write("number,partner,account_name\nR-1,Acme, Inc,B\n"), "registration")
    assert "has 4 cells, the header has 3" in result.rejects[0].reason


def test_an_open_quote_does_not_pass_for_a_row(write):
    result = read_rows(write('number,partner,account_name\nR-1,A,B\nR-2,"A,B\n'), "registration")
    assert len(result.rows) == 1
    assert "cannot be split into columns" in result.rejects[0].reason


@pytest.mark.parametrize(
    ("header", "message", "hint"),
    [
        ("number,partner,account_name,amuont", "unknown column 'amuont'", "did you mean 'amount'?"),
        ("number,partner", "missing column account_name", ""),
        ("number,partner,account_name,Number", "column 'Number' is there twice", "delete one of them"),
        ("number,partner,account_name,", "a column has no name", "name it, or delete it"),
        ("", "the first line is empty", "at least: number,partner,account_name"),
    ],
)
def test_a_header_that_does_not_fit_stops_the_file(write, header, message, hint):
    with pytest.raises(ConfigError) as caught:
        read_rows(write(header + "\n"), "registration")
    (problem,) = caught.value.diagnostics
    assert message in problem.message
    assert hint in problem.hint
    assert problem.span.line == 1


def test_the_caret_points_at_the_column(write):
    with pytest.raises(ConfigError) as caught:
        read_rows(write("number,partner,account_name,amuont\n"), "registration")
    assert "                            ^^^^^^" in caught.value.diagnostics[0].render()


def test_people_may_keep_columns_of_their_own(write):
    (row,) = read_rows(write("number,partner,account_name,x-notes\nR-1,A,B,call them\n"), "registration").rows
    assert "x-notes" not in row.values


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"number,partner,account_name\nR-1,M\xfcller,B\n", "is not UTF-8"), ("number".encode("utf-16"), "is UTF-16")],
)
def test_another_encoding_is_named(write, data, message):
    with pytest.raises(ConfigError, match=message) as caught:
        read_rows(write(data), "registration")
    assert "CSV UTF-8" in caught.value.hint


def test_a_missing_file_is_a_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the file: No such file"):
        read_rows(tmp_path / "none.csv", "registration")


@pytest.mark.parametrize(("name", "kind"), [("rows.xlsx", "registration"), ("rows.csv", "registrasion")])
def test_an_unknown_format_or_kind_is_a_usage_error(write, name, kind):
    with pytest.raises(UsageError):
        read_rows(write("x", name), kind)


def test_jsonl_rows_are_checked_one_by_one(write):
    lines = [
        json.dumps({**GOOD, "amount": 12.5, "currency": "EUR", "products": ["Alpha", "Beta"]}),
        "{broken",
        "",
        json.dumps({**GOOD, "number": "R-2", "amuont": 1}),
        json.dumps([1]),
        json.dumps({**GOOD, "number": {"a": 1}}),
    ]
    result = read_rows(write("\n".join(lines), "registrations.jsonl"), "registration")
    (row,) = result.rows
    assert (row.values["amount"], row.values["products"]) == (Decimal("12.5"), ("Alpha", "Beta"))
    assert [(r.line, r.column) for r in result.rejects] == [(2, ""), (4, "amuont"), (5, ""), (6, "number")]
    assert "is not JSON" in result.rejects[0].reason
    assert "did you mean 'amount'?" in result.rejects[1].reason


def test_points_in_time_without_an_offset_are_in_the_zone_of_the_import(write):
    path = write("partner,type,occurred_at,account\nAcme,meeting,2026-07-01,Globex\n", "touches.csv")
    (row,) = read_rows(path, "touches", timezone=ZoneInfo("Europe/Berlin")).rows
    assert row.values["occurred_at"] == datetime(2026, 6, 30, 22, tzinfo=UTC)


def test_a_touch_needs_a_deal_or_an_account(write):
    path = write("partner,type,occurred_at\nAcme,meeting,2026-07-01\n", "touches.csv")
    assert read_rows(path, "touch").rejects[0].reason == "a touch needs a deal or an account"


def test_a_partner_row_names_its_manager_and_parent(write):
    path = write("name,type,manager,parent\nAcme,Reseller,dana@example.com,Big Acme\n", "partners.csv")
    (row,) = read_rows(path, "partner").rows
    assert row.references == {"manager_id": "dana@example.com", "parent_id": "Big Acme"}


# ------------------------------------------------------------------ references

PARTNERS = build_lookup([("1", ["Acme", "acme.example"]), ("2", ["Twin"]), ("3", ["Twin"]), ("4", [None])])


@pytest.mark.parametrize("text", ["1", "acme", "ACME ", "acme.example", "https://www.acme.example/"])
def test_a_partner_is_found_by_id_name_or_domain(registration, text):
    result = resolve(registration(partner=text), {"partner": PARTNERS})
    assert result.rows[0].values["partner_id"] == "1"


@pytest.mark.parametrize(
    ("text", "reason"), [("Nobody", "no partner with this name, domain or id"), ("Twin", "2 partners fit: 2, 3")]
)
def test_a_reference_that_is_unknown_or_ambiguous_joins_the_rejects(registration, text, reason):
    result = resolve(registration(partner=text), {"partner": PARTNERS})
    assert result.rows == ()
    assert (result.rejects[0].field, result.rejects[0].reason) == ("partner_id", reason)


# ------------------------------------------------------------------ rejects file


def test_rejects_come_back_with_line_column_reason_and_the_row(registration, tmp_path):
    target = tmp_path / "rejects.csv"
    assert write_rejects(target, registration(state="aproved", evidence="=cmd|' /C calc'!A0")) == 1
    with target.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["line"], row["column"], row["number"]) == ("2", "state", "R-1")
    assert row["evidence"] == "'=cmd|' /C calc'!A0"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", " =1", "＝1"])
def test_no_cell_of_a_rejects_file_is_a_formula(write, tmp_path, cell):
    path = write(json.dumps({**GOOD, "state": "x", "evidence": cell}), "r.jsonl")
    write_rejects(tmp_path / "rejects.csv", read_rows(path, "registration"))
    with (tmp_path / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["evidence"] == "'" + cell


def test_a_mended_rejects_file_can_be_read_in_again(registration, tmp_path):
    target = tmp_path / "rejects" / "rejects.csv"
    bad = registration(state="aproved", expected_close="soon", evidence="=1+1")
    assert write_rejects(target, bad) == 1
    text = target.read_text("utf-8-sig")
    assert "state; expected_close" in text or "expected_close; state" in text
    target.write_text(text.replace("aproved", "approved").replace(",soon,", ",2026-12-31,"))
    (row,) = read_rows(target, "registration").rows
    assert (row.values["state"], row.values["evidence"]) == ("approved", "=1+1")


def test_a_rejects_file_that_cannot_be_written_is_a_clear_error(registration, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write the rejects file"):
        write_rejects(tmp_path / "file" / "rejects.csv", registration(state="x"))


def test_a_negative_number_stays_a_number(write, tmp_path):
    path = write(json.dumps({**GOOD, "amount": "-12.5", "currency": "EUR"}), "r.jsonl")
    write_rejects(tmp_path / "rejects.csv", read_rows(path, "registration"))
    assert ",-12.5," in (tmp_path / "rejects.csv").read_text("utf-8-sig")

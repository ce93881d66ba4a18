from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crmsync.mappings import ReadResult
from crmsync.records import Link, Stage, kind_of
from crmsync.remote import AssociationSpec, ObjectSpec, RemoteLink, RemoteRecord
from tests.mappings.conftest import mapping


def read(more: str = "", *, system: str = "salesforce", at: int = 6, links: Any = None, **fields: Any) -> ReadResult:
    loaded = mapping(more, system=system, at=at)
    return loaded.read(loaded.object_of("deal"), RemoteRecord("d1", fields, links=links))


def value(entry: str, raw: Any, *, field: str, system: str = "salesforce") -> Any:
    result = read(f"{field}: {entry}", system=system, X=raw)
    assert not result.problems
    return getattr(result.records[0], field)


def test_a_row_becomes_a_canonical_record() -> None:
    (deal,) = read(Name="Acme", AccountId="a1", StageName="Later").records
    assert (deal.id, deal.name, deal.account_id, deal.stage) == ("d1", "Acme", "a1", Stage.QUALIFIED)
    assert isinstance(deal.stage, Stage)


def test_an_account_row_can_be_a_partner_as_well() -> None:
    loaded = mapping()
    kinds = [
        [kind_of(r) for r in loaded.read("Account", RemoteRecord("a1", {"Name": "A", "Type": type_})).records]
        for type_ in ("Reseller", "Customer", None)
    ]
    assert kinds == [["account", "partner"], ["account"], ["account"]]


@pytest.mark.parametrize(
    ("where", "raw", "matches"),
    [
        ("{field: X, in: [true]}", True, True),
        ("{field: X, in: [true]}", "true", True),
        ("{field: X, in: [true]}", False, False),
        ("{field: X, not_in: [A, B]}", "B", False),
        ("{field: X, not_in: [A, B]}", None, True),
        ("{field: X, filled: true}", "", False),
        ("{field: X, filled: true}", "anything", True),
        ("{field: X, filled: false}", None, True),
        ("{field: X, filled: true, not_in: [C]}", "C", False),
    ],
)
def test_a_condition_says_which_rows_are_of_the_kind(where: str, raw: Any, matches: bool) -> None:
    assert bool(read(f"where: {where}", at=4, X=raw).records) is matches


def test_a_deleted_row_says_nothing() -> None:
    assert mapping().read("Opportunity", RemoteRecord("d1", {}, deleted=True)) == ReadResult()


def test_an_object_that_is_not_mapped_says_nothing() -> None:
    assert mapping().read("Lead", RemoteRecord("l1", {})) == ReadResult()


@pytest.mark.parametrize("system", ["salesforce", "hubspot"])
@pytest.mark.parametrize(
    ("field", "raw", "expected"),
    [
        ("amount", 1200.0, Decimal("1200")),
        ("amount", "12.50", Decimal("12.5")),
        ("amount", 0, Decimal(0)),
        ("amount", "", None),
        ("amount", None, None),
        ("is_tender", True, True),
        ("is_tender", "false", False),
        ("close_date", "2026-01-31", date(2026, 1, 31)),
        ("close_date", "2026-01-31T23:30:00.000+0000", date(2026, 1, 31)),
        ("close_date", "2026-01-31T23:30:00-05:00", date(2026, 2, 1)),
        ("close_date", "1769817600000", date(2026, 1, 31)),
        ("created_at", "2020-10-22T21:03:23.000+0000", datetime(2020, 10, 22, 21, 3, 23, tzinfo=UTC)),
        ("created_at", "2020-10-22T21:03:23.5Z", datetime(2020, 10, 22, 21, 3, 23, 500_000, tzinfo=UTC)),
        ("created_at", "1603400603000", datetime(2020, 10, 22, 21, 3, 23, tzinfo=UTC)),
        ("created_at", "2020-10-22T21:03:23", datetime(2020, 10, 22, 21, 3, 23, tzinfo=UTC)),
        ("name", "  Acme  ", "Acme"),
        ("name", "   ", None),
        ("lead_source", 12, "12"),
        ("products", "b;a; ;b", ("a", "b")),
        ("partner_type", "Reseller", "reseller"),
        ("registration_id", "00042", "00042"),
    ],
)
def test_raw_values_of_both_crms_are_read(system: str, field: str, raw: Any, expected: Any) -> None:
    if field == "name":
        assert read(system=system, Name=raw).records[0].name == expected  # type: ignore[union-attr]
    else:
        assert value("X", raw, field=field, system=system) == expected


@pytest.mark.parametrize(
    ("field", "raw", "message"),
    [
        ("amount", "1,200", "wanted a number"),
        ("amount", "NaN", "wanted a number"),
        ("amount", "1e999999", "at most 30 digits"),
        ("amount", True, "wanted a number"),
        ("is_tender", "ja", "wanted true or false"),
        ("close_date", "2026-02-30", "wanted a date"),
        ("close_date", "31.01.2026", "wanted a time"),
        ("created_at", "99999999999999999999", "wanted milliseconds"),
        ("created_at", {"a": 1}, "wanted a time"),
        ("partner_type", "Wizard", "wanted one of: referral"),
        ("stage", "Ghosted", "has no row under 'values'"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_problem_and_blank(field: str, raw: Any, message: str) -> None:
    entry, fields = ("", {"StageName": raw}) if field == "stage" else (f"{field}: X", {"X": raw})
    result = read(entry, Name="Acme", **fields)
    (problem,) = result.problems
    assert (problem.kind, problem.id, problem.field) == ("deal", "d1", field)
    assert message in problem.message
    assert getattr(result.records[0], field) is None
    assert result.records[0].name == "Acme"  # type: ignore[union-attr]


def test_a_long_unreadable_value_is_shown_in_part_only() -> None:
    (problem,) = read("amount: X", X="x" * 500).problems
    assert len(problem.message) < 80


@pytest.mark.parametrize(
    ("entry", "raw", "expected"),
    [
        ("{field: X, values: {A: alpha}}", "A", "alpha"),
        ("{field: X, values: {A: alpha}}", "other", "other"),
        ("{field: X, values: {A: alpha, B: }}", "B", None),
        ("{field: X, values: {A: alpha, '*': rest}}", "other", "rest"),
        ("{field: X, transform: lower}", "ABC", "abc"),
        ("{field: X, transform: [trim, upper]}", " abc ", "ABC"),
        ("{field: X, transform: digits}", "none", None),
        ("{field: X, default: web}", None, "web"),
        ("{field: X, default: web}", "mail", "mail"),
        ("{constant: web}", None, "web"),
    ],
)
def test_values_transforms_and_defaults_shape_what_is_read(entry: str, raw: Any, expected: Any) -> None:
    assert value(entry, raw, field="lead_source") == expected


def test_a_value_map_can_read_yes_and_no_and_list_items() -> None:
    assert value("{field: X, values: {Ja: true, Nein: false}}", "Ja", field="is_tender") is True
    assert value("{field: X, values: {GTXPro: GTX Pro}}", "GTXPro;MG", field="products") == ("GTX Pro", "MG")


def test_several_fields_are_joined_without_their_blanks() -> None:
    result = read("lead_source: {field: [A, B, C]}", A="Ada ", B=None, C="Lovelace")
    assert result.records[0].lead_source == "Ada Lovelace"  # type: ignore[union-attr]
    assert read("lead_source: {field: [A, B, C]}").records[0].lead_source is None  # type: ignore[union-attr]


def test_extra_fields_go_to_extra() -> None:
    more = "extra:\n  budget: {field: B__c, type: decimal, default: 1}\n  rank: {field: R__c, options: [low, high]}"
    assert read(more, at=4, B__c=5.0, R__c="HIGH").records[0].extra == {"budget": Decimal(5), "rank": "high"}
    assert read(more, at=4).records[0].extra == {"budget": Decimal(1)}


# ------------------------------------------------------------------ ties


def test_hubspots_account_is_the_company_with_the_label() -> None:
    entry = "owner_id: {association: companies, label: primary}"
    links = (
        RemoteLink("companies", "c1", ("Partner", "")),
        RemoteLink("companies", "c2", ("Primary",)),
        RemoteLink("contacts", "c3", ("primary",)),
    )
    assert read(entry, system="hubspot", links=links).records[0].owner_id == "c2"  # type: ignore[union-attr]
    assert read(entry, system="hubspot", links=()).records[0].owner_id is None  # type: ignore[union-attr]


def test_without_a_label_a_single_tie_is_meant() -> None:
    entry = "owner_id: {association: companies}"
    one = (RemoteLink("companies", "c1"),)
    two = (*one, RemoteLink("companies", "c2"))
    assert read(entry, system="hubspot", links=one).records[0].owner_id == "c1"  # type: ignore[union-attr]
    assert "none is marked" in read(entry, system="hubspot", links=two).problems[0].message


def test_labelled_associations_are_links() -> None:
    more = """
        links:
          deal_contact: {from: deals, to: contacts}
          deal_partner: {from: deals, to: companies, label: Partner}
    """
    ties = (
        RemoteLink("contacts", "p1", ("", "Decision maker")),
        RemoteLink("contacts", "p2"),
        RemoteLink("companies", "c1", ("partner",)),
        RemoteLink("companies", "c2", ("Primary",)),
    )
    assert read(more, system="hubspot", at=0, links=ties).links == (
        Link(name="deal_contact", from_id="d1", to_id="p1", label="Decision maker"),
        Link(name="deal_contact", from_id="d1", to_id="p2"),
        Link(name="deal_partner", from_id="d1", to_id="c1", label="Partner"),
    )


def test_rows_of_a_link_object_are_links() -> None:
    more = "links:\n  deal_contact: {object: OpportunityContactRole, from: OpportunityId, to: ContactId, label: Role}"
    loaded = mapping(more, at=0)
    fields = {"OpportunityId": "d1", "ContactId": "p1", "Role": "Buyer"}
    result = loaded.read("OpportunityContactRole", RemoteRecord("r1", fields))
    assert result == ReadResult(
        links=(Link(name="deal_contact", from_id="d1", to_id="p1", label="Buyer"),), problems=()
    )
    assert not loaded.read("OpportunityContactRole", RemoteRecord("r1", {"OpportunityId": "d1"})).links


# ------------------------------------------------------------------ what to fetch


def test_each_object_is_fetched_once_with_everything_read_from_it() -> None:
    more = (
        "owner_id: {association: companies, label: primary}\nlead_source: {field: [A, B]}\nnext_action: {constant: x}"
    )
    assert mapping(more, system="hubspot").objects() == (
        ObjectSpec("companies", ("Name", "Type")),
        ObjectSpec("deals", ("A", "AccountId", "B", "Name", "StageName"), (AssociationSpec("companies"),)),
    )

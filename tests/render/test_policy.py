"""The policy as a document: what the baseline says, and that nothing that was changed is kept quiet."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from crmsync.render import describe_policy, to_html, to_markdown
from crmsync.render.words import condition
from crmsync.rules import load_policy, load_policy_text
from crmsync.rules.policy import PolicyModel
from crmsync.starter import starter_dir

HERE = Path(__file__).parent
POLICIES = sorted((starter_dir() / "policies").glob("*.yaml"))
SMALLEST = load_policy_text('version: "1"').model


def markdown(text: str) -> str:
    return to_markdown(describe_policy(load_policy_text(text).model))


def test_the_baseline_reads_like_this() -> None:
    """To write it anew: ``crmsync policy show --policy config/policies/baseline.yaml > tests/render/baseline.md``."""
    document = describe_policy(load_policy(starter_dir() / "policies" / "baseline.yaml").model)
    assert to_markdown(document) == (HERE / "baseline.md").read_text()


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_every_shipped_policy_can_be_published(path: Path) -> None:
    model = load_policy(path).model
    text = to_markdown(describe_policy(model))
    assert model.version in text
    for entry in (*model.eligibility, *model.validations, *model.deadlines):
        assert entry.name.lower() in text.lower() or entry.name in PolicyModel.model_fields or "_" in entry.name
    assert text.count("* ") > 10


# ------------------------------------------------------------------ nothing is left out


def leaves(model: BaseModel, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value, info.annotation


def another(value: Any, annotation: Any) -> Any:
    """A value that is not the default, ``None`` where the type says too little about one."""
    members = [member for member in (annotation, *get_args(annotation)) if get_origin(member) is Literal]
    choices = [choice for member in members for choice in get_args(member) if choice != value]
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return value[1:] or tuple(choices[:1]) or None if len(value) != 1 else ()
    if choices:
        return choices[0]
    return value + 1 if isinstance(value, int | Decimal) else None


def replaced(model: BaseModel, path: tuple[str, ...], value: Any) -> Any:
    inner = value if len(path) == 1 else replaced(getattr(model, path[0]), path[1:], value)
    return model.model_copy(update={path[0]: inner})


CHANGED = [
    (path, other) for path, value, annotation in leaves(SMALLEST) if (other := another(value, annotation)) is not None
]


def test_every_choice_has_words() -> None:
    choices = [
        (path, (choice,) if isinstance(value, tuple) else choice)
        for path, value, annotation in leaves(SMALLEST)
        for member in (annotation, *get_args(annotation))
        if get_origin(member) is Literal
        for choice in get_args(member)
    ]
    told = [(path, to_markdown(describe_policy(replaced(SMALLEST, path, choice)))) for path, choice in choices]
    assert [path for path, text in told if "`" in text] == []


@pytest.mark.parametrize(("path", "other"), CHANGED, ids=[".".join(path) for path, _ in CHANGED])
def test_a_changed_key_changes_the_document(path: tuple[str, ...], other: Any) -> None:
    before, after = describe_policy(SMALLEST), describe_policy(replaced(SMALLEST, path, other))
    assert to_markdown(before) != to_markdown(after)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("duplicates: {accounts: false}", "* Further term: `duplicates.accounts: no`"),
        ("scope: {deals: {when: amount > 1000}}", "deals where the amount is more than 1,000."),
        ("extension: {max_count: 0}", "* Registrations are not extended."),
        ("fx: {rates: {'2026-04': {EUR: 1.10}}}", "Rates of 2026-04: 1 EUR = 1.10 USD."),
        ("effective_from: 2026-07-01", "Version 1, in force from 2026-07-01."),
        ("reasons: {DIRECT: Our own deal.}", "The reason `DIRECT` is told as: Our own deal."),
        ("calendars: {de: {country: DE, subdivision: BY, closed: [2026-12-24]}}", "closed on 2026-12-24"),
        ("tasks: {SLA_BREACH: {to: partner_manager}}", "(`SLA_BREACH`): a task for the partner manager"),
        (
            "tie_order_by_motion: {cross_sell: [certified]}",
            "For cross sell deals the order is: the partner with a valid",
        ),
    ],
)
def test_what_is_said(text: str, told: str) -> None:
    assert told in markdown(f'version: "1"\n{text}\n')


# ------------------------------------------------------------------ conditions


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('stage == "closed_won"', "the stage is closed won"),
        ('partner.type in ["var", "msp"]', "the partner's type is var or msp"),
        ("not is_blank(owner_id) and units >= 2500", "the owner is filled and the number of units is at least 2,500"),
        ('"X" in products or (a and x < 5)', "the products include X or (the a holds and the x is less than 5)"),
        ('not starts_with(name, "Test")', '`not starts_with(name, "Test")`'),
        ('lower(status) == "lead"', "the status is lead"),
        ('not contains(coalesce(evidence, ""), "x")', "the evidence does not contain x"),
        ("amount * 2 > 5", "`amount * 2 > 5`"),
    ],
)  # fmt: skip
def test_conditions_are_said_in_words_where_there_are_any(text: str, words: str) -> None:
    assert condition(text) == words


# ------------------------------------------------------------------ HTML


class Balanced(HTMLParser):
    VOID = ("meta",)

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [tag] if tag not in self.VOID else []
        self.outside += [
            str(value) for name, value in attrs if name in ("src", "href") and not str(value).startswith("#")
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    document = describe_policy(load_policy(POLICIES[0]).model, programme="<b>North & South</b>")
    page = to_html(document)
    parser = Balanced()
    parser.feed(page)
    assert (parser.open, parser.outside) == ([], [])
    assert "&lt;b&gt;North &amp; South&lt;/b&gt;" in page
    assert "http" not in page

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from crmsync.diagnostics import Diagnostic
from crmsync.errors import ConfigError
from crmsync.yamlpos import MAX_BYTES, YamlModel, load_yaml, load_yaml_text, validate


class Mode(StrEnum):
    ENGINE_OWNED = "engine_owned"
    READ_ONLY = "read_only"


class Item(YamlModel):
    noun: ClassVar[str] = "a field"
    field: str
    direction: Mode = Mode.READ_ONLY
    count: int = Field(default=1, ge=1)


class Token(YamlModel):
    noun: ClassVar[str] = "the sign-in"
    flow: Literal["token"]
    token: str


class Key(YamlModel):
    noun: ClassVar[str] = "the sign-in"
    flow: Literal["key"]
    file: str


class Top(YamlModel):
    noun: ClassVar[str] = "the project"
    version: Literal[1] = 1
    fields: dict[str, str | Item] = Field(default_factory=dict)
    items: tuple[Item, ...] = ()
    auth: Annotated[Token | Key, Field(discriminator="flow")] | None = None


def problems(text: str, model: type[YamlModel] = Top) -> list[Diagnostic]:
    with pytest.raises(ConfigError) as caught:
        validate(load_yaml_text(text, "f.yaml"), model)
    return list(caught.value.diagnostics)


def problem(text: str) -> Diagnostic:
    (only,) = problems(text)
    return only


def place(diagnostic: Diagnostic) -> tuple[int, int]:
    assert diagnostic.span is not None
    return diagnostic.span.line, diagnostic.span.column


# ------------------------------------------------------------------ scalars


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ("010", "010"),
        ("+49", "+49"),
        ("0x1F", "0x1F"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        ("=", "="),
        ("42", 42),
        ("-7", -7),
        ("0", 0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("99999999999999999999", "99999999999999999999"),
    ],
)
def test_scalars_mean_what_they_show(written: str, value: object) -> None:
    found = load_yaml_text(f"a: {written}\n").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_a_fraction_keeps_its_digits() -> None:
    assert str(load_yaml_text("a: 1.10").data["a"]) == "1.10"
    assert load_yaml_text("a: .5").data["a"] == Decimal("0.5")


def test_keys_are_text_as_written() -> None:
    assert load_yaml_text("1: a\nNO: b\n1.10: c\ntrue: d\n").data == {"1": "a", "NO": "b", "1.10": "c", "true": "d"}


# ------------------------------------------------------------------ places


TEXT = """\
# a comment
fields:
  name: Name     # more
  stage:
    field: StageName
    values: [one, "two",
             three]
"""


def test_every_key_and_value_has_both_ends() -> None:
    document = load_yaml_text(TEXT, "m.yaml")
    key = document.key_span(("fields", "stage"))
    value = document.span(("fields", "stage", "values", 1))
    assert (key.line, key.column, key.end_line, key.end_column) == (4, 3, 4, 8)
    assert (value.line, value.column, value.end_column) == (6, 19, 24)
    assert value.source_line == '    values: [one, "two",'
    assert str(document.span(("fields", "name"))) == "m.yaml:3:9"


def test_a_block_ends_with_its_last_value() -> None:
    span = load_yaml_text(TEXT).span(("fields",))
    assert (span.line, span.end_line, span.end_column) == (3, 7, 20)


def test_a_path_that_is_not_there_gives_the_deepest_that_is() -> None:
    document = load_yaml_text(TEXT)
    assert document.span(("fields", "stage", "mode")) == document.key_span(("fields", "stage"))
    assert document.key_span(("nothing",)).line == 2


def test_lines_are_counted_as_the_parser_counts_them() -> None:
    document = load_yaml_text("a: 1\r\nb: 'é'\rc: x\n")
    assert str(document.key_span(("c",))).endswith(":3:1")
    assert document.span(("b",)).end_column == 7


def test_a_very_long_line_is_not_shown() -> None:
    assert load_yaml_text(f"a: {'x' * 400}").span(("a",)).source_line == ""


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("text", "code", "where", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "E103", (3, 1), "given twice, first in line 1"),
        ("a: &x 1\nb: *x\n", "E108", (1, 4), "anchor 'x'"),
        ("a: !!python/name:os.system x\n", "E108", (1, 4), "tag"),
        ("a:\n\tb: 1\n", "E101", (2, 1), "a tab"),
        ("a: b: c\n", "E101", (1, 5), "second ':'"),
        ("a: 1\n  b: 2\n", "E101", (2, 4), "does not fit the one before it"),
        ("a: 'b\n", "E101", (1, 4), "not closed"),
        ("a: [1, 2\n", "E101", None, ""),
        ("a: @b\n", "E101", (1, 4), "'@'"),
        ("a: \x07\n", "E101", (1, 4), "U+0007"),
        ("{a: 1}: 2\n", "E101", (1, 1), "a key is text"),
        ("a: 1\n---\nb: 2\n", "E101", (2, 1), "second document"),
        ("", "E104", (1, 1), "empty"),
        ("[" * 100_000, "E108", None, "nested deeper"),  # the place depends on libyaml's own limit
    ],
)
def test_unsound_yaml_is_refused_at_its_place(
    text: str, code: str, where: tuple[int, int] | None, message: str
) -> None:
    found = problem(text)
    assert found.code == code
    assert message in found.message
    assert found.hint
    assert where is None or place(found) == where


def test_too_many_values_are_refused() -> None:
    assert problem("a: [" + "1," * 250_000 + "]").code == "E108"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot read the file") as caught:
            load_yaml(path)
        assert caught.value.code == "E109"


def test_bytes_that_are_no_utf8_are_found(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin.yaml:2:7: found a byte that is not UTF-8"):
        load_yaml(path)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes("\ufeffa: 1\n".encode())
    assert load_yaml(path).data == {"a": 1}


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="bytes"):
        load_yaml(path)


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    try:
        validate(load_yaml_text(text), Top)
    except ConfigError as error:
        return error.diagnostics
    return ()


@given(st.text(max_size=200) | st.text(alphabet="ab:-[]{}'\"#&*!|> \n\t01.", max_size=60))
def test_any_text_gives_a_model_or_diagnostics_with_places(text: str) -> None:
    for found in diagnostics(text):
        assert found.span
        assert found.hint
        assert found.render()


# ------------------------------------------------------------------ pydantic's complaints


def test_an_unknown_key_is_named_with_what_was_meant() -> None:
    found = problem("fields:\n  name:\n    field: Name\n    directon: read_only\n")
    assert found.render() == (
        "f.yaml:4:5: error[E102]: unknown key 'directon' in a field\n"
        "  |\n4 |     directon: read_only\n  |     ^^^^^^^^\n"
        "  = did you mean 'direction'?"
    )


@pytest.mark.parametrize(
    ("text", "code", "where", "message", "hint"),
    [
        ("items: [{field: a, direction: raed_only}]", "E106", (1, 31), "unknown value 'raed_only'", "'read_only'"),
        ("version: 2", "E106", (1, 10), "found the number 2, wanted one of: 1", ""),
        ("items: [{field: 5}]", "E105", (1, 17), "found the number 5, wanted text", "quotes"),
        ("items: [{field: a, count: x}]", "E105", (1, 27), "found the text 'x', wanted a whole number", ""),
        ("items: [{field: a, count: 0}]", "E107", (1, 27), "found the number 0, wanted at least 1", ""),
        ("items: [{count: 1}]", "E104", (1, 9), "the key 'field' is missing in a field", "add 'field:'"),
        ("items: {a: 1}", "E105", (1, 8), "found a mapping, wanted a list", ""),
        ("fields: {a: [1]}", "E105", (1, 13), "found a list, wanted text or a mapping", ""),
        ("fields: {a: {field: x, count: 0}}", "E107", (1, 31), "at least 1", ""),
        ("items: [{feld: a}]", "E102", (1, 10), "unknown key 'feld' in a field", "'field'"),
        ("auth: {flow: tokne}", "E106", (1, 14), "unknown value 'tokne'", "'token'"),
        ("auth: {}", "E104", (1, 1), "the key 'flow' is missing", ""),
        ("auth: {flow: token, tokn: a}", "E102", (1, 21), "unknown key 'tokn' in the sign-in", "'token'"),
        ("auth: {flow: token, token: a, fil: b}", "E102", (1, 31), "unknown key 'fil'", "flow, token"),
        ("auth: {flow: token, token: [a]}", "E105", (1, 28), "found a list, wanted text", ""),
        ("- 1", "E105", (1, 1), "found a list, wanted a mapping", ""),
    ],
)
def test_a_wrong_value_is_one_problem_at_its_place(
    text: str, code: str, where: tuple[int, int], message: str, hint: str
) -> None:
    found = problem(text)
    assert (found.code, place(found)) == (code, where)
    assert message in found.message
    assert hint in found.hint
    assert found.hint


def test_all_problems_come_at_once_in_the_files_order() -> None:
    found = problems("verison: 1\nitems:\n  - {field: 1}\n  - {field: a, count: -1}\n")
    assert [d.code for d in found] == ["E102", "E105", "E107"]

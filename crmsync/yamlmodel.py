"""The base of every model that is read from YAML, and pydantic's errors in the words of the person who wrote the file.

Pydantic says where by ``loc``, into which it mixes the tags of unions; the place in the file is the deepest part of it
that exists there. Several complaints about one value (one per member of a union) become one.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from crmsync.diagnostics import Diagnostic, Span, did_you_mean

if TYPE_CHECKING:
    from crmsync.yamlpos import Document

YamlPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands in the data: keys and list indices from the top."""


class YamlModel(BaseModel):
    """Unknown keys are errors. ``noun`` is what messages call the thing: "unknown key 'directon' in a field".

    A validator may raise ``PydanticCustomError(type, message, {"hint": …, "code": …})`` to choose hint and code itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    noun: ClassVar[str] = "the file"


def explain(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Diagnostic]:
    """One diagnostic per problem of the file, at its key or value."""
    details = error.errors(include_url=False, include_input=True)
    placed = [(_known_path(d["loc"], document.data), d) for d in _without_misspelt(details, model)]
    if document.data is None:
        return [Diagnostic("E104", "the file is empty", document.span(), "see the starter project: crmsync init")]
    return [_diagnose(path, group, document, model) for path, group in _group(placed)]


def _without_misspelt(details: Sequence[ErrorDetails], model: type[BaseModel]) -> list[ErrorDetails]:
    """A required key that stands there misspelt is one mistake, not two."""
    meant = set()
    for detail in details:
        owner = _model_at(model, detail["loc"][:-1]) if detail["type"] == "extra_forbidden" else None
        if owner:
            near = did_you_mean(str(detail["loc"][-1]), _keys_of(owner))
            meant.add((*detail["loc"][:-1], near.removeprefix("did you mean '").removesuffix("'?")))
    return [d for d in details if d["type"] != "missing" or d["loc"] not in meant]


def _known_path(loc: Sequence[str | int], data: Any) -> YamlPath:
    """The deepest path that exists, if possible one that reaches the last part: a union's tag may be a key as well."""
    return _walk(tuple(loc), data)[1]


def _walk(loc: YamlPath, data: Any) -> tuple[bool, YamlPath]:
    if not loc:
        return True, ()
    part, rest = loc[0], loc[1:]
    ways: list[tuple[bool, YamlPath]] = []
    if isinstance(data, dict) and str(part) in data:
        reaches, path = _walk(rest, data[str(part)])
        ways.append((reaches, (str(part), *path)))
    elif isinstance(data, list) and isinstance(part, int) and part < len(data):
        reaches, path = _walk(rest, data[part])
        ways.append((reaches, (part, *path)))
    ways.append(_walk(rest, data) if rest else (False, ()))
    return max(ways, key=lambda way: (way[0], len(way[1])))


def _group(placed: Sequence[tuple[YamlPath, ErrorDetails]]) -> Iterator[tuple[YamlPath, list[ErrorDetails]]]:
    """Complaints about the type of one value belong together; they yield to a complaint about something inside it."""
    groups: dict[tuple[YamlPath, object], list[ErrorDetails]] = {}
    for number, (path, detail) in enumerate(placed):
        if not _is_about_type(detail):
            groups[(path, number)] = [detail]
        elif not any(_is_inside(other, other_detail, path) for other, other_detail in placed):
            groups.setdefault((path, "type"), []).append(detail)
    for (path, _), group in groups.items():
        yield path, group


def _is_inside(path: YamlPath, detail: ErrorDetails, outer: YamlPath) -> bool:
    below = len(path) > len(outer) or detail["type"] == "missing"
    return below and path[: len(outer)] == outer


def _is_about_type(detail: ErrorDetails) -> bool:
    return detail["type"] in _WANTED


_WANTED: Mapping[str, str] = {
    "string_type": "text",
    "string_sub_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "date_type": "a date such as 2026-01-31",
    "date_parsing": "a date such as 2026-01-31",
    "date_from_datetime_parsing": "a date such as 2026-01-31",
    "datetime_type": "a time such as 2026-01-31T09:00:00Z",
    "datetime_parsing": "a time such as 2026-01-31T09:00:00Z",
    "datetime_from_date_parsing": "a time such as 2026-01-31T09:00:00Z",
    "time_parsing": "a time of day such as 09:00",
    "time_type": "a time of day such as 09:00",
    "time_delta_parsing": "a length of time",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "none_required": "nothing",
}


def _diagnose(path: YamlPath, group: list[ErrorDetails], document: Document, model: type[BaseModel]) -> Diagnostic:
    detail = group[0]
    kind = detail["type"]
    loc = detail["loc"]
    if kind in _WANTED:
        return _wrong_type(group, document.span(path))
    if kind == "extra_forbidden":
        owner = _model_at(model, loc[:-1])
        return _unknown_key(str(loc[-1]), owner, document.key_span(path))
    if kind in ("missing", "union_tag_not_found"):
        return _missing(detail, _model_at(model, loc[:-1]), document.key_span(path))
    if kind in ("enum", "literal_error", "union_tag_invalid"):
        return _unknown_value(detail, path, document)
    span = document.key_span(path) if loc and loc[-1] == "[key]" else document.span(path)
    return _refused(detail, span)


def _wrong_type(group: list[ErrorDetails], span: Span) -> Diagnostic:
    wanted = list(dict.fromkeys(_WANTED[detail["type"]] for detail in group))
    found = describe_value(group[0]["input"])
    message = f"found {found}, wanted {' or '.join(wanted)}"
    hint = (
        "put it in quotes to make it text"
        if wanted == ["text"] and _is_scalar(group[0]["input"])
        else "change the value"
    )
    return Diagnostic("E105", message, span, hint)


def _unknown_key(key: str, owner: type[BaseModel] | None, span: Span) -> Diagnostic:
    known = _keys_of(owner) if owner else []
    near = did_you_mean(key, known)
    hint = near or (f"known keys: {', '.join(known)}" if known else "remove it")
    return Diagnostic("E102", f"unknown key '{key}' in {_noun(owner)}", span, hint)


def _missing(detail: ErrorDetails, owner: type[BaseModel] | None, span: Span) -> Diagnostic:
    key = (detail.get("ctx") or {}).get("discriminator", "").strip("'") or str(detail["loc"][-1])
    return Diagnostic("E104", f"the key '{key}' is missing in {_noun(owner)}", span, f"add '{key}:'")


def _unknown_value(detail: ErrorDetails, path: YamlPath, document: Document) -> Diagnostic:
    context = detail.get("ctx") or {}
    found = detail["input"]
    if "discriminator" in context:
        path = (*path, context["discriminator"].strip("'"))
        found = context["tag"]
    expected = str(context.get("expected") or context.get("expected_tags"))
    known = re.findall(r"'([^']*)'", expected) or [expected]
    wanted = f"one of: {', '.join(known)}"
    if not isinstance(found, str):
        return Diagnostic(
            "E106", f"found {describe_value(found)}, wanted {wanted}", document.span(path), "change the value"
        )
    is_key = bool(detail["loc"]) and detail["loc"][-1] == "[key]"
    span = document.key_span(path) if is_key else document.span(path)
    return Diagnostic("E106", f"unknown value '{found}'", span, did_you_mean(found, known) or wanted)


def _refused(detail: ErrorDetails, span: Span) -> Diagnostic:
    """A bound or a validator of ours said no."""
    context = detail.get("ctx") or {}
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    bound = _bound(detail["type"], context)
    if bound:
        message = f"found {describe_value(detail['input'])}, wanted {bound}"
    if context.get("private"):
        span = replace(span, source_line="")
    return Diagnostic(str(context.get("code", "E107")), message, span, str(context.get("hint", "change the value")))


def _bound(kind: str, context: Mapping[str, Any]) -> str:
    words = {
        "greater_than": ("gt", "more than {}"),
        "greater_than_equal": ("ge", "at least {}"),
        "less_than": ("lt", "less than {}"),
        "less_than_equal": ("le", "at most {}"),
        "too_short": ("min_length", "at least {} of them"),
        "too_long": ("max_length", "at most {} of them"),
        "string_too_short": ("min_length", "at least {} characters"),
        "string_too_long": ("max_length", "at most {} characters"),
        "string_pattern_mismatch": ("pattern", "text like {}"),
    }
    if kind not in words:
        return ""
    key, text = words[kind]
    return text.format(context.get(key))


def describe_value(value: Any) -> str:
    """A YAML value in a few words, for messages."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text '{value if len(value) <= 40 else value[:39] + '…'}'"
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float | Decimal)


# ------------------------------------------------------------------ which model a place belongs to


def _noun(owner: type[BaseModel] | None) -> str:
    return owner.noun if owner and issubclass(owner, YamlModel) else "this place"


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _model_at(annotation: Any, loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model whose keys stand at ``loc``, following fields, items, values and union members."""
    for member in _members(annotation):
        if loc and loc[0] in _tags_of(member) and (found := _model_at(member, loc[1:])):
            return found
        if not loc and isinstance(member, type) and issubclass(member, BaseModel):
            return member
        if loc and (inner := _step(member, loc[0])) is not None and (found := _model_at(inner, loc[1:])):
            return found
    return _model_at(annotation, loc[1:]) if loc else None


def _members(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [inner for arg in get_args(annotation) for inner in _members(arg)]
    return [annotation]


def _tags_of(member: Any) -> set[Any]:
    """What pydantic may call a member of a union in ``loc``: its name, or the value of its discriminator."""
    if not (isinstance(member, type) and issubclass(member, BaseModel)):
        return set()
    literals = [get_args(info.annotation) for info in member.model_fields.values()]
    return {member.__name__, *(args[0] for args in literals if len(args) == 1 and isinstance(args[0], str))}


def _step(member: Any, part: str | int) -> Any:
    if isinstance(member, type) and issubclass(member, BaseModel):
        for name, info in member.model_fields.items():
            if part in (name, info.alias):
                return info.annotation
        return None
    args = get_args(member)
    if not args:
        return None
    is_mapping = isinstance(get_origin(member), type) and issubclass(get_origin(member) or object, Mapping)
    return args[-1] if is_mapping else args[0] if isinstance(part, int) else None

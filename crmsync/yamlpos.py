"""YAML with the place of every key and value, and pydantic's complaints turned into diagnostics at those places.

What is read is YAML 1.2 with less to trip over:

* plain ``NO``, ``12:30``, ``2026-01-31``, ``010`` and ``+49`` are text; numbers are as in JSON, without exponent;
* a number with a fraction is a ``Decimal`` that keeps its digits (``1.10`` stays ``1.10``);
* keys are always text, as written: ``1: registered`` has the key ``"1"``;
* a key given twice, anchors, aliases and tags are errors, so no file can say something else than it shows.

The events of libyaml are read one by one, so that depth and size are bounded before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from crmsync.diagnostics import Diagnostic, Span
from crmsync.errors import ConfigError
from crmsync.yamlmodel import YamlModel, YamlPath, explain

__all__ = ["Document", "YamlModel", "YamlPath", "load_yaml", "load_yaml_text", "sort_diagnostics", "validate"]

Place: TypeAlias = tuple[int, int, int, int]
"""Line, column, end line, end column; all from 0, end exclusive, as libyaml counts."""

MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_BYTES = 8_000_000
MAX_SHOWN = 300
"""A longer line is not shown below its message: carets under it help nobody."""

ModelT = TypeVar("ModelT", bound=BaseModel)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)?\.[0-9]+")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain data, and where everything in it stands."""

    path: str
    data: Any
    lines: Sequence[str]
    values: Mapping[YamlPath, Place]
    keys: Mapping[YamlPath, Place]

    def span(self, path: YamlPath = ()) -> Span:
        """The span of the value at ``path``, or of the deepest value that is on the way there."""
        return self._span(self.values.get(path) or self._nearest(path))

    def key_span(self, path: YamlPath) -> Span:
        """The span of the key that ``path`` ends with; of the value where it ends in a list."""
        return self._span(self.keys.get(path) or self.values.get(path) or self._nearest(path))

    def _nearest(self, path: YamlPath) -> Place:
        for length in range(len(path) - 1, -1, -1):
            place = self.keys.get(path[:length]) or self.values.get(path[:length])
            if place:
                return place
        return (0, 0, 0, 0)

    def _span(self, place: Place) -> Span:
        return _make_span(self.path, self.lines, place)


def load_yaml(path: Path | str) -> Document:
    """Read a YAML file.

    :raises ConfigError: for a file that cannot be read or is not sound YAML, with positions.
    """
    shown = str(path)
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        message = f"cannot read the file: {error.strerror or error}"
        raise ConfigError(
            [Diagnostic("E109", message, _bare_span(shown), "check the path and its permissions")]
        ) from error
    if len(raw) > MAX_BYTES:
        message = f"the file has {len(raw)} bytes, at most {MAX_BYTES} are read"
        raise ConfigError([Diagnostic("E108", message, _bare_span(shown), "split the file")])
    return load_yaml_text(_decode(raw, shown), shown)


def load_yaml_text(text: str, path: str = "<text>") -> Document:
    """The same for text; ``path`` is what diagnostics call it."""
    return _Builder(text.removeprefix("\ufeff"), path).build()


def validate(document: Document, model: type[ModelT], *, context: Mapping[str, Any] | None = None) -> ModelT:
    """The document as a pydantic model.

    :raises ConfigError: with all problems, each at its key or value.
    """
    try:
        return model.model_validate(document.data, context=dict(context or {}))
    except ValidationError as error:
        raise ConfigError(sort_diagnostics(explain(error, document, model))) from None


def sort_diagnostics(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """By file, line and column; what has no place comes first."""
    return sorted(diagnostics, key=lambda d: (d.span.path, d.span.line, d.span.column) if d.span else ("", 0, 0))


class _Builder:
    """Turns libyaml's events into data and places, in one pass and with a stack of its own."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.text = text
        self.lines = _LINE_BREAK.split(text)
        self.values: dict[YamlPath, Place] = {}
        self.keys: dict[YamlPath, Place] = {}
        self.problems: list[Diagnostic] = []
        self.nodes = 0

    def build(self) -> Document:
        if found := _NOT_PRINTABLE.search(self.text):
            message = f"found the character U+{ord(found[0]):04X}, it is not allowed in YAML"
            span = _point(self.text[: found.start()], self.path, self.lines)
            raise ConfigError(
                [Diagnostic("E101", message, span, "remove it, or write it as an escape in double quotes")]
            )
        loader = _Loader(self.text)
        try:
            data = self._document(loader.get_event)
        except yaml.YAMLError as error:
            self._refuse_syntax(error)
        finally:
            loader.dispose()
        if self.problems:
            raise ConfigError(sort_diagnostics(self.problems))
        return Document(self.path, data, self.lines, self.values, self.keys)

    def _document(self, next_event: Callable[[], Any]) -> Any:
        next_event()  # the stream's start
        event = next_event()
        if isinstance(event, yaml.StreamEndEvent):
            self.values[()] = (0, 0, 0, 0)
            return None
        data, _ = self._node(next_event(), next_event, (), 0)
        next_event()  # the document's end
        extra = next_event()
        if not isinstance(extra, yaml.StreamEndEvent):
            self._refuse("E101", "a second document starts here, a file holds one", extra, "remove the '---'")
        return data

    def _node(self, event: Any, next_event: Callable[[], Any], path: YamlPath, depth: int) -> tuple[Any, Place]:
        self._check(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            value: Any = _scalar(event)
            place = _place(event.start_mark, event.end_mark)
        elif isinstance(event, yaml.SequenceStartEvent):
            value, place = self._sequence(event, next_event, path, depth)
        else:
            value, place = self._mapping(event, next_event, path, depth)
        self.values[path] = place
        return value, place

    def _check(self, event: Any, depth: int) -> None:
        self.nodes += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            mark = "alias" if isinstance(event, yaml.AliasEvent) else "anchor"
            self._refuse(
                "E108",
                f"found the {mark} '{event.anchor}', anchors and aliases are not read",
                event,
                "write the value out",
            )
        if event.tag is not None and event.tag not in ("!", "tag:yaml.org,2002:str"):
            self._refuse("E108", f"found the tag '{event.tag}', tags are not read", event, "write a plain value")
        if depth > MAX_DEPTH:
            self._refuse("E108", f"nested deeper than {MAX_DEPTH} levels", event, "flatten the file")
        if self.nodes > MAX_NODES:
            self._refuse("E108", f"more than {MAX_NODES} values in one file", event, "split the file")

    def _sequence(self, start: Any, next_event: Callable[[], Any], path: YamlPath, depth: int) -> tuple[Any, Place]:
        items: list[Any] = []
        last: Place | None = None
        while not isinstance(event := next_event(), yaml.SequenceEndEvent):
            value, last = self._node(event, next_event, (*path, len(items)), depth + 1)
            items.append(value)
        return items, _collection_place(start, event, last)

    def _mapping(self, start: Any, next_event: Callable[[], Any], path: YamlPath, depth: int) -> tuple[Any, Place]:
        data: dict[str, Any] = {}
        last: Place | None = None
        while not isinstance(event := next_event(), yaml.MappingEndEvent):
            key = self._key(event, depth)
            key_path = (*path, key)
            place = _place(event.start_mark, event.end_mark)
            if key in data:
                self._duplicate(key, place, self.keys[key_path])
                self._node(next_event(), next_event, (*key_path, "(again)"), depth + 1)
                continue
            self.keys[key_path] = place
            data[key], last = self._node(next_event(), next_event, key_path, depth + 1)
        return data, _collection_place(start, event, last)

    def _key(self, event: Any, depth: int) -> str:
        self._check(event, depth)
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(
                "E101",
                "found a list or mapping as a key, a key is text",
                event,
                "put a template such as '{x}' in quotes",
            )
        return str(event.value)

    def _duplicate(self, key: str, place: Place, first: Place) -> None:
        message = f"the key '{key}' is given twice, first in line {first[0] + 1}"
        self.problems.append(Diagnostic("E103", message, self._span(place), "remove one of the two"))

    def _span(self, place: Place) -> Span:
        return _make_span(self.path, self.lines, place)

    def _refuse(self, code: str, message: str, event: Any, hint: str) -> NoReturn:
        span = self._span(_place(event.start_mark, event.end_mark))
        raise ConfigError([*self.problems, Diagnostic(code, message, span, hint)])

    def _refuse_syntax(self, error: yaml.YAMLError) -> NoReturn:
        raise ConfigError([*self.problems, _syntax_diagnostic(error, self.path, self.lines)]) from None


def _scalar(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0]:  # quoted, a block, or tagged !!str
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) < 20 else text
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    return text


def _place(start: Any, end: Any) -> Place:
    return (start.line, start.column, end.line, end.column)


def _collection_place(start: Any, end: Any, last: Place | None) -> Place:
    """libyaml ends a block where the next token starts; a reader ends it with its last value."""
    if start.flow_style or last is None:
        return _place(start.start_mark, end.end_mark)
    return (start.start_mark.line, start.start_mark.column, last[2], last[3])


def _make_span(path: str, lines: Sequence[str], place: Place) -> Span:
    line, column, end_line, end_column = place
    source = lines[line] if line < len(lines) else ""
    if len(source) > MAX_SHOWN:
        source = ""
    return Span(path, line + 1, column + 1, end_line + 1, end_column + 1, source)


def _bare_span(path: str) -> Span:
    return Span(path, 1, 1, 1, 1)


def _decode(raw: bytes, path: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        span = _point(before, path, [])
        raise ConfigError(
            [Diagnostic("E101", "found a byte that is not UTF-8", span, "save the file as UTF-8")]
        ) from None


def _point(before: str, path: str, lines: Sequence[str]) -> Span:
    """The place right after the text ``before``."""
    passed = _LINE_BREAK.split(before)
    line, column = len(passed) - 1, len(passed[-1])
    return _make_span(path, lines, (line, column, line, column + 1))


def _syntax_diagnostic(error: yaml.YAMLError, path: str, lines: Sequence[str]) -> Diagnostic:
    problem = str(getattr(error, "problem", None) or error)
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if opened and "end of stream" in problem:
        mark, problem = opened, "what opens here is not closed"
    line, column = (mark.line, mark.column) if mark else (0, 0)
    span = _make_span(path, lines, (line, column, line, column + 1))
    if "nesting depth" in problem:  # some releases of libyaml have a limit of their own, and meet it first
        return Diagnostic("E108", f"nested deeper than {MAX_DEPTH} levels", span, "flatten the file")
    message, hint = _syntax_words(problem, span)
    return Diagnostic("E101", message, span, hint)


def _syntax_words(problem: str, span: Span) -> tuple[str, str]:
    before = span.source_line[: span.column]
    if "\t" in before:
        return "found a tab, YAML is indented with spaces", "replace each tab by two spaces"
    if "mapping values are not allowed" in problem:
        if ":" in before[:-1]:
            return "found a second ':' in one line", "put the text in quotes, or start a new line"
        return "the line does not fit the one before it", "check the indentation of both, and the ':' of the first"
    if "could not find expected ':'" in problem:
        return "found a line without ':'", "write 'key: value'"
    if "cannot start any token" in problem:
        found = span.source_line[span.column - 1 : span.column]
        return f"found '{found}' where a value should start", "put the text in quotes"
    if "did not find expected key" in problem or "block end" in problem:
        return (
            f"the line does not fit the block it stands in ({problem})",
            "check its indentation and the line before it",
        )
    return f"not sound YAML: {problem}", "check the quotes, brackets and indentation here"

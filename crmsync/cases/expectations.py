"""What a scenario expects, read and checked: every name in it is known, every value is of its field's type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crmsync.cases.documents import part
from crmsync.cases.model import RECORDS, Expect
from crmsync.diagnostics import Diagnostic, Span, did_you_mean
from crmsync.errors import ConfigError
from crmsync.rules import FLAGS
from crmsync.rules.metrics import METRICS
from crmsync.yamlpos import Document, YamlPath, validate

ASPECTS = ("code", "reason", "rule", "evidence", "trace")
"""What can be asked of a decision beside its value."""
LISTS = ("findings", "present", "absent", "opened", "cleared")
_FINDING = re.compile(r"(?P<code>[A-Z_0-9]+)( (?P<kind>[a-z]+) (?P<id>\S.*))?")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One statement: ``about`` is a key of :class:`Expect`, or ``field``."""

    about: str
    wanted: Any
    span: Span
    kind: str = ""
    id: str = ""
    field: str = ""
    aspect: str = ""


def read_expectations(document: Document, path: YamlPath) -> tuple[tuple[Expectation, ...], list[Diagnostic]]:
    """The statements of the ``expect`` at ``path``, and what is wrong with them."""
    reader = _Reader(document, path)
    reader.read()
    return tuple(reader.found), reader.problems


class _Reader:
    def __init__(self, document: Document, path: YamlPath) -> None:
        self.document = document
        self.path = path
        self.found: list[Expectation] = []
        self.problems: list[Diagnostic] = []

    def read(self) -> None:
        data = self.document.data
        for step in self.path:
            data = data[step]
        model = Expect.model_validate(data)
        for name in data:
            if name in Expect.model_fields:
                self._statement(name, getattr(model, name))
            else:
                self._record(name, data[name])

    def _statement(self, name: str, wanted: Any) -> None:
        span = self.document.key_span((*self.path, name))
        if name in LISTS:
            for at, text in enumerate(wanted or ()):
                self._check_finding(text, (*self.path, name, at), bare=name == "absent")
        if name == "metrics":
            for key, value in wanted.items():
                self._metric(key, value, (*self.path, name, key))
            return
        if name in ("messages", "winner"):
            for key, text in wanted.items():
                place = (*self.path, name, key)
                self._check_finding(key, place) if name == "messages" else self._subject(key, place)
                self.found.append(Expectation(name, text, self.document.key_span(place), id=key))
            return
        self.found.append(Expectation(name, wanted, span))

    def _metric(self, name: str, wanted: Any, place: YamlPath) -> None:
        if name not in METRICS:
            hint = did_you_mean(name, METRICS) or f"one of: {', '.join(METRICS)}"
            self._problem(place, f"unknown metric '{name}'", hint, code="E102", is_key=True)
        self.found.append(Expectation("metrics", wanted, self.document.key_span(place), id=name))

    def _check_finding(self, text: str, place: YamlPath, *, bare: bool = False) -> None:
        found = _FINDING.fullmatch(text)
        if not found or not (found["kind"] or bare):
            self._problem(place, f"found '{text}', wanted a code and a record", "write it like: DUP_DEAL deal D1")
        elif found["code"] not in FLAGS:
            hint = did_you_mean(found["code"], FLAGS) or "see the codes in docs/policy.md"
            self._problem(place, f"unknown code '{found['code']}'", hint)
        elif found["kind"] and found["kind"] not in RECORDS:
            hint = did_you_mean(found["kind"], RECORDS) or f"one of: {', '.join(RECORDS)}"
            self._problem(place, f"unknown kind '{found['kind']}'", hint)

    def _subject(self, key: str, place: YamlPath) -> tuple[str, str] | None:
        kind, _, record_id = key.partition(" ")
        if kind in RECORDS and record_id:
            return kind, record_id
        known = [*Expect.model_fields, *RECORDS]
        hint = did_you_mean(kind, known) or "write a kind and an id: deal D1"
        self._problem(place, f"unknown key '{key}' in expect", hint, code="E102")
        return None

    def _record(self, key: str, data: Any) -> None:
        place = (*self.path, key)
        subject = self._subject(key, place)
        if subject is None:
            return
        if not isinstance(data, Mapping):
            self._problem(place, f"found something else than fields of {key}", "write it like {attribution: sourced}")
            return
        values = self._values(subject[0], place, {n: v for n, v in data.items() if "." not in n})
        for name, raw in data.items():
            field, _, aspect = name.partition(".")
            if aspect and not self._knows(subject[0], field, aspect, (*place, name)):
                continue
            wanted = raw if aspect else values.get(field)
            span = self.document.key_span((*place, name))
            self.found.append(Expectation("field", wanted, span, *subject, field, aspect))

    def _values(self, kind: str, place: YamlPath, data: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return validate(part(self.document, place, data), RECORDS[kind]).model_dump(exclude_unset=True)
        except ConfigError as error:
            self.problems += error.diagnostics
            return {}

    def _knows(self, kind: str, field: str, aspect: str, place: YamlPath) -> bool:
        if field not in RECORDS[kind].model_fields:
            hint = did_you_mean(field, RECORDS[kind].model_fields) or "see docs/scenarios.md"
            self._problem(place, f"unknown field '{field}' of a {kind}", hint, code="E102", is_key=True)
        elif aspect not in ASPECTS:
            hint = did_you_mean(aspect, ASPECTS) or f"one of: {', '.join(ASPECTS)}"
            self._problem(place, f"unknown aspect '{aspect}' of a decision", hint, code="E102", is_key=True)
        else:
            return True
        return False

    def _problem(self, path: YamlPath, message: str, hint: str, *, code: str = "E106", is_key: bool = False) -> None:
        in_list = isinstance(path[-1], int)
        span = self.document.span(path) if in_list and not is_key else self.document.key_span(path)
        self.problems.append(Diagnostic(code, message, span, hint))

"""Load scenarios: a file, what its folder's ``baseline.yaml`` says for all, and the policy they are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from crmsync.cases.documents import laid_over, merged, part, wrapped
from crmsync.cases.expectations import Expectation, read_expectations
from crmsync.cases.extras import extra_problems, typed_extras
from crmsync.cases.model import RECORDS, Case, CaseFile, PolicyLayer
from crmsync.diagnostics import Diagnostic, Span
from crmsync.errors import ConfigError, UsageError
from crmsync.records import FieldType
from crmsync.rules import Policy, load_policy
from crmsync.rules.policy import build_policy, build_versions
from crmsync.yamlpos import Document, YamlModel, YamlPath, load_yaml, sort_diagnostics, validate

BASELINE = "baseline.yaml"
"""In a folder of scenarios: what every one of them starts from."""

Rows: TypeAlias = Mapping[str, Any]
"""Values by kind, id and field, with ``links`` and ``merged`` beside them."""


@dataclass(frozen=True, slots=True)
class CaseSettings:
    """What scenarios are run with where they do not say it themselves."""

    policy: Path
    is_policy_forced: bool = False
    """The policy takes the place of the one in ``baseline.yaml``: scenarios tried under another policy."""
    extra_types: Mapping[str, Mapping[str, FieldType]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """An instant: what is different then, and what must be decided."""

    at: datetime
    changes: Rows
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    about: str
    span: Span
    policy: Policy = field(repr=False)
    given: Rows = field(repr=False)
    defaults: Rows = field(repr=False)
    """Of records that a later step adds."""
    steps: tuple[Step, ...] = field(repr=False)
    is_sequence: bool
    """What was decided in one step is on the records in the next."""

    @property
    def place(self) -> str:
        return self.span.brief


def load_cases(paths: Iterable[Path], settings: CaseSettings) -> list[Scenario]:
    """The scenarios of files and folders, in order.

    :raises ConfigError: with every problem of every file.
    :raises UsageError: when there is no such path, or no scenario in it.
    """
    scenarios: list[Scenario] = []
    problems: list[Diagnostic] = []
    policies = _Policies(settings)
    for path in _files(paths):
        try:
            scenarios += _Loader(path, policies).load()
        except ConfigError as error:
            problems += [problem for problem in error.diagnostics if problem not in problems]
    if problems:
        raise ConfigError(problems)
    return scenarios


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = sorted(p for p in path.rglob("*.yaml") if p.name != BASELINE) if path.is_dir() else [path]
        if not path.exists() or not found:
            what = "no file" if not path.exists() else "no scenario in the folder"
            raise UsageError(f"{what} '{path}'", hint="copy one from the starter project, or see docs/scenarios.md")
        files += found
    return list(dict.fromkeys(files))


class _Policies:
    """Each combination of policy layers is built once."""

    def __init__(self, settings: CaseSettings) -> None:
        self.settings = settings
        self._built: dict[tuple[object, ...], Policy] = {}

    def file(self, path: Path) -> tuple[Document, ...]:
        """A policy file, or those of a directory of versions; changes are laid over each."""
        if (path,) not in self._built:
            self._built[path,] = load_policy(path, self.settings.extra_types)
        policy = self._built[path,]
        return tuple(version.document for version in policy.versions) or (policy.document,)

    def build(self, documents: tuple[Document, ...], key: tuple[object, ...]) -> Policy:
        if key not in self._built:
            extra = self.settings.extra_types
            is_one = len(documents) == 1
            self._built[key] = build_policy(documents[0], extra) if is_one else build_versions(documents, extra)
        return self._built[key]


class _Loader:
    def __init__(self, path: Path, policies: _Policies) -> None:
        self.policies = policies
        self.document, self.file = _read(path)
        shared = path.parent / BASELINE
        self.below = _read(shared) if shared.is_file() and path.name != BASELINE else None
        self.problems: list[Diagnostic] = []

    def load(self) -> list[Scenario]:
        scenarios = [self._scenario(at, case) for at, case in enumerate(self.file.cases)]
        self._unique_names()
        if self.problems:
            raise ConfigError(sort_diagnostics(self.problems))
        return scenarios

    def _scenario(self, at: int, case: Case) -> Scenario:
        path: YamlPath = ("cases", at)
        defaults = merged(_rows(self.below[1].defaults) if self.below else {}, _rows(self.file.defaults))
        given: Rows = _rows(self.below[1].given) if self.below else {}
        given = merged(given, _filled(_rows(self.file.given), defaults))
        own = self._rows((*path, "given"), case.given)
        given = merged(given, _filled(own, defaults))
        return Scenario(
            name=case.case,
            about=case.about,
            span=self.document.key_span((*path, "case")),
            policy=self._policy(path, case.policy),
            given=typed_extras(given, self.policies.settings.extra_types),
            defaults=defaults,
            steps=tuple(self._steps(path, case)),
            is_sequence=bool(case.events),
        )

    def _steps(self, path: YamlPath, case: Case) -> Iterable[Step]:
        self._check_form(path, case)
        if case.expect and case.now:
            yield Step(case.now, {}, self._expected((*path, "expect")))
        for at, look in enumerate(case.looks):
            yield Step(
                look.now,
                self._rows((*path, "looks", at, "given"), look.given),
                self._expected((*path, "looks", at, "expect")),
            )
        before: datetime | None = None
        for at, event in enumerate(case.events):
            here = (*path, "events", at)
            if before and event.at < before:
                self._problem((*here, "at"), "events go forward in time, this one goes back", "sort them by 'at'")
            before = event.at
            expected = self._expected((*here, "expect")) if event.expect else ()
            yield Step(event.at, self._rows((*here, "set"), event.set), expected)

    def _check_form(self, path: YamlPath, case: Case) -> None:
        forms = [bool(case.expect or case.now), bool(case.looks), bool(case.events)]
        if sum(forms) != 1:
            message = "a case has either 'now' and 'expect', or 'looks', or 'events'"
            hint = "keep one of them" if any(forms) else "add 'now:' and 'expect:'"
            self._problem((*path, "case"), message, hint)
        elif forms[0] and not (case.now and case.expect):
            missing = "now" if case.expect else "expect"
            message = f"the key '{missing}' is missing in a case"
            self._problem((*path, "case"), message, f"add '{missing}:'", code="E104")

    def _rows(self, path: YamlPath, given: YamlModel) -> Rows:
        rows, types = _rows(given), self.policies.settings.extra_types
        self.problems += extra_problems(self.document, path, rows, types)
        return typed_extras(rows, types)

    def _expected(self, path: YamlPath) -> tuple[Expectation, ...]:
        found, problems = read_expectations(self.document, path)
        self.problems += problems
        return found

    def _policy(self, path: YamlPath, own: PolicyLayer | None) -> Policy:
        """What the case, its file and its folder say, over the policy that is tested."""
        settings = self.policies.settings
        documents, key = self.policies.file(settings.policy), (settings.policy,)
        layers: list[tuple[Document, YamlPath, PolicyLayer | None]] = [
            (self.document, ("policy",), self.file.policy),
            (self.document, (*path, "policy"), own),
        ]
        if self.below and self.below[1].policy and not settings.is_policy_forced:
            documents, key = self._alone(self.below[0], self.below[1].policy)
        for source, place, layer in layers:
            if isinstance(layer, str):
                documents, key = self._alone(source, layer, place)
            elif layer:
                above = part(source, place, dict(layer))
                documents = tuple(laid_over(below, above) for below in documents)
                key = (*key, (source.path, place))  # type: ignore[assignment]
        return self.policies.build(documents, key)

    def _alone(
        self, source: Document, layer: PolicyLayer, place: YamlPath = ("policy",)
    ) -> tuple[tuple[Document, ...], Any]:
        if isinstance(layer, str):
            path = Path(source.path).parent / layer
            if not path.exists():
                message = f"there is no policy '{layer}' beside this file"
                span = source.span(place)
                raise ConfigError([Diagnostic("E109", message, span, "the path is relative to the file of the case")])
            return self.policies.file(path), (path,)
        return (part(source, place, dict(layer)),), (source.path, place)

    def _unique_names(self) -> None:
        names = [case.case for case in self.file.cases]
        for at, name in enumerate(names):
            if name in names[:at]:
                self._problem(("cases", at, "case"), f"the name '{name}' is used twice", "give each case its own name")

    def _problem(self, path: YamlPath, message: str, hint: str, *, code: str = "E107") -> None:
        self.problems.append(Diagnostic(code, message, self.document.span(path), hint))


def _read(path: Path) -> tuple[Document, CaseFile]:
    document = load_yaml(path)
    if isinstance(document.data, list):
        document = wrapped(document, "cases")
    return document, validate(document, CaseFile)


def _rows(model: YamlModel) -> Rows:
    """What was written, typed: fields left out stay out."""
    return model.model_dump(exclude_unset=True)


def _filled(given: Rows, defaults: Rows) -> Rows:
    """Records with the defaults of their kind below what the file says."""
    return {
        kind: {i: None if row is None else merged(defaults.get(kind, {}), row) for i, row in rows.items()}
        if kind in RECORDS
        else rows
        for kind, rows in given.items()
    }

"""Load a policy: YAML to model, conditions compiled and checked, every statement with its place in the file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import holidays
import orjson

from crmsync.diagnostics import Diagnostic, Span, did_you_mean
from crmsync.errors import ConfigError
from crmsync.records import FieldType, field_types
from crmsync.rules.background import NAMES
from crmsync.rules.decision import Rule
from crmsync.rules.expressions import Expression, ExpressionError, Names, build_names, compile_expression
from crmsync.rules.fields import decided_names, late_names
from crmsync.rules.names import registrable_domain
from crmsync.rules.policy.model import PolicyModel, Validation
from crmsync.rules.policy.positions import diagnose
from crmsync.rules.policy.programme import Length, Sla
from crmsync.rules.reasons import REASONS
from crmsync.yamlpos import Document, YamlPath, load_yaml, load_yaml_text, sort_diagnostics, validate
from crmsync.yamlschema import draft7

T = TypeVar("T")
_HOLDING = ("CONFLICT_PARTNER", "CONFLICT_INCUMBENT", "CONFLICT_TERRITORY")
"""Codes that must be on a record for the machine to know that it was the one who put it on hold."""
ExtraTypes = Mapping[str, Mapping[str, FieldType]]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A checked policy. ``model`` holds the values; conditions are compiled; :meth:`rule` says where one stands."""

    fingerprint: str
    model: PolicyModel = field(repr=False)
    document: Document = field(repr=False)
    zone: ZoneInfo = field(repr=False)
    expressions: Mapping[YamlPath, Expression] = field(repr=False)
    aliases: Mapping[str, str] = field(repr=False)
    excluded_domains: frozenset[str] = field(repr=False)
    asked_of_deals: tuple[str, ...] = ("partner_id",)
    """Fields of a deal that conditions ask for which come after its values are decided."""
    versions: tuple[Policy, ...] = field(default=(), repr=False)
    """Where the policy changed over time: all its versions, the oldest first."""
    _rules: dict[YamlPath, Rule] = field(default_factory=dict, repr=False)
    _kept: dict[Callable[[Policy], Any], Any] = field(default_factory=dict, repr=False)

    @property
    def version(self) -> str:
        return self.model.version

    @property
    def timezone(self) -> ZoneInfo:
        return self.zone

    def expression(self, *path: str | int) -> Expression | None:
        """The compiled condition at that place; ``None`` where the policy states none."""
        return self.expressions.get(path)

    def rule(self, *path: str | int) -> Rule:
        """The statement at that place; a default that the file leaves out stands where its section does."""
        found = self._rules.get(path)
        if found is None:
            found = self._rules[path] = Rule(_name(self.model, path), self.document.key_span(path))
        return found

    def once(self, make: Callable[[Policy], T]) -> T:
        """What ``make`` gives for this policy, made at the first call: for what no record can change."""
        if make not in self._kept:
            self._kept[make] = make(self)
        kept: T = self._kept[make]
        return kept


def load_policy(path: Path | str, extra: ExtraTypes | None = None) -> Policy:
    """Load and check a policy file, or a directory of its versions.

    ``extra`` has the types of mapped fields beyond the canonical ones.

    :raises ConfigError: with every problem of the file, or of all files.
    """
    path = Path(path)
    return _load_versions(path, extra) if path.is_dir() else build_policy(load_yaml(path), extra)


def _load_versions(directory: Path, extra: ExtraTypes | None) -> Policy:
    documents: list[Document] = []
    problems: list[Diagnostic] = []
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        hint = "put one file there for each version"
        problems.append(Diagnostic("E107", f"found no policy in '{directory}'", Span(str(directory), 1, 1, 1, 1), hint))
    for path in paths:
        try:
            documents.append(load_yaml(path))
        except ConfigError as error:
            problems += error.diagnostics
    if problems:
        raise ConfigError(sort_diagnostics(problems))
    return build_versions(documents, extra)


def build_versions(documents: Sequence[Document], extra: ExtraTypes | None = None) -> Policy:
    """The newest of several versions of a policy, which knows all of them.

    :raises ConfigError: with every problem of every version.
    """
    found: list[Policy] = []
    problems: list[Diagnostic] = []
    for document in documents:
        try:
            found.append(build_policy(document, extra))
        except ConfigError as error:
            problems += error.diagnostics
    found.sort(key=lambda version: version.model.effective_from or date.min)
    for one, other in pairwise(found):
        if one.model.effective_from == other.model.effective_from:
            message = f"two versions begin on the same day: '{one.version}' and '{other.version}'"
            span = other.document.key_span(("effective_from",))
            problems.append(Diagnostic("E222", message, span, "give each version a day of its own in 'effective_from'"))
    if problems:
        raise ConfigError(sort_diagnostics(problems))
    content = "".join(version.fingerprint for version in found)
    fingerprint = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    return replace(found[-1], fingerprint=fingerprint, versions=tuple(found))


def load_policy_text(text: str, path: str = "<policy>", extra: ExtraTypes | None = None) -> Policy:
    """The same for text; ``path`` is what diagnostics call it."""
    return build_policy(load_yaml_text(text, path), extra)


def policy_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 7) of a policy, for editors."""
    return draft7(PolicyModel, "crmsync policy")


def build_policy(document: Document, extra: ExtraTypes | None = None) -> Policy:
    """Check a document and compile its conditions.

    :raises ConfigError: with every problem of the file.
    """
    model = validate(document, PolicyModel)
    checker = _Checker(model, document, extra or {})
    checker.check()
    if checker.problems:
        raise ConfigError(sort_diagnostics(checker.problems))
    identity = model.identity
    excluded = (*identity.free_mail_domains, *identity.shared_domains)
    return Policy(
        model=model,
        document=document,
        zone=checker.zone,
        fingerprint=_fingerprint(model),
        expressions=checker.expressions,
        aliases={_domain(alias): _domain(target) for alias, target in identity.aliases.items()},
        excluded_domains=frozenset(_domain(name) for name in excluded),
        asked_of_deals=_asked_of_deals(model, checker.expressions),
    )


def _asked_of_deals(model: PolicyModel, expressions: Mapping[YamlPath, Expression]) -> tuple[str, ...]:
    late = (e.names for path, e in expressions.items() if path[0] in ("validations", "stale_deals"))
    named = {name.removeprefix("deal.") for names in late for name in names}
    required = {name for validation in model.validations for name in validation.require}
    return tuple(sorted(named | required | {"partner_id"}))


def _domain(text: str) -> str:
    return registrable_domain(text) or text.strip().lower()


def _fingerprint(model: PolicyModel) -> str:
    content = orjson.dumps(model.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _name(model: PolicyModel, path: YamlPath) -> str:
    """Named entries of lists by their name: ``validations.registration-before-proposal``."""
    if len(path) > 1 and path[0] in ("validations", "eligibility", "deadlines") and isinstance(path[1], int):
        entries = getattr(model, str(path[0]))
        return f"{path[0]}.{entries[path[1]].name}"
    if len(path) > 2 and isinstance(path[2], int):
        if path[:2] == ("territory", "rules"):
            return f"territory.rules.{model.territory.rules[path[2]].name}"
        if path[:2] == ("registration", "lapses"):
            return f"registration.lapses.{model.registration.lapses[path[2]].name}"
    return ".".join(str(part) for part in path)


class _Checker:
    """What pydantic cannot see: conditions, and names that refer to other parts of the file or to the mapping."""

    def __init__(self, model: PolicyModel, document: Document, extra: ExtraTypes) -> None:
        self.model = model
        self.document = document
        self.extra = extra
        self.zone = ZoneInfo(model.timezone)
        self.problems: list[Diagnostic] = []
        self.expressions: dict[YamlPath, Expression] = {}
        self._names: dict[tuple[str, bool], Names] = {}
        self._claim_names = build_names("registration", extra, decided_names(), NAMES)

    def check(self) -> None:
        model = self.model
        self.condition(("scope", "deals", "when"), model.scope.deals.when, "deal")
        for at, entry in enumerate(model.registration.length_by):
            self.condition(("registration", "length_by", at, "when"), entry.when, "registration")
        for at, lapse in enumerate(model.registration.lapses):
            self.condition(("registration", "lapses", at, "when"), lapse.when, "registration")
        self.condition(("extension", "when"), model.extension.when, "registration")
        for at, second in enumerate(model.uniqueness.second_registrant_by):
            self.condition(("uniqueness", "second_registrant_by", at, "when"), second.when, "registration")
        for at, slower in enumerate(model.approval.sla_by):
            self.condition(("approval", "sla_by", at, "when"), slower.when, "registration")
        for at, term in enumerate(model.eligibility):
            self.claim_condition(("eligibility", at, "when"), term.when)
            self.claim_condition(("eligibility", at, "require"), term.require)
        for at, deadline in enumerate(model.deadlines):
            self.claim_condition(("deadlines", at, "when"), deadline.when)
        for at, step in enumerate(model.approval.steps):
            self.claim_condition(("approval", "steps", at, "when"), step.when)
        for at, text in enumerate(model.approval.auto_approve_unless):
            self.claim_condition(("approval", "auto_approve_unless", at), text)
        for at, rule in enumerate(model.territory.rules):
            self.claim_condition(("territory", "rules", at, "when"), rule.when)
            self.claim_condition(("territory", "rules", at, "require"), rule.require)
        if model.credit.loser_credit:
            self.claim_condition(("credit", "loser_credit", "when"), model.credit.loser_credit.when)
        for at, validation in enumerate(model.validations):
            self.condition(("validations", at, "when"), validation.when, validation.on, late=True)
            self.required(at, validation)
        if model.stale_deals:
            self.condition(("stale_deals", "when"), model.stale_deals.when, "deal", late=True)
        self.unique_names("validations", [entry.name for entry in model.validations])
        self.unique_names("eligibility", [term.name for term in model.eligibility])
        self.unique_names("deadlines", [deadline.name for deadline in model.deadlines])
        self.unique_names("registration", [lapse.name for lapse in model.registration.lapses], "lapses")
        self.unique_names("territory", [rule.name for rule in model.territory.rules], "rules")
        self.calendars()
        self.reason_codes()
        self.silenced()

    def names(self, root: str, *, late: bool) -> Names:
        if (root, late) not in self._names:
            hidden = late_names() if late else decided_names()
            self._names[root, late] = build_names(root, self.extra, hidden)
        return self._names[root, late]

    def condition(self, path: YamlPath, text: str | None, root: str, *, late: bool = False) -> None:
        self.compile(path, text, self.names(root, late=late))

    def claim_condition(self, path: YamlPath, text: str | None) -> None:
        """A condition on a registration that is asked once all partners are known."""
        self.compile(path, text, self._claim_names)

    def compile(self, path: YamlPath, text: str | None, names: Names) -> None:
        if text is None:
            return
        try:
            self.expressions[path] = compile_expression(text, names, self.zone)
        except ExpressionError as error:
            self.problems.append(diagnose(error, self.document, path, text))

    def required(self, at: int, validation: Validation) -> None:
        known = [*field_types(validation.on), *self.extra.get(validation.on, {})]
        for number, name in enumerate(validation.require):
            if name not in known:
                message = f"unknown field '{name}' of a {validation.on}"
                span = self.document.span(("validations", at, "require", number))
                self.problem("E210", message, span, did_you_mean(name, known) or "see the mapping for its fields")

    def unique_names(self, section: str, names: list[str], *below: str) -> None:
        for at, name in enumerate(names):
            if name in names[:at]:
                span = self.document.span((section, *below, at, "name"))
                self.problem("E222", f"the name '{name}' is used twice", span, "give each entry a name of its own")

    def calendars(self) -> None:
        times: list[tuple[Sla | None, YamlPath]] = [
            (self.model.approval.sla, ("approval", "sla")),
            (self.model.extension.sla, ("extension", "sla")),
            *((entry.sla, ("approval", "sla_by", at, "sla")) for at, entry in enumerate(self.model.approval.sla_by)),
        ]
        for sla, path in times:
            if sla:
                self.calendar(sla.calendar, sla.unit, (*path, "calendar"))
        for at, level in enumerate(self.model.conflict.escalation):
            path = ("conflict", "escalation", at, "within", "calendar")
            self.calendar(level.within.calendar, level.within.unit, path)
        for name, calendar in self.model.calendars.items():
            supported = holidays.list_supported_countries().get(calendar.country or "", [])
            if calendar.subdivision and calendar.subdivision not in supported:
                span = self.document.span(("calendars", name, "subdivision"))
                hint = did_you_mean(calendar.subdivision, supported) or f"one of: {', '.join(supported)}"
                self.problem("E221", f"unknown subdivision '{calendar.subdivision}'", span, hint)

    def calendar(self, name: str | None, unit: str, path: YamlPath) -> None:
        known = self.model.calendars
        if name and name not in known:
            hint = did_you_mean(name, known) or "define it under 'calendars:'"
            self.problem("E221", f"unknown calendar '{name}'", self.document.span(path), hint)
        if name and unit == "hours":
            message = "hours run day and night, they need no calendar"
            self.problem("E107", message, self.document.span(path), "use unit: business_days")

    def reason_codes(self) -> None:
        for code in self.model.reasons:
            if code not in REASONS:
                span = self.document.key_span(("reasons", code))
                hint = did_you_mean(code, REASONS) or f"one of: {', '.join(REASONS)}"
                self.problem("E221", f"unknown reason code '{code}'", span, hint)

    def silenced(self) -> None:
        for code, level in self.model.findings.items():
            if level == "off" and code in _HOLDING:
                span = self.document.span(("findings", code))
                hint = "give it a severity, or change what holds: uniqueness, tie_order, territory"
                self.problem("E107", f"{code} puts registrations on hold and cannot be off", span, hint)

    def problem(self, code: str, message: str, span: Span, hint: str) -> None:
        self.problems.append(Diagnostic(code, message, span, hint))


def length_text(length: Length) -> str:
    """``90 days``, ``1 month``."""
    return f"{length.value} {length.unit if length.value != 1 else length.unit[:-1]}"

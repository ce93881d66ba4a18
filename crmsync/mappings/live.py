"""A mapping against what the CRM really has: objects, fields, types, picklist values, edit permission, length."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from crmsync.diagnostics import Diagnostic, did_you_mean
from crmsync.mappings.fields import FieldMapping
from crmsync.mappings.mapping import KindMapping, LinkMapping
from crmsync.mappings.mapping import Mapping as CrmMapping
from crmsync.mappings.schema import FLAG_CODES, FLAG_FIELDS, TEXT_LENGTH, is_own_name
from crmsync.mappings.vocabulary import is_reference
from crmsync.records import REFERENCES
from crmsync.remote import FieldInfo, ObjectInfo
from crmsync.yamlpos import YamlPath, sort_diagnostics

Describe: TypeAlias = Callable[[str], ObjectInfo | None]

PROVISION = "make it with `crmsync provision`"

READABLE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": frozenset(
            {"text", "long_text", "picklist", "multipicklist", "email", "phone", "url", "number", "id", "reference"}
        ),
        "enum": frozenset({"text", "picklist"}),
        "reference": frozenset({"reference", "id", "text", "number"}),
        "int": frozenset({"number", "percent"}),
        "decimal": frozenset({"number", "money", "percent"}),
        "bool": frozenset({"bool"}),
        "date": frozenset({"date", "datetime"}),
        "instant": frozenset({"datetime"}),
        "list": frozenset({"multipicklist", "picklist", "text", "long_text"}),
    }
)
"""Canonical type to the CRM types that can be read as it. HubSpot keeps record ids in number properties."""

WRITABLE: Mapping[str, frozenset[str]] = MappingProxyType({**READABLE, "date": frozenset({"date"})})

MAPPABLE = frozenset({"text", "picklist", "bool", "number", "reference", "id"})
"""CRM types that a value map can read as anything."""

OPTIONAL_FIELDS: Mapping[str, str] = MappingProxyType(
    {"CurrencyIsoCode": "an org with one currency has none: write {constant: USD}"}
)
"""Standard fields that exist only where a feature is on (Salesforce Help, "Manage Multiple Currencies")."""

STANDARD_OBJECTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "salesforce": (
            "Account",
            "Contact",
            "Lead",
            "Opportunity",
            "OpportunityContactRole",
            "OpportunityPartner",
            "OpportunityStage",
            "Task",
            "User",
        ),
        "hubspot": ("companies", "contacts", "deals", "leads", "owners", "pipelines", "tasks", "tickets"),
    }
)

_WITH_THE_STAGE = frozenset({"probability"})
"""Calculated, but from the stage alone, which moves the record's modified date."""


def check_live(mapping: CrmMapping, describe: Describe) -> list[Diagnostic]:
    """Everything in the mapping that the CRM, as the signed-in user sees it, does not bear out."""
    return sort_diagnostics(list(_Live(mapping, describe).check()))


class _Live:
    def __init__(self, mapping: CrmMapping, describe: Describe) -> None:
        self.mapping = mapping
        self.describe = describe

    def check(self) -> Iterator[Diagnostic]:
        for kind in self.mapping.kind_mappings.values():
            yield from self._check_kind(kind)
        for link in self.mapping.links:
            yield from self._check_link(link)
        if self.mapping.task:
            yield from self._check_task()

    # -------------------------------------------------------------- objects

    def _check_kind(self, kind: KindMapping) -> Iterator[Diagnostic]:
        path: YamlPath = ("objects", kind.kind)
        info = self.describe(kind.object)
        if info is None:
            yield self._no_object(kind.object, (*path, "object"))
            return
        for mapped in kind.fields.values():
            yield from self._check_field(mapped, info)
        if kind.fingerprint:
            yield from self._check_fingerprint(kind.fingerprint, info, (*path, "fingerprint"))
        if kind.title and kind.title not in info.fields:
            yield self._no_field(kind.title, info, (*path, "title"))
        if kind.where:
            yield from self._check_where(kind, info)

    def _check_where(self, kind: KindMapping, info: ObjectInfo) -> Iterator[Diagnostic]:
        where = kind.where
        path: YamlPath = ("objects", kind.kind, "where")
        if where is None:
            return
        field = info.fields.get(where.field)
        if field is None:
            yield self._no_field(where.field, info, (*path, "field"))
            return
        for key, values in (("in", where.in_), ("not_in", where.not_in)):
            for number, value in enumerate(values or ()):
                if field.options and value not in field.options:
                    yield self._no_option(value, field, (*path, key, number))

    def _check_fingerprint(self, name: str, info: ObjectInfo, path: YamlPath) -> Iterator[Diagnostic]:
        field, span = info.fields.get(name), self.mapping.document.span(path)
        if field is None:
            yield self._no_field(name, info, path)
        elif field.type not in ("text", "long_text"):
            yield Diagnostic("E252", f"'{name}' is a {field.type} field, a fingerprint wants text", span, PROVISION)
        elif not field.updateable:
            yield Diagnostic("E254", f"'{name}' may not be edited by the signed-in user", span, "grant edit access")
        elif field.length is not None and field.length < TEXT_LENGTH:
            message = f"'{name}' holds {field.length} characters, {TEXT_LENGTH} are needed"
            yield Diagnostic("E255", message, span, "make the field longer")

    def _check_link(self, link: LinkMapping) -> Iterator[Diagnostic]:
        path: YamlPath = ("links", link.name)
        entry = link.entry
        if not entry.object:
            for key, name in (("from", entry.from_), ("to", entry.to)):
                if self.describe(name) is None:
                    yield self._no_object(name, (*path, key))
            return
        info = self.describe(entry.object)
        if info is None:
            yield self._no_object(entry.object, (*path, "object"))
            return
        for key, name in (("from", entry.from_), ("to", entry.to), ("label", entry.label)):
            if name and name not in info.fields:
                yield self._no_field(name, info, (*path, key))

    def _check_task(self) -> Iterator[Diagnostic]:
        task = self.mapping.task
        assert task is not None  # noqa: S101 - the caller has looked
        info = self.describe(task.object)
        if info is None:
            yield self._no_object(task.object, ("tasks", "object"))
            return
        for key in ("key", "subject", "body", "due", "owner", "record", "contact"):
            name = getattr(task.entry, key)
            if name and name not in info.fields:
                yield self._no_field(name, info, ("tasks", key))
        for name, value in task.entry.constants.items():
            field = info.fields.get(name)
            if field is None:
                yield self._no_field(name, info, ("tasks", "constants", name))
            elif field.options and value not in field.options:
                yield self._no_option(value, field, ("tasks", "constants", name))

    # -------------------------------------------------------------- fields

    def _check_field(self, mapped: FieldMapping, info: ObjectInfo) -> Iterator[Diagnostic]:
        path: YamlPath = ("objects", mapped.kind, "extra" if mapped.is_extra else "fields", mapped.field)
        if mapped.tie and self.describe(mapped.tie.object) is None:
            yield self._no_object(mapped.tie.object, (*path, "association"))
        for number, name in enumerate(mapped.remote_fields):
            field = info.fields.get(name)
            if field is None:
                several = len(mapped.remote_fields) > 1
                yield self._no_field(name, info, (*path, "field", number) if several else self._name_path(path))
            else:
                yield from self._check_type(mapped, field, path)
                yield from self._check_options(mapped, field, path)
                yield from self._check_writing(mapped, field, path)
                if mapped.field not in _WITH_THE_STAGE:
                    yield from self._check_calculated(field, path)

    def _check_calculated(self, field: FieldInfo, path: YamlPath) -> Iterator[Diagnostic]:
        """What the CRM works out by itself can change without the record's modified date."""
        if field.calculated:
            message = f"'{field.name}' is calculated by the CRM: it can change without the record's modified date"
            hint = "changes are found by the reconciliation, within hours; map the field it is made of, if you can"
            span = self.mapping.document.span(self._name_path(path))
            yield Diagnostic("W921", message, span, hint, severity="warning")

    def _check_type(self, mapped: FieldMapping, field: FieldInfo, path: YamlPath) -> Iterator[Diagnostic]:
        kind = _type_name(mapped)
        fitting = (WRITABLE if mapped.is_written else READABLE)[kind]
        has_map = "values" in self._entry(path)
        if field.type in fitting or (has_map and field.type in MAPPABLE):
            yield from self._check_reference(mapped, field, path)
            return
        message = f"'{field.name}' is a {field.type} field, '{mapped.kind}.{mapped.field}' wants {kind}"
        hint = (
            "choose another field"
            if not is_own_name(self.mapping.system, field.name)
            else "delete it in the CRM and provision again"
        )
        yield Diagnostic("E252", message, self.mapping.document.span(self._name_path(path)), hint)

    def _check_reference(self, mapped: FieldMapping, field: FieldInfo, path: YamlPath) -> Iterator[Diagnostic]:
        """A lookup must point to the object that holds the kind it is mapped to."""
        kind = REFERENCES.get((mapped.kind, mapped.field), "")
        wanted = self.mapping.object_of(kind) if kind in self.mapping.kinds else ""
        if wanted and field.references and wanted not in field.references:
            message = (
                f"'{field.name}' refers to {_some(field.references)}, '{mapped.kind}.{mapped.field}' wants {wanted}"
            )
            yield Diagnostic("E252", message, self.mapping.document.span(self._name_path(path)), "choose another field")

    def _check_options(self, mapped: FieldMapping, field: FieldInfo, path: YamlPath) -> Iterator[Diagnostic]:
        if field.type not in ("picklist", "multipicklist") or not field.options:
            return
        entry = self._entry(path)
        if "values" in entry:
            for value in mapped.raw_options:
                if value not in field.options:
                    yield self._no_option(value, field, (*path, "values", value))
        elif mapped.is_written and field.restricted:
            yield from self._missing_options(mapped, field, path)
        if mapped.options and "*" not in entry.get("values", {}):
            yield from self._unmapped_options(mapped, field, path)

    def _missing_options(self, mapped: FieldMapping, field: FieldInfo, path: YamlPath) -> Iterator[Diagnostic]:
        wanted = FLAG_CODES if mapped.field in FLAG_FIELDS else mapped.writes_options
        missing = [option for option in wanted if option not in field.options]
        if missing:
            own = is_own_name(self.mapping.system, field.name)
            hint = "add them with `crmsync provision`" if own else "add them to the field, or map them under 'values'"
            message = f"'{field.name}' lacks values that crmsync writes: {_some(missing)}"
            yield Diagnostic("E253", message, self.mapping.document.span(self._name_path(path)), hint)

    def _unmapped_options(self, mapped: FieldMapping, field: FieldInfo, path: YamlPath) -> Iterator[Diagnostic]:
        known = {option.casefold() for option in mapped.raw_options}
        unknown = [option for option in field.options if option not in known and option.casefold() not in known]
        if unknown:
            message = f"'{field.name}' has values that '{mapped.kind}.{mapped.field}' cannot read: {_some(unknown)}"
            hint = f"give each a row under 'values', '{unknown[0]}: …' with one of {_some(mapped.options, 12)}"
            span = self.mapping.document.span(self._name_path(path))
            yield Diagnostic("W920", message, span, hint, severity="warning")

    def _check_writing(self, mapped: FieldMapping, field: FieldInfo, path: YamlPath) -> Iterator[Diagnostic]:
        if not mapped.is_written:
            return
        own = is_own_name(self.mapping.system, field.name)
        if not field.updateable:
            hint = (
                "grant it with `crmsync provision`"
                if own
                else "give the integration user edit access, or remove the mode"
            )
            message = f"'{field.name}' may not be edited by the signed-in user"
            yield Diagnostic("E254", message, self.mapping.document.span((*path, "mode")), hint)
        needed = max([mapped.max_length or 0, *(len(option) for option in mapped.writes_options)])
        if field.length is not None and field.type in ("text", "long_text") and field.length < needed:
            message = f"'{field.name}' holds {field.length} characters, {needed} are needed"
            hint = (
                "make the field longer"
                if not mapped.max_length
                else f"set 'max: {field.length}', or make the field longer"
            )
            yield Diagnostic("E255", message, self.mapping.document.span(self._name_path(path)), hint)

    # -------------------------------------------------------------- diagnostics

    def _entry(self, path: YamlPath) -> Mapping[str, Any]:
        node = self.mapping.document.data
        for part in path:
            node = node[part]
        return node if isinstance(node, dict) else {}

    def _name_path(self, path: YamlPath) -> YamlPath:
        """Where the CRM field's name stands: the value itself, or its key ``field``."""
        return (*path, "field") if self._entry(path) else path

    def _no_object(self, name: str, path: YamlPath) -> Diagnostic:
        known = STANDARD_OBJECTS[self.mapping.system]
        hint = PROVISION if is_own_name(self.mapping.system, name) else did_you_mean(name, known)
        message = f"there is no object '{name}' that the signed-in user may read"
        return Diagnostic(
            "E250", message, self.mapping.document.span(path), hint or "check its name and the user's access"
        )

    def _no_field(self, name: str, info: ObjectInfo, path: YamlPath) -> Diagnostic:
        near = did_you_mean(name, _others(info.fields, name))
        hint = PROVISION if is_own_name(self.mapping.system, name) else OPTIONAL_FIELDS.get(name) or near
        message = f"{info.name} has no field '{name}' that the signed-in user may read"
        return Diagnostic(
            "E251", message, self.mapping.document.span(path), hint or "check its name and the user's access"
        )

    def _no_option(self, value: str, field: FieldInfo, path: YamlPath) -> Diagnostic:
        near = did_you_mean(value, field.options) or f"it has: {_some(field.options)}"
        return Diagnostic("E253", f"'{field.name}' has no value '{value}'", self.mapping.document.key_span(path), near)


def _type_name(mapped: FieldMapping) -> str:
    if is_reference(mapped.kind, mapped.field):
        return "reference"
    return "enum" if mapped.options else mapped.type.base


def _others(names: Iterable[str], name: str) -> list[str]:
    return [other for other in names if other != name]


def _some(values: Collection[str], limit: int = 6) -> str:
    shown = ", ".join(list(values)[:limit])
    return shown if len(values) <= limit else f"{shown} and {len(values) - limit} more"

"""Making what a mapping needs: a property group, properties, options, custom objects, association labels. Idempotent.

Nothing is renamed, retyped or removed. What HubSpot or the account's subscription does not allow becomes a *blocked*
step that says the way out; the other steps go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Literal

from crmsync.connectors.hubspot.api import SCOPES_PATH, HubSpotApi
from crmsync.connectors.hubspot.associations import read_labels
from crmsync.connectors.hubspot.describe import field_info
from crmsync.connectors.hubspot.objects import TYPE_IDS
from crmsync.connectors.hubspot.problems import NAME_TAKEN, parse_problem
from crmsync.connectors.hubspot.records import BATCH, chunked, results_of
from crmsync.connectors.hubspot.types import ObjectTypes
from crmsync.connectors.transport import Answer
from crmsync.errors import AuthError, Permanent
from crmsync.remote import FieldDef, FieldInfo, ObjectDef, ProvisionStep, SchemaSpec

GROUP = "crmsync"
GROUP_LABEL = "Partner (crmsync)"

_PAIRS: Mapping[str, tuple[str, str]] = {
    "text": ("string", "text"),
    "long_text": ("string", "textarea"),
    "json": ("string", "textarea"),
    "phone": ("string", "phonenumber"),
    "number": ("number", "number"),
    "money": ("number", "number"),
    "percent": ("number", "number"),
    "bool": ("bool", "booleancheckbox"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "picklist": ("enumeration", "select"),
    "multipicklist": ("enumeration", "checkbox"),
}
"""Our types to HubSpot's type and fieldType; everything else (references, e-mails, urls) is text."""

_TIED = ("0-1", "0-2", "0-3")
"""Contacts, companies and deals: what people want to see a registration on."""

_NO_CUSTOM_OBJECTS = (
    "custom objects need HubSpot Enterprise and the scope crm.schemas.custom.write; without them, map registrations to "
    "deals in a pipeline of their own"
)


class Provisioner:
    """One run over a schema; without ``apply`` it only says what it would do."""

    def __init__(self, api: HubSpotApi, types: ObjectTypes, *, apply: bool) -> None:
        self._api = api
        self._types = types
        self._apply = apply
        self._made: set[str] = set()
        """Properties that came with their custom object."""

    def run(self, spec: SchemaSpec) -> list[ProvisionStep]:
        self._types.forget()
        steps = [self._object(wanted, spec.fields) for wanted in spec.objects]
        by_object = sorted(spec.fields, key=lambda field: field.object)
        for object_name, fields in groupby(by_object, key=lambda field: field.object):
            steps += self._fields(object_name, list(fields))
        steps += self._readable(spec)
        steps += [self._label(*label) for label in spec.labels]
        self._types.forget()
        return steps

    def _attempt(self, step: ProvisionStep, call: Callable[[], Any], way_out: str = "") -> ProvisionStep:
        """The step as done, or as blocked with HubSpot's reason. Earlier reads have shown that the sign-in is good."""
        if not self._apply:
            return step
        try:
            call()
        except AuthError as error:
            scopes = ", ".join(error.missing_scopes)
            need = f"the token lacks {scopes}: tick it in {SCOPES_PATH}" if scopes else error.message
            return ProvisionStep("blocked", step.what, f"{need}; {way_out}" if way_out else need)
        except Permanent as error:
            detail = f"{error.message}; {way_out}" if way_out else error.message
            return ProvisionStep("blocked", step.what, detail)
        return step

    # ------------------------------------------------------------------ custom objects

    def _object(self, wanted: ObjectDef, fields: Sequence[FieldDef]) -> ProvisionStep:
        what = f"custom object {wanted.name}"
        if self._types.schema(wanted.name):
            return ProvisionStep("exists", what)
        primary = _shown_by([field for field in fields if field.object == wanted.name])
        if primary is None:
            return ProvisionStep("blocked", what, "the mapping names no property to show it by")
        egg = {
            "name": wanted.name,
            "labels": {"singular": wanted.label, "plural": wanted.plural_label},
            "primaryDisplayProperty": primary.name,
            "requiredProperties": [],
            "searchableProperties": [primary.name],
            "properties": [{k: v for k, v in property_body(primary).items() if k != "groupName"}],
            "associatedObjects": list(_TIED),
        }
        step = ProvisionStep("create", what, f"shown by {primary.name}")
        done = self._attempt(step, lambda: self._api.call(self._api.schemas.create, egg), _NO_CUSTOM_OBJECTS)
        self._types.forget()
        if done.is_change:
            self._made.add(_name_of(primary))
        return done

    # ------------------------------------------------------------------ properties

    def _fields(self, object_name: str, wanted: list[FieldDef]) -> Iterator[ProvisionStep]:
        if object_name not in TYPE_IDS and not self._types.schema(object_name):
            yield from self._fields_without_object(object_name, wanted)
            return
        url_type = self._types.resolve(object_name)
        listed = results_of(self._api.call(self._api.properties.get_all, url_type).body)
        present = {row["name"]: row for row in listed}
        missing = [field for field in wanted if field.name not in present]
        if missing:
            group = self._group(object_name, url_type)
            yield group
            if group.action == "blocked":
                return
            yield from self._create(url_type, missing)
        for field in wanted:
            if field.name in present:
                yield self._compare(url_type, field, present[field.name])

    def _fields_without_object(self, object_name: str, wanted: Sequence[FieldDef]) -> Iterator[ProvisionStep]:
        """Foretold where the object is still to come; blocked where it could not be made."""
        if self._apply:
            yield ProvisionStep("blocked", f"{len(wanted)} properties of {object_name}", f"there is no {object_name}")
            return
        yield ProvisionStep("create", _group_name(object_name))
        yield from (ProvisionStep("create", _name_of(field), _shape_of(field)) for field in wanted)

    def _group(self, object_name: str, url_type: str) -> ProvisionStep:
        what = _group_name(object_name)
        groups = results_of(self._api.call(self._api.property_groups.get_all, url_type).body)
        if any(group.get("name") == GROUP for group in groups):
            return ProvisionStep("exists", what)
        body = {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1}
        return self._attempt(
            ProvisionStep("create", what), lambda: self._api.call(self._api.property_groups.create, url_type, body)
        )

    def _create(self, url_type: str, missing: Sequence[FieldDef]) -> Iterator[ProvisionStep]:
        for chunk in chunked(missing, BATCH):
            problems: dict[str, str] = {}
            sent = self._attempt(ProvisionStep("create", "properties"), partial(self._send, url_type, chunk, problems))
            for field in chunk:
                problem = sent.detail if sent.action == "blocked" else problems.get(field.name)
                action: Literal["blocked", "create"] = "blocked" if problem else "create"
                yield ProvisionStep(action, _name_of(field), problem or _shape_of(field))

    def _send(self, url_type: str, fields: Sequence[FieldDef], problems: dict[str, str]) -> None:
        """Create; ``problems`` gets what HubSpot refused (207, or a plain answer that holds errors)."""
        body = {"inputs": [property_body(field) for field in fields]}
        answer: Answer = self._api.call(self._api.property_batches.create, url_type, body)
        made = _created(answer)
        for problem in map(parse_problem, answer.body.get("errors") or ()):
            taken = problem.category == NAME_TAKEN
            reason = "an archived property has this name: restore or rename it" if taken else problem.summary
            names = problem.named("name") or [field.name for field in fields if field.name not in made]
            problems |= dict.fromkeys(names, reason)

    def _compare(self, url_type: str, field: FieldDef, row: Mapping[str, Any]) -> ProvisionStep:
        found = field_info(row)
        if problem := _misfit(field, row, found):
            return ProvisionStep("blocked", _name_of(field), problem)
        lacking = [option for option in field.options if option not in found.options]
        if not lacking:
            made = _name_of(field) in self._made
            return ProvisionStep("create" if made else "exists", _name_of(field), _shape_of(field) if made else "")
        body = {"options": [*_kept_options(row), *_options(lacking, first=len(found.options))]}
        step = ProvisionStep("update", _name_of(field), f"options added: {', '.join(lacking)}")
        return self._attempt(step, lambda: self._api.call(self._api.properties.update, url_type, field.name, body))

    def _readable(self, spec: SchemaSpec) -> Iterator[ProvisionStep]:
        """Fields that the mapping only reads are the account's own: said when missing, never made."""
        for object_name, field in spec.readable:
            info = self._types.describe(object_name)
            if info is not None and field not in info.fields:
                yield ProvisionStep(
                    "blocked", f"{object_name}.{field}", "the mapping reads it, but there is no such property"
                )

    # ------------------------------------------------------------------ labels

    def _label(self, from_object: str, to_object: str, label: str) -> ProvisionStep:
        what = f"association label '{label}' from {from_object} to {to_object}"
        from_type, to_type = self._types.resolve(from_object), self._types.resolve(to_object)
        present = {str(row.get("label") or "").casefold() for row in read_labels(self._api, from_type, to_type)}
        if label.casefold() in present:
            return ProvisionStep("exists", what)
        body = {"label": label, "name": "_".join(label.lower().split())}
        return self._attempt(
            ProvisionStep("create", what),
            lambda: self._api.call(self._api.association_labels.create, from_type, to_type, body),
            "association labels need HubSpot Professional",
        )


def _shown_by(fields: Sequence[FieldDef]) -> FieldDef | None:
    """The property that stands for a record of a custom object: its key, else its name, else any text."""
    texts = [field for field in fields if field.type == "text" and not field.hidden]
    named = [field for field in texts if field.unique] or [field for field in texts if field.name.endswith("_name")]
    return next(iter(named or texts), None)


def property_body(field: FieldDef) -> dict[str, Any]:
    kind, field_type = _PAIRS.get(field.type, ("string", "text"))
    body: dict[str, Any] = {
        "name": field.name,
        "label": field.label,
        "groupName": GROUP,
        "type": kind,
        "fieldType": field_type,
        "description": field.help,
        "formField": False,
    }
    if field.unique:
        body["hasUniqueValue"] = True
    if field.hidden:
        body["hidden"] = True
    if kind == "bool":
        body["options"] = _options(("true", "false"), labels=("Yes", "No"))
    elif kind == "enumeration":
        body["options"] = _options(field.options)
    return body


def _options(values: Sequence[str], *, first: int = 0, labels: Sequence[str] = ()) -> list[dict[str, Any]]:
    shown = labels or [value.replace("_", " ").title() for value in values]
    return [
        {"value": value, "label": label, "displayOrder": number, "hidden": False}
        for number, (value, label) in enumerate(zip(values, shown, strict=True), start=first)
    ]


def _kept_options(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A write replaces the whole list, so the account's own options and labels are sent back as they are."""
    keys = ("value", "label", "displayOrder", "hidden", "description")
    return [{key: option[key] for key in keys if option.get(key) is not None} for option in row.get("options") or ()]


def _misfit(field: FieldDef, row: Mapping[str, Any], found: FieldInfo) -> str:
    kind, field_type = _PAIRS.get(field.type, ("string", "text"))
    is_list = row.get("fieldType") == "checkbox"
    if kind == "string" and row.get("type") == "enumeration":
        return ""  # text among options that the admin chose; `check --live` compares the values
    if row.get("type") != kind or (kind == "enumeration" and is_list != (field_type == "checkbox")):
        return f"is {row.get('type')}/{row.get('fieldType')}, wanted {kind}/{field_type}; map another property"
    if field.unique and not found.unique:
        return "must hold unique values, which HubSpot fixes at creation; archive it or map another property"
    if not found.updateable:
        return "is read-only in HubSpot; map another property"
    return ""


def _created(answer: Answer) -> set[str]:
    return {str(row.get("name")) for row in answer.body.get("results") or ()}


def _group_name(object_name: str) -> str:
    return f"property group '{GROUP_LABEL}' on {object_name}"


def _name_of(field: FieldDef) -> str:
    return f"{field.object}.{field.name}"


def _shape_of(field: FieldDef) -> str:
    kind, field_type = _PAIRS.get(field.type, ("string", "text"))
    return f"{kind}/{field_type}{', unique' if field.unique else ''}"

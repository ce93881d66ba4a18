"""What must exist in the CRM for a mapping to work: the partner fields and objects that are crmsync's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crmsync.mappings.fields import FieldMapping
from crmsync.mappings.labels import (
    FINGERPRINT_HELP,
    FINGERPRINT_LABEL,
    HELP,
    OBJECT_LABELS,
    TASK_KEY_HELP,
    TASK_KEY_LABEL,
    label_of,
)
from crmsync.mappings.vocabulary import VIRTUAL_OBJECTS
from crmsync.records import REFERENCES
from crmsync.remote import FieldDef, ObjectDef, SchemaSpec

if TYPE_CHECKING:
    from crmsync.mappings.mapping import KindMapping, Mapping

TEXT_LENGTH = 255
LONG_TEXT_LENGTH = 32_768

LONG_TEXTS = frozenset({"evidence", "influencing_partners"})
"""Fields that may outgrow 255 characters."""

RATES = frozenset({"fx_rate", "discount_factor"})
"""Decimals that are no money: two decimals are not enough for them."""
RATE_DECIMALS = 8

FLAG_FIELDS = frozenset({"flags", "partner_flags"})

FLAG_CODES = (
    "ACCOUNT_CHANGED",
    "AGREEMENT_INACTIVE",
    "AMBIGUOUS_ACCOUNT",
    "AMOUNT_CHANGED",
    "ATTR_BACKDATED",
    "ATTR_LOCKED",
    "ATTR_OVERRIDE",
    "CAPACITY",
    "CERT_GATE",
    "CERT_LAPSED",
    "CLOCK_SKEW",
    "CONFLICT_DIRECT",
    "CONFLICT_INCUMBENT",
    "CONFLICT_PARTNER",
    "CONFLICT_TERRITORY",
    "DIRECT_ON_PROTECTED",
    "DUP_ACCOUNT",
    "DUP_CONTACT",
    "DUP_DEAL",
    "DUP_REGISTRATION",
    "EXT_LATE",
    "EXT_LIMIT",
    "EXT_PENDING",
    "FREE_MAIL_DOMAIN",
    "FX_MISSING",
    "INELIGIBLE",
    "MISSING_FIELD",
    "MISSING_REG_ID",
    "PARTNER_INACTIVE",
    "PARTNER_MERGED",
    "POST_CLOSE_CHANGE",
    "REG_EXPIRED",
    "REG_EXPIRING",
    "RELATED_ACCOUNT",
    "SLA_BREACH",
    "SLA_WARNING",
    "SPLIT_OVER_100",
    "SPLIT_UNDER_100",
    "STALE_DEAL",
    "TENDER",
)
"""Every code that a flags field may show: a restricted picklist must know them before the rules use them."""

_TYPES = {"text": "text", "int": "number", "bool": "bool", "date": "date", "instant": "datetime"}


def is_own_name(system: str, name: str) -> bool:
    """Whether an object or field is crmsync's own by its name, so that crmsync may create it."""
    if system == "salesforce":
        return name.startswith("PRM_") and name.endswith("__c")
    return name.startswith("prm_")


def build_schema(mapping: Mapping) -> SchemaSpec:
    """Own objects and fields to create; every other field that is read, to be made readable."""
    own: dict[tuple[str, str], FieldDef] = {}
    readable: dict[tuple[str, str], None] = {}
    for kind in mapping.kind_mappings.values():
        if kind.fingerprint and is_own_name(mapping.system, kind.fingerprint):
            own.setdefault((kind.object, kind.fingerprint), _fingerprint(kind))
        for mapped in kind.fields.values():
            if mapped.remote_field and is_own_name(mapping.system, mapped.remote_field):
                own.setdefault((kind.object, mapped.remote_field), _field_def(mapping, mapped))
    for spec in mapping.objects():
        names = [(spec.object, name) for name in spec.fields if (spec.object, name) not in own]
        readable.update(dict.fromkeys(names if spec.object not in VIRTUAL_OBJECTS else []))
    return SchemaSpec(
        objects=tuple(_objects(mapping)),
        fields=(*own.values(), *_task_key(mapping)),
        readable=tuple(readable),
        labels=tuple(_labels(mapping)),
    )


def _fingerprint(kind: KindMapping) -> FieldDef:
    return FieldDef(
        object=kind.object,
        name=kind.fingerprint,
        label=FINGERPRINT_LABEL,
        type="text",
        length=TEXT_LENGTH,
        help=FINGERPRINT_HELP,
        hidden=True,
    )


def _objects(mapping: Mapping) -> Iterator[ObjectDef]:
    for kind in mapping.kind_mappings.values():
        if is_own_name(mapping.system, kind.object) and kind.kind in OBJECT_LABELS:
            yield ObjectDef(kind.object, *OBJECT_LABELS[kind.kind])


def _field_def(mapping: Mapping, mapped: FieldMapping) -> FieldDef:
    kind, name = mapped.kind, mapped.field
    type_, length = field_type(mapping, mapped)
    return FieldDef(
        object=mapped.object,
        name=mapped.remote_field,
        label=label_of(kind, name),
        type=type_,
        length=length,
        scale=RATE_DECIMALS if name in RATES and type_ == "number" else 0,
        options=_options(mapped) if type_ in ("picklist", "multipicklist") else (),
        references=mapping.object_of(REFERENCES[kind, name]) if type_ == "reference" else "",
        unique=mapping.kind_mappings[kind].key == name,
        help=HELP.get((kind, name), ""),
    )


def field_type(mapping: Mapping, mapped: FieldMapping) -> tuple[str, int | None]:
    """The CRM type, and the length of texts, that a field of ours should have."""
    target = REFERENCES.get((mapped.kind, mapped.field))
    if target is not None and mapping.system == "salesforce" and target in mapping.kinds:
        return "reference", None
    if mapped.field in FLAG_FIELDS:
        return "multipicklist", None
    if mapped.options:
        return "picklist", None
    if mapped.field in LONG_TEXTS:
        return "long_text", LONG_TEXT_LENGTH
    if mapped.type.base == "decimal":
        is_money = mapping.system == "salesforce" and mapped.field not in RATES
        return ("money" if is_money else "number"), None
    type_ = _TYPES.get(mapped.type.base, "text")
    return type_, TEXT_LENGTH if type_ == "text" else None


def _options(mapped: FieldMapping) -> tuple[str, ...]:
    return FLAG_CODES if mapped.field in FLAG_FIELDS else tuple(str(option) for option in mapped.raw_options)


def _task_key(mapping: Mapping) -> Iterator[FieldDef]:
    task = mapping.task
    if task is not None and is_own_name(mapping.system, task.key_field):
        yield FieldDef(
            object=task.object,
            name=task.key_field,
            label=TASK_KEY_LABEL,
            type="text",
            length=TEXT_LENGTH,
            unique=mapping.system != "salesforce",  # custom fields of activities cannot be unique
            help=TASK_KEY_HELP,
        )


def _labels(mapping: Mapping) -> Iterator[tuple[str, str, str]]:
    for link in mapping.links:
        if not link.entry.object and link.entry.label:
            yield link.entry.from_, link.entry.to, link.entry.label

"""Is this write allowed? Turns a request's properties into the values to keep, or refuses with all their problems."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from crmsync.sandbox.hubspot.data.records import RecordStore, Row
from crmsync.sandbox.hubspot.definitions.object_types import COMPANY, CONTACT, ObjectType
from crmsync.sandbox.hubspot.definitions.owners import Owners
from crmsync.sandbox.hubspot.definitions.pipelines import Pipelines
from crmsync.sandbox.hubspot.definitions.properties import Definition, PropertyCatalog, is_read_only
from crmsync.sandbox.hubspot.definitions.values import BadValue, normalise, option_values
from crmsync.sandbox.hubspot.problems import (
    PropertyProblem,
    Refusal,
    invalid,
    invalid_properties,
    property_problem,
)
from crmsync.sandbox.hubspot.wholes import is_whole

Values = dict[str, str | None]
_STAGES = {"dealstage": "pipeline", "hs_pipeline_stage": "hs_pipeline"}


class Checker:
    def __init__(
        self, catalog: PropertyCatalog, records: RecordStore, pipelines: Pipelines, owners: Owners, portal_id: int
    ) -> None:
        self._catalog = catalog
        self._records = records
        self._pipelines = pipelines
        self._owners = owners
        self._portal_id = portal_id

    def values(self, kind: ObjectType, given: Mapping[str, Any], row: Row | None = None) -> Values:
        """``row`` is the record as it stands, ``None`` for a new one."""
        kept: Values = {}
        problems: list[PropertyProblem] = []
        old = row.properties if row else {}
        for name, value in given.items():
            try:
                kept[name] = self._value(kind, name, value, {**given, "": old}, old.get(name))
            except BadValue as bad:
                problems.append(property_problem(name, bad.code, bad.message))
        if problems:
            raise invalid_properties(problems)
        return kept

    def uniqueness(self, kind: ObjectType, values: Values, own_id: int | None) -> None:
        for name in self._catalog.unique_names(kind.id):
            value = values.get(name)
            holder = self._records.find_unique(kind.id, name, value) if value else None
            if holder is None or holder == own_id:
                continue
            if kind.id == CONTACT and name == "email":
                raise contact_exists(holder)
            message = f"{value} is already in use as {name} by the record {holder}"
            raise invalid_properties([property_problem(name, "CONFLICTING_UNIQUE_VALUE", message)])

    def required(self, values: Values, names: Collection[str]) -> None:
        missing = [name for name in names if not values.get(name)]
        if missing:
            listed = ", ".join(missing)
            raise invalid(f"Some required properties were not set: [{listed}]", context={"properties": missing})

    def _value(self, kind: ObjectType, name: str, value: Any, given: Mapping[str, Any], old: str | None) -> str | None:
        definition = self._catalog.find(kind.id, name)
        if definition is None:
            raise BadValue("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if is_read_only(definition):
            raise BadValue("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
        where = f"Portal {self._portal_id}, object type {kind.id}"
        options = self._options(kind, definition, given)
        kept = normalise(value, definition, where=where, options=options, old=old)
        if kept and (kind.id, name) in _REFERENCES:
            self._check_reference(name, kept)
        return kept

    def _options(self, kind: ObjectType, definition: Definition, given: Mapping[str, Any]) -> Collection[str] | None:
        name = definition["name"]
        if definition.get("referencedObjectType") == "OWNER":
            return self._owners.ids()
        if name in _STAGES and self._pipelines.of(kind.id):
            key = _STAGES[name]
            return self._stages(kind, given.get(key) or given[""].get(key))
        if name in _STAGES.values() and kind.id not in {CONTACT, COMPANY} and self._pipelines.of(kind.id):
            return [pipeline["id"] for pipeline in self._pipelines.of(kind.id)]
        return option_values(definition)

    def _stages(self, kind: ObjectType, pipeline_id: str | None) -> list[str]:
        """The stages of the pipeline the record is (or comes to be) in; without one, those of the first pipeline."""
        pipelines = self._pipelines.of(kind.id)
        chosen = [p for p in pipelines if p["id"] == pipeline_id] or ([] if pipeline_id else pipelines[:1])
        return [stage["id"] for pipeline in chosen for stage in pipeline["stages"] if not stage["archived"]]

    def _check_reference(self, name: str, value: str) -> None:
        if not is_whole(value) or self._records.get(COMPANY, int(value)) is None:
            raise BadValue("INVALID_COMPANY_ID", f'"{name}" names a company that does not exist: {value}')


_REFERENCES = {(CONTACT, "associatedcompanyid"), (COMPANY, "hs_parent_company_id")}


def contact_exists(holder: int) -> Refusal:
    """Recorded: batch create err-partial-success; in an entry of a 207 the id also stands in the context."""
    return Refusal(
        409, f"Contact already exists. Existing ID: {holder}", "CONFLICT", context={"existingId": [str(holder)]}
    )


def check_new(kind: ObjectType, values: Values) -> None:
    """What even the old API wants of a new record (developers.hubspot.com: companies, notes and tasks guides)."""
    if kind.id == COMPANY and not (values.get("name") or values.get("domain")):
        raise invalid("Companies need at least one of the properties: [name, domain]")
    if kind.is_engagement and not values.get("hs_timestamp"):
        raise invalid("Some required properties were not set: [hs_timestamp]", context={"properties": ["hs_timestamp"]})

"""Provision: look at what the org has, say what is missing, make it. A second run finds nothing to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.describe import Descriptions
from crmsync.connectors.salesforce.permissions import NAME, PermissionSet
from crmsync.connectors.salesforce.schema import Schema
from crmsync.remote import FieldDef, FieldInfo, ObjectDef, ProvisionStep, SchemaSpec

_TEXTUAL = frozenset({"text", "long_text", "email", "phone", "url", "id", "picklist"})
_COMPATIBLE = (_TEXTUAL, frozenset({"number", "money", "percent"}), frozenset({"multipicklist", "long_text", "text"}))


class Provisioner:
    """One provisioning of one org."""

    def __init__(self, client: Client, descriptions: Descriptions) -> None:
        self._descriptions = descriptions
        self._schema = Schema(client)
        self._permissions = PermissionSet(client)

    def run(self, spec: SchemaSpec, *, apply: bool) -> list[ProvisionStep]:
        """Objects, then fields, then permissions: each needs what comes before it."""
        steps = [*self._objects(spec.objects, apply=apply)]
        steps += [self._field(field, apply=apply) for field in spec.fields]
        steps += self._grants(spec, apply=apply)
        if apply and any(step.is_change for step in steps):
            self._descriptions.forget()
        return steps

    # ------------------------------------------------------------------ objects and fields

    def _objects(self, objects: Sequence[ObjectDef], *, apply: bool) -> Iterator[ProvisionStep]:
        missing = [definition for definition in objects if not self._exists(definition.name)]
        if apply and missing:
            self._schema.create_objects(missing)
        for definition in objects:
            what = f"object {definition.name}"
            yield ProvisionStep("create" if definition in missing else "exists", what, definition.label)

    def _exists(self, object_name: str) -> bool:
        return self._descriptions.raw(object_name) is not None or self._schema.has_object(object_name)

    def _field(self, field: FieldDef, *, apply: bool) -> ProvisionStep:
        what = f"field {field.object}.{field.name}"
        info = self._descriptions.info(field.object)
        seen = info.fields.get(field.name) if info else None
        if seen is not None:
            return self._seen_field(field, seen, what, apply=apply)
        if self._schema.has_field(field):
            return ProvisionStep("exists", what, field.type)
        if apply:
            self._schema.create_field(field)
        return ProvisionStep("create", what, _detail(field))

    def _seen_field(self, field: FieldDef, seen: FieldInfo, what: str, *, apply: bool) -> ProvisionStep:
        if not _fits(field.type, seen.type):
            return ProvisionStep(
                "blocked", what, f"it exists as {seen.type}, wanted is {field.type}; map another field"
            )
        missing = [option for option in field.options if option not in seen.options]
        if not missing or seen.type not in ("picklist", "multipicklist"):
            return ProvisionStep("exists", what, seen.type)
        values = ", ".join(missing)
        if not seen.custom:
            return ProvisionStep("blocked", what, f"add the values {values} in Setup, Object Manager")
        if apply:
            self._schema.add_values(field, missing)
        return ProvisionStep("update", what, f"add the values {values}")

    # ------------------------------------------------------------------ permissions

    def _grants(self, spec: SchemaSpec, *, apply: bool) -> list[ProvisionStep]:
        made = self._permissions.id is None
        steps = [ProvisionStep("create" if made else "exists", f"permission set {NAME}")]
        if made and apply:
            self._permissions.create()
        steps += self._object_grants(spec, apply=apply)
        steps += self._field_grants(spec, apply=apply)
        steps.append(self._assignment(apply=apply))
        return steps

    def _object_grants(self, spec: SchemaSpec, *, apply: bool) -> Iterator[ProvisionStep]:
        wanted = dict.fromkeys([*(o.name for o in spec.objects), *(field.object for field in spec.fields)], True)
        for object_name, _ in spec.readable:
            wanted.setdefault(object_name, False)
        missing = {name: edit for name, edit in wanted.items() if not self._permissions.has_object(name, edit=edit)}
        if apply and missing:
            self._permissions.grant_objects(missing)
        for name, edit in missing.items():
            yield ProvisionStep("grant", f"object {name}", "read all, create, edit" if edit else "read all")

    def _field_grants(self, spec: SchemaSpec, *, apply: bool) -> Iterator[ProvisionStep]:
        wanted = {f"{field.object}.{field.name}": True for field in spec.fields}
        for object_name, name in spec.readable:
            if self._is_readable(object_name, name):
                continue
            if self._schema.lacks_field(object_name, name):
                yield ProvisionStep("blocked", f"field {object_name}.{name}", _NO_FIELD)
            else:
                wanted.setdefault(f"{object_name}.{name}", False)
        missing = {name: edit for name, edit in wanted.items() if not self._permissions.has_field(name, edit=edit)}
        refused = self._permissions.grant_fields(missing) if apply and missing else frozenset()
        for name, edit in missing.items():
            if name in refused:
                yield ProvisionStep("blocked", f"field {name}", _NO_FIELD)
            else:
                yield ProvisionStep("grant", f"field {name}", "read and edit" if edit else "read")

    def _is_readable(self, object_name: str, name: str) -> bool:
        """A name needs no permission of its own: who may see the object may see it."""
        info = self._descriptions.info(object_name)
        return name == "Name" or (info is not None and name in info.fields)

    def _assignment(self, *, apply: bool) -> ProvisionStep:
        what = f"permission set {NAME} assigned to the integration user"
        if self._permissions.is_assigned():
            return ProvisionStep("exists", what)
        if apply:
            self._permissions.assign()
        return ProvisionStep("grant", what)


_NO_FIELD = "the mapping reads it, but there is no such field: correct the mapping"


def _fits(wanted: str, found: str) -> bool:
    return wanted == found or any(wanted in family and found in family for family in _COMPATIBLE)


def _detail(field: FieldDef) -> str:
    parts = [field.type, field.references and f"to {field.references}", "key" if field.unique else ""]
    return " ".join(part for part in parts if part)

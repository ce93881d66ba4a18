"""How an admin of the org, or time, takes fields and values away from an integration, and gives them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crmsync.sandbox.salesforce.access import HIDDEN
from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.salesforce.schema import Field, SObject

Undo = Callable[[], None]
Change = Callable[[], Undo]


def hide_field(org: SalesforceOrg, sobject: SObject, name: str, _value: str) -> Change:
    """Field permissions are withdrawn from every profile and permission set."""
    item = _field(sobject, name)
    if not item.describe["permissionable"]:
        raise ValueError(f"{sobject.name}.{item.name} cannot be hidden: it has no field permissions")
    return (lambda: _withdraw(org, sobject, item)) if item.custom else (lambda: _hide_standard(org, sobject, item))


def _withdraw(org: SalesforceOrg, sobject: SObject, item: Field) -> Undo:
    permissions = org.schema.require("FieldPermissions")
    owners = (sobject.name, "Activity") if sobject.name in ("Task", "Event") else (sobject.name,)
    names = [f"{owner}.{item.name}" for owner in owners]
    rows = org.rows("FieldPermissions", f'"Field" IN ({", ".join("?" * len(names))})', names)

    def undo() -> None:
        with org.store.transaction():
            org.store.insert(permissions, rows)
            org.forget_access()

    with org.store.transaction():
        for row in rows:
            org.store.remove(permissions, row["Id"])
        org.forget_access()
    return undo


def _hide_standard(org: SalesforceOrg, sobject: SObject, item: Field) -> Undo:
    with org.store.lock:
        before = org.store.setting(HIDDEN) or []
    org.hide_field(sobject.name, item.name)

    def undo() -> None:
        with org.store.transaction():
            org.store.save_setting(HIDDEN, before)
            org.forget_access()

    return undo


def remove_field(org: SalesforceOrg, sobject: SObject, name: str, _value: str) -> Change:
    """As deleted fields of an org can be restored with their data, this takes the definition away only."""
    item = _field(sobject, name)
    if not item.custom:
        raise ValueError(f"{sobject.name}.{item.name} is a standard field and cannot be deleted; hide it")

    def change() -> Undo:
        fields, relationships = dict(sobject.fields), dict(sobject.by_relationship)

        def undo() -> None:
            _set(org, sobject, {**fields, **sobject.fields}, {**relationships, **sobject.by_relationship})

        left = {key: one for key, one in fields.items() if one is not item}
        _set(org, sobject, left, {key: one for key, one in relationships.items() if one is not item})
        return undo

    return change


def remove_option(org: SalesforceOrg, sobject: SObject, name: str, value: str) -> Change:
    item = _field(sobject, name)
    if value not in item.options:
        raise ValueError(f"{sobject.name}.{item.name} has no value '{value}': {', '.join(item.options) or 'none'}")

    def change() -> Undo:
        left = [option for option in item.describe["picklistValues"] if option["value"] != value]
        changed, key = Field({**item.spec, "picklistValues": left}), item.name.lower()

        def undo() -> None:
            _set(org, sobject, {**sobject.fields, key: item}, sobject.by_relationship)
            _set_stage(org, sobject, item, value, active=1)

        _set(org, sobject, {**sobject.fields, key: changed}, sobject.by_relationship)
        _set_stage(org, sobject, item, value, active=0)
        return undo

    return change


def delay(org: SalesforceOrg, seconds: float) -> Undo:
    """Mended, queries see at once what was under way."""
    before, org.visibility_delay = org.visibility_delay, seconds

    def undo() -> None:
        org.visibility_delay = before
        with org.store.transaction():
            org.store.connection.execute("DELETE FROM temp._late")

    return undo


def _field(sobject: SObject, name: str) -> Field:
    found = sobject.field(name)
    if found is None:
        raise ValueError(f"{sobject.name} has no field '{name}'")
    return found


def _set(org: SalesforceOrg, sobject: SObject, fields: dict[str, Field], relationships: dict[str, Field]) -> None:
    """In memory only: the file of an org that is killed in this state has everything still."""
    with org.store.transaction():
        sobject.fields, sobject.by_relationship = fields, relationships
        org.forget_access()


def _set_stage(org: SalesforceOrg, sobject: SObject, item: Field, value: str, *, active: int) -> None:
    if (sobject.name, item.name) == ("Opportunity", "StageName"):
        with org.store.transaction():
            stages = 'UPDATE "OpportunityStage" SET "IsActive" = ? WHERE "MasterLabel" = ?'
            org.store.connection.execute(stages, (active, value))


SCHEMA: dict[str, Callable[[SalesforceOrg, SObject, str, Any], Change]] = {
    "hide_field": hide_field,
    "remove_field": remove_field,
    "remove_option": remove_option,
}

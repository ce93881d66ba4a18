"""Formula fields of one path (``Account.Industry``): the parent's value, shown on the child.

When the parent changes, the child shows the new value at once, and its ``SystemModstamp`` stays: that is what makes
such fields treacherous for whoever polls. SQLite's own triggers do it, so that every road of writing is covered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.schema import Field, SObject
from crmsync.sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.base import OrgBase

_PATH = re.compile(r"\s*(\w+)\.(\w+)\s*")
CALCULATED = {"calculated": True, "createable": False, "updateable": False, "nillable": True}


def follow_parent(org: OrgBase, sobject: SObject, item: Field, formula: str) -> None:
    """Fill the field, and keep it filled."""
    lookup, parent, source = _resolve(org, sobject, item, formula)
    child, column, key = quote(sobject.name), quote(item.name), quote(lookup.name)
    own, theirs = quote(parent.name), quote(source.name)
    value = f'(SELECT {theirs} FROM {own} WHERE "Id" = {child}.{key})'
    name = f"{sobject.name}.{item.name}"
    org.store.connection.execute(f"UPDATE {child} SET {column} = {value}")
    for event, table, where in (
        (f"UPDATE OF {theirs}", own, f'{key} = NEW."Id"'),
        (f"UPDATE OF {key}", child, '"Id" = NEW."Id"'),
        ("INSERT", child, '"Id" = NEW."Id"'),
    ):
        trigger = quote(f"{name} {event} {table}".replace('"', ""))
        org.store.connection.execute(
            f"CREATE TRIGGER {trigger} AFTER {event} ON {table} "
            f"BEGIN UPDATE {child} SET {column} = {value} WHERE {where}; END"
        )


def _resolve(org: OrgBase, sobject: SObject, item: Field, formula: str) -> tuple[Field, SObject, Field]:
    path = _PATH.fullmatch(formula)
    lookup = sobject.by_relationship.get(path[1].lower()) if path else None
    parent = org.schema.get(lookup.reference_to[0]) if lookup and lookup.reference_to else None
    source = parent.field(path[2]) if parent and path else None
    if lookup is None or parent is None or source is None:
        message = f"Formula of {sobject.name}.{item.name}: this sandbox knows one path to a parent's field only"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["formula"])
    return lookup, parent, source

"""What an admin of the portal takes away from an integration, and gives back; and how slow its search index is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crmsync.sandbox.hubspot.definitions.properties import Definition
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.hubspot.stamps import to_ms

Undo = Callable[[], None]
Change = Callable[[], Undo]


def remove_field(portal: HubSpotPortal, type_id: str, name: str, _value: str) -> Change:
    """A property is archived; its values come back with it."""
    definition = _definition(portal, type_id, name)
    if definition.get("hubspotDefined"):
        raise ValueError(f"the property '{name}' is defined by HubSpot and cannot be archived")

    def change() -> Undo:
        with portal.database.transaction():
            portal.catalog.archive(type_id, name, to_ms(portal.clock.now()))
        return lambda: _put_back(portal, type_id, definition)

    return change


def remove_option(portal: HubSpotPortal, type_id: str, name: str, value: str) -> Change:
    definition = _definition(portal, type_id, name)
    options = definition["options"]
    values = [option["value"] for option in options]
    if value not in values:
        raise ValueError(f"the property '{name}' has no option '{value}': {', '.join(values) or 'none of its own'}")

    def change() -> Undo:
        left = [option for option in options if option["value"] != value]
        with portal.database.transaction():
            portal.catalog.update(type_id, name, {"options": left}, to_ms(portal.clock.now()))
        return lambda: _put_back(portal, type_id, definition)

    return change


def _definition(portal: HubSpotPortal, type_id: str, name: str) -> Definition:
    found = portal.catalog.find(type_id, name)
    if found is None:
        raise ValueError(f"{portal.types.get(type_id).name} has no property '{name}'")
    return found


def _put_back(portal: HubSpotPortal, type_id: str, definition: Definition) -> None:
    with portal.database.transaction():
        portal.catalog.put_back(type_id, definition)


def lag(portal: HubSpotPortal, seconds: float) -> Undo:
    """How long searches go on seeing a record as it was before a write."""
    before, portal.behaviour.index_lag_ms = portal.behaviour.index_lag_ms, int(seconds * 1000)

    def undo() -> None:
        portal.behaviour.index_lag_ms = before
        with portal.database.transaction():
            portal.database.connection.execute("DELETE FROM unindexed")

    return undo


def revoke(portal: HubSpotPortal, token: str) -> Undo:
    """The token of a private app can be made to work again; one got by OAuth is over, and there are new ones."""
    standing = portal.tokens.find(token)
    portal.tokens.revoke(token)

    def undo() -> None:
        if standing is not None and not standing.is_oauth:
            portal.tokens.put_back(standing)

    return undo


SCHEMA: dict[str, Callable[[HubSpotPortal, str, str, Any], Change]] = {
    "hide_field": remove_field,
    "remove_field": remove_field,
    "remove_option": remove_option,
}

"""Field history: off until an administrator turns it on, field by field, as Setup does (at most 20 fields an object).

Long texts and multi-select picklists are told without their values; a lookup leaves two rows, names and ids ("Field
History Tracking" of the Help; Object Reference: StandardObjectNameHistory).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.salesforce.catalog import history_object
from crmsync.sandbox.salesforce.schema import Field, SObject, build_object

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg
    from crmsync.sandbox.salesforce.records import Actor

MAX_TRACKED = 20
_SETTING = "history:"
_WITHOUT_VALUES = ("multipicklist",)
_LONGEST = 255


def track_history(org: SalesforceOrg, sobject: SObject, fields: Sequence[str]) -> None:
    """Track these fields and no others; the history object appears with the first ones."""
    if len(fields) > MAX_TRACKED:
        raise ValueError(f"Salesforce tracks at most {MAX_TRACKED} fields of an object, asked for {len(fields)}")
    names = [sobject.fields[name.lower()].name for name in fields]
    org.store.save_setting(_SETTING + sobject.name, names)
    history = build_object(*history_object(sobject.name, str(sobject.spec["label"])))
    if org.schema.get(history.name) is not None:
        return
    org.store.create_table(history)
    org.store.save_object(history, None)
    for item in history.fields.values():
        org.store.save_field(history, item)
    org.schema.add_object(history)
    org.name_everything()
    org.schema_changed()


def note_history(
    org: SalesforceOrg, actor: Actor, sobject: SObject, record_id: str, changes: Mapping[str, tuple[Any, Any]]
) -> None:
    """Rows for those of the changes that are tracked, and are changes."""
    tracked = org.store.setting(_SETTING + sobject.name)
    if not tracked:
        return
    spec, fields = history_object(sobject.name, str(sobject.spec["label"]))
    history = org.schema.require(str(spec["name"]))
    link = str(fields[2]["name"])
    for name, (old, new) in changes.items():
        if name not in tracked or old == new:
            continue
        for before, after in _told(org, sobject.fields[name.lower()], old, new):
            row = {
                "Id": org.store.next_id("017"),
                "IsDeleted": 0,
                link: record_id,
                "CreatedById": actor.user_id,
                "CreatedDate": org.stamp(),
                "Field": name,
                "DataType": _data_type(sobject.fields[name.lower()]),
                "OldValue": before,
                "NewValue": after,
            }
            org.store.insert(history, [row])


def _told(org: SalesforceOrg, item: Field, old: Any, new: Any) -> list[tuple[Any, Any]]:
    if item.type in _WITHOUT_VALUES or (item.type == "textarea" and item.describe["length"] > _LONGEST):
        return [(None, None)]
    if item.type == "reference":
        return [(_name(org, item, old), _name(org, item, new)), (old, new)]
    return [(_text(item, old), _text(item, new))]


def _name(org: SalesforceOrg, item: Field, record_id: Any) -> Any:
    row = org.store.get(org.schema.require(item.reference_to[0]), record_id) if record_id else None
    return row.get("Name") if row else None


def _text(item: Field, value: Any) -> Any:
    if value is None:
        return None
    return str(bool(value)).lower() if item.type == "boolean" else str(value)


def _data_type(item: Field) -> str:
    return {"reference": "EntityId", "string": "Text", "double": "Double"}.get(item.type, item.type.capitalize())

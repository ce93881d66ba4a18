"""Merging: since January 2025 the result is a third record with a new id, and both old ids lead to it."""

from __future__ import annotations

from crmsync.sandbox.hubspot.data.associations import Associations, Pair
from crmsync.sandbox.hubspot.data.changes import Act
from crmsync.sandbox.hubspot.data.records import RecordStore, Row
from crmsync.sandbox.hubspot.data.writes import Writer
from crmsync.sandbox.hubspot.definitions.object_types import CONTACT, ObjectType
from crmsync.sandbox.hubspot.definitions.properties import PropertyCatalog

_OWN = {
    "hs_merged_object_ids",
    "hs_all_contact_vids",
    "hs_additional_emails",
    "hs_object_source",
    "hs_object_source_label",
}


class Merger:
    def __init__(
        self, records: RecordStore, catalog: PropertyCatalog, associations: Associations, writer: Writer
    ) -> None:
        self._records = records
        self._catalog = catalog
        self._associations = associations
        self._writer = writer

    def merge(self, kind: ObjectType, primary_id: int, loser_id: int, act: Act) -> Row:
        """The primary's values win, what it lacks comes from the other; excess primary labels are dropped."""
        rows = self._records.get_many(kind.id, [primary_id, loser_id])
        primary, loser = rows[primary_id], rows[loser_id]
        merged = self._merged(kind, primary, loser, act)
        for row in (primary, loser):
            row.merged_into, row.archived_ms = merged.id, act.now_ms
        self._records.save(kind.id, [primary, loser])
        self._records.claim(kind.id, [primary, loser], self._catalog.unique_names(kind.id))
        self._records.save(kind.id, [merged])
        self._records.claim(kind.id, [merged], self._catalog.unique_names(kind.id))
        for row in (primary, loser):
            self._move_associations(kind, row.id, merged.id, act)
            self._writer.changes.note(kind.id, row.id, {"merged_into": (None, str(merged.id))}, act)
        self._writer.refresh(kind.id, merged.id, act)
        return self._records.get(kind.id, merged.id) or merged

    def _merged(self, kind: ObjectType, primary: Row, loser: Row, act: Act) -> Row:
        new_id = self._records.new_ids(kind.id, 1)[0]
        filled = {name: value for name, value in loser.properties.items() if name not in _OWN}
        properties = {**filled, **{name: value for name, value in primary.properties.items() if value}}
        properties |= {"hs_object_source": "MERGE", "hs_object_source_label": "MERGE"}
        earlier = [row.properties.get("hs_merged_object_ids", "") for row in (primary, loser)]
        ids = [part for text in earlier for part in text.split(";") if part]
        properties["hs_merged_object_ids"] = ";".join(dict.fromkeys([*ids, str(primary.id), str(loser.id)]))
        if kind.id == CONTACT:
            properties |= _contact_identities(primary, loser, new_id, act)
        return Row(new_id, properties, min(primary.created_ms, loser.created_ms), act.now_ms)

    def _move_associations(self, kind: ObjectType, old_id: int, new_id: int, act: Act) -> None:
        primaries = {
            pair.to_type
            for pair, link in self._associations.neighbours(kind.id, new_id)
            if link.is_primary and pair.to_type == "0-2"
        }
        for pair, link in self._associations.neighbours(kind.id, old_id):
            self._associations.remove(pair)
            if (pair.to_type, pair.to_id) == (kind.id, new_id):
                continue
            if link.is_primary and pair.to_type in primaries:
                plain = self._associations.types.plain(pair.from_type, pair.to_type)
                link = plain or link
            self._writer.associate(Pair(kind.id, new_id, pair.to_type, pair.to_id), [link], act, replace=False)


def _contact_identities(primary: Row, loser: Row, new_id: int, act: Act) -> dict[str, str]:
    emails = [loser.properties.get("email", ""), *loser.properties.get("hs_additional_emails", "").split(";")]
    kept = [*primary.properties.get("hs_additional_emails", "").split(";"), *emails]
    others = dict.fromkeys(email for email in kept if email and email != primary.properties.get("email"))
    vids = f"{new_id};{primary.id};{loser.id}"
    stamps = f"{primary.id}:{act.now_ms};{loser.id}:{act.now_ms}"
    shown = {"hs_all_contact_vids": vids, "hs_calculated_merged_vids": stamps}
    return {**shown, "hs_additional_emails": ";".join(others)} if others else shown

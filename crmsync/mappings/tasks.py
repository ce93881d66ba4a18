"""How a to-do for a person is said in the CRM: field values, and ties where the CRM has associations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from crmsync.diagnostics import Span
from crmsync.mappings.model import TaskEntry
from crmsync.mappings.values import write_hubspot_instant
from crmsync.remote import Scalar

SUBJECT_LENGTH = 255
"""Salesforce's Task.Subject; HubSpot shows no more either."""
BODY_LENGTH = 32_000
"""Salesforce's Task.Description."""


@dataclass(frozen=True, slots=True)
class TaskMapping:
    """The CRM's tasks. ``key_field`` holds the key that makes a task unique for ever."""

    system: str
    entry: TaskEntry
    span: Span

    @property
    def object(self) -> str:
        return self.entry.object

    @property
    def key_field(self) -> str:
        return self.entry.key

    def values(
        self,
        *,
        key: str,
        subject: str,
        body: str,
        owner_id: str | None,
        due_at: datetime | None,
        about: tuple[str, str],
    ) -> tuple[dict[str, Scalar], tuple[tuple[str, str, str], ...]]:
        """The fields of a new task, and its ties as ``(object, id, label)``.

        :param about: object and id of the record that the task is about.
        """
        entry = self.entry
        values: dict[str, Scalar] = dict(entry.constants)
        values |= {entry.key: key, entry.subject: subject[:SUBJECT_LENGTH], entry.body: body[:BODY_LENGTH]}
        if owner_id:
            values[entry.owner] = owner_id
        if due_at:
            values[entry.due] = self._due(due_at)
        if not entry.record:
            return values, ((*about, ""),)
        about_object, about_id = about
        is_person = entry.contact and about_object == "Contact"
        values[entry.contact if is_person else entry.record] = about_id
        return values, ()

    def _due(self, due_at: datetime) -> Scalar:
        if self.system == "salesforce":  # ActivityDate is a date
            return due_at.astimezone(UTC).date().isoformat()
        return write_hubspot_instant(due_at)

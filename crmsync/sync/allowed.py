"""What may be written at all: the fields that the mapping names, whatever a rule, a plan file or a bug asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmsync.errors import GuardError
from crmsync.mappings import Mapping as CrmMapping
from crmsync.sync.plan import Change


def check_allowed(mapping: CrmMapping, changes: Iterable[Change]) -> None:
    """Look at every change before the first one is sent.

    :raises GuardError: naming the first field that no mapping names; nothing was written then.
    """
    allowed = allowed_fields(mapping)
    for change in changes:
        known = allowed.get(change.object, frozenset())
        asked = [field.remote_field for field in change.fields] + ([change.key_field] if change.key_field else [])
        for name in asked:
            if name not in known:
                raise GuardError(
                    f"the plan writes '{change.object}.{name}', which the mapping does not name",
                    hint="make a new plan: crmsync plan",
                    code="E640",
                )


def allowed_fields(mapping: CrmMapping) -> Mapping[str, frozenset[str]]:
    """By object: what is read or written by the mapping, and what makes a task."""
    fields = {spec.object: set(spec.fields) for spec in mapping.objects()}
    for kind in mapping.kind_mappings.values():
        fields.setdefault(kind.object, set()).update({kind.title} - {""})
    if task := mapping.task:
        entry = task.entry
        named = (entry.key, entry.subject, entry.body, entry.due, entry.owner, entry.record, entry.contact)
        fields.setdefault(task.object, set()).update({*entry.constants, *filter(None, named)})
    return {name: frozenset(names) for name, names in fields.items()}

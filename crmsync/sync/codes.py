"""The findings that come from the data's way and not from the policy, with severity and meaning in one line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SYNC_FINDINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "USER_EDIT": ("warning", "Somebody changed a field of crmsync's; the value stays."),
        "FIELD_FROZEN": ("warning", "Another program keeps writing over a field; crmsync leaves it alone."),
        "NOT_CLEARED": ("info", "The field should be blank; the mapping says that its value stays."),
        "SUGGESTION": ("info", "The rules would write a field that the mapping only lets them suggest."),
        "UNREADABLE_VALUE": ("error", "The mapping cannot read a value of the CRM."),
        "UNWRITABLE_VALUE": ("error", "The CRM's field cannot hold what was decided."),
    }
)

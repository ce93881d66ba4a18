"""Why a CRM refused a record, as data: the vendor's code to a class, plain words, and who can do what about it.

Codes: Salesforce, SOAP API "StatusCode"; HubSpot, "Error handling" and the ``errors[].code`` of property validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Class = Literal["transient", "data", "permission", "permanent"]


@dataclass(frozen=True, slots=True)
class Refusal:
    reject_class: Class
    reason: str
    fix: str


_OPTION = Refusal(
    "data",
    "the value is not among those that the field allows",
    "an administrator adds the value to the field, or the mapping's 'values' name one that exists",
)
_DUPLICATE = Refusal(
    "data",
    "another record holds a value that may exist only once",
    "find the other record; merge the two, or correct the value on one of them",
)
_FORMAT = Refusal(
    "data", "the value does not have the form that the field wants", "correct the mapping of the field, or the field"
)
_UNSEEN = Refusal(
    "permission",
    "the field does not exist for crmsync's user, or may not be written",
    "an administrator runs `crmsync provision`, or grants the field; or take it out of the mapping",
)
_ACCESS = Refusal(
    "permission",
    "crmsync's user may not change this record",
    "an administrator grants access to the record or the object; `crmsync doctor` lists what is missing",
)
_GONE = Refusal(
    "permanent", "the record is not there any more", "nothing: it leaves this list when the next pull sees it gone"
)
_AUTOMATION = Refusal(
    "data",
    "an automation of the CRM failed on this record and took the write back",
    "an administrator looks at the flow, trigger or workflow that the message names",
)
_LATER = Refusal("transient", "the CRM could not do it just then", "nothing: it is tried again, less and less often")
_OTHER = Refusal(
    "data", "the CRM refuses the record as it is", "read the CRM's message; correct the record, its mapping or the CRM"
)

TABLE: dict[str, Refusal] = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Refusal(
        "data",
        "a validation rule refuses the record as it is",
        "do on the record what the rule's message asks for, or have an administrator except crmsync's user",
    ),
    "REQUIRED_FIELD_MISSING": Refusal(
        "data", "a field that must not be blank is blank", "fill the field that the message names"
    ),
    "STRING_TOO_LONG": Refusal(
        "data", "the text is longer than the field", "set 'max' and 'cut: true' in the mapping, or lengthen the field"
    ),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": _OPTION,
    "INVALID_OPTION": _OPTION,
    "DUPLICATE_VALUE": _DUPLICATE,
    "DUPLICATES_DETECTED": _DUPLICATE,
    "CONFLICT": _DUPLICATE,
    "CONFLICTING_UNIQUE_VALUE": _DUPLICATE,
    "INVALID_TYPE_ON_FIELD_IN_RECORD": _FORMAT,
    "NUMBER_OUTSIDE_VALID_RANGE": _FORMAT,
    "INVALID_INTEGER": _FORMAT,
    "INVALID_LONG": _FORMAT,
    "INVALID_DATE": _FORMAT,
    "INVALID_EMAIL": _FORMAT,
    "INVALID_EMAIL_ADDRESS": _FORMAT,
    "FIELD_INTEGRITY_EXCEPTION": Refusal(
        "data", "two values of the record do not go together", "correct the record where the message says"
    ),
    "FIELD_FILTER_VALIDATION_EXCEPTION": Refusal(
        "data", "a lookup filter does not allow the record that is referred to", "correct the reference or the filter"
    ),
    "ENTITY_IS_LOCKED": Refusal(
        "data",
        "the record is locked by an approval",
        "wait for the approval, or let crmsync's user edit locked records",
    ),
    "CANNOT_EXECUTE_FLOW_TRIGGER": _AUTOMATION,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": _AUTOMATION,
    "APEX_ERROR": _AUTOMATION,
    "INVALID_FIELD": _UNSEEN,
    "INVALID_FIELD_FOR_INSERT_UPDATE": _UNSEEN,
    "PROPERTY_DOESNT_EXIST": _UNSEEN,
    "READ_ONLY_VALUE": _UNSEEN,
    "INSUFFICIENT_ACCESS": _ACCESS,
    "INSUFFICIENT_ACCESS_OR_READONLY": _ACCESS,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": _ACCESS,
    "MISSING_SCOPES": _ACCESS,
    "ENTITY_IS_DELETED": _GONE,
    "INVALID_CROSS_REFERENCE_KEY": _GONE,
    "OBJECT_NOT_FOUND": _GONE,
    "NOT_FOUND": _GONE,
    "GONE": _GONE,
    "NO_EFFECT": Refusal(
        "transient",
        "the CRM said that it had written, and holds the old value",
        "nothing at first; if it comes back, an automation or the CRM itself is at fault",
    ),
}


def find_refusal(code: str, *, retriable: bool) -> Refusal:
    """What a code means. What the connector says may be sent again unchanged is transient, unless the code says more.

    :param code: as in an :class:`~crmsync.remote.Outcome`.
    """
    return TABLE.get(code) or (_LATER if retriable else _OTHER)

"""Salesforce's own errors: an array of ``{message, errorCode, fields?}``; ``statusCode`` per record of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_CUSTOM_HINT = (
    "If you are attempting to use a custom {kind}, be sure to append the '{suffix}' after the {name} name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


class SalesforceError(Exception):
    """Ends a call, or one record of a collection. ``fields=None`` leaves the key out, as query errors do."""

    def __init__(self, code: str, message: str, *, status: int = 400, fields: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.fields = None if fields is None else list(fields)

    def body(self) -> list[dict[str, Any]]:
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error]

    def as_item(self) -> dict[str, Any]:
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


class MultipleMatches(Exception):
    """Upsert by an external id that several records have: HTTP 300 with their URLs."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__("several records match")
        self.ids = list(ids)


def not_found() -> SalesforceError:
    return SalesforceError("NOT_FOUND", "The requested resource does not exist", status=404)


def no_external_field(field: str) -> SalesforceError:
    message = f"Provided external ID field does not exist or is not accessible: {field}"
    return SalesforceError("NOT_FOUND", message, status=404)


def no_column_on_type(field: str, sobject: str) -> SalesforceError:
    return SalesforceError("INVALID_FIELD", f"No such column '{field}' on sobject of type {sobject}")


def no_column_on_entity(field: str, sobject: str) -> str:
    hint = _CUSTOM_HINT.format(kind="field", suffix="__c", name="custom field")
    return f"No such column '{field}' on entity '{sobject}'. {hint}"


def no_relationship(name: str, where: str = "field path") -> str:
    hint = _CUSTOM_HINT.format(kind="relationship", suffix="__r", name="custom relationship")
    return f"Didn't understand relationship '{name}' in {where}. {hint}"


def type_not_supported(name: str) -> str:
    hint = _CUSTOM_HINT.format(kind="object", suffix="__c", name="entity")
    return f"sObject type '{name}' is not supported. {hint}"


def not_writable(fields: Sequence[str]) -> SalesforceError:
    message = (
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set."
    )
    return SalesforceError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=fields)


def required_missing(fields: Sequence[str]) -> SalesforceError:
    return SalesforceError(
        "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(fields)}]", fields=fields
    )


def bad_reference(status: int = 400) -> SalesforceError:
    return SalesforceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=status, fields=[])


def entity_deleted(status: int = 404) -> SalesforceError:
    return SalesforceError("ENTITY_IS_DELETED", "entity is deleted", status=status, fields=[])


def precondition_failed() -> SalesforceError:
    """A conditional request whose condition does not hold; the body is not documented."""
    return SalesforceError("PRECONDITION_FAILED", "The record was modified since the given date", status=412)


def json_error(message: str) -> SalesforceError:
    return SalesforceError("JSON_PARSER_ERROR", f"{message} at [line:1, column:1]")


def insufficient_access(what: str) -> SalesforceError:
    return SalesforceError("INSUFFICIENT_ACCESS_OR_READONLY", what, fields=[])

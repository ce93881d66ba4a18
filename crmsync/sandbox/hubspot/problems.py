"""Refusals in HubSpot's own shapes. Raised anywhere below a request; turned into an answer in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

Body = dict[str, Any]
PropertyProblem = dict[str, Any]
"""One bad property value, as it stands in the text of the message."""


class Refusal(Exception):
    """An answer other than success. ``body`` lacks only the correlation id, which the HTTP layer adds."""

    def __init__(self, status: int, message: str, category: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.problems: Sequence[PropertyProblem] = ()
        self.body: Body = {
            "status": "error",
            "message": message,
            **({"category": category} if category else {}),
            **more,
        }

    def as_item(self, **context: list[str]) -> Body:
        """The same refusal as one entry of a 207 answer."""
        merged = {**context, **self.body.get("context", {})}
        item = {key: value for key, value in self.body.items() if key not in {"context", "errors"}}
        return {**item, **({"context": merged} if merged else {})}


class HtmlNotFound(Refusal):
    """A single record that is not there comes back as a Jetty page, not JSON (recorded: ticket_find, task_find)."""

    def __init__(self) -> None:
        super().__init__(404, "Resource not found", "OBJECT_NOT_FOUND")


_DETAILS = 3
"""The structured list stops at three while the text names all (recorded twice: err-many-invalid-properties)."""


def property_problem(name: str, code: str, message: str) -> PropertyProblem:
    return {"isValid": False, "message": message, "error": code, "name": name}


def invalid_properties(problems: Sequence[PropertyProblem]) -> Refusal:
    details = [
        {"message": p["message"], "code": p["error"], "context": {"propertyName": [p["name"]]}}
        for p in problems[:_DETAILS]
    ]
    text = orjson.dumps(list(problems)).decode()
    refusal = Refusal(400, f"Property values were not valid: {text}", "VALIDATION_ERROR", errors=details)
    refusal.problems = problems
    return refusal


def invalid(message: str, **more: Any) -> Refusal:
    return Refusal(400, message, "VALIDATION_ERROR", **more)


def unknown_object_type(name: str) -> Refusal:
    """No category here (recorded: error-invalid-object)."""
    return Refusal(400, f"Unable to infer object type from: {name}")


def not_found(message: str, **more: Any) -> Refusal:
    return Refusal(404, message, "OBJECT_NOT_FOUND", **more)


def missing_records(singular: str, ids: Sequence[str]) -> Refusal:
    message = (
        f"Could not get some {singular.upper()} objects, they may be deleted or not exist. Check that ids are valid."
    )
    return Refusal(404, message, "OBJECT_NOT_FOUND", context={"ids": list(ids)})


def missing_scopes(scopes: Sequence[str]) -> Refusal:
    """Context at the top as recorded (metadata-err-schemas-scope), and in ``errors`` as the object guide shows it."""
    message = "One or more of the following scopes are required."
    context = {"requiredGranularScopes": list(scopes), "links": ["https://developers.hubspot.com/scopes"]}
    detail = {"message": message, "context": {"requiredGranularScopes": list(scopes)}}
    links = {"scopes": "https://developers.hubspot.com/scopes"}
    return Refusal(403, message, "MISSING_SCOPES", context=context, errors=[detail], links=links)


def unauthenticated(message: str) -> Refusal:
    return Refusal(401, message, "INVALID_AUTHENTICATION")

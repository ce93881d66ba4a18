"""What Salesforce's answers to writes say, as outcomes: the same words whichever call carried the write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmsync.connectors.retry import Action, find_row
from crmsync.connectors.salesforce.dialect import without_values
from crmsync.errors import AuthError, RemoteError
from crmsync.remote import Outcome, Write

WRITE_HEADERS = {"Sforce-Auto-Assign": "FALSE"}
"""The default is TRUE: assignment rules would move owners."""

_AGAIN = (Action.BACK_OFF, Action.WAIT, Action.RETRY_NOW)


def refusal(write: Write, error: Mapping[str, Any], request_id: str) -> Outcome:
    """One record refused. Collections say ``statusCode``, single rows ``errorCode``; both name the fields."""
    code = str(error.get("statusCode") or error.get("errorCode") or "UNKNOWN_EXCEPTION")
    fields = ", ".join(error.get("fields") or ())
    message = without_values(code, str(error.get("message") or ""))
    return Outcome(
        write.ref,
        "failed",
        id=write.id,
        code=code,
        message=f"{message} [{fields}]" if fields else message,
        retriable=find_row("salesforce", 400, code).action in _AGAIN,
        request_id=request_id,
    )


def failed(write: Write, error: RemoteError | AuthError, *, unknown: bool = False, retriable: bool = False) -> Outcome:
    """A call that failed for all its writes."""
    return Outcome(
        write.ref,
        "unknown" if unknown else "failed",
        id=write.id,
        code=(error.vendor_code if isinstance(error, RemoteError) else "") or error.code,
        message=error.message,
        retriable=retriable and not unknown,
        request_id=error.request_id if isinstance(error, RemoteError) else "",
    )

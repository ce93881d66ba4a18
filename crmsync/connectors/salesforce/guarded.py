"""Conditional updates: single-row PATCHes with ``If-Unmodified-Since``, 25 of them in one Composite call.

The server compares the row's last-modified date with the header and answers 412 when it is newer (REST API,
"Conditional Request Headers"); a header of a subrequest is allowed ("Composite Request Body"). HTTP dates are whole
seconds, so an edit within the second of the stamp is not caught.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import format_datetime
from typing import Any

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.outcomes import WRITE_HEADERS, failed, refusal
from crmsync.connectors.transport import Answer
from crmsync.errors import RateLimited, Transient
from crmsync.remote import Outcome, Write

MAX_GUARDED = 25


class GuardedUpdates:
    """Sends conditional updates for one connector."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """At most 25 updates in one call, each on its own: a refused one leaves the others written."""
        body = {
            "allOrNone": False,
            "collateSubrequests": False,  # collation and headers of subrequests exclude each other
            "compositeRequest": [self._subrequest(number, write) for number, write in enumerate(writes)],
        }
        try:
            # sent twice, the second would find the first's own modification
            answer = self._client.request("POST", "composite", json=body, headers=WRITE_HEADERS, idempotent=False)
        except Transient as error:
            return [failed(write, error, unknown=error.outcome_unknown, retriable=True) for write in writes]
        except RateLimited as error:
            return [failed(write, error, retriable=True) for write in writes]
        answers = _answers(answer)
        return [_outcome(write, answers.get(f"w{n}"), answer.request_id) for n, write in enumerate(writes)]

    def _subrequest(self, number: int, write: Write) -> Mapping[str, Any]:
        headers = dict(WRITE_HEADERS)
        if write.unless_since is not None:
            headers["If-Unmodified-Since"] = format_datetime(write.unless_since.astimezone(UTC), usegmt=True)
        return {
            "method": "PATCH",
            "url": f"{self._client.data_path}/sobjects/{write.object}/{write.id}",
            "referenceId": f"w{number}",
            "httpHeaders": headers,
            "body": dict(write.fields),
        }


def _answers(answer: Answer) -> dict[str, Mapping[str, Any]]:
    body = answer.json()
    given = body.get("compositeResponse") if isinstance(body, dict) else None
    return {str(one.get("referenceId")): one for one in given or () if isinstance(one, dict)}


def _outcome(write: Write, answer: Mapping[str, Any] | None, request_id: str) -> Outcome:
    status = answer.get("httpStatusCode") if answer else None
    if not answer or not isinstance(status, int):
        return Outcome(write.ref, "unknown", id=write.id, code="RESULTS_MISSING", request_id=request_id)
    if status < 300:
        return Outcome(write.ref, "ok", id=write.id, request_id=request_id)
    if status == 412:
        message = "somebody changed the record between our reading and our writing it"
        return Outcome(write.ref, "drifted", id=write.id, code="DRIFTED", message=message, request_id=request_id)
    body = answer.get("body")
    error = body[0] if isinstance(body, list) and body and isinstance(body[0], dict) else {}
    return refusal(write, error, request_id)

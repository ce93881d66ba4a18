"""Every kind of fault: what it does in one sentence, where it is known, and which options it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["answer", "connection", "batch", "state", "person"]
BOTH = ("salesforce", "hubspot")

GROUPS: dict[Group, str] = {
    "answer": "The CRM refuses",
    "connection": "The connection fails",
    "batch": "A write goes half wrong",
    "state": "The CRM is not as it was (until mended)",
    "person": "Somebody else is working",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """``options`` are those of :class:`~crmsync.sandbox.faults.fault.Fault` that mean something to this kind."""

    name: str
    group: Group
    says: str
    options: tuple[str, ...] = ()
    systems: tuple[str, ...] = BOTH

    @property
    def lasts(self) -> bool:
        """Whether it stays until mended, unless a number of requests is given."""
        return self.group == "state"


_REPLY = ("when", "retry_after")
CATALOGUE: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("down", "answer", "503: the service is unavailable.", _REPLY),
        Kind("server_error", "answer", "500, 502, 503 or 504 (--status), before or after acting.", ("status", *_REPLY)),
        Kind("html", "answer", "An HTML page where JSON belongs, with any status, also 200.", ("status", *_REPLY)),
        Kind("rate_limit", "answer", "HubSpot: 429 ten-secondly; Salesforce: 403 too many concurrent requests.",
             ("seconds", *_REPLY)),
        Kind("search_limit", "answer", "429 secondly, as searches get it.", _REPLY, ("hubspot",)),
        Kind("quota", "answer", "The day's calls are used up: HubSpot 429 daily, Salesforce 403.", _REPLY),
        Kind("unauthorized", "answer", "401, although the token is good."),
        Kind("missing_scope", "answer", "403: the app or the user lacks a permission."),
        Kind("lock", "answer", "The record is locked: Salesforce 400 UNABLE_TO_LOCK_ROW, HubSpot 423.", _REPLY),
        Kind("latency", "connection", "The answer comes late, before or after the CRM has acted.", ("seconds", "when")),
        Kind("drop", "connection", "The connection is cut, before or after the CRM has acted.", ("when",)),
        Kind("truncate", "connection", "The body stops short of its Content-Length.", ("size",)),
        Kind("drip", "connection", "The body arrives a byte (or --size bytes) at a time.", ("seconds", "size")),
        Kind("garble", "connection", "The body is packed, and cut in the middle of the stream."),
        Kind("huge", "connection", "The body is --size bytes longer than it need be.", ("size",)),
        Kind("bomb", "connection", "The body is small when packed and --size bytes unpacked.", ("size",)),
        Kind("deep", "connection", "JSON in --size brackets.", ("size",)),
        Kind("redirect", "connection", "302 to another address (--value).", ("value",)),
        Kind("lure", "connection", "The link to the next page leads to another host (--value).", ("value",)),
        Kind("fewer", "batch", "Some rows or outcomes are left out of the body, which counts them still.", ("share",)),
        Kind("poison", "batch", "Every batch write that holds a record (--value, its id) is refused whole.",
             ("value",), ("hubspot",)),
        Kind("partial", "batch", "Some records of a batch are refused, the others written (HubSpot: as a 207, or as"
             " --status 200).", ("share", "code", "status")),
        Kind("row_lock", "batch", "Some records of a collection are refused with UNABLE_TO_LOCK_ROW.", ("share",),
             ("salesforce",)),
        Kind("silent", "batch", "A write is answered with success, and nothing is written."),
        Kind("sign_out", "state", "The token of the request is revoked, or its session ended, in mid-run."),
        Kind("hide_field", "state", "A field is hidden: no field permission any more; HubSpot archives the property.",
             ("object", "field")),
        Kind("remove_field", "state", "A field is deleted; HubSpot archives the property.", ("object", "field")),
        Kind("remove_option", "state", "A value disappears from a picklist.", ("object", "field", "value")),
        Kind("index_lag", "state", "Searches see records as they were some seconds ago.", ("seconds",), ("hubspot",)),
        Kind("late_rows", "state", "Queries see what is written some seconds late, with the stamps of the write.",
             ("seconds",), ("salesforce",)),
        Kind("clock_skew", "state", "The CRM's clock, its Date header and stamps are off by some seconds.",
             ("seconds",)),
        Kind("person", "person", "Between two requests a person edits, deletes or merges a record.", ("act",)),
    )
}  # fmt: skip
KINDS = tuple(CATALOGUE)

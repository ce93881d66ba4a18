"""The ``paging.next`` block; absent on the last page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from crmsync.sandbox.hubspot.api.http import Call
from crmsync.sandbox.hubspot.stamps import to_ms, wire


def next_page(call: Call, after: str) -> dict[str, Any]:
    kept = [(name, value) for name, values in call.query.items() if name != "after" for value in values]
    link = f"{call.base_url}{call.url_path}?{urlencode([*kept, ('after', after)])}"
    return {"paging": {"next": {"after": after, "link": link}}}


def completed(call: Call, results: list[Any], errors: list[dict[str, Any]], status: int) -> tuple[int, dict[str, Any]]:
    """The envelope of every batch call; with errors it is a 207."""
    ended = wire(max(call.now_ms, to_ms(call.portal.clock.now())))
    body = {"status": "COMPLETE", "results": results, "startedAt": wire(call.now_ms), "completedAt": ended}
    if not errors:
        return status, body
    return 207, {**body, "numErrors": len(errors), "errors": errors}

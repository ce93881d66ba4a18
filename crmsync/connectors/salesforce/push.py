"""Push: sObject Collections, 200 records a call, every record with its own outcome; conditional writes 25 a call.

HTTP 200 says nothing about the records: each has ``success`` and ``errors`` of its own, matched by position. A call
that was cut after it left makes every record of it *unknown*; nothing is sent twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.describe import Descriptions, checked_object
from crmsync.connectors.salesforce.guarded import MAX_GUARDED, GuardedUpdates
from crmsync.connectors.salesforce.outcomes import WRITE_HEADERS, failed, refusal
from crmsync.connectors.salesforce.rows import find_ids
from crmsync.connectors.transport import Answer
from crmsync.errors import AuthError, Permanent, RateLimited, RemoteError, Transient
from crmsync.remote import Outcome, Write

MAX_WRITES = 200
_LOCK_TRIES = 3
_LOCK_WAIT_S = 0.5

_Send = Callable[[Sequence[Write]], Sequence[Outcome]]


class Pusher:
    """Writes batches for one connector."""

    def __init__(self, client: Client, descriptions: Descriptions) -> None:
        self._client = client
        self._descriptions = descriptions
        self._guarded = GuardedUpdates(client)

    def push(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, in order. Raises only where nothing was sent."""
        if not writes:
            return []
        if writes[0].op == "update":
            return self._updated(writes)
        if writes[0].op == "delete":
            return self._sent(self._delete, writes)
        if self._is_upsert_key(writes[0].object, writes[0].key_field):
            return self._sent(self._upsert, writes)
        return self._find_then_write(writes)

    def _updated(self, writes: Sequence[Write]) -> list[Outcome]:
        """Collections know no condition: writes that have one go by Composite, the others as ever."""
        free = [write for write in writes if write.unless_since is None]
        tied = [write for write in writes if write.unless_since is not None]
        parts = [(self._update, free)] if free else []
        parts += [(self._guarded.send, tied[n : n + MAX_GUARDED]) for n in range(0, len(tied), MAX_GUARDED)]
        outcomes: dict[str, Outcome] = {}
        for send, part in parts:
            try:
                outcomes |= {outcome.ref: outcome for outcome in self._sent(send, part)}
            except (RemoteError, AuthError) as error:
                if not outcomes:
                    raise
                outcomes |= {write.ref: failed(write, error, retriable=True) for write in part}
        return [outcomes[write.ref] for write in writes]

    def _sent(self, send: _Send, writes: Sequence[Write]) -> list[Outcome]:
        """Send, isolate a record that spoils the call, and try rows that others hold locked again."""
        allowance = _Allowance(start := 4 * math.ceil(math.log2(len(writes) + 1)))
        outcomes = {o.ref: o for o in _isolating(send, writes, allowance)}
        if allowance.calls < start:
            outcomes = {o.ref: replace(o, isolated=o.status == "failed") for o in outcomes.values()}
        for round_ in range(1, _LOCK_TRIES):
            locked = [write for write in writes if outcomes[write.ref].retriable]
            if not locked:
                break
            self._client.sleep(_LOCK_WAIT_S * 2**round_)
            outcomes.update({o.ref: o for o in _after_sending(send, locked, _Allowance(0))})
        return [outcomes[write.ref] for write in writes]

    # ------------------------------------------------------------------ the three calls

    def _update(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._collection("PATCH", "composite/sobjects", writes, lambda w: {"id": w.id, **w.fields})

    def _upsert(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        path = f"composite/sobjects/{writes[0].object}/{writes[0].key_field}"
        return self._collection("PATCH", path, writes, lambda w: {**w.fields, w.key_field: w.key})

    def _create(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._collection("POST", "composite/sobjects", writes, lambda w: {**w.fields, w.key_field: w.key})

    def _delete(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Into the recycle bin, up to 200 at once ("Delete Multiple Records with Fewer Round-Trips")."""
        params = {"ids": ",".join(write.id or "" for write in writes), "allOrNone": "false"}
        return self._exchange("DELETE", "composite/sobjects", writes, params=params)

    def _collection(
        self, method: str, path: str, writes: Sequence[Write], fields: Callable[[Write], Mapping[str, Any]]
    ) -> Sequence[Outcome]:
        records = [{"attributes": {"type": write.object}, **fields(write)} for write in writes]
        return self._exchange(method, path, writes, json={"allOrNone": False, "records": records})

    def _exchange(self, method: str, path: str, writes: Sequence[Write], **sent: Any) -> Sequence[Outcome]:
        try:
            answer = self._client.request(method, path, headers=WRITE_HEADERS, idempotent=False, **sent)
        except Transient as error:
            return [failed(write, error, unknown=error.outcome_unknown, retriable=True) for write in writes]
        except RateLimited as error:
            return [failed(write, error, retriable=True) for write in writes]
        return _outcomes(writes, answer, is_create=method == "POST")

    # ------------------------------------------------------------------ keys that Salesforce does not enforce

    def _is_upsert_key(self, object_name: str, field_name: str) -> bool:
        checked_object(self._descriptions, object_name, [field_name])
        field = self._descriptions.raw_field(object_name, field_name) or {}
        return bool(field.get("externalId")) and bool(field.get("unique"))

    def _find_then_write(self, writes: Sequence[Write]) -> list[Outcome]:
        """Activities have no external ids: look the key up, create what is missing, update what is there."""
        first = writes[0]
        ids = find_ids(self._client, first.object, first.key_field, [write.key for write in writes])
        missing = [write for write in writes if write.key not in ids]
        present = [
            Write(write.ref, "update", write.object, write.fields, id=ids[write.key])
            for write in writes
            if write.key in ids
        ]
        if not missing:
            return self._sent(self._update, present)
        outcomes = {o.ref: o for o in self._sent(self._create, missing)}
        outcomes.update({o.ref: o for o in _after_sending(self._update, present, _Allowance(0))} if present else {})
        return [outcomes[write.ref] for write in writes]


@dataclass(slots=True)
class _Allowance:
    """How many more calls may be spent on finding what spoils a call: enough for a few records, not for all."""

    calls: int


def _isolating(send: _Send, writes: Sequence[Write], allowance: _Allowance) -> list[Outcome]:
    """Halve a call that is refused as a whole until the record that spoils it is alone."""
    try:
        return list(send(writes))
    except Permanent as error:
        return _split(send, writes, allowance, error)


def _split(send: _Send, writes: Sequence[Write], allowance: _Allowance, error: Permanent) -> list[Outcome]:
    """Something among these spoils the call. Where it is not in the first half it is in the second: no need to ask."""
    if len(writes) == 1 or allowance.calls < 2:
        return [failed(write, error) for write in writes]
    allowance.calls -= 2
    middle = len(writes) // 2
    first = _isolating(send, writes[:middle], allowance)
    rest = writes[middle:]
    if len(rest) == 1 or any(outcome.status != "ok" for outcome in first):
        return [*first, *_after_sending(send, rest, allowance)]
    try:
        return [*first, *_split(send, rest, allowance, error)]
    except (RemoteError, AuthError) as stop:
        return [*first, *(failed(write, stop, retriable=True) for write in rest)]


def _after_sending(send: _Send, writes: Sequence[Write], allowance: _Allowance) -> list[Outcome]:
    """Once something of a push was sent, whatever stops the rest is an outcome and no longer an exception."""
    try:
        return _isolating(send, writes, allowance)
    except (RemoteError, AuthError) as error:
        return [failed(write, error, retriable=True) for write in writes]


def _outcomes(writes: Sequence[Write], answer: Answer, *, is_create: bool) -> list[Outcome]:
    results = answer.json()
    if not isinstance(results, list) or len(results) != len(writes):
        said = (
            f"{len(results)} results for {len(writes)} records" if isinstance(results, list) else "no list of results"
        )
        return [
            Outcome(w.ref, "unknown", id=w.id, code="RESULTS_MISSING", message=said, request_id=answer.request_id)
            for w in writes
        ]
    return [_outcome(w, r, answer.request_id, is_create=is_create) for w, r in zip(writes, results, strict=True)]


def _outcome(write: Write, result: Any, request_id: str, *, is_create: bool) -> Outcome:
    if not isinstance(result, dict) or "success" not in result:
        return Outcome(write.ref, "unknown", id=write.id, code="RESULTS_MISSING", request_id=request_id)
    if result["success"]:
        created = bool(result.get("created", is_create))
        return Outcome(write.ref, "ok", id=result.get("id") or write.id, created=created, request_id=request_id)
    error: Mapping[str, Any] = next(iter(result.get("errors") or ()), {})
    return refusal(write, error, request_id)

"""One API call inside the org, whether it came over HTTP or as a part of a composite request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import orjson

from crmsync.sandbox.salesforce.access import Access
from crmsync.sandbox.salesforce.errors import SalesforceError, json_error, not_found
from crmsync.sandbox.salesforce.records import Actor
from crmsync.sandbox.salesforce.schema import SObject

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg


@dataclass(slots=True)
class Call:
    """A request below ``/services/data/vNN.0``. ``path`` is still percent-encoded, ``payload`` is read JSON."""

    org: SalesforceOrg
    method: str
    path: str
    version: float
    query: Mapping[str, str]
    headers: Mapping[str, str]
    actor: Actor
    payload: Any = None
    raw: bytes = b""
    request_id: str = ""

    @property
    def access(self) -> Access:
        return self.actor.access

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version:.1f}"

    def sobject(self, name: str) -> SObject:
        """The object of a URL; unknown and invisible ones look the same."""
        found = self.org.schema.get(name)
        if found is None or found.spec.get("pseudo") or not self.access.can(found, "read"):
            raise not_found()
        return found

    def json_object(self) -> dict[str, Any]:
        if self.raw and "json" not in self.headers.get("content-type", "json"):
            kind = self.headers.get("content-type", "")
            raise SalesforceError("UNSUPPORTED_MEDIA_TYPE", f"Content type {kind} is not supported", status=415)
        if not isinstance(self.payload, dict):
            raise json_error("The HTTP entity body is required to be a JSON object")
        return self.payload

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() == "true"

    def instant(self, header: str) -> datetime | None:
        """An HTTP date header; one that cannot be read is ignored, as HTTP says."""
        value = self.headers.get(header)
        if not value:
            return None
        try:
            parsed = parsedate_to_datetime(value)
        except ValueError:
            return None
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def actor_for(access: Access, request_id: str, base: str, headers: Mapping[str, str]) -> Actor:
    """Whoever calls, with what their headers ask for (Sforce-Duplicate-Rule-Header: ``allowSave=true; …``)."""
    asked = headers.get("sforce-duplicate-rule-header", "").lower().replace(" ", "").split(";")
    return Actor(
        access,
        request_id,
        over_http=True,
        base=base,
        saves_duplicates="allowsave=true" in asked,
        wants_duplicate_details="includerecorddetails=true" in asked,
    )


@dataclass(slots=True)
class Answer:
    """Status, body and extra headers. The body is what becomes JSON, or finished JSON as bytes, or a text that is none;
    ``None``: no body at all."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Operation = Callable[..., Answer]


@dataclass(slots=True)
class Operations:
    """What a module answers: (method, path template) to function. ``{name}`` takes one path segment."""

    known: list[tuple[str, re.Pattern[str], Operation]] = field(default_factory=list)

    def on(self, methods: str, template: str) -> Callable[[Operation], Operation]:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "/?")

        def register(operation: Operation) -> Operation:
            for method in methods.split():
                self.known.append((method, pattern, operation))
            return operation

        return register


class Dispatcher:
    """Finds the operation of a call and runs it in a transaction."""

    def __init__(self, groups: Iterable[Operations]) -> None:
        self._known = [entry for group in groups for entry in group.known]

    def answer(self, call: Call) -> Answer:
        """Errors become answers; nothing of a failed call stays."""
        schema_version = call.org.schema.version
        try:
            with call.org.store.transaction():
                return self.run(call)
        except SalesforceError as error:
            if call.org.schema.version != schema_version:
                call.org.reload_schema()
            return Answer(error.status, error.body())

    def run(self, call: Call) -> Answer:
        allowed: list[str] = []
        for method, pattern, operation in self._known:
            match = pattern.fullmatch(call.path)
            if match is None:
                continue
            if method == call.method:
                return operation(call, **{name: unquote(value) for name, value in match.groupdict().items()})
            allowed.append(method)
        if allowed:
            message = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(sorted({*allowed, 'HEAD'}))}"
            raise SalesforceError("METHOD_NOT_ALLOWED", message, status=405)
        raise not_found()


def attributes_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The ``attributes`` of a record in a request; only an object will do."""
    found = record.get("attributes") or {}
    if not isinstance(found, dict):
        raise json_error("attributes must be an object")
    return found


def parse_query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def read_json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise json_error(f"Unexpected character in the JSON body: {error.msg}") from None

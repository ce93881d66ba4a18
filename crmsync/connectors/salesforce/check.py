"""The lines of ``crmsync doctor`` that only Salesforce can answer: who we are, what we may do, what is left today."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.describe import Descriptions
from crmsync.errors import AuthError, CrmsyncError
from crmsync.remote import HealthCheck, ObjectInfo, SchemaSpec

_MAX_SKEW_S = 300
_FIX = "crmsync provision"


def run_checks(client: Client, descriptions: Descriptions, spec: SchemaSpec) -> list[HealthCheck]:
    """In the order in which one needs the other; what ends the list is its last line."""
    checks: list[HealthCheck] = []
    steps: dict[str, Callable[[], Iterable[HealthCheck]]] = {
        "sign-in": lambda: [_sign_in(client)],
        "API calls": lambda: [_api_calls(client)],
        "clock": lambda: [_clock(client)],
        "org": lambda: [_org(client)],
        "permissions": lambda: _permissions(descriptions, spec),
    }
    for name, step in steps.items():
        try:
            checks += step()
        except CrmsyncError as error:
            refused = name != "sign-in" or isinstance(error, AuthError)
            return [*checks, HealthCheck(name if refused else "answer", "problem", error.message, error.hint)]
        if client.transport.budget.is_spent:
            break  # the line about the API calls says so; every other check would cost calls that others need
    return checks


def _sign_in(client: Client) -> HealthCheck:
    who = client.request("GET", "/services/oauth2/userinfo", guarded=False).json()
    name = who.get("preferred_username") or who.get("user_id")
    return HealthCheck("sign-in", "ok", f"signed in as {name} ({client.flow.replace('_', ' ')}, API {client.version})")


def is_production(client: Client) -> bool | None:
    """Whether the org is no sandbox, by ``Organization.IsSandbox``; ``None`` where the record cannot be read."""
    org = _organization(client, "IsSandbox")
    return None if org is None else not org["IsSandbox"]


def _organization(client: Client, *fields: str) -> dict[str, Any] | None:
    rows = client.sf.query(f"SELECT {','.join(fields)} FROM Organization LIMIT 1")["records"]
    return rows[0] if rows else None


def _org(client: Client) -> HealthCheck:
    org = _organization(client, "Name", "OrganizationType", "IsSandbox")
    if org is None:
        return HealthCheck("org", "warning", "the organization record cannot be read")
    kind = "sandbox" if org.get("IsSandbox") else "production"
    return HealthCheck("org", "ok", f"{org.get('Name')} ({org.get('OrganizationType')}, {kind})")


def _clock(client: Client) -> HealthCheck:
    if client.server_at is None:
        return HealthCheck("clock", "warning", "the org sends no Date header")
    skew_s = round((datetime.now(UTC) - client.server_at).total_seconds())
    if abs(skew_s) <= _MAX_SKEW_S:
        return HealthCheck("clock", "ok", f"within {abs(skew_s)} s of the org's clock")
    fix = "set this machine's clock (JWT sign-in and due dates depend on it)"
    way = "ahead of" if skew_s > 0 else "behind"
    return HealthCheck("clock", "warning", f"this machine is {abs(skew_s)} s {way} the org", fix)


def _api_calls(client: Client) -> HealthCheck:
    client.request("GET", "limits", guarded=False)
    budget = client.transport.budget
    state = budget.state()
    if state.limit is None or state.remaining is None:
        return HealthCheck("API calls", "warning", "the org does not say how many are left")
    detail = f"{state.remaining:,} of {state.limit:,} left today"
    if budget.is_spent:
        return HealthCheck(
            "API calls", "problem", detail, "wait for the daily reset, or raise api_share in crmsync.yaml"
        )
    return HealthCheck("API calls", "ok", detail)


def _permissions(descriptions: Descriptions, spec: SchemaSpec) -> Iterator[HealthCheck]:
    """One line per object; each field that is missing or not editable is named."""
    edits = [(field.object, field.name, True) for field in spec.fields]
    reads = [(object_name, name, False) for object_name, name in spec.readable]
    objects = dict.fromkeys([*(o.name for o in spec.objects), *(name for name, _, _ in (*edits, *reads))])
    for object_name in objects:
        wanted = [(name, edit) for owner, name, edit in (*edits, *reads) if owner == object_name]
        yield _object_check(object_name, descriptions.info(object_name), wanted)


def _object_check(object_name: str, info: ObjectInfo | None, wanted: Sequence[tuple[str, bool]]) -> HealthCheck:
    label = f"fields of {object_name}"
    if info is None:
        return HealthCheck(label, "problem", "the object does not exist or may not be seen", _FIX)
    unseen = [name for name, _ in wanted if name not in info.fields]
    locked = [name for name, edit in wanted if edit and name in info.fields and not info.fields[name].updateable]
    if not unseen and not locked:
        return HealthCheck(label, "ok", f"all {len(dict(wanted))} can be used")
    parts = [f"missing or not visible: {_some(unseen)}" if unseen else ""]
    parts.append(f"not editable: {_some(locked)}" if locked else "")
    return HealthCheck(label, "problem", "; ".join(part for part in parts if part), _FIX)


def _some(names: Sequence[str], limit: int = 8) -> str:
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"

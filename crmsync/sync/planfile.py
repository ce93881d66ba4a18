"""Plans as bytes: canonical JSON (sorted keys, no spaces), so that a plan has one digest and one file."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from crmsync.errors import UsageError
from crmsync.sync.plan import Change, FieldChange, Plan

SCHEMA = "crmsync.plan/1"


def plan_to_json(plan: Plan) -> bytes:
    """The canonical JSON of a plan; the digest is taken over exactly these bytes."""
    return orjson.dumps(asdict(plan), option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan with its digest, readable by its owner only: it holds field values."""
    document = {"schema": SCHEMA, "digest": plan.digest, "plan": orjson.Fragment(plan_to_json(plan))}
    path.touch(mode=0o600)
    path.write_bytes(orjson.dumps(document) + b"\n")


def load_plan(path: Path) -> Plan:
    """Read a saved plan.

    :raises UsageError: when the file is missing, is no plan, or was changed after it was saved.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"no plan file at '{path}'", hint="crmsync plan --save FILE") from None
    except orjson.JSONDecodeError:
        raise UsageError(f"'{path}' is not a plan file", hint="crmsync plan --save FILE") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"'{path}' is not a {SCHEMA} file", hint="crmsync plan --save FILE")
    plan = _plan(document["plan"])
    if plan.digest != document["digest"]:
        raise UsageError(f"'{path}' was changed after it was saved", hint="make a new one: crmsync plan --save FILE")
    return plan


def _plan(data: dict[str, Any]) -> Plan:
    changes = tuple(_change(change) for change in data["changes"])
    return Plan(**{**data, "made_at": datetime.fromisoformat(data["made_at"]), "changes": changes})


def _change(data: dict[str, Any]) -> Change:
    fields = tuple(FieldChange(**field) for field in data["fields"])
    links = tuple(tuple(link) for link in data["links"])
    return Change(**{**data, "fields": fields, "links": links})

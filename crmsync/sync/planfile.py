"""Plans as bytes: canonical JSON (sorted keys, no spaces), so that a plan has one digest and one file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from crmsync.drafts import replacing
from crmsync.errors import UsageError
from crmsync.sync.plan import Change, FieldChange, Plan, plan_to_json

SCHEMA = "crmsync.plan/1"
_SAVE = "crmsync plan --save FILE"


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan with its digest, readable by its owner only: it holds field values.

    :raises UsageError: when the file cannot be written.
    """
    document = {"schema": SCHEMA, "digest": plan.digest, "plan": orjson.Fragment(plan_to_json(plan))}
    try:
        with replacing(path) as file:
            file.write(orjson.dumps(document) + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write the plan to '{path}': {error.strerror}", hint=_SAVE) from None


def load_plan(path: Path) -> Plan:
    """Read a saved plan.

    :raises UsageError: when the file is missing, is no plan, or was changed after it was saved.
    """
    document = _document(path)
    try:
        plan = _plan(document["plan"])
        is_whole = plan.digest == document["digest"]
    except (KeyError, TypeError, ValueError):
        is_whole = False
    if not is_whole:
        raise UsageError(f"'{path}' was changed after it was saved", hint=f"make a new one: {_SAVE}")
    return plan


def _document(path: Path) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"no plan file at '{path}'", hint=_SAVE) from None
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror}", hint=_SAVE) from None
    except orjson.JSONDecodeError:
        raise UsageError(f"'{path}' is not a plan file", hint=_SAVE) from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"'{path}' is not a {SCHEMA} file", hint=_SAVE)
    return document


def _plan(data: dict[str, Any]) -> Plan:
    changes = tuple(_change(change) for change in data["changes"])
    return Plan(**{**data, "made_at": datetime.fromisoformat(data["made_at"]), "changes": changes})


def _change(data: dict[str, Any]) -> Change:
    fields = tuple(FieldChange(**field) for field in data["fields"])
    links = tuple(tuple(link) for link in data["links"])
    about = tuple(data["about"]) if data["about"] else None
    return Change(**{**data, "fields": fields, "links": links, "about": about})

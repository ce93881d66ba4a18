"""Reads given/expect cases: records written as YAML, a policy laid over the baseline, and what the rules must say."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from crmsync.records import KINDS, Link, Record
from crmsync.rules import Decision, Facts, Policy, decide, load_policy_text
from crmsync.yamlpos import load_yaml

CASES = Path(__file__).parent.parent / "cases"
BASELINE = CASES / "baseline.yaml"


@dataclass(frozen=True)
class Moment:
    """One look at a case: an instant and what must hold then."""

    name: str
    given: Mapping[str, Any]
    policy: Mapping[str, Any]
    now: datetime
    expect: Mapping[str, Any]


def read_cases() -> Iterator[Moment]:
    baseline = load_yaml(BASELINE).data
    for path in sorted(CASES.glob("*.yaml")):
        for case in load_yaml(path).data if path != BASELINE else ():
            given = _merged(baseline["given"], _filled(case.get("given", {}), baseline["defaults"]))
            policy = _merged(baseline["policy"], case.get("policy", {}))
            looks = case.get("looks") or [{"now": case["now"], "expect": case["expect"]}]
            for look in looks:
                here = _merged(given, _filled(look.get("given", {}), {}))
                name = f"{path.stem}: {case['case']}" + (f" [{look['now']}]" if len(looks) > 1 else "")
                yield Moment(name, here, policy, instant(look["now"]), look["expect"])


def decide_moment(moment: Moment) -> Decision:
    return decide(build_facts(moment.given), build_policy(moment.policy), moment.now)


def build_policy(data: Mapping[str, Any]) -> Policy:
    return load_policy_text(yaml.safe_dump(_plain(data), sort_keys=False), "policy.yaml")


def build_facts(given: Mapping[str, Any]) -> Facts:
    records = {
        kind: [_record(kind, i, row) for i, row in given.get(kind, {}).items() if row is not None] for kind in KINDS
    }
    return Facts(
        accounts=tuple(records["account"]),
        contacts=tuple(records["contact"]),
        deals=tuple(records["deal"]),
        registrations=tuple(records["registration"]),
        touches=tuple(records["touch"]),
        links=tuple(Link(**row) for row in given.get("links", ())),
        partners={p.id: p for p in records["partner"]},
        certifications=tuple(records["certification"]),
        users={u.id: u for u in records["user"]},
        merged=given.get("merged", {}),
    )


def instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def parse_value(kind: str, name: str, raw: Any) -> Any:
    return _convert(get_type_hints(KINDS[kind])[name], raw)


def _record(kind: str, record_id: str, row: Mapping[str, Any]) -> Record:
    known = {f.name for f in fields(KINDS[kind])}
    values = {name: parse_value(kind, name, raw) for name, raw in row.items() if name in known}
    assert len(values) == len(row), f"unknown field in {kind} {record_id}: {set(row) - known}"
    return KINDS[kind](id=record_id, **values)


def _convert(hint: Any, raw: Any) -> Any:
    if raw is None or get_origin(hint) in (dict, Mapping):
        return raw
    if get_origin(hint) in (Union, types.UnionType):
        return _convert(next(arg for arg in get_args(hint) if arg is not type(None)), raw)
    if get_origin(hint) is tuple:
        return tuple(raw)
    if hint is datetime:
        return instant(raw)
    if hint is date:
        return date.fromisoformat(raw)
    if hint is Decimal or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return hint(raw)
    return raw


def _filled(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """Records with the baseline's defaults below what the case says."""
    return {
        kind: {
            i: {**defaults.get(kind, {}), **row} if row is not None and kind in KINDS else row
            for i, row in rows.items()
        }
        if isinstance(rows, dict)
        else rows
        for kind, rows in given.items()
    }


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}
    return above


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    return float(data) if isinstance(data, Decimal) else data

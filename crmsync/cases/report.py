"""A scenario's outcome as lines for people and as data for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crmsync.cases.compare import Failure, shown
from crmsync.cases.run import Result


def failure_lines(result: Result) -> Iterator[str]:
    """Everything that does not hold: where it is written, expected, got, and the rule with its trace."""
    several = len(result.scenario.steps) > 1
    for failure in result.failures:
        when = f"  (at {shown(failure.at)})" if several else ""
        yield f"{failure.span.brief}  {failure.what}{when}"
        yield f"  expected  {shown(failure.expected)}"
        yield f"  got       {shown(failure.got)}"
        yield from (f"  {name:<9} {text}" for name, text in _because(failure))


def _because(failure: Failure) -> Iterator[tuple[str, str]]:
    if failure.reason:
        yield "because", failure.reason
    if failure.rule:
        place = f"  {failure.rule.span.brief}" if failure.rule.span else ""
        yield "rule", f"{failure.rule.name}{place}"
    for at, line in enumerate(failure.trace):
        yield "" if at else "trace", line


def result_data(result: Result) -> dict[str, Any]:
    """The same for ``--json``."""
    scenario = result.scenario
    return {
        "name": scenario.name,
        "file": scenario.span.path,
        "line": scenario.span.line,
        "passed": result.passed,
        "policy_version": scenario.policy.version,
        "failures": [_failure_data(failure) for failure in result.failures],
    }


def _failure_data(failure: Failure) -> dict[str, Any]:
    return {
        "what": failure.what,
        "line": failure.span.line,
        "at": shown(failure.at),
        "expected": shown(failure.expected),
        "got": shown(failure.got),
        "reason": failure.reason,
        "rule": failure.rule.name if failure.rule else None,
        "where": failure.rule.span.brief if failure.rule and failure.rule.span else None,
        "trace": list(failure.trace),
    }

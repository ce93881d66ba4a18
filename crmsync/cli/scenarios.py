"""``test``: the policy against the scenarios that say what it must decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.app import App, command
from crmsync.cli.render import Line, styled
from crmsync.cli.words import count
from crmsync.diagnostics import did_you_mean
from crmsync.errors import UsageError

if TYPE_CHECKING:
    from crmsync.cases import CaseSettings, Result, Scenario
    from crmsync.cases.modes import ModeOf
    from crmsync.mappings import Mapping

FOLDER = "tests"
"""Where a project keeps its scenarios."""


@command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), help="Another policy than the project's.")
@click.option("--only", metavar="NAME", help="Only scenarios with this in their name.")
def test(app: App, paths: tuple[Path, ...], policy: Path | None, only: str | None) -> int:
    """Run scenarios: records and a time are given, what the policy decides is compared with what is expected.

    PATH is a file or a folder of scenarios; without it, the folder 'tests' of the project. No CRM is called.
    """
    from crmsync.cases import load_cases, result_data, run_scenario

    settings, mode_of = _settings(app, policy, is_project_needed=not paths)
    scenarios = _chosen(load_cases(paths or [app.project.directory / FOLDER], settings), only)
    results = [run_scenario(scenario, mode_of) for scenario in scenarios]
    failed = [result for result in results if not result.passed]
    data = {
        "policy": settings.policy,
        "passed": len(results) - len(failed),
        "failed": len(failed),
        "scenarios": [result_data(result) for result in results],
    }
    app.render.show("test", data, lambda: _lines(results, failed), ok=not failed)
    return 1 if failed else 0


def _settings(app: App, policy: Path | None, *, is_project_needed: bool) -> tuple[CaseSettings, ModeOf]:
    """The project's policy, extra fields and write modes; outside a project, those of the starter."""
    from crmsync.cases import CaseSettings
    from crmsync.cases.modes import starter_mode
    from crmsync.project import find_project
    from crmsync.starter import starter_dir

    try:
        find_project(app.project_path)
    except UsageError:
        if is_project_needed or app.project_path:
            raise
        chosen = policy or starter_dir() / "policies" / "baseline.yaml"
        return CaseSettings(chosen, is_policy_forced=policy is not None), starter_mode
    mapping = _mapping(app)
    extra = {kind: mapping.extra_types(kind) for kind in mapping.kinds}
    settings = CaseSettings(policy or app.project.policy, policy is not None, extra)
    return settings, lambda kind, field: _mode(mapping, kind, field)


def _mapping(app: App) -> Mapping:
    from crmsync.mappings import load_mapping

    return load_mapping(app.connection.mapping, system=app.connection.system)


def _mode(mapping: Mapping, kind: str, field: str) -> str:
    found = mapping.field(kind, field)
    return found.mode if found else "read_only"


def _chosen(scenarios: Sequence[Scenario], only: str | None) -> Sequence[Scenario]:
    chosen = [scenario for scenario in scenarios if only is None or only.lower() in scenario.name.lower()]
    if not chosen:
        names = [scenario.name for scenario in scenarios]
        hint = did_you_mean(only or "", names) or "the names stand behind 'case:' in the files"
        raise UsageError(f"no scenario has '{only}' in its name", hint=hint)
    return chosen


def _lines(results: Sequence[Result], failed: Sequence[Result]) -> Iterator[Line]:
    from crmsync.cases import failure_lines

    for result in failed:
        yield styled(("✘ ", "red"), (result.scenario.name, "bold"), f"  {result.scenario.place}")
        yield from (f"    {line}" for line in failure_lines(result))
        yield ""
    mark = ("✘ ", "red") if failed else ("✔ ", "green")
    passed = count(len(results) - len(failed), "scenario")
    yield styled(mark, f"{passed} passed" + (f", {len(failed)} failed" if failed else ""))

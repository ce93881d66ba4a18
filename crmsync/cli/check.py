"""``check`` and ``schema``: the YAML files, before they meet a CRM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from crmsync.cli.app import App, command
from crmsync.cli.render import Line, Verbatim, styled
from crmsync.cli.words import count
from crmsync.diagnostics import Diagnostic
from crmsync.errors import ConfigError

if TYPE_CHECKING:
    from crmsync.mappings import Mapping
    from crmsync.project import Connection

T = TypeVar("T")

SCHEMAS = ("project", "mapping", "policy", "case")


@command()
@click.option("--live", is_flag=True, help="Ask the CRM as well: fields, types, picklist values, edit rights.")
def check(app: App, live: bool) -> int:
    """Check the project, its mappings and its policy. Every problem has its line."""
    problems: list[Diagnostic] = []
    mappings = _load_all(app, problems)
    if live and not _errors(problems):
        for connection, mapping in mappings:
            app.render.talk(f"asking {connection.name} …")
            problems += _check_live(app, connection, mapping)
    errors, files = _errors(problems), _files(app)
    data = {"files": files, "errors": len(errors), "warnings": len(problems) - len(errors), "live": live}
    app.render.warn(problems)
    app.render.show("check", data, lambda: _check_lines(data), ok=not errors, diagnostics=problems)
    if next_step := _next_step(errors, live=live):
        app.render.talk(f"Next: {app.command_line(next_step)}")
    return 2 if errors else 0


def _next_step(errors: Sequence[Diagnostic], *, live: bool) -> str:
    if not errors:
        return "plan" if live else "check --live"
    return "provision" if any("crmsync provision" in error.hint for error in errors) else ""


def _load_all(app: App, problems: list[Diagnostic]) -> list[tuple[Connection, Mapping]]:
    from crmsync.mappings import load_mapping
    from crmsync.rules import load_policy

    loaded: list[tuple[Connection, Mapping]] = []
    extra: dict[str, Any] = {}
    for connection in app.connections:
        mapping = _collect(problems, load_mapping, connection.mapping, system=connection.system)
        if mapping is not None:
            loaded.append((connection, mapping))
            extra |= {kind: {**extra.get(kind, {}), **mapping.extra_types(kind)} for kind in mapping.kinds}
    _collect(problems, load_policy, app.project.policy, extra=extra)
    return loaded


def _collect(problems: list[Diagnostic], load: Callable[..., T], *args: Any, **kwargs: Any) -> T | None:
    try:
        return load(*args, **kwargs)
    except ConfigError as error:
        problems += [problem for problem in error.diagnostics if problem not in problems]
        return None


def _check_live(app: App, connection: Connection, mapping: Mapping) -> list[Diagnostic]:
    from crmsync.mappings import check_live

    with app.connector(connection) as connector:
        return list(check_live(mapping, connector.describe))


def _errors(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [problem for problem in problems if problem.severity == "error"]


def _files(app: App) -> list[Path]:
    mappings = [connection.mapping for connection in app.connections]
    return list(dict.fromkeys([app.project.path, *mappings, app.project.policy]))


def _check_lines(data: dict[str, Any]) -> Iterator[Line]:
    summary = (
        f"{count(data['errors'], 'error')}, {count(data['warnings'], 'warning')} in {count(len(data['files']), 'file')}"
    )
    where = " and the CRM" if data["live"] else ""
    yield styled(("✘ ", "red") if data["errors"] else ("✔ ", "green"), f"{summary}{where}")


@command()
@click.argument(
    "which",
    metavar="[project|mapping|policy|case]",
    required=False,
    shell_complete=lambda _ctx, _param, typed: [name for name in SCHEMAS if name.startswith(typed)],
)
@click.option("--write", is_flag=True, help="Write the schemas beside the project's YAML, under schema/.")
def schema(app: App, which: str | None, write: bool) -> int:
    """Print the JSON Schema of a file, or write all of them for the editor."""
    if which is not None and which not in SCHEMAS:
        raise click.BadParameter(f"'{which}' is not one of {', '.join(SCHEMAS)}")
    schemas = _schemas()
    if write:
        directory = app.project.path.parent / "schema"
        written = _write_schemas(directory, {which: schemas[which]} if which else schemas)
        app.render.show("schema", {"written": written}, lambda: [f"wrote {path}" for path in written])
        app.render.talk("First line of a mapping: # yaml-language-server: $schema=../schema/mapping.json")
        return 0
    chosen = schemas[which] if which else schemas
    text = orjson.dumps(chosen, option=orjson.OPT_INDENT_2).decode() + "\n"
    app.render.show("schema", chosen, lambda: [Verbatim(text)])
    return 0


def _schemas() -> dict[str, dict[str, Any]]:
    from crmsync.cases import case_json_schema
    from crmsync.mappings import mapping_json_schema
    from crmsync.project import project_json_schema
    from crmsync.rules import policy_json_schema

    return {
        "project": project_json_schema(),
        "mapping": mapping_json_schema(),
        "policy": policy_json_schema(),
        "case": case_json_schema(),
    }


def _write_schemas(directory: Path, schemas: dict[str, dict[str, Any]]) -> list[Path]:
    directory.mkdir(exist_ok=True)
    written = []
    for name, content in schemas.items():
        path = directory / f"{name}.json"
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
        written.append(path)
    return written

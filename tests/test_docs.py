"""What the pages say is so: codes, commands, options and keys exist, all of them are explained, examples load."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import pytest
import yaml
from pydantic import BaseModel, ValidationError

from crmsync.cli import COMMANDS, main
from crmsync.projectfile import ProjectFile

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
SOURCES = [path for path in (ROOT / "crmsync").rglob("*.py") if "sandbox" not in path.relative_to(ROOT).parts[:2]]
FILES = [*PAGES, *SOURCES, *(ROOT / "config").rglob("*.yaml")]
CLI = (ROOT / "docs" / "cli.md").read_text()
PROJECT = (ROOT / "docs" / "project.md").read_text()

_BASES = {"E000", "E100", "E400"}
"""Codes of branches of the error tree, which nobody is ever shown."""
_NO_COMMANDS = re.compile(r"(never writes|(project|mapping|policy|scenarios)$)")
"""Sentences about crmsync, and titles of the schemas."""
_TYPED = r"crmsync ([a-z][^`\n\";]*)"
_IN_PAGES = re.compile(rf"(?:`|^(?:\$ )?){_TYPED}", re.MULTILINE)
_IN_TEXTS = re.compile(rf"(?:`|\"|: ){_TYPED}|command_line\(f?['\"]([a-z][^'\"]*)")


# ------------------------------------------------------------------ codes


def codes_in(text: str) -> set[str]:
    return set(re.findall(r'"([EW]\d{3})"', text))


def test_every_error_code_has_one_row() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    used = {code for path in SOURCES for code in codes_in(path.read_text())} - _BASES
    assert {code: page.count(f"\n| {code} |") for code in used} == dict.fromkeys(used, 1)
    assert set(re.findall(r"^\| ([EW]\d{3}) \|", page, re.MULTILINE)) == used


# ------------------------------------------------------------------ commands


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands())


def options(command: click.Command) -> set[str]:
    return {
        name for option in command.params for name in (*option.opts, *option.secondary_opts) if name.startswith("-")
    }


@pytest.mark.parametrize(("path", "command"), ALL.items(), ids=[" ".join(path) for path in ALL])
def test_every_command_and_option_has_its_row(path: tuple[str, ...], command: click.Command) -> None:
    (row,) = [line for line in CLI.splitlines() if re.match(rf"\| `{' '.join(path)}\b", line)]
    own = options(command) - options(main)
    assert {name for name in own if f"{name} " not in row and f"{name}]" not in row} == set()
    assert set(re.findall(r"--[a-z-]+", row)) <= own


def test_every_global_option_has_its_row() -> None:
    assert [name for name in options(main) if f"`{name}" not in CLI] == []


def mentions() -> Iterator[tuple[str, str]]:
    for path in FILES:
        for found in (_IN_TEXTS if path.suffix == ".py" else _IN_PAGES).finditer(path.read_text()):
            typed = found[1] or found[found.lastindex or 1]
            if not _NO_COMMANDS.match(typed):
                yield str(path.relative_to(ROOT)), typed


def mistake(typed: str) -> str:
    """What is wrong with a command that a page or a hint mentions."""
    words = shlex.split(re.split(r"  |\{|…|·|\(| #", typed.replace("'", " "))[0].rstrip(".,;:)"))
    words = [word.rstrip(",;:.") for word in words]
    path = next((tuple(words[:n]) for n in (2, 1) if tuple(words[:n]) in ALL), None)
    if path is None:
        return "" if words[0] in COMMANDS else f"no command '{words[0]}'"
    given = {word.split("=")[0] for word in words[len(path) :] if word.startswith("-")}
    return f"no option {sorted(unknown)}" if (unknown := given - options(ALL[path]) - {"-h", "--help"}) else ""


def test_every_command_that_is_mentioned_exists() -> None:
    found = list(mentions())
    assert len(found) > 80
    assert [(place, typed, wrong) for place, typed in found if (wrong := mistake(typed))] == []


# ------------------------------------------------------------------ keys and examples


def keys_of(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            yield info.alias or name
            yield from keys_of(info.annotation)
    for inner in get_args(annotation):
        yield from keys_of(inner)


@pytest.mark.parametrize("key", sorted(set(keys_of(ProjectFile))))
def test_every_key_of_the_project_file_is_explained(key: str) -> None:
    assert re.search(rf"`[^`\n]*\b{key}\b|^ *{key}:", PROJECT, re.MULTILINE)


def examples() -> Iterator[Any]:
    for page in ("project.md", "connect-salesforce.md", "connect-hubspot.md"):
        blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
        assert blocks
        for number, block in enumerate(blocks):
            yield pytest.param(page, block, id=f"{page} {number}")


@pytest.mark.parametrize(("page", "block"), list(examples()))
def test_every_example_of_a_project_file_loads(page: str, block: str) -> None:
    """A page may show a part: the connections, or how one of them signs in."""
    part = yaml.safe_load(textwrap.dedent(block))
    if "auth" in part:
        system = page.removeprefix("connect-").removesuffix(".md")
        entry = {
            "type": system,
            "mapping": "m.yaml",
            **({"url": "https://x.example"} if system == "salesforce" else {}),
        }
        part = {"connections": {system: {**entry, **part}}}
    try:
        ProjectFile.model_validate({"version": 1, "name": "x", "policy": "p.yaml", **part})
    except ValidationError as error:
        pytest.fail(f"{page}: {error}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []

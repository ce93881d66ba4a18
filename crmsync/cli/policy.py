"""``policy show``: the policy as a document for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crmsync.cli.app import App, command, global_options
from crmsync.cli.render import Verbatim

if TYPE_CHECKING:
    from crmsync.rules import Policy


@click.group()
@global_options(hidden=True)
def policy() -> None:
    """The rules of the partner programme, in words."""


@command()
@click.option("--policy", "file", type=click.Path(path_type=Path), help="Another than the project's.")
@click.option(
    "--format", "form", type=click.Choice(["md", "html"]), default="md", show_default=True, help="Of the text."
)
def show(app: App, file: Path | None, form: str) -> int:
    """Print the policy as rules of engagement that can be published, in Markdown or as one HTML page."""
    from crmsync.render import describe_policy, to_html, to_markdown

    loaded, programme = _load(app, file)
    document = describe_policy(
        loaded.model, programme=programme, versions=[version.model for version in loaded.versions]
    )
    text = to_html(document) if form == "html" else to_markdown(document)
    data: dict[str, Any] = {
        "version": document.version,
        "title": document.title,
        "subtitle": document.subtitle,
        "sections": document.sections,
        "format": form,
        "text": text,
    }
    app.render.show("policy-show", data, lambda: [Verbatim(text)])
    return 0


policy.add_command(show)


def _load(app: App, file: Path | None) -> tuple[Policy, str]:
    """A policy file by itself, or the project's with the fields of its mapping, and the programme's name."""
    from crmsync.errors import UsageError
    from crmsync.mappings import load_mapping
    from crmsync.project import find_project
    from crmsync.rules import load_policy

    try:
        find_project(app.project_path)
    except UsageError:
        if file is None or app.project_path:
            raise
        return load_policy(file), ""
    mapping = load_mapping(app.connection.mapping, system=app.connection.system)
    extra = {kind: mapping.extra_types(kind) for kind in mapping.kinds}
    return load_policy(file or app.project.policy, extra), app.project.name

"""``sandbox act`` and ``sandbox log``: be a seller or an admin in a running sandbox, and see who did what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from crmsync.cli.app import App, command
from crmsync.cli.render import Rows
from crmsync.cli.sandbox_client import call, url_option
from crmsync.diagnostics import did_you_mean
from crmsync.errors import UsageError

if TYPE_CHECKING:
    from crmsync.sandbox.hands.verbs import Verb

SYSTEMS = ("both", "salesforce", "hubspot")


@command()
@click.argument("verb", required=False)
@click.argument("arguments", nargs=-1)
@click.option("--list", "listed", is_flag=True, help="What people can do, and what each verb takes.")
@click.option("--as", "user", default="", metavar="NAME", help="Whose hands; default: the administrator's.")
@click.option("--system", type=click.Choice(SYSTEMS), default="both", show_default=True, help="In which CRM.")
@url_option
def act(app: App, verb: str | None, arguments: tuple[str, ...], listed: bool, user: str, system: str, url: str) -> int:
    """Do what people do in a CRM, under their name: VERB says what.

    Records are named by id, key, number or exact name; kinds and fields by their names in the glossary, or the CRM's.
    """
    if listed:
        _show_verbs(app)
        return 0
    about = _verb(verb)
    body = {**_arguments(about, arguments), "as": user, "system": system}
    done = call(url, "POST", f"hands/{about.name}", body)
    app.render.show("sandbox.act", done, lambda: [f"{name}: {at}" for name, at in done.items()])
    return 0


def _verb(name: str | None) -> Verb:
    from crmsync.sandbox.hands.verbs import VERBS

    if name not in VERBS:
        said = f"nobody can '{name}'" if name else "what is to be done?"
        raise UsageError(said, hint=f"{did_you_mean(name or '', VERBS)} see crmsync sandbox act --list".strip())
    return VERBS[name]


def _show_verbs(app: App) -> None:
    from crmsync.sandbox.hands.verbs import VERBS

    rows = [(verb.name, _usage(verb), verb.says) for verb in VERBS.values()]
    data = [{"verb": name, "usage": usage, "says": says} for name, usage, says in rows]
    app.render.show("sandbox.verbs", data, lambda: [Rows(("VERB", "TAKES", ""), rows)])


def _usage(verb: Verb) -> str:
    words = {"fields": "FIELD=VALUE...", **{name: f"{name.upper()}..." for name in verb.lists}}
    needed = [words.get(name, name.upper()) for name in verb.takes]
    return " ".join([*needed, *(f"[{name.upper()}]" for name in verb.optional)])


def _arguments(verb: Verb, given: Sequence[str]) -> dict[str, Any]:
    """The words of the command under the names that the verb gives them; the last may take all the rest."""
    names = [*verb.takes, *verb.optional]
    rest = names[-1] in (*verb.lists, "fields")
    single = names[:-1] if rest else names
    needed = len(verb.takes) - (names[-1] == "fields")
    if len(given) < needed or (len(given) > len(names) and not rest):
        raise UsageError(f"{verb.name} takes {_usage(verb)}", hint="crmsync sandbox act --list")
    found: dict[str, Any] = dict(zip(single, given, strict=False))
    if rest:
        left = list(given[len(single) :])
        found[names[-1]] = dict(_pair(one) for one in left) if names[-1] == "fields" else left
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"'{text}' is not FIELD=VALUE", hint="for example amount=5000; nothing after = empties it")
    return name, value


@command()
@click.option("--record", default="", help="Only this record: id, key, number or name.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The last so many of each CRM.")
@url_option
def log(app: App, record: str, limit: int, url: str) -> int:
    """Who changed what, and when, in both CRMs."""
    from crmsync.sandbox.history import merged

    entries = merged(call(url, "GET", "audit", record=record, limit=limit))
    app.render.show("sandbox.log", entries, lambda: [_table(entries)] if entries else ["nothing has been changed"])
    return 0


def _table(entries: Iterable[dict[str, Any]]) -> Rows:
    head = ("AT", "SYSTEM", "USER", "WHAT", "OBJECT", "ID", "FIELD", "OLD", "NEW")
    names = ("at", "system", "user", "op", "object", "id", "field", "old", "new")
    return Rows(head, [["" if entry[name] is None else str(entry[name]) for name in names] for entry in entries])

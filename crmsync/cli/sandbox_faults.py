"""``sandbox break`` and ``sandbox mend``: let a running sandbox go wrong, and put it right again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click
import orjson

from crmsync.cli.app import App, command
from crmsync.cli.render import Line, Rows
from crmsync.cli.sandbox_client import call, url_option
from crmsync.errors import UsageError

_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--system", {"type": click.Choice(("both", "salesforce", "hubspot")), "help": "Which CRM; default: both."}),
    ("--times", {"type": click.IntRange(1), "help": "How many requests go wrong; default: 1."}),
    ("--at", {"type": click.IntRange(1), "help": "Number of the first matching request, from now, that goes wrong."}),
    ("--match", {"metavar": "TEXT", "help": "Only requests whose path and query contain this."}),
    ("--method", {"metavar": "METHOD", "help": "Only requests of this method."}),
    ("--chance", {"type": click.FloatRange(0, 1), "help": "How likely each of them is to go wrong."}),
    ("--seed", {"type": int, "help": "For what is drawn by lot."}),
    ("--seconds", {"type": float, "help": "How late, how long, how far off."}),
    ("--when", {"type": click.Choice(("before", "after")), "help": "Before or after the CRM has acted."}),
    ("--status", {"type": click.IntRange(200, 599), "help": "HTTP status."}),
    ("--retry-after", {"metavar": "TEXT", "help": "The Retry-After header, as it is."}),
    ("--size", {"type": click.IntRange(1), "help": "Bytes, of a truncated or dripping body."}),
    ("--share", {"type": click.FloatRange(0, 1), "help": "Share of a batch's records that is refused."}),
    ("--code", {"metavar": "CODE", "help": "Error code of the refused records."}),
    ("--object", {"metavar": "KIND", "help": "deal, account, …, or the CRM's own name."}),
    ("--field", {"metavar": "FIELD", "help": "amount, close_date, …, or the CRM's own name."}),
    ("--value", {"metavar": "VALUE", "help": "A picklist value."}),
    ("--act", {"metavar": "JSON", "help": "What the person does: a verb and its arguments."}),
)


def _fault_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for name, settings in reversed(_OPTIONS):
        function = click.option(name, **settings)(function)
    return function


@command(name="break")
@click.argument("kind", required=False)
@click.option("--list", "listed", is_flag=True, help="Every kind of fault, in one sentence each.")
@click.option("--always", is_flag=True, help="Until mended, instead of once.")
@_fault_options
@url_option
def break_(app: App, kind: str | None, listed: bool, always: bool, url: str, **given: Any) -> int:
    """Let requests to a running sandbox go wrong: KIND says how."""
    if listed:
        _show_catalogue(app)
        return 0
    if kind is None:
        raise UsageError("which kind of fault?", hint="crmsync sandbox break --list")
    body = {"kind": kind, **{name: value for name, value in given.items() if value is not None}}
    if always:
        body["times"] = None
    if "act" in body:
        body["act"] = _act(body["act"])
    armed = call(url, "POST", "faults", body)
    app.render.show("sandbox.break", armed[-1], lambda: [_told(armed[-1])])
    return 0


def _show_catalogue(app: App) -> None:
    from crmsync.sandbox.faults.catalogue import CATALOGUE, GROUPS

    data = [
        {"kind": kind.name, "says": kind.says, "options": kind.options, "systems": kind.systems}
        for kind in CATALOGUE.values()
    ]

    def text() -> Iterator[Line]:
        for group, title in GROUPS.items():
            yield f"{title}:"
            kinds = [kind for kind in CATALOGUE.values() if kind.group == group]
            for kind in kinds:
                options = ", ".join(f"--{name.replace('_', '-')}" for name in kind.options)
                yield f"  {kind.name:<14} {kind.says}" + (f"  ({options})" if options else "")
        yield "Any kind takes --system, --times or --always, --at, --match, --method, --chance and --seed"

    app.render.show("sandbox.faults", data, text)


def _act(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        example = '{"verb": "move", "deal": "01FNZW2T", "stage": "proposal"}'
        raise UsageError(f"--act is not JSON: {error.msg}", hint=f"for example --act '{example}'") from None


@command()
@click.argument("what", required=False)
@url_option
def mend(app: App, what: str | None, url: str) -> int:
    """Put right everything, one fault by its number, or all of a kind."""
    before = call(url, "GET", "faults")
    mended = call(url, "DELETE", f"faults/{what}") if what else before
    if not what:
        call(url, "DELETE", "faults")
    app.render.show("sandbox.mend", mended, lambda: [_told(fault) for fault in mended] or ["nothing is broken"])
    return 0


def _told(fault: dict[str, Any]) -> Line:
    times = "until mended" if fault["times"] is None else f"{fault['times']} to go"
    where = fault["match"] or "any request"
    row = (str(fault["id"]), fault["kind"], fault["system"], where, f"from request {fault['at']}", times)
    return Rows(("FAULT", "KIND", "SYSTEM", "WHERE", "WHEN", "TIMES"), [row])

"""``export evidence`` and ``export verify``: what was known of a record at a date, and whether that is untouched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
import orjson

from crmsync.cli.app import App, command, global_options
from crmsync.cli.look import Instant, open_store
from crmsync.cli.render import Verbatim
from crmsync.cli.words import count, instant, show_value
from crmsync.errors import UsageError
from crmsync.store import Store

_MOST = 20
_WANTED = "name a file of `crmsync export evidence`"


@click.group()
@global_options(hidden=True)
def export() -> None:
    """Evidence for others: what was known of a record at a date, provably."""


@command()
@click.argument("record")
@click.option("--as-of", "at", type=Instant(), help="What was known then; without it, now.")
@click.option("--out", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@click.option("--format", "form", type=click.Choice(["json", "md"]), default="json", show_default=True)
def evidence(app: App, record: str, at: datetime | None, file: Path | None, form: str) -> int:
    """Everything known of a record's partner facts: values, rules, findings, runs, requests, who overwrote what.

    RECORD is kind:id, an id, a registration number or part of a name. The JSON form can be verified.
    """
    from crmsync.mappings import load_mapping
    from crmsync.sync.evidence import build_evidence

    connection, now = app.connection, datetime.now(UTC)
    mapping = load_mapping(connection.mapping, system=connection.system)
    with Store.open(app.project.store_path(connection.name)) as store:
        document = build_evidence(store, mapping, record, connection=connection.name, at=at or now, now=now)
        noted = {"digest": document["digest"], "object": document["record"]["object"], "id": document["record"]["id"]}
        store.append_event("evidence", noted)
    text = "\n".join(_markdown(document)) + "\n" if form == "md" else orjson.dumps(document).decode() + "\n"
    if file is None:
        app.render.show("evidence", document, lambda: [Verbatim(text)])
    else:
        _write(file, text)
        data = {"file": str(file), "digest": document["digest"]}
        app.render.show("evidence", data, lambda: [f"wrote {file}, digest {document['digest']}"])
        app.render.talk(f"Note the digest elsewhere. Next: {app.command_line(f'export verify {file}')}")
    return 0


def _write(path: Path, text: str) -> None:
    """For its owner only: it holds field values."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write '{path}': {error.strerror}", hint="give another --out FILE") from None


@command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def verify(app: App, file: Path | None) -> int:
    """Check an evidence file, by itself and against the store; without a file, the journal."""
    problems, detail = _verify_store(app) if file is None else _verify_file(app, file)
    data = {"file": str(file) if file else None, "problems": problems, "detail": detail}
    app.render.show(
        "verify", data, lambda: [*problems, f"{detail}; {count(len(problems), 'problem')}"], ok=not problems
    )
    return 1 if problems else 0


def _verify_store(app: App) -> tuple[list[str], str]:
    with open_store(app) as store:
        head = store.chain_head()
        problems = [str(one) for one in islice(store.chain_breaks(), _MOST)]
    return problems, f"the journal, up to block {head.block} ({head.hash[:16]}…)" if head else "the journal is empty"


def _verify_file(app: App, file: Path) -> tuple[list[str], str]:
    from crmsync.sync.evidence import verify_evidence

    try:
        document = orjson.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read '{file}': {error.strerror}", hint=_WANTED) from None
    except orjson.JSONDecodeError:
        raise UsageError(f"'{file}' is no JSON", hint=_WANTED) from None
    if not isinstance(document, dict):
        raise UsageError(f"'{file}' is no evidence file", hint=_WANTED)
    problems = verify_evidence(document)
    known, detail = _against_store(app, document)
    return problems + known, detail


def _against_store(app: App, document: dict[str, Any]) -> tuple[list[str], str]:
    """Whether this store exported exactly this, and still has the chain that the file shows."""
    connection = app.connection_name or str(document.get("connection") or "")
    try:
        path = app.project.store_path(app.project.connection(connection).name)
    except UsageError:
        return [], "checked by itself only: there is no project here with its connection"
    if not path.exists():
        return [], "checked by itself only: there is no store here"
    with Store.open(path, readonly=True) as store:
        exported = store.find_event("evidence", str(document.get("digest")))
        problems = [] if exported else ["the store's chain does not know this file as one that it exported"]
        here = {block: digest.hex() for block, _, _, digest in store.blocks_between(0, 1 << 62)}
    for block in (document.get("chain") or {}).get("blocks") or ():
        if block["block"] in here and here[block["block"]] != block["hash"]:
            problems.append(f"block {block['block']} is another one in the store")
            break
    return problems, f"exported here, in block {exported[0]} of the chain" if exported else "checked against the store"


def _markdown(document: dict[str, Any]) -> Iterator[str]:
    record = document["record"]
    yield f"# Evidence: {record['kind']} {record['label']} ({record['id']})"
    yield f"\nAs of {instant(document['as_of'])}, connection `{document['connection']}`."
    yield f"Digest `{document['digest']}`.\n"
    yield "| field | value | because | rule |"
    yield "|---|---|---|---|"
    for field in document["fields"]:
        reason = field["reason"].replace("|", "\\|")
        yield f"| {field['field']} | {show_value(field['value'])} | {reason} | `{field['where']}` |"
    yield "\n## Findings\n"
    yield from (f"* {finding['code']}: {finding['message']}" for finding in document["findings"])
    yield "\n## Writes\n"
    for field in document["fields"]:
        yield from (_write_line(field["field"], row) for row in field["history"])
    yield "\n## Overwritten by others\n"
    for row in document["overwritten"]:
        change = f"{show_value(row['ours'])} became {show_value(row['found'])}"
        yield f"* {row['remote_field']}: {change}, found {instant(row['found_at'])}"


def _write_line(name: str, row: dict[str, Any]) -> str:
    change = f"{show_value(row['old'])} -> {show_value(row['new'])}"
    request = f", request {row['request_id']}" if row["request_id"] else ""
    return f"* {instant(row['at'])}, run {row['run_id']}: {name} {change} ({row['status']}{request})"


export.add_command(evidence)
export.add_command(verify)

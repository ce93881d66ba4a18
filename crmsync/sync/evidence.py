"""Evidence: everything known of a record's partner facts at an instant, with the part of the journal's chain under it.

Who holds the file can check it alone: every write is hashed into its block, every block into the next. Who also has the
store, or noted the head of the chain or the file's digest elsewhere, knows that it was not made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any

from crmsync.errors import UsageError
from crmsync.mappings import Mapping as CrmMapping
from crmsync.store import Store
from crmsync.store.chain import GENESIS, block_hash, chained_hash, event_content, intent_content, leaf_hash, leaves_hash
from crmsync.store.codec import from_json, to_json
from crmsync.sync.raw import is_same
from crmsync.sync.why import explain

SCHEMA = "crmsync.evidence/1"
_SECTIONS = ("record", "fields", "findings", "overwritten", "runs", "rules")


def build_evidence(
    store: Store, mapping: CrmMapping, record: str, *, connection: str, at: datetime, now: datetime
) -> dict[str, Any]:
    """The document, as JSON values. Reads the store only.

    :param at: what was known then; later writes, decisions and findings are left out.
    :raises UsageError: when no record, or several, are found.
    """
    story = explain(store, mapping, record, at=at)
    object_name = mapping.object_of(story.kind)
    chain = _chain(store, object_name, story.id, at)
    run_ids = {event["run_id"] for event in chain["events"] if event["run_id"]}
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "made_at": now,
        "as_of": at,
        "connection": connection,
        "record": {"kind": story.kind, "object": object_name, "id": story.id, "label": story.label},
        "fields": [asdict(field) for field in story.fields],
        "findings": [asdict(finding) for finding in story.findings],
        "overwritten": list(_overwritten(store, object_name, story.id, at)),
        "runs": [store.run(run_id) for run_id in sorted(run_ids)],
        "rules": _rules(store, sorted({field.where for field in story.fields if field.where}), at),
        "chain": chain,
    }
    plain: dict[str, Any] = from_json(to_json(document))
    plain["digests"] = {name: _digest(plain[name]) for name in _SECTIONS}
    plain["digest"] = _digest(plain)
    return plain


def _digest(value: Any) -> str:
    return sha256(to_json(value).encode()).hexdigest()


def _rules(store: Store, places: Iterable[str], at: datetime) -> list[dict[str, Any]]:
    """The lines of YAML that decided, as they were under the configuration of that time."""
    texts = store.config_texts(store.config_at(at))
    rules = []
    for place in places:
        path, _, line = place.rpartition(":")
        lines = texts.get(path, "").splitlines()
        number = int(line) if line.isdigit() else 0
        text = "\n".join(lines[number - 1 : number + 4]) if 0 < number <= len(lines) else ""
        rules.append({"where": place, "text": text})
    return rules


def _overwritten(store: Store, object_name: str, record_id: str, at: datetime) -> Iterator[dict[str, Any]]:
    """Values of ours that somebody replaced: the next write found another one."""
    by_field: dict[str, list[Any]] = {}
    for row in reversed(store.history(object_name, record_id)):
        if row.status == "ok" and row.at and row.at <= at:
            by_field.setdefault(row.remote_field, []).append(row)
    for name, rows in sorted(by_field.items()):
        for before, after in pairwise(rows):
            if not is_same(before.new, after.old):
                yield {"remote_field": name, "ours": before.new, "written_at": before.at, "found": after.old,
                       "found_at": after.at, "found_by_run": after.run_id}  # fmt: skip


# ------------------------------------------------------------------ the chain


def _chain(store: Store, object_name: str, record_id: str, at: datetime) -> dict[str, Any]:
    """The record's events, and every block from the first of them to the newest one."""
    events = list(store.events_of(object_name, record_id, at))
    head = store.chain_head()
    if not events or head is None:
        return {"before": GENESIS.hex(), "blocks": [], "events": [], "head": asdict(head) if head else None}
    first = events[0]["block"]
    mine = {event["block"] for event in events}
    blocks = []
    for number, stamp, count, digest in store.blocks_between(first, head.block):
        leaves = [leaf.hex() for leaf in store.leaves(number)]
        inner = leaves_hash([bytes.fromhex(leaf) for leaf in leaves])
        block = {"block": number, "at": stamp, "count": count, "inner": inner, "hash": digest.hex()}
        blocks.append({**block, "leaves": leaves} if number in mine else block)
    return {"before": store.hash_before(first), "blocks": blocks, "events": events, "head": asdict(head)}


def verify_evidence(document: Mapping[str, Any]) -> list[str]:
    """What is wrong with a file, entry by entry; nothing where it is what was exported. Needs no store.

    :raises UsageError: when it is no evidence file.
    """
    if document.get("schema") != SCHEMA:
        raise UsageError(f"not a {SCHEMA} file", hint="crmsync export evidence RECORD --out FILE")
    try:
        return [*_section_problems(document), *_chain_problems(document["chain"])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"the file has lost its shape ({type(error).__name__})"]


def _section_problems(document: Mapping[str, Any]) -> Iterator[str]:
    for name in _SECTIONS:
        if _digest(document[name]) != document["digests"][name]:
            yield f"section '{name}' was changed"
    if _digest({name: value for name, value in document.items() if name != "digest"}) != document["digest"]:
        yield "the file was changed: its digest does not fit its content"


def _chain_problems(chain: Mapping[str, Any]) -> Iterator[str]:
    leaves: dict[int, list[str]] = {}
    before = bytes.fromhex(chain["before"])
    number = None
    for block in chain["blocks"]:
        if number is not None and block["block"] != number + 1:
            yield f"block {number + 1} of the chain is missing"
        number = block["block"]
        if "leaves" in block:
            leaves[number] = block["leaves"]
            digest = block_hash(before, number, block["at"], [bytes.fromhex(leaf) for leaf in block["leaves"]])
        else:
            digest = chained_hash(before, number, block["at"], block["count"], block["inner"])
        if digest.hex() != block["hash"]:
            yield f"block {number} of the chain was changed"
        before = bytes.fromhex(block["hash"])
    for event in chain["events"]:
        if problem := _event_problem(event, leaves.get(event["block"], [])):
            yield f"{event['kind']} {event['seq']} ({event['ref']}) {problem}"


def _event_problem(event: Mapping[str, Any], leaves: list[str]) -> str:
    if event["digest"] not in leaves:
        return "is not in its block"
    if event["salt"] is None:
        return ""  # forgotten: only its hash is left
    if event["kind"] == "intent":
        content = intent_content([tuple(row) for row in event["rows"]])
    else:
        content = event_content(event["kind"], event["ref"], event["body"])
    is_whole = leaf_hash(bytes.fromhex(event["salt"]), content).hex() == event["digest"]
    return "" if is_whole else "was changed"

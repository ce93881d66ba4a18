"""The Partner card, the protection bar and the stage path, worked out from an entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from crmsync.sandbox.window.layout import CARD, SHOWN_APART, flag_tone, tone
from crmsync.sandbox.window.model import Change, Entry, Item, Stage
from crmsync.sandbox.window.wording import day, days_between, parse_day

_NOTHING = ("", "0", "false")
"""Blanks and boxes that nobody ticked."""


@dataclass(frozen=True, slots=True)
class Chip:
    text: str
    tone: str
    code: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A protection window with today in it; ``passed`` is a percentage."""

    start: str
    end: str
    passed: int
    status: Chip
    note: str


@dataclass(frozen=True, slots=True)
class Card:
    """What crmsync tells a seller about the partner's part."""

    attribution: Chip | None
    reason: str
    flags: Sequence[Chip]
    bar: Bar | None
    next_action: str
    groups: Sequence[tuple[str, Sequence[Item]]]
    policy: str
    synced: str

    @property
    def is_blank(self) -> bool:
        return not (self.attribution or self.flags or self.bar or self.groups)


def build_card(entry: Entry, today: date) -> Card:
    facts = entry.partner
    attribution = facts.get("attribution")
    return Card(
        Chip(attribution.text, tone(attribution.raw), attribution.raw) if attribution and attribution.text else None,
        _text(facts, "attribution_reason"),
        flags(entry),
        build_bar(facts, today),
        _text(facts, "next_action"),
        _groups(facts),
        _text(facts, "policy_version"),
        _text(facts, "synced_at"),
    )


def flags(entry: Entry) -> list[Chip]:
    return [
        Chip(label, flag_tone(code), code)
        for name in ("flags", "partner_flags")
        if (item := entry.partner.get(name)) and item.raw
        for code, label in zip(item.raw.split(";"), item.text.split(", "), strict=True)
    ]


def build_bar(facts: Mapping[str, Item], today: date) -> Bar | None:
    start, end = (parse_day(_raw(facts, f"protection_{edge}")) for edge in ("start", "end"))
    if start is None or end is None:
        return None
    whole = max(1, (end - start).days)
    passed = min(100, max(0, round(100 * (today - start).days / whole)))
    status = facts.get("protection_status") or Item("", "")
    verb = "ends" if end >= today else "ended"
    note = f"{verb} {days_between((end - today).days)}"
    return Bar(
        day(start.isoformat()), day(end.isoformat()), passed, Chip(status.text, tone(status.raw), status.raw), note
    )


def _groups(facts: Mapping[str, Item]) -> list[tuple[str, list[Item]]]:
    named = {name for _, names in CARD for name in names} | SHOWN_APART
    more = tuple(name for name in facts if name not in named)
    groups = [(title, _filled(facts, names)) for title, names in (*CARD, ("More", more))]
    return [(title, items) for title, items in groups if items]


def _filled(facts: Mapping[str, Item], names: Sequence[str]) -> list[Item]:
    items = [facts[name] for name in names if name in facts and facts[name].raw not in _NOTHING]
    # a name beside its own link says nothing new
    linked = {item.text for item in items if item.ref}
    return [item for item in items if item.ref or item.text not in linked]


def _text(facts: Mapping[str, Item], name: str) -> str:
    return facts[name].text if name in facts else ""


def _raw(facts: Mapping[str, Item], name: str) -> str:
    return facts[name].raw if name in facts else ""


def build_path(opened: Sequence[tuple[str, str]], closed: Sequence[tuple[str, str, bool]], current: str) -> list[Stage]:
    """A path of (value, label) with the current stage marked; a closed deal has passed all the open ones.

    ``closed`` says of each closed stage whether it is won; only the one that was reached is shown.
    """
    ended = [Stage(label, "won" if won else "lost") for value, label, won in closed if value == current]
    values = [value for value, _ in opened]
    at = len(values) if ended else values.index(current) if current in values else -1
    states = ["done" if place < at else "current" if place == at else "ahead" for place in range(len(values))]
    shown = [Stage(label, state) for (_, label), state in zip(opened, states, strict=True)]
    return [*shown, *(ended or [Stage("Closed", "ahead")])]


def group_writes(changes: Sequence[Change]) -> list[list[Change]]:
    """Changes of one record by one author at one instant belong together."""
    return [list(group) for _, group in groupby(changes, lambda one: (one.at, one.who, one.ref, one.name))]

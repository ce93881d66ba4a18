"""One armed fault: what goes wrong, for which requests, how often."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from itertools import count
from random import Random
from typing import Any

from crmsync.sandbox.faults.batches import is_batch_write, is_record_write
from crmsync.sandbox.faults.catalogue import BOTH, CATALOGUE, KINDS, Kind

SYSTEMS = BOTH
_SIGN_IN = ("/services/oauth2/", "/services/Soap/u/", "/oauth/")
_NOT_AT_SIGN_IN = frozenset(
    {"quota", "rate_limit", "search_limit", "missing_scope", "unauthorized", "lock", "sign_out", "person"}
)
_NEEDED: tuple[str, ...] = ("object", "field", "value", "act")
_SIZED = frozenset({"huge", "bomb", "deep"})
_TIMED = frozenset({"latency", "index_lag", "late_rows"})
_numbers = count(1)
USUAL = 0
"""``times`` of a fault that does not say: once, or until mended for those that change the CRM's state."""
_COMMON = ("kind", "system", "times", "match", "method", "at", "chance", "seed")


@dataclasses.dataclass(slots=True, eq=False, kw_only=True)
class Fault:
    """``times`` requests of ``system`` whose path and query contain ``match`` go wrong; ``None``: until mended.

    ``at`` is the number of the first matching request, counted from now, that may go wrong; from there on each does
    with the given ``chance``, drawn from ``seed``.
    ``when`` says whether the CRM has acted on the request when it goes wrong: ``before`` it did, or ``after``.
    """

    kind: str
    system: str = "both"
    times: int | None = USUAL
    match: str = ""
    method: str = ""
    at: int = 1
    chance: float = 1.0
    seed: int = 0
    seconds: float = 0.0
    when: str = ""
    status: int = 0
    retry_after: str = ""
    size: int = 0
    share: float = 0.5
    code: str = ""
    object: str = ""
    field: str = ""
    value: str = ""
    act: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    id: int = dataclasses.field(default_factory=lambda: next(_numbers), init=False)
    seen: int = dataclasses.field(default=0, init=False)
    random: Random = dataclasses.field(default_factory=Random, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in CATALOGUE:
            near = get_close_matches(str(self.kind), KINDS, 1)
            wanted = f"did you mean {near[0]}?" if near else f"kind must be one of {', '.join(KINDS)}"
            raise ValueError(f"no fault of the kind {self.kind!r}: {wanted}")
        self.retry_after = str(self.retry_after)
        for name, (fits, wanted) in _RULES.items():
            if not fits(getattr(self, name)):
                raise ValueError(f"{name} must be {wanted}, not {getattr(self, name)!r}")
        self._check_options()
        self.when = self.when or ("after" if self.kind == "drop" else "before")
        if self.times == USUAL:
            self.times = None if self.about.lasts else 1
        self.random = Random(self.seed)

    def _check_options(self) -> None:
        about = self.about
        if self.system not in ("both", *about.systems):
            raise ValueError(f"{self.kind} is known in {' and '.join(about.systems)} only, not in {self.system}")
        for item in dataclasses.fields(self):
            if not item.init or item.name in (*_COMMON, *about.options) or item.name == "act":
                continue
            if getattr(self, item.name) != item.default:
                raise ValueError(f"{self.kind} takes no {item.name}; it takes {', '.join(about.options) or 'none'}")
        missing = [name for name in _NEEDED if name in about.options and not getattr(self, name)]
        if self.kind in _TIMED and self.seconds <= 0:
            missing.append("seconds above 0")
        if self.kind in _SIZED and self.size <= 0:
            missing.append("a size above 0")
        if missing:
            raise ValueError(f"{self.kind} needs {' and '.join(missing)}")

    @property
    def about(self) -> Kind:
        return CATALOGUE[self.kind]

    @property
    def systems(self) -> tuple[str, ...]:
        return tuple(name for name in self.about.systems if self.system in ("both", name))

    def hits(self, system: str, method: str, target: str) -> bool:
        """Sign-in has no quota, no scopes and no records: such faults spare it, unless ``match`` says otherwise."""
        if system not in self.systems or self.match not in target or self.method.upper() not in ("", method):
            return False
        if not self.match and self.kind in _NOT_AT_SIGN_IN and target.startswith(_SIGN_IN):
            return False
        if self.kind == "silent":
            return is_record_write(system, method, target)
        if self.kind in ("partial", "poison", "row_lock"):
            return is_batch_write(system, method, target)
        return True

    def is_due(self) -> bool:
        """Count one matching request, and say whether it is to go wrong."""
        self.seen += 1
        return self.seen >= self.at and (self.chance >= 1 or self.random.random() < self.chance)

    def as_dict(self) -> dict[str, Any]:
        """What was asked for, without what this kind does not take; ``times`` is what is left."""
        shown = ("id", *_COMMON, *self.about.options, "seen")
        return {name: getattr(self, name) for name in shown}


def _whole(low: int, *, or_none: bool = False) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        return (or_none and value is None) or (type(value) is int and value >= low)

    return fits


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and low <= value <= high


def _text(value: Any) -> bool:
    return isinstance(value, str)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "system": (lambda value: value in ("both", *SYSTEMS), f"one of both, {', '.join(SYSTEMS)}"),
    "times": (_whole(0, or_none=True), "a whole number, or null for 'until mended'"),
    "match": (_text, "a part of the path and query"),
    "method": (_text, "an HTTP method"),
    "at": (_whole(1), "a whole number from 1 on"),
    "chance": (_number(0, 1), "a number from 0 to 1"),
    "seed": (lambda value: type(value) is int, "a whole number"),
    "seconds": (_number(-1e10, 1e10), "a number of seconds"),
    "when": (lambda value: value in ("", "before", "after"), "before or after"),
    "status": (lambda value: value == 0 or (type(value) is int and 200 <= value <= 599), "an HTTP status"),
    "retry_after": (lambda value: re.fullmatch(r"[ -~]*", value) is not None, "printable ASCII on one line"),
    "size": (_whole(0), "a number of bytes"),
    "share": (_number(0, 1), "a number from 0 to 1"),
    "code": (_text, "an error code"),
    "object": (_text, "an object's name"),
    "field": (_text, "a field's name"),
    "value": (_text, "a value"),
    "act": (lambda value: isinstance(value, Mapping), "an object with a verb and its arguments"),
}

"""A decided value with its reason, before it is bound to a record and field."""

from __future__ import annotations

from typing import NamedTuple

from crmsync.records import Value
from crmsync.rules.decision import Rule


class Explained(NamedTuple):
    """A value with why: code, sentence, rule, the longer trace, and evidence.

    A named tuple, because a run makes some for every deal: they cost a quarter of what a frozen dataclass does.
    """

    value: Value
    code: str
    reason: str
    rule: Rule
    trace: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    def holding(self, value: Value) -> Explained:
        """Another value with the same explanation."""
        return Explained(value, self.code, self.reason, self.rule, self.trace, self.evidence)

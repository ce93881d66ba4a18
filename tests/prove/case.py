"""A case: one fault at one point of the cycle of one CRM, named so that it can be played again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """Written ``F7:W:salesforce:k=12:after:later``; variant and world are left out where they are the usual ones.

    ``k`` counts from 0: the request or the commit of the undisturbed run that meets the fault, else whatever the
    fault's own way of counting is.
    """

    fault: str
    point: str
    system: str
    k: int
    variant: str = ""
    world: str = "first"

    def __str__(self) -> str:
        parts = [self.fault, self.point, self.system, f"k={self.k}"]
        parts += [self.variant] if self.variant else []
        parts += [self.world] if self.world != "first" else []
        return ":".join(parts)

    @classmethod
    def parse(cls, text: str) -> Case:
        """:raises ValueError: with the form that is wanted."""
        try:
            fault, point, system, k, *rest = text.split(":")
            world = rest.pop() if rest and rest[-1] in ("first", "later") else "first"
            (variant,) = rest or [""]
            return cls(fault, point, system, int(k.removeprefix("k=")), variant, world)
        except ValueError:
            raise ValueError(f"'{text}' is no case: write it as F7:W:salesforce:k=12:after") from None

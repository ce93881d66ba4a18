"""The model as a file: the weights of what a comparison can show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from crmsync.identity.weights import DEFAULTS

FORMAT = "crmsync.model/0"


@dataclass(frozen=True, slots=True)
class Model:
    """Weights in bits by ``field.level``. ``slope`` and ``offset`` fit the sum to people's answers."""

    kind: str
    prior: float
    """Log odds, in bits, that two records that share a key are the same, before anything is compared."""
    weights: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    """By counted field, how likely two records have the same value by chance, where the weights were learnt."""
    slope: float = 1.0
    offset: float = 0.0

    @property
    def fingerprint(self) -> str:
        return sha256(self.dumps().encode()).hexdigest()[:12]

    def dumps(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def loads(cls, text: str) -> Self:
        """:raises ValueError: for what is no model."""
        data = json.loads(text)
        if data.pop("format", None) != FORMAT:
            raise ValueError("not a matching model of this version")
        return cls(**data)

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls.loads(path.read_text(encoding="utf-8"))

    @classmethod
    def default(cls, kind: str) -> Self:
        """The model that crmsync comes with."""
        prior, weights = DEFAULTS[kind]
        return cls(kind, prior, dict(weights))

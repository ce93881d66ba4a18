"""Who is the same, in the policy file: what identifies nobody, and how sure the matching model has to be."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import Field

from crmsync.yamlpos import YamlModel

Probability = Annotated[float, Field(gt=0, le=1)]


class Threshold(YamlModel):
    noun: ClassVar[str] = "a threshold"
    at: Probability
    precision: Probability | None = None
    """As it was measured at this threshold; for people, nothing is decided by it."""


class Alike(YamlModel):
    noun: ClassVar[str] = "identity.alike"
    match: Threshold = Threshold(at=0.99, precision=0.995)
    propose: Threshold = Threshold(at=0.5)


class Alikes(YamlModel):
    noun: ClassVar[str] = "identity.alike"
    account: Alike = Alike()
    contact: Alike = Alike()
    registration: Alike = Alike()
    deal: Alike = Alike()

    def by_kind(self) -> Mapping[str, Alike]:
        return MappingProxyType({name: getattr(self, name) for name in type(self).model_fields})


class Identity(YamlModel):
    noun: ClassVar[str] = "identity"
    free_mail_domains: tuple[str, ...] = ()
    shared_domains: tuple[str, ...] = ()
    shared_above: Annotated[int, Field(ge=1, le=10_000)] = 50
    aliases: Mapping[str, str] = {}
    alike: Alikes = Alikes()

"""Disputes, territories and later changes: sections of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from crmsync.rules.policy.types import Country, Recipient, Text
from crmsync.yamlpos import YamlModel


class Within(YamlModel):
    """Time to decide: ``hours`` by the clock, or working days."""

    noun: ClassVar[str] = "conflict.escalation.within"
    value: PositiveInt
    unit: Literal["hours", "business_days"] = "business_days"
    calendar: str | None = None


class Level(YamlModel):
    """One level of a dispute. When its time has passed undecided, the next level has it."""

    noun: ClassVar[str] = "a level of conflict.escalation"
    within: Within
    to: Recipient | None = None


class Conflict(YamlModel):
    noun: ClassVar[str] = "conflict"
    escalation: tuple[Level, ...] = (
        Level(within=Within(value=3)),
        Level(within=Within(value=5)),
        Level(within=Within(value=10)),
    )


class TerritoryRule(YamlModel):
    """Where ``when`` holds, a registration is in its partner's territory only if ``require`` holds."""

    noun: ClassVar[str] = "a rule of territory"
    name: Text
    when: str | None = None
    require: str
    reason: Text | None = None


class Territory(YamlModel):
    noun: ClassVar[str] = "territory"
    partner_regions: bool = False
    hold: bool = False
    regions: Mapping[str, tuple[Country, ...]] = {}
    rules: tuple[TerritoryRule, ...] = ()


class Changes(YamlModel):
    noun: ClassVar[str] = "changes"
    account: bool = True
    amount_tolerance_percent: Annotated[Decimal, Field(ge=0, le=1000)] | None = None
    tender: bool = True

"""Who is credited for a deal, and how much: the sections of the policy about attribution."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from crmsync.records import PartnerRole, TouchType
from crmsync.rules.policy.types import Days
from crmsync.yamlpos import YamlModel

Percent: TypeAlias = Annotated[Decimal, Field(ge=0, le=1000)]


class Attributions(YamlModel):
    noun: ClassVar[str] = "attribution"
    sourced: Literal["primary", "split"] = "primary"
    influenced: Literal["overlay", "split", "none"] = "overlay"
    influence_window_days: Days = 90
    sourcing_lookback_days: Days = 90
    lock_days: Days = 14
    backdate_limit_days: Days = 30
    sourcing_touches: tuple[TouchType, ...] = (TouchType.INTRO, TouchType.REFERRAL_LINK)
    qualifying_touches: tuple[TouchType, ...] = tuple(touch for touch in TouchType if touch != TouchType.EMAIL)
    manual_claims: Literal["review", "sourced", "ignore"] = "review"


class LoserCredit(YamlModel):
    """What a partner is paid whose registration stood, while another partner won."""

    noun: ClassVar[str] = "credit.loser_credit"
    when: str | None = None
    percent: Percent = Decimal(0)
    amount: Annotated[Decimal, Field(ge=0)] | None = None


class Credit(YamlModel):
    noun: ClassVar[str] = "credit"
    requires_active_protection_at_close: bool = False
    cap: Percent = Decimal(100)
    tolerance: Annotated[Decimal, Field(ge=0, le=100)] = Decimal("0.01")
    weights: Mapping[PartnerRole, Percent] = {}
    renormalise: bool = False
    lock_at_close: bool = False
    loser_credit: LoserCredit | None = None

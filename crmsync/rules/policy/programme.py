"""What a registration gives, when, to whom and for how long: the policy's sections about registrations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, PositiveInt, model_validator

from crmsync.records import PartnerType, TouchType
from crmsync.rules.policy.types import (
    Country,
    Currency,
    LocalTime,
    RegistrationField,
    RequestBy,
    Text,
    Zone,
    refuse,
)
from crmsync.yamlpos import YamlModel

Kind: TypeAlias = Literal["exclusive", "price_only", "credit_only", "post_win"]
UniquenessScope: TypeAlias = Literal[
    "account",
    "ultimate_parent",
    "domain",
    "account+product",
    "account+site",
    "account+division",
    "deal+contact+site",
]
Override: TypeAlias = Literal["customer_letter", "end_user_request"]


class Length(YamlModel):
    """A stretch of calendar time: months end on the same day of the month, or on its last day."""

    noun: ClassVar[str] = "a length"
    value: PositiveInt
    unit: Literal["days", "months"] = "days"


class LengthBy(YamlModel):
    noun: ClassVar[str] = "an entry of length_by"
    when: str
    length: Length | None


class HardCap(Length):
    noun: ClassVar[str] = "registration.hard_cap"
    from_: Literal["submitted_at", "approved_at"] = Field("submitted_at", alias="from")


class Keepalive(YamlModel):
    """Protection lasts only as long as the partner shows activity."""

    noun: ClassVar[str] = "registration.keepalive"
    every: Length
    touches: tuple[TouchType, ...] = tuple(TouchType)


class Lapse(YamlModel):
    """Nothing came of it in time: a claim that waits is closed, an approved one (``of: approved_at``) expires."""

    noun: ClassVar[str] = "an entry of registration.lapses"
    name: Text
    when: str | None = None
    within: Length
    of: Literal["submitted_at", "conditional_at", "returned_at", "status_changed_at", "approved_at"] = "submitted_at"


class Registrations(YamlModel):
    noun: ClassVar[str] = "registration"
    kind: Kind = "exclusive"
    start: Literal["approved_at", "submitted_at", "conditional_at", "status_changed_at"] = "approved_at"
    length: Length | None = Length(value=90)
    length_by: tuple[LengthBy, ...] = ()
    end_inclusive: bool = True
    hard_cap: HardCap | None = None
    keepalive: Keepalive | None = None
    lapses: tuple[Lapse, ...] = ()
    required: tuple[RegistrationField, ...] = ("partner_id", "account_name")
    return_incomplete: bool = True


class Sla(YamlModel):
    noun: ClassVar[str] = "approval.sla"
    value: PositiveInt = 48
    unit: Literal["hours", "business_days"] = "hours"
    calendar: str | None = None


class Extension(YamlModel):
    noun: ClassVar[str] = "extension"
    max_count: Annotated[int, Field(ge=0, le=20)] = 1
    when: str | None = None
    length: Length = Length(value=30)
    from_: Literal["current_end", "decided_at"] = Field("current_end", alias="from")
    request_by: RequestBy = "end"
    decide_by: Literal["end"] | None = None
    needs: tuple[RegistrationField, ...] = ()
    sla: Sla | None = None
    rivals_when_granted: Literal["reject", "hold"] = "reject"


class SecondBy(YamlModel):
    """What happens to a second registrant for which ``when`` holds."""

    noun: ClassVar[str] = "an entry of uniqueness.second_registrant_by"
    when: str
    then: Literal["hold", "reject", "accept_all"]


class Uniqueness(YamlModel):
    noun: ClassVar[str] = "uniqueness"
    scope: UniquenessScope = "account"
    product_overlap: Literal["any", "all", "ignore"] = "any"
    second_registrant: Literal["hold", "reject", "accept_reduced", "accept_all"] = "hold"
    second_registrant_by: tuple[SecondBy, ...] = ()
    discount_factor: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    fields: tuple[RegistrationField, ...] = ()
    lanes: Mapping[str, tuple[PartnerType, ...]] = {}
    overrides: tuple[Override, ...] = ()

    @model_validator(mode="after")
    def _factor_where_reduced(self) -> Uniqueness:
        if (self.second_registrant == "accept_reduced") != (self.discount_factor is not None):
            raise refuse(
                "second_registrant: accept_reduced and discount_factor go together",
                "say both, such as discount_factor: 0.5, or neither",
            )
        if self.second_registrant == "accept_reduced" and self.second_registrant_by:
            raise refuse(
                "second_registrant: accept_reduced lets everybody in, second_registrant_by has nothing to say",
                "leave one of them out",
            )
        return self


class SlaBy(YamlModel):
    noun: ClassVar[str] = "an entry of approval.sla_by"
    when: str
    sla: Sla | None


class Step(YamlModel):
    """Who decides. The first entry whose condition holds names the approver."""

    noun: ClassVar[str] = "a step of approval.steps"
    when: str | None = None
    approver: Text


class Approval(YamlModel):
    noun: ClassVar[str] = "approval"
    sla: Sla | None = Sla()
    sla_by: tuple[SlaBy, ...] = ()
    warn_at: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.75")
    steps: tuple[Step, ...] = ()
    auto_approve: bool = False
    auto_approve_unless: tuple[str, ...] = ()
    pause_clock_in: tuple[Literal["returned"], ...] = ("returned",)


class Capacity(YamlModel):
    noun: ClassVar[str] = "capacity"
    open_registrations_per_partner: PositiveInt | None = None


class Deadline(YamlModel):
    """A moment by which registrations must be in, by the clock of a place."""

    noun: ClassVar[str] = "a deadline"
    name: Text
    at: LocalTime
    tz: Zone
    when: str | None = None


class Money(YamlModel):
    noun: ClassVar[str] = "an amount"
    value: Annotated[Decimal, Field(ge=0)]
    currency: Currency | None = None
    fx: Literal["monthly"] = "monthly"


class AnnualValue(Money):
    """The value of one year. A contract without end counts as one of ``perpetual_years``."""

    noun: ClassVar[str] = "annual_value_gt"
    perpetual_years: PositiveInt = 6


class NotIn(YamlModel):
    noun: ClassVar[str] = "not_in"
    region: tuple[Country, ...]


class Tender(YamlModel):
    noun: ClassVar[str] = "tender"
    allowed: bool = True
    published_before_submission: bool = True


class Hours(YamlModel):
    noun: ClassVar[str] = "minimum_age"
    value: PositiveInt
    unit: Literal["hours", "days"] = "hours"


class SubmittedWithin(Length):
    noun: ClassVar[str] = "submitted_within"
    of: Literal["contract_signed_on", "deal_created", "deal_closed"]


class Eligibility(YamlModel):
    """A term of the programme. ``require`` is a condition; the other keys say what conditions cannot say shortly."""

    noun: ClassVar[str] = "an entry of eligibility"
    name: Text = ""
    when: str | None = None
    require: str | None = None
    reason: Text | None = None
    not_customer: Literal["any_product", "same_product"] | None = None
    no_vendor_contact_within: Length | None = None
    no_purchase_within: Length | None = None
    no_open_direct_deal: Literal[True] | None = None
    amount_gte: Money | None = None
    annual_value_gt: AnnualValue | None = None
    units_gte: PositiveInt | None = None
    not_in: NotIn | None = None
    tender: Tender | None = None
    evidence_count_gte: PositiveInt | None = None
    minimum_age: Hours | None = None
    submitted_within: SubmittedWithin | None = None

    @property
    def test(self) -> str:
        """The key that says what is asked."""
        return next(key for key in TESTS if getattr(self, key) is not None)

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Eligibility:
        asked = [key for key in TESTS if getattr(self, key) is not None]
        if len(asked) != 1:
            found = " and ".join(asked) or "nothing"
            raise refuse(f"an entry of eligibility asks one thing, found {found}", f"one of: {', '.join(TESTS)}")
        if not self.name:
            object.__setattr__(self, "name", asked[0])
        return self


TESTS = (
    "require",
    "not_customer",
    "no_vendor_contact_within",
    "no_purchase_within",
    "no_open_direct_deal",
    "amount_gte",
    "annual_value_gt",
    "units_gte",
    "not_in",
    "tender",
    "evidence_count_gte",
    "minimum_age",
    "submitted_within",
)
"""The keys of which an entry of eligibility has exactly one."""


class Calendar(YamlModel):
    """Working days: Monday to Friday without a country's public holidays."""

    noun: ClassVar[str] = "a calendar"
    country: Country | None = None
    subdivision: str | None = None
    closed: tuple[date, ...] = ()


Calendars: TypeAlias = Mapping[str, Calendar]

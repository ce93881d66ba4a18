"""The policy file as data: every key, its default and its bounds. Each is explained in docs/policy.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from crmsync.records import CertificationType, Motion, Stage
from crmsync.rules.policy.crediting import Attributions, Credit
from crmsync.rules.policy.disputes import Changes, Conflict, Territory
from crmsync.rules.policy.matching import Identity
from crmsync.rules.policy.programme import (
    Approval,
    Calendar,
    Capacity,
    Deadline,
    Eligibility,
    Extension,
    Length,
    Registrations,
    Uniqueness,
)
from crmsync.rules.policy.types import (
    Code,
    Comparator,
    Currency,
    Days,
    Month,
    Rate,
    Recipient,
    Severity,
    SurvivorCriterion,
    Text,
    Version,
    Zone,
)
from crmsync.yamlpos import YamlModel


class DealScope(YamlModel):
    noun: ClassVar[str] = "scope.deals"
    when: str | None = None


class Scope(YamlModel):
    noun: ClassVar[str] = "scope"
    deals: DealScope = DealScope()


class Gates(YamlModel):
    noun: ClassVar[str] = "gates"
    agreement: Literal["active"] | None = "active"
    certification: tuple[CertificationType, ...] = ()


class OnLapse(YamlModel):
    noun: ClassVar[str] = "certification.on_lapse"
    grace_days: Days = 0
    then: Literal["keep", "suspend"] = "keep"


class Certifications(YamlModel):
    noun: ClassVar[str] = "certification"
    types: tuple[CertificationType, ...] = (CertificationType.SALES,)
    on_lapse: OnLapse = OnLapse()


class Incumbency(YamlModel):
    noun: ClassVar[str] = "incumbency"
    lasts: Length | None = None


class DealDuplicates(YamlModel):
    noun: ClassVar[str] = "duplicates.deals"
    beside_protected: bool = True
    same_amount_within_days: Days | None = 30


class Duplicates(YamlModel):
    noun: ClassVar[str] = "duplicates"
    accounts: bool = True
    contacts: bool = True
    deals: DealDuplicates = DealDuplicates()
    survivor: tuple[SurvivorCriterion, ...] = ("partner_of_record", "open_deals", "most_complete", "oldest")


class Validation(YamlModel):
    noun: ClassVar[str] = "a validation"
    name: Text
    on: Literal["deal", "registration", "account", "contact"] = "deal"
    when: str
    require: Annotated[tuple[str, ...], Field(min_length=1)]
    severity: Severity = "warning"
    task: bool = False


class StaleDeals(YamlModel):
    noun: ClassVar[str] = "stale_deals"
    when: str | None = None
    after_days: Days = 60
    by_stage: Mapping[Stage, Days] = {}


class Reminders(YamlModel):
    noun: ClassVar[str] = "reminders"
    days_before_end: tuple[PositiveInt, ...] = (14, 3)


class TaskRule(YamlModel):
    noun: ClassVar[str] = "a task"
    to: Recipient = "owner"
    due_in_days: Days = 3


class Fx(YamlModel):
    noun: ClassVar[str] = "fx"
    corporate: Currency = "USD"
    rates: Mapping[Month, Mapping[Currency, Rate]] = {}


class PolicyModel(YamlModel):
    """The whole file."""

    noun: ClassVar[str] = "the policy"
    version: Version
    effective_from: date | None = None
    timezone: Zone = "UTC"
    scope: Scope = Scope()
    registration: Registrations = Registrations()
    extension: Extension = Extension()
    uniqueness: Uniqueness = Uniqueness()
    tie_order: Annotated[tuple[Comparator, ...], Field(min_length=1)] = (
        "registered",
        "incumbent",
        "certified",
        "earliest_submission",
    )
    tie_order_by_motion: Mapping[Motion, tuple[Comparator, ...]] = {}
    conflict: Conflict = Conflict()
    territory: Territory = Territory()
    changes: Changes = Changes()
    approval: Approval = Approval()
    capacity: Capacity = Capacity()
    deadlines: tuple[Deadline, ...] = ()
    calendars: Mapping[str, Calendar] = {}
    gates: Gates = Gates()
    certification: Certifications = Certifications()
    eligibility: tuple[Eligibility, ...] = ()
    attribution: Attributions = Attributions()
    credit: Credit = Credit()
    incumbency: Incumbency = Incumbency()
    identity: Identity = Identity()
    duplicates: Duplicates = Duplicates()
    validations: tuple[Validation, ...] = ()
    stale_deals: StaleDeals | None = None
    reminders: Reminders = Reminders()
    tasks: Mapping[Code, TaskRule] = {}
    findings: Mapping[Code, Severity | Literal["off"]] = {}
    fx: Fx = Fx()
    reasons: Mapping[str, Text] = {}

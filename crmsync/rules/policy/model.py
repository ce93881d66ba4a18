"""The policy file as data: every key, its default and its bounds. Each is explained in docs/policy.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

import holidays
from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt
from pydantic_core import PydanticCustomError

from crmsync.diagnostics import did_you_mean
from crmsync.records import CertificationType, Motion, Stage, TouchType, field_types
from crmsync.rules.codes import FLAGS
from crmsync.yamlpos import YamlModel

Comparator: TypeAlias = Literal["registered", "incumbent", "certified", "earliest_submission"]
Days: TypeAlias = Annotated[int, Field(ge=0, le=3660)]
Recipient: TypeAlias = Literal["owner", "partner_manager"]
Severity: TypeAlias = Literal["error", "warning", "info"]


def _refuse(message: str, hint: str, code: str = "E107") -> PydanticCustomError:
    """An error whose texts are shown as they are: braces in them are no placeholders."""
    return PydanticCustomError("policy", "{text}", {"text": message, "hint": hint, "code": code})


def _known(word: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    if word not in names:
        raise _refuse(f"unknown {what} '{word}'", did_you_mean(word, names) or f"one of: {', '.join(names)}", "E221")
    return word


def _zone(name: str) -> str:
    if name == "UTC" or ("/" in name and name in available_timezones()):
        ZoneInfo(name)
        return name
    if name.isupper() and "/" not in name:
        raise _refuse(
            f"'{name}' is no place: such letters say neither when clocks change nor which country is meant",
            "name a zone of the IANA list, such as America/Los_Angeles or Europe/Berlin",
        )
    near = did_you_mean(name, available_timezones())
    raise _refuse(f"unknown time zone '{name}'", near or "name a zone of the IANA list, such as Europe/Berlin")


def _code(code: str) -> str:
    return _known(code, FLAGS, "code")


def _country(code: str) -> str:
    return _known(code, holidays.list_supported_countries(include_aliases=False), "country")


def _month(text: str) -> str:
    try:
        date.fromisoformat(f"{text}-01")
    except ValueError:
        raise _refuse(f"found '{text}', wanted a month", 'write it as "2026-01"') from None
    return text


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int | Decimal) else value


Version: TypeAlias = Annotated[str, BeforeValidator(_number_as_text), Field(min_length=1, max_length=40)]
Zone: TypeAlias = Annotated[str, AfterValidator(_zone)]
Code: TypeAlias = Annotated[str, AfterValidator(_code)]
Country: TypeAlias = Annotated[str, AfterValidator(_country)]
Month: TypeAlias = Annotated[str, AfterValidator(_month)]
Currency: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Rate: TypeAlias = Annotated[Decimal, Field(gt=0)]
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=255)]
RegistrationField: TypeAlias = Annotated[
    str, AfterValidator(lambda name: _known(name, field_types("registration"), "field of a registration"))
]


class Length(YamlModel):
    """A stretch of calendar time: months end on the same day of the month, or on its last day."""

    noun: ClassVar[str] = "a length"
    value: PositiveInt
    unit: Literal["days", "months"] = "days"


class LengthBy(YamlModel):
    noun: ClassVar[str] = "an entry of length_by"
    when: str
    length: Length


class DealScope(YamlModel):
    noun: ClassVar[str] = "scope.deals"
    when: str | None = None


class Scope(YamlModel):
    noun: ClassVar[str] = "scope"
    deals: DealScope = DealScope()


class Registrations(YamlModel):
    noun: ClassVar[str] = "registration"
    kind: Literal["exclusive", "credit_only"] = "exclusive"
    start: Literal["approved_at", "submitted_at"] = "approved_at"
    length: Length | None = Length(value=90)
    length_by: tuple[LengthBy, ...] = ()
    end_inclusive: bool = True
    required: tuple[RegistrationField, ...] = ("partner_id", "account_name")
    return_incomplete: bool = True


class Extension(YamlModel):
    noun: ClassVar[str] = "extension"
    max_count: Annotated[int, Field(ge=0, le=1)] = 1
    length: Length = Length(value=30)
    from_: Literal["current_end", "decided_at"] = Field("current_end", alias="from")
    request_by: Literal["end", "after_ok"] = "end"
    decide_by: Literal["end"] | None = None
    rivals_when_granted: Literal["reject", "hold"] = "reject"


class Uniqueness(YamlModel):
    noun: ClassVar[str] = "uniqueness"
    scope: Literal["account", "ultimate_parent"] = "account"
    product_overlap: Literal["any", "all", "ignore"] = "any"
    second_registrant: Literal["hold", "reject", "accept_all"] = "hold"


class Sla(YamlModel):
    noun: ClassVar[str] = "approval.sla"
    value: PositiveInt = 48
    unit: Literal["hours", "business_days"] = "hours"
    calendar: str | None = None


class Approval(YamlModel):
    noun: ClassVar[str] = "approval"
    sla: Sla | None = Sla()
    warn_at: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.75")


class Calendar(YamlModel):
    """Working days: Monday to Friday without a country's public holidays."""

    noun: ClassVar[str] = "a calendar"
    country: Country | None = None
    subdivision: str | None = None
    closed: tuple[date, ...] = ()


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


class Attributions(YamlModel):
    noun: ClassVar[str] = "attribution"
    sourced: Literal["primary"] = "primary"
    influenced: Literal["overlay", "none"] = "overlay"
    influence_window_days: Days = 90
    sourcing_lookback_days: Days = 90
    lock_days: Days = 14
    backdate_limit_days: Days = 30
    sourcing_touches: tuple[TouchType, ...] = (TouchType.INTRO, TouchType.REFERRAL_LINK)
    qualifying_touches: tuple[TouchType, ...] = tuple(touch for touch in TouchType if touch != TouchType.EMAIL)
    manual_claims: Literal["review", "sourced", "ignore"] = "review"


class Credit(YamlModel):
    noun: ClassVar[str] = "credit"
    requires_active_protection_at_close: bool = False


class Incumbency(YamlModel):
    noun: ClassVar[str] = "incumbency"
    lasts: Length | None = None


class Identity(YamlModel):
    noun: ClassVar[str] = "identity"
    free_mail_domains: tuple[str, ...] = ()
    shared_domains: tuple[str, ...] = ()
    aliases: Mapping[str, str] = {}


class DealDuplicates(YamlModel):
    noun: ClassVar[str] = "duplicates.deals"
    beside_protected: bool = True
    same_amount_within_days: Days | None = 30


class Duplicates(YamlModel):
    noun: ClassVar[str] = "duplicates"
    accounts: bool = True
    contacts: bool = True
    deals: DealDuplicates = DealDuplicates()


class Eligibility(YamlModel):
    """A term of the programme: ``require`` must hold for a registration to be eligible."""

    noun: ClassVar[str] = "an entry of eligibility"
    name: Text
    when: str | None = None
    require: str
    reason: Text | None = None


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
    approval: Approval = Approval()
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
    fx: Fx = Fx()
    reasons: Mapping[str, Text] = {}

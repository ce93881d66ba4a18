"""What a row of each kind must hold. Columns are canonical fields; those that name another record drop the ``_id``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from crmsync.diagnostics import did_you_mean
from crmsync.records import (
    AgreementStatus,
    ClosureCode,
    Motion,
    PartnerStatus,
    PartnerType,
    RegistrationState,
    TouchType,
)

E = TypeVar("E", bound=StrEnum)


def problem(text: str) -> PydanticCustomError:
    return PydanticCustomError("intake", "{text}", {"text": text})


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split()) if "\n" not in value else value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise problem("wanted text")
    return str(value)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise problem(f"'{_short(value)}' is not a date, wanted YYYY-MM-DD") from None


def _instant(value: Any, info: ValidationInfo) -> datetime:
    """Aware as written; a value without an offset is taken in the zone of the import."""
    try:
        parsed = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise problem(f"'{_short(value)}' is not a point in time, wanted YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ") from None
    zone: tzinfo = (info.context or {}).get("timezone", UTC)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).astimezone(UTC)


def _money(value: Any) -> Decimal:
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise problem(f"'{_short(value)}' is not an amount, wanted digits and a point: 12000.50") from None
    if not amount.is_finite() or amount < 0:
        raise problem(f"'{_short(value)}' is not an amount, wanted 0 or more")
    return amount


def _currency(value: Any) -> str:
    code = str(value).strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise problem(f"'{_short(value)}' is not a currency, wanted an ISO 4217 code like EUR")
    return code


def _country(value: Any) -> str:
    code = str(value).strip().upper()
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        raise problem(f"'{_short(value)}' is not a country, wanted an ISO 3166 code like DE")
    return code


def _email(value: Any) -> str:
    text = str(value).strip()
    local, _, host = text.rpartition("@")
    if not local or "." not in host or any(c.isspace() for c in text):
        raise problem(f"'{_short(value)}' is not an e-mail address")
    return text


def _list(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else str(value).split(";")
    return tuple(dict.fromkeys(text for part in parts if (text := str(part).strip())))


def _one_of(options: type[E]) -> Callable[[Any], E]:
    """Reads ``Under Review`` as well as ``under_review``."""

    def read(value: Any) -> E:
        word = str(value).strip().lower().replace(" ", "_").replace("-", "_")
        try:
            return options(word)
        except ValueError:
            near = did_you_mean(word, options)
            wanted = near or "wanted one of " + ", ".join(options)
            raise problem(f"'{_short(value)}' is not known here; {wanted}") from None

    return read


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


Text = Annotated[str, BeforeValidator(_text)]
Date = Annotated[date, BeforeValidator(_date)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Money = Annotated[Decimal, BeforeValidator(_money)]
Currency = Annotated[str, BeforeValidator(_currency)]
Country = Annotated[str, BeforeValidator(_country)]
Email = Annotated[str, BeforeValidator(_email)]
Words = Annotated[tuple[str, ...], BeforeValidator(_list)]


class Row(BaseModel):
    """Empty cells are left out before validation: an import never clears a field."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RegistrationRow(Row):
    number: Text
    partner: Text
    account_name: Text
    account: Text | None = None
    original_partner: Text | None = None
    deal: Text | None = None
    account_domain: Text | None = None
    account_country: Country | None = None
    account_number: Text | None = None
    contact_email: Email | None = None
    contact_name: Text | None = None
    products: Words = ()
    motion: Annotated[Motion, BeforeValidator(_one_of(Motion))] | None = None
    amount: Money | None = None
    currency: Currency | None = None
    expected_close: Date | None = None
    evidence: Text | None = None
    submitted_by: Text | None = None
    submitted_by_type: Text | None = None
    intake_channel: Text | None = None
    state: Annotated[RegistrationState, BeforeValidator(_one_of(RegistrationState))] | None = None
    closure_code: Annotated[ClosureCode, BeforeValidator(_one_of(ClosureCode))] | None = None
    submitted_at: Instant | None = None
    approved_at: Instant | None = None
    decided_at: Instant | None = None
    decided_by: Text | None = None
    decision_reason: Text | None = None
    extension_requested_at: Instant | None = None
    extension_granted_at: Instant | None = None
    extension_reason: Text | None = None
    customer_letter_on: Date | None = None

    @model_validator(mode="after")
    def _amount_names_its_currency(self) -> RegistrationRow:
        if self.amount is not None and self.currency is None:
            raise PydanticCustomError("currency", "an amount needs a currency", {"column": "currency"})
        return self


class PartnerRow(Row):
    name: Text
    type: Annotated[PartnerType, BeforeValidator(_one_of(PartnerType))]
    domain: Text | None = None
    country: Country | None = None
    tier: Text | None = None
    status: Annotated[PartnerStatus, BeforeValidator(_one_of(PartnerStatus))] | None = None
    agreement_status: Annotated[AgreementStatus, BeforeValidator(_one_of(AgreementStatus))] | None = None
    agreement_start: Date | None = None
    agreement_end: Date | None = None
    manager: Text | None = None
    parent: Text | None = None

    @model_validator(mode="after")
    def _agreement_ends_after_it_starts(self) -> PartnerRow:
        if self.agreement_start and self.agreement_end and self.agreement_end < self.agreement_start:
            raise PydanticCustomError("order", "the agreement ends before it starts", {"column": "agreement_end"})
        return self


class TouchRow(Row):
    partner: Text
    type: Annotated[TouchType, BeforeValidator(_one_of(TouchType))]
    occurred_at: Instant
    deal: Text | None = None
    account: Text | None = None
    logged_at: Instant | None = None
    name: Text | None = None
    source_ref: Text | None = Field(default=None, description="where it is written down: a mail, a calendar entry")

    @model_validator(mode="after")
    def _names_a_deal_or_an_account(self) -> TouchRow:
        if self.deal is None and self.account is None:
            raise PydanticCustomError("subject", "a touch needs a deal or an account", {"column": "deal"})
        return self


MODELS: Mapping[str, type[Row]] = MappingProxyType(
    {"registration": RegistrationRow, "partner": PartnerRow, "touch": TouchRow}
)

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"registration": ("number",), "partner": ("name", "country"), "touch": ("name",)}
)
"""The columns that tell two rows of one file apart; rows without any of them are not compared."""

REFERENCE_COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "registration": MappingProxyType(
            {
                "partner": "partner_id",
                "original_partner": "original_partner_id",
                "account": "account_id",
                "deal": "deal_id",
            }
        ),
        "partner": MappingProxyType({"manager": "manager_id", "parent": "parent_id"}),
        "touch": MappingProxyType({"partner": "partner_id", "deal": "deal_id", "account": "account_id"}),
    }
)
"""Columns that name another record, and the canonical field that its id goes to."""


def required_columns(kind: str) -> tuple[str, ...]:
    return tuple(name for name, field in MODELS[kind].model_fields.items() if field.is_required())

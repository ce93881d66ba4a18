"""The kinds of values that a policy file holds, and what is refused with which hint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

import holidays
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from crmsync.diagnostics import did_you_mean
from crmsync.records import field_types
from crmsync.rules.codes import FLAGS

Comparator: TypeAlias = Literal["registered", "incumbent", "certified", "earliest_submission"]
SurvivorCriterion: TypeAlias = Literal["partner_of_record", "open_deals", "most_complete", "oldest"]
Days: TypeAlias = Annotated[int, Field(ge=0, le=3660)]
Recipient: TypeAlias = Literal["owner", "partner_manager"]
Severity: TypeAlias = Literal["error", "warning", "info"]


def refuse(message: str, hint: str, code: str = "E107") -> PydanticCustomError:
    """An error whose texts are shown as they are: braces in them are no placeholders."""
    return PydanticCustomError("policy", "{text}", {"text": message, "hint": hint, "code": code})


def _known(word: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    if word not in names:
        raise refuse(f"unknown {what} '{word}'", did_you_mean(word, names) or f"one of: {', '.join(names)}", "E221")
    return word


def _zone(name: str) -> str:
    if name == "UTC" or ("/" in name and name in available_timezones()):
        ZoneInfo(name)
        return name
    if name.isupper() and "/" not in name:
        raise refuse(
            f"'{name}' is no place: such letters say neither when clocks change nor which country is meant",
            "name a zone of the IANA list, such as America/Los_Angeles or Europe/Berlin",
        )
    near = did_you_mean(name, available_timezones())
    raise refuse(f"unknown time zone '{name}'", near or "name a zone of the IANA list, such as Europe/Berlin")


def _code(code: str) -> str:
    return _known(code, FLAGS, "code")


def _country(code: str) -> str:
    return _known(code, holidays.list_supported_countries(include_aliases=False), "country")


def _month(text: str) -> str:
    try:
        date.fromisoformat(f"{text}-01")
    except ValueError:
        raise refuse(f"found '{text}', wanted a month", 'write it as "2026-01"') from None
    return text


def _local_time(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise refuse(f"found '{text}', wanted a day and a time", 'write it as "2026-06-30T17:00"') from None
    if at.tzinfo is not None:
        raise refuse(f"'{text}' has an offset, the zone is said by 'tz'", 'write it as "2026-06-30T17:00"')
    return text


def _request_by(text: str) -> str:
    if text not in ("end", "after_ok") and not re.fullmatch(r"(end-|start\+)[1-9]\d{0,2}d", text):
        raise refuse(
            f"found '{text}', wanted a latest time to ask",
            "one of: end, end-7d or start+60d (any number of days), after_ok",
        )
    return text


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int | Decimal) else value


Version: TypeAlias = Annotated[str, BeforeValidator(_number_as_text), Field(min_length=1, max_length=40)]
Zone: TypeAlias = Annotated[str, AfterValidator(_zone)]
Code: TypeAlias = Annotated[str, AfterValidator(_code)]
Country: TypeAlias = Annotated[str, AfterValidator(_country)]
Month: TypeAlias = Annotated[str, AfterValidator(_month)]
LocalTime: TypeAlias = Annotated[str, AfterValidator(_local_time)]
RequestBy: TypeAlias = Annotated[str, AfterValidator(_request_by)]
Currency: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Rate: TypeAlias = Annotated[Decimal, Field(gt=0)]
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=255)]
RegistrationField: TypeAlias = Annotated[
    str, AfterValidator(lambda name: _known(name, field_types("registration"), "field of a registration"))
]

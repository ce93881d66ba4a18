"""What the transport must know about a CRM: how it says errors, limits and request ids over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class VendorError:
    """An error answer, read: the vendor's code (a code of the retry table), its message, and what to do about it."""

    code: str
    message: str = ""
    hint: str = ""
    missing_scopes: tuple[str, ...] = ()

    def said(self, status: int = 0) -> str:
        """What the vendor said, cut to one short line."""
        parts = [str(status), self.code] if status else []
        return " ".join(part for part in (*parts, self.message) if part)[:200].replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one CRM says things over HTTP.

    ``read_limits`` gives (allowed per day, left today) where the headers tell; ``sign_in_hint`` goes with every
    AuthError that has no better one; ``calls_return`` says when calls of a day that were used up come back.
    """

    system: str
    read_error: Callable[[int, Mapping[str, str], bytes], VendorError]
    read_limits: Callable[[Mapping[str, str]], tuple[int, int] | None]
    request_id: Callable[[Mapping[str, str]], str]
    sign_in_hint: str
    status_page: str
    calls_return: str
    gzip_requests: bool = False


def http_date(headers: Mapping[str, str]) -> datetime | None:
    """The ``Date`` header as an aware instant."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return None

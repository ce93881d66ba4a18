"""A failed try, and the crmsync error that it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crmsync.connectors.dialect import Dialect, VendorError
from crmsync.connectors.retry import Action, Row
from crmsync.errors import AuthError, CrmsyncError, Permanent, QuotaExhausted, RateLimited, Transient, Unreachable


@dataclass(frozen=True, slots=True)
class Failure:
    """``status`` 0: no answer. ``request`` is method and path template; ``waited_s`` what a throttled try was told."""

    dialect: Dialect
    row: Row
    status: int
    problem: VendorError
    request_id: str
    request: str
    base_url: str
    waited_s: float = 0.0

    @property
    def system(self) -> str:
        return self.dialect.system

    @property
    def _facts(self) -> dict[str, Any]:
        return {
            "system": self.system,
            "status": self.status or None,
            "vendor_code": self.problem.code,
            "request_id": self.request_id,
        }

    def unknown(self) -> Transient:
        """The CRM may have acted, and it was a write."""
        error = Transient(
            f"{self.system} may or may not have done {self.request} ({self.problem.said(self.status)})",
            hint="the next run reads the records back before it writes again",
            **self._facts,
        )
        error.outcome_unknown = True
        return error

    def final(self) -> CrmsyncError:
        """The error of an action that allows no other try."""
        match self.row.action:
            case Action.STOP:
                return QuotaExhausted(
                    f"the API calls that {self.system} allows per day are used up ({self.problem.said(self.status)})",
                    hint="run again when the count has reset; nothing was lost",
                    **self._facts,
                )
            case Action.AUTH | Action.SIGN_IN:
                about = f"; request {self.request_id}" if self.request_id else ""
                return AuthError(
                    f"{self.system} refused the sign-in or a permission ({self.problem.said(self.status)}{about})",
                    system=self.system,
                    hint=self.problem.hint or self.dialect.sign_in_hint,
                    missing_scopes=self.problem.missing_scopes,
                )
            case _ if self.status == 0:
                return Unreachable(
                    f"{self.system} gave no usable answer at {self.base_url} ({self.problem.said()})",
                    hint="check the url of the connection; a proxy with its own certificate: set REQUESTS_CA_BUNDLE",
                    **self._facts,
                )
            case _:
                return Permanent(
                    f"{self.system} refused the request ({self.problem.said(self.status)})",
                    hint=self.problem.hint,
                    **self._facts,
                )

    def given_up(self, tries: int) -> CrmsyncError:
        """The error after the last of several tries."""
        detail = self.problem.said(self.status)
        if self.row.action is Action.WAIT:
            limited = RateLimited(
                f"{self.system} was still limiting requests after {tries} tries ({detail})",
                hint="something else is using the API heavily; run again later",
                **self._facts,
            )
            limited.retry_after_s = self.waited_s
            return limited
        if self.status == 0 or self.status >= 500 or not self.problem.code:
            return Unreachable(
                f"{self.system} did not answer at {self.base_url} after {tries} tries ({detail})",
                hint=f"check the url of the connection and {self.dialect.status_page}, then run again",
                **self._facts,
            )
        return Transient(
            f"{self.system} could not do {self.request} in {tries} tries ({detail})",
            hint="run again; another process may be writing the same records",
            **self._facts,
        )

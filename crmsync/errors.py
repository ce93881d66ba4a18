"""Every error of crmsync. The branches are decisions: what the person, or the engine, does next.

    CrmsyncError
    ├── ConfigError       fix the file                       exit 2   (carries diagnostics with positions)
    ├── UsageError        fix the command                    exit 2
    ├── AuthError         sign in, or grant a scope          exit 4
    ├── GuardError        a limit stopped the run            exit 6   (nothing was written)
    ├── RemoteError       the CRM refused or did not answer  exit 1
    │   ├── Transient     retry                              (timeouts, 5xx, dropped connections, locks)
    │   ├── RateLimited   wait ``retry_after_s``, then retry
    │   ├── QuotaExhausted  the day's calls are used up: stop, run later
    │   ├── Unreachable   retries did not help: the CRM is down or the address is wrong
    │   └── Permanent     the same request would fail again
    └── StoreError        the local SQLite store             exit 1

Messages say what was found, where, and what was wanted, in at most about twenty words, without a full stop; ``hint``
is a command or an edit. Vendor exceptions are translated in ``connectors/`` only. A failure of *one record* is not an
exception: it is an :class:`~crmsync.remote.Outcome`, and the run goes on (exit 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crmsync.diagnostics import Diagnostic


class CrmsyncError(Exception):
    """Base of all errors that a person can act on; anything else is a bug in crmsync (exit 70)."""

    exit_code = 1
    code = "E000"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or type(self).code


class ConfigError(CrmsyncError):
    """One or more problems in YAML files, each with file, line and column."""

    exit_code = 2
    code = "E100"

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        first = diagnostics[0]
        more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
        super().__init__(f"{first.where}: {first.message}{more}", hint=first.hint, code=first.code)
        self.diagnostics = tuple(diagnostics)


class UsageError(CrmsyncError):
    exit_code = 2
    code = "E110"


class AuthError(CrmsyncError):
    """The CRM refused the sign-in, or the credential lacks a scope."""

    exit_code = 4
    code = "E300"

    def __init__(
        self,
        message: str,
        *,
        system: str,
        hint: str = "",
        code: str = "",
        missing_scopes: Sequence[str] = (),
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.system = system
        self.missing_scopes = tuple(missing_scopes)


class GuardError(CrmsyncError):
    """A limit of the project file stopped the run before the first write."""

    exit_code = 6
    code = "E600"


class RemoteError(CrmsyncError):
    """The CRM did not do what was asked. ``request_id`` is the vendor's own id of the exchange."""

    code = "E400"

    def __init__(
        self,
        message: str,
        *,
        system: str,
        hint: str = "",
        code: str = "",
        status: int | None = None,
        vendor_code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.system = system
        self.status = status
        self.vendor_code = vendor_code
        self.request_id = request_id


class Transient(RemoteError):
    """Worth another try. ``outcome_unknown`` is true where the CRM may have acted although no answer came."""

    code = "E410"
    outcome_unknown = False


class RateLimited(RemoteError):
    code = "E420"
    retry_after_s: float = 1.0


class QuotaExhausted(RemoteError):
    code = "E430"


class Unreachable(RemoteError):
    code = "E440"


class Permanent(RemoteError):
    code = "E450"


class StoreError(CrmsyncError):
    code = "E500"


class StoreBusy(StoreError):
    """Another process holds the store."""

    code = "E510"

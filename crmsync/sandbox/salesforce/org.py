"""A Salesforce org in one SQLite file, and the in-process handle on it for tests, demos and the world loader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.routing import BaseRoute

from crmsync.sandbox.credentials import SALESFORCE_ADMIN_USERNAME
from crmsync.sandbox.salesforce import seed
from crmsync.sandbox.salesforce.audit import AuditEntry, read_audit
from crmsync.sandbox.salesforce.base import Clock
from crmsync.sandbox.salesforce.bulk.service import Bulk
from crmsync.sandbox.salesforce.fieldhistory import track_history
from crmsync.sandbox.salesforce.ids import to_18
from crmsync.sandbox.salesforce.loading import Loading
from crmsync.sandbox.salesforce.records import Actor, Records
from crmsync.sandbox.salesforce.rules import DuplicateRule, Rules, ValidationRule
from crmsync.sandbox.salesforce.soql.runner import QueryRunner
from crmsync.sandbox.salesforce.store import Row

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.api.app import Front
    from crmsync.sandbox.salesforce.api.auth import Sessions

DAILY_LIMIT = 100_000


class SalesforceOrg(Loading):
    """``path`` is a file or ``:memory:``. A new one gets the standard objects, two users and no business data."""

    def __init__(self, path: str = ":memory:", clock: Clock | None = None) -> None:
        super().__init__(path, clock)
        self.records = Records(self)
        self.rules = Rules(self)
        self.queries = QueryRunner(self)
        self.bulk = Bulk(self)
        self.requests: list[tuple[str, str, int]] = []
        self.api_limit = DAILY_LIMIT
        self.api_calls = 0
        self._writes_before = 0
        self._jwt_keys: list[str] = []
        if self.is_new:
            with self.store.transaction():
                seed.create_standard_objects(self)
                seed.plant(self)
                self.schema_changed()
        else:
            self.load_schema()

    @cached_property
    def front(self) -> Front:
        """The HTTP side, made when it is first needed."""
        from crmsync.sandbox.salesforce.api.app import Front

        return Front(self)

    def routes(self) -> list[BaseRoute]:
        return self.front.routes()

    @property
    def sessions(self) -> Sessions:
        return self.front.sessions

    # ---------------------------------------------------------------- edits as a person

    def edit(self, sobject: str, record_id: str, fields: Mapping[str, Any], user_id: str | None = None) -> None:
        with self.store.transaction():
            self.records.update(self.person(user_id), self.schema.require(sobject), record_id, fields)

    def create(self, sobject: str, fields: Mapping[str, Any], user_id: str | None = None) -> str:
        with self.store.transaction():
            return self.records.create(self.person(user_id), self.schema.require(sobject), fields)

    def delete(self, sobject: str, record_id: str, user_id: str | None = None) -> None:
        with self.store.transaction():
            self.records.delete(self.person(user_id), self.schema.require(sobject), record_id)

    def merge(self, sobject: str, master_id: str, loser_ids: Sequence[str], user_id: str | None = None) -> None:
        with self.store.transaction():
            self.records.merge(self.person(user_id), self.schema.require(sobject), master_id, list(loser_ids))

    def undelete(self, sobject: str, record_id: str, user_id: str | None = None) -> None:
        with self.store.transaction():
            self.records.undelete(self.person(user_id), self.schema.require(sobject), record_id)

    def row(self, sobject: str, record_id: str) -> Row | None:
        """The stored row, all fields, whoever asks."""
        with self.store.lock:
            return self.store.get(self.schema.require(sobject), to_18(record_id) or record_id)

    def rows(self, sobject: str, where: str = "1", parameters: Iterable[Any] = ()) -> list[Row]:
        """Stored rows by an SQL condition over field names, deleted ones included."""
        with self.store.lock:
            return self.store.select(self.schema.require(sobject), where, parameters)

    def count(self, sobject: str) -> int:
        target = self.schema.require(sobject)
        live = ' WHERE "IsDeleted" = 0' if target.has("IsDeleted") else ""
        with self.store.lock:
            return int(self.store.scalar(f'SELECT COUNT(*) FROM "{target.name}"{live}'))

    def person(self, user_id: str | None = None) -> Actor:
        """Somebody at the keyboard: the administrator, unless a user is named."""
        return Actor(self.access(user_id or str(self.user_id(SALESFORCE_ADMIN_USERNAME))))

    # ---------------------------------------------------------------- rules, visibility

    def add_duplicate_rule(self, name: str, sobject: str, fields: Sequence[str], **more: Any) -> None:
        """``action="alert"`` or ``"block"``, ``message``, ``matching_rule``, ``on_update``."""
        self.rules.add_duplicate_rule(DuplicateRule(name, sobject, tuple(fields), **more))

    def add_validation_rule(
        self, sobject: str, refuses: Callable[[Mapping[str, Any]], bool], message: str, field: str | None = None
    ) -> None:
        """``refuses`` is the error condition, a Python function of the record as it would be saved."""
        self.rules.validations.append(ValidationRule(sobject, refuses, message, field))

    @property
    def visibility_delay(self) -> float:
        """Seconds between a write and the first query that sees it, with the stamp of the write."""
        return self.visibility.delay

    @visibility_delay.setter
    def visibility_delay(self, seconds: float) -> None:
        self.visibility.delay = seconds

    def track_history(self, sobject: str, fields: Sequence[str]) -> None:
        """Set History Tracking in Setup: from now on, changes of these fields leave rows in the history object."""
        with self.store.transaction():
            track_history(self, self.schema.require(sobject), fields)

    # ---------------------------------------------------------------- sign-in, logs

    def register_jwt_key(self, public_pem: str) -> None:
        """Trust assertions signed by this key, as an uploaded certificate of the app would."""
        self._jwt_keys.append(public_pem)

    @property
    def jwt_keys(self) -> Sequence[str]:
        return tuple(self._jwt_keys)

    def log_request(self, method: str, path: str, status: int) -> None:
        self.requests.append((method, path, status))

    def reset_requests(self) -> None:
        self.requests.clear()
        self._writes_before = self._writes()

    @property
    def audit(self) -> list[AuditEntry]:
        """Every write to every record, oldest first; bulk loads leave no trace."""
        with self.store.lock:
            return list(read_audit(self))

    def write_count(self) -> int:
        """Record writes accepted over HTTP since the log was last reset."""
        return self._writes() - self._writes_before

    def _writes(self) -> int:
        with self.store.lock:
            return int(self.store.scalar("SELECT COUNT(*) FROM _audit WHERE http = 1"))

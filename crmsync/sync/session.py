"""Everything a run needs, opened once: project, connection, store, mapping, policy; the connector when first used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from crmsync.mappings import Mapping as CrmMapping
from crmsync.mappings import load_mapping
from crmsync.project import Connection, Project
from crmsync.remote import ApiBudget
from crmsync.rules import Policy, load_policy
from crmsync.store import Store
from crmsync.sync.quota import most_calls
from crmsync.sync.report import Progress, Silent

if TYPE_CHECKING:
    from crmsync.connectors.base import Connector
    from crmsync.likeness import Matchmaker


@dataclass(slots=True)
class Session:
    """One connection of a project, ready to work. ``now`` is the single instant that the whole run believes in."""

    project: Project
    connection: Connection
    store: Store
    mapping: CrmMapping
    policy: Policy
    now: datetime
    progress: Progress
    environ: Mapping[str, str]
    calls_noted: int = 0
    """API calls that are counted into the day already."""
    _connector: Connector | None = field(default=None, repr=False)
    _matchmaker: Matchmaker | None = field(default=None, repr=False)

    @property
    def connector(self) -> Connector:
        """The CRM; built (not yet signed in) at first use, so that offline commands need no secret."""
        if self._connector is None:
            from crmsync.connectors import open_connector
            from crmsync.secrets import connection_settings

            settings = connection_settings(self.connection, self.environ)
            self._connector = open_connector(
                replace(settings, most_calls=most_calls(self.store, self.connection, self.now))
            )
        return self._connector

    @property
    def matchmaker(self) -> Matchmaker:
        """What compares records: the project's own models, or those that crmsync comes with."""
        if self._matchmaker is None:
            from crmsync.likeness import default_matchmaker

            self._matchmaker = default_matchmaker(self.project.directory)
        return self._matchmaker

    @property
    def config_hash(self) -> str:
        """Changes when mapping or policy would read or decide differently."""
        return config_hash(self.mapping, self.policy)

    def budget(self) -> ApiBudget:
        """API calls so far; none where no connector was needed, or could be built."""
        return ApiBudget() if self._connector is None else self._connector.budget()

    def close(self) -> None:
        try:
            if self._connector is not None:
                self._connector.close()
        finally:
            self.store.close()


def config_hash(mapping: CrmMapping, policy: Policy) -> str:
    """Of what a mapping and a policy read and decide."""
    return sha256(f"{mapping.fingerprint}{policy.fingerprint}".encode()).hexdigest()[:12]


def load_rules(project: Project, connection: Connection) -> tuple[CrmMapping, Policy]:
    """Load the mapping and the policy of a connection; the policy may use the mapping's extra fields.

    :raises ConfigError: with every problem of the file that was read first.
    """
    mapping = load_mapping(connection.mapping, system=connection.system)
    extra = {kind: mapping.extra_types(kind) for kind in mapping.kinds}
    return mapping, load_policy(project.policy, extra=extra)


@contextmanager
def open_session(
    project: Project,
    connection_name: str | None = None,
    *,
    now: datetime | None = None,
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
    readonly: bool = False,
) -> Iterator[Session]:
    """Open a connection of the project. The store is locked for as long, unless ``readonly``.

    :raises ConfigError: for a broken mapping or policy, before the store is touched.
    :raises StoreBusy: when another process works on the same store.
    """
    connection = project.connection(connection_name)
    mapping, policy = load_rules(project, connection)
    store = Store.open(project.store_path(connection.name), readonly=readonly)
    session = Session(
        project=project,
        connection=connection,
        store=store,
        mapping=mapping,
        policy=policy,
        now=(now or datetime.now(UTC)).replace(microsecond=0),
        progress=progress or Silent(),
        environ=os.environ if environ is None else environ,
    )
    try:
        yield session
    finally:
        session.close()

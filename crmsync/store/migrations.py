"""The shape of the store, step by step. A released step never changes; a new shape is a new step.

``PRAGMA user_version`` counts the steps taken, so that opening an up-to-date store costs one read.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

_TABLES = (
    # raw records as the CRM holds them; `seen` is the full pull that last brought the row
    """CREATE TABLE mirror (
        object TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL, modified_at TEXT,
        deleted INTEGER NOT NULL DEFAULT 0, merged_into TEXT, seen TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (object, id))""",
    "CREATE INDEX mirror_deleted ON mirror (object, id) WHERE deleted",
    "CREATE TABLE checkpoints (object TEXT PRIMARY KEY, cursor TEXT, fingerprint TEXT, full_run TEXT)",
    "CREATE TABLE pending (object TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (object, id)) WITHOUT ROWID",
    """CREATE TABLE aliases (object TEXT NOT NULL, old_id TEXT NOT NULL, new_id TEXT NOT NULL,
        PRIMARY KEY (object, old_id)) WITHOUT ROWID""",
    # which records meet in which neighbourhood, and when to look at it again
    """CREATE TABLE record_keys (kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (kind, id, key)) WITHOUT ROWID""",
    "CREATE INDEX record_keys_key ON record_keys (key)",
    "CREATE TABLE neighbourhoods (root TEXT PRIMARY KEY, next_due_at TEXT) WITHOUT ROWID",
    "CREATE INDEX neighbourhoods_due ON neighbourhoods (next_due_at) WHERE next_due_at IS NOT NULL",
    """CREATE TABLE neighbourhood_members (kind TEXT NOT NULL, id TEXT NOT NULL, root TEXT NOT NULL,
        PRIMARY KEY (kind, id)) WITHOUT ROWID""",
    "CREATE INDEX neighbourhood_members_root ON neighbourhood_members (root)",
    """CREATE TABLE neighbourhood_watches (key TEXT NOT NULL, root TEXT NOT NULL,
        PRIMARY KEY (key, root)) WITHOUT ROWID""",
    "CREATE INDEX neighbourhood_watches_root ON neighbourhood_watches (root)",
    # all decided fields of a record in one row: they are written and read together
    """CREATE TABLE decisions (kind TEXT NOT NULL, id TEXT NOT NULL, root TEXT NOT NULL, policy_version TEXT NOT NULL,
        decided_at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id))""",
    "CREATE INDEX decisions_root ON decisions (root)",
    """CREATE TABLE findings (
        code TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL,
        message TEXT NOT NULL, rule TEXT NOT NULL, place TEXT NOT NULL, evidence TEXT NOT NULL, label TEXT NOT NULL,
        root TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, cleared_at TEXT,
        opened_run TEXT NOT NULL, cleared_run TEXT, PRIMARY KEY (code, kind, id, subject))""",
    "CREATE INDEX findings_root ON findings (root) WHERE cleared_at IS NULL",
    "CREATE INDEX findings_record ON findings (kind, id)",
    """CREATE TABLE finding_history (code TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL,
        first_seen TEXT NOT NULL, cleared_at TEXT NOT NULL, opened_run TEXT NOT NULL, cleared_run TEXT NOT NULL)""",
    """CREATE TABLE runs (run_id TEXT PRIMARY KEY, mode TEXT NOT NULL, connection TEXT NOT NULL, system TEXT NOT NULL,
        status TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, report TEXT NOT NULL)""",
    """CREATE TABLE journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, ref TEXT NOT NULL, op TEXT NOT NULL,
        object TEXT NOT NULL, record_id TEXT NOT NULL, key_field TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
        label TEXT NOT NULL, field TEXT NOT NULL, remote_field TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL,
        rule TEXT NOT NULL, place TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, status TEXT,
        code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', request_id TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX journal_record ON journal (record_id, field)",
    "CREATE INDEX journal_unresolved ON journal (ref) WHERE status IS NULL OR status = 'unknown'",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)

_HISTORY = (
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, block INTEGER NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, body TEXT, salt BLOB, digest BLOB NOT NULL)""",
    "CREATE INDEX events_block ON events (block)",
    "CREATE INDEX events_first ON events (first) WHERE first > 0",
    "CREATE TABLE blocks (block INTEGER PRIMARY KEY, at TEXT NOT NULL, leaves INTEGER NOT NULL, hash BLOB NOT NULL)",
    """CREATE TRIGGER blocks_length AFTER INSERT ON blocks BEGIN
        INSERT OR REPLACE INTO meta VALUES ('chain_length', new.block); END""",
    # what was decided before, of fields that have changed since; `since` is when the record got its present decision
    "ALTER TABLE decisions ADD COLUMN since TEXT NOT NULL DEFAULT ''",
    "UPDATE decisions SET since = decided_at",
    """CREATE TABLE decision_history (
        kind TEXT NOT NULL, id TEXT NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL, policy_version TEXT NOT NULL,
        body TEXT NOT NULL)""",
    "CREATE INDEX decision_history_record ON decision_history (kind, id)",
    *(
        f"ALTER TABLE finding_history ADD COLUMN {column} TEXT NOT NULL DEFAULT ''"
        for column in ("severity", "message", "rule", "place", "evidence", "label")
    ),
    "CREATE INDEX finding_history_record ON finding_history (kind, id)",
    # fields that an undo put back: not written again until the mapping or the policy changes, or they are released
    """CREATE TABLE holds (
        object TEXT NOT NULL, id TEXT NOT NULL, remote_field TEXT NOT NULL, run_id TEXT NOT NULL,
        config_hash TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (object, id, remote_field)) WITHOUT ROWID""",
    # the texts of mapping and policy under which decisions were made: the lines that evidence quotes
    """CREATE TABLE configs (config_hash TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL, first_at TEXT NOT NULL,
        PRIMARY KEY (config_hash, path)) WITHOUT ROWID""",
)

_VIEWS = (
    """CREATE VIEW decided_fields AS
        SELECT d.kind, d.id, f.value ->> '$.field' AS field, f.value ->> '$.value' AS value,
               f.value ->> '$.code' AS code, f.value ->> '$.reason' AS reason, f.value ->> '$.where' AS place,
               d.policy_version, d.decided_at
        FROM decisions AS d, json_each(d.body) AS f""",
    """CREATE VIEW open_findings AS
        SELECT severity, code, kind, id, label, message, place, first_seen FROM findings WHERE cleared_at IS NULL""",
    """CREATE VIEW written_fields AS
        SELECT at, run_id, kind, object, record_id, label, field, remote_field, old, new, reason, place
        FROM journal WHERE status = 'ok'""",
)


_UNDO = (
    # whether the write made the record: an undo removes no other
    "ALTER TABLE journal ADD COLUMN created INTEGER NOT NULL DEFAULT 0",
    # `value` is what the undo took back; only this is not written again
    "ALTER TABLE holds ADD COLUMN value TEXT NOT NULL DEFAULT 'null'",
)

_BASES = (
    # the last value that both sides agreed on; a digest instead of a value where only a fingerprint told of it
    """CREATE TABLE bases (object TEXT NOT NULL, id TEXT NOT NULL, remote_field TEXT NOT NULL, value TEXT NOT NULL,
        digest TEXT NOT NULL DEFAULT '', run_id TEXT NOT NULL, at TEXT,
        PRIMARY KEY (object, id, remote_field)) WITHOUT ROWID""",
    # what an older crmsync wrote, as far as the CRM acknowledged it, and nothing else
    """INSERT INTO bases (object, id, remote_field, value, run_id, at)
        SELECT object, record_id, remote_field, new, run_id, at FROM journal WHERE seq IN (
            SELECT max(seq) FROM journal WHERE status = 'ok' AND op = 'update' AND record_id <> ''
            GROUP BY object, record_id, remote_field)""",
    # somebody else's value in a field of ours, and whether we have given up writing over it
    """CREATE TABLE edits (object TEXT NOT NULL, id TEXT NOT NULL, remote_field TEXT NOT NULL, theirs TEXT NOT NULL,
        edited_at TEXT, by TEXT NOT NULL, source TEXT NOT NULL, frozen_run TEXT NOT NULL, thawed_at TEXT,
        PRIMARY KEY (object, id, remote_field)) WITHOUT ROWID""",
)

_REJECTS = (
    """CREATE TABLE rejects (id INTEGER PRIMARY KEY AUTOINCREMENT, object TEXT NOT NULL, target TEXT NOT NULL,
        kind TEXT NOT NULL, label TEXT NOT NULL, class TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
        reason TEXT NOT NULL, fix TEXT NOT NULL, rule TEXT NOT NULL, place TEXT NOT NULL, fields TEXT NOT NULL,
        attempts INTEGER NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL, next_at TEXT, row_hash TEXT NOT NULL,
        mapping_hash TEXT NOT NULL, schema_hash TEXT NOT NULL, run_id TEXT NOT NULL, request_id TEXT NOT NULL,
        is_released INTEGER NOT NULL DEFAULT 0, UNIQUE (object, target))""",
)


def _steps() -> Migrations:
    # sqlite-utils takes 130 ms to import, and most openings have nothing to migrate
    from sqlite_utils.migrations import Migrations

    steps = Migrations("crmsync")

    @steps()
    def m001_tables(db: Database) -> None:
        for statement in _TABLES:
            db.execute(statement)

    @steps()
    def m002_reporting_views(db: Database) -> None:
        for statement in _VIEWS:
            db.execute(statement)

    @steps()
    def m003_chain(db: Database) -> None:
        """History that cannot be changed unseen: the hash chain, earlier decisions, holds."""
        from crmsync.store.adopt import adopt_journal

        for statement in _HISTORY:
            db.execute(statement)
        adopt_journal(db.conn)

    @steps()
    def m004_census_index(db: Database) -> None:
        # counting by modified date must not read the records' bodies
        db.execute("CREATE INDEX mirror_census ON mirror (object, modified_at, id) WHERE NOT deleted")

    @steps()
    def m005_undo(db: Database) -> None:
        for statement in _UNDO:
            db.execute(statement)

    @steps()
    def m006_bases(db: Database) -> None:
        for statement in _BASES:
            db.execute(statement)

    @steps()
    def m007_identity(db: Database) -> None:
        """The blocking index, scored pairs, people's answers; the score behind a finding."""
        from crmsync.store import blocks, likenesses

        for statement in (*blocks.TABLES, *likenesses.TABLES):
            db.execute(statement)
        for table in ("findings", "finding_history"):
            db.execute(f"ALTER TABLE {table} ADD COLUMN detail TEXT NOT NULL DEFAULT ''")

    @steps()
    def m008_open_claims(db: Database) -> None:
        from crmsync.store import claims

        for statement in claims.TABLES:
            db.execute(statement)

    @steps()
    def m009_rejects(db: Database) -> None:
        for statement in _REJECTS:
            db.execute(statement)

    return steps


LATEST = 9


def migrate(conn: sqlite3.Connection, *, up_to: int = LATEST) -> None:
    """Take the steps that are missing, each in its own transaction. ``up_to`` makes an older store, for tests."""
    from sqlite_utils import Database

    steps = _steps()
    database = Database(conn, execute_plugins=False)
    later = [step.name for step in steps.pending(database)][max(up_to - len(steps.applied(database)), 0) :]
    steps.apply(database, stop_before=later)
    conn.execute(f"PRAGMA user_version = {up_to:d}")

"""Forgetting a person: out of every table, the journal's values and the file itself. The chain still verifies."""

from __future__ import annotations

from collections.abc import Sequence

from crmsync.errors import UsageError
from crmsync.store.codec import from_json, to_json
from crmsync.store.database import Row
from crmsync.store.journal import Journal

_KEPT = frozenset({"journal", "events", "blocks", "runs", "meta", "configs", "checkpoints", "sqlite_sequence"})
"""Tables whose rows stay: what they hold of a person is taken out of them."""
_OTHERS = frozenset({"mirror"})
"""Rows about *other* records stay there: the CRM holds them, and what it says of the person is the CRM's to remove."""


class Forgetter(Journal):
    def forget_person(self, place: tuple[str, str], ids: Sequence[str], words: Sequence[str]) -> dict[str, int]:
        """Remove records by id, and every text that says one of the words; rows removed or blanked, by table.

        :param place: kind and object of the records: ids of other objects may be the same numbers.
        :param words: the person's e-mail and name.
        :raises UsageError: while a write to one of the records has no known outcome.
        """
        if any(row.record_id in ids for row in self.unresolved()):
            raise UsageError("a write to this record has no known outcome yet", hint="crmsync sync, then try again")
        self._run("PRAGMA secure_delete = ON")
        counts: dict[str, int] = {}
        with self.transaction():
            for table in self._tables():
                counts[table] = self._forget_rows(table, place, ids, words)
            counts["journal"] = self._forget_journal(place[1], ids, words)
            counts["runs"] = self._forget_reports(ids, words)
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")
        self._run("VACUUM")  # pages that were freed before secure_delete was on
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")
        return {table: number for table, number in counts.items() if number}

    def _tables(self) -> list[str]:
        rows = self._rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [row[0] for row in rows if row[0] not in _KEPT]

    def _forget_rows(self, table: str, place: tuple[str, str], ids: Sequence[str], words: Sequence[str]) -> int:
        columns = [row[1] for row in self._rows(f'PRAGMA table_info("{table}")')]
        which = [(name, told) for name, told in zip(("kind", "object"), place, strict=True) if name in columns]
        same = "".join(f' AND "{name}" = ?' for name, _ in which)
        fits = [f'"{column}" = ?{same}' for column in columns for _ in ids]
        values = [value for _ in columns for i in ids for value in (i, *(told for _, told in which))]
        if table not in _OTHERS:
            fits += [f"""instr(lower("{column}"), ?) > 0""" for column in columns for _ in words]
            values += [word.lower() for _ in columns for word in words]
        return self._run(f'DELETE FROM "{table}" WHERE {" OR ".join(fits)}', values).rowcount

    def _forget_journal(self, object_name: str, ids: Sequence[str], words: Sequence[str]) -> int:
        """Blank the values; the salt of their events goes too, so that nobody can try values against the hashes."""
        mine_only = _fits(("record_id",), ids, exact=True)
        own = (f"(object = ? AND ({mine_only[0]}))", [object_name, *mine_only[1]])
        said = _fits(("label", "old", "new", "reason"), words)
        seqs = [row[0] for row in self._rows(f"SELECT seq FROM journal WHERE {own[0]} OR {said[0]}", own[1] + said[1])]
        self._many(
            "UPDATE journal SET old = 'null', new = 'null', label = '', reason = '' WHERE seq = ?", [(s,) for s in seqs]
        )
        mine = [row[0] for row in self._rows(f"SELECT seq FROM journal WHERE {own[0]}", own[1])]
        self._many("UPDATE journal SET record_id = '', ref = '', key = '' WHERE seq = ?", [(s,) for s in mine])
        events = self._events_over(seqs, "kind = 'intent'") | self._events_over(mine, "1")
        body = _fits(("body", "ref"), [*(f'"{i}"' for i in ids), *words])
        events |= {row[0] for row in self._rows(f"SELECT seq FROM events WHERE {body[0]}", body[1])}
        self._many(
            "UPDATE events SET salt = NULL, body = NULL, ref = '' WHERE seq = ? AND kind <> 'forget'",
            [(e,) for e in sorted(events)],
        )
        if events:
            self.append_event("forget", {"events": sorted(events)})
        return len(seqs)

    def _events_over(self, seqs: Sequence[int], condition: str) -> set[int]:
        sql = f"SELECT seq FROM events WHERE first <= ?1 AND last >= ?1 AND first > ?1 - 1000 AND {condition}"
        return {row[0] for seq in seqs for row in self._rows(sql, (seq,))}

    def _forget_reports(self, ids: Sequence[str], words: Sequence[str]) -> int:
        """Run reports list records that could not be written, by name."""
        fits = _fits(("report",), [*ids, *words])
        rows: list[Row] = self._rows(f"SELECT run_id, report FROM runs WHERE {fits[0]}", fits[1])
        for run_id, report in rows:
            data = from_json(report)
            kept = [f for f in data.get("failures") or () if not _says(f, ids, words)]
            text = to_json({**data, "failures": kept})
            if _says(text, ids, words):
                text = to_json({name: value for name, value in data.items() if not _says(value, ids, words)})
            self._run("UPDATE runs SET report = ? WHERE run_id = ?", (text, run_id))
        return len(rows)


def _fits(columns: Sequence[str], wanted: Sequence[str], *, exact: bool = False) -> tuple[str, list[str]]:
    """An SQL condition and its values; one that never holds where nothing is wanted."""
    if not wanted:
        return "0", []
    values = [word if exact else word.lower() for _ in columns for word in wanted]
    conditions = [f'"{c}" = ?' if exact else f'instr(lower("{c}"), ?) > 0' for c in columns for _ in wanted]
    return " OR ".join(conditions), values


def _says(value: object, ids: Sequence[str], words: Sequence[str]) -> bool:
    text = to_json(value).lower()
    return any(word.lower() in text for word in (*ids, *words))

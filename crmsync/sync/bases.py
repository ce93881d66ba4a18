"""What both sides last agreed on, field by field: from the store, and from the fingerprints that the records carry.

The store knows which fingerprint it wrote last. A record that carries another one was written by a crmsync whose
memory this store lacks: it was lost, or restored from a backup. Then the record's own word wins, and is taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from crmsync.mappings import FieldMapping
from crmsync.mappings import Mapping as CrmMapping
from crmsync.records import REFERENCES
from crmsync.remote import RemoteRecord, Scalar
from crmsync.store import BaseRow, Store
from crmsync.sync.fingerprint import build_fingerprint, digest_of, key_of, parse_fingerprint
from crmsync.sync.merge import Base
from crmsync.sync.plan import FINGERPRINT, Change, FieldChange
from crmsync.sync.session import Session

Place = tuple[str, str]
"""``(object, record id)``."""

Bases = Mapping[tuple[str, str, str], tuple[Base, ...]]
"""By object, record and remote field: every value that counts as agreed on."""


@dataclass(slots=True)
class Memory:
    """Reads and keeps the bases of one run."""

    session: Session
    run_id: str
    _merged: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @property
    def _store(self) -> Store:
        return self.session.store

    @property
    def _mapping(self) -> CrmMapping:
        return self.session.mapping

    def of(self, rows: Mapping[Place, RemoteRecord]) -> Bases:
        """The bases of these mirror rows. Fingerprints that the store did not write are taken over first."""
        found: dict[tuple[str, str, str], tuple[Base, ...]] = {}
        for name in {place[0] for place in rows}:
            fields = self._mapping.kept_fields(name)
            ids = [place[1] for place in rows if place[0] == name]
            losers = self._losers(name)
            known = self._store.bases(name, [*ids, *(loser for i in ids for loser in losers.get(i, ()))])
            for record_id in ids:
                self._take_over(name, rows[name, record_id], known)
                for remote_field, mapped in fields.items():
                    among = [known.get((i, remote_field)) for i in (record_id, *losers.get(record_id, ()))]
                    bases = [base for row in among if row for base in self._as_bases(row, mapped)]
                    if bases:
                        # a survivor without memory of its own was blank on both sides
                        found[name, record_id, remote_field] = (*bases, *(() if among[0] else (Base(),)))
        return found

    def agree(self, rows: Iterable[tuple[str, str, str, Scalar]]) -> None:
        """Both sides hold these values now: ``(object, id, remote field, raw value)``."""
        self._store.save_bases([self._row(*row) for row in rows])

    # -------------------------------------------------------------- inside

    def _row(self, name: str, record_id: str, remote_field: str, value: Scalar, digest: str = "") -> BaseRow:
        return BaseRow(
            object=name,
            id=record_id,
            remote_field=remote_field,
            value=value,
            digest=digest,
            run_id=self.run_id,
            at=self.session.now,
        )

    def _losers(self, name: str) -> dict[str, list[str]]:
        """By survivor, the ids that were merged into it: a CRM may keep what stood on those."""
        if name not in self._merged:
            losers: dict[str, list[str]] = {}
            for old, new in self._store.aliases(name).items():
                losers.setdefault(new, []).append(old)
            self._merged[name] = losers
        return self._merged[name]

    def _as_bases(self, row: BaseRow, mapped: FieldMapping) -> Iterable[Base]:
        if row.digest:
            yield Base(text=None, digest=row.digest)
            return
        yield Base(row.value, mapped.normal(row.value))
        target = REFERENCES.get((mapped.kind, mapped.field))
        if target in self._mapping.kinds and isinstance(row.value, str) and row.value:
            yield from self._after(self._mapping.object_of(target), row.value)

    def _after(self, name: str, record_id: str) -> Iterable[Base]:
        """What a CRM itself makes of a reference to a record that was merged away, or deleted."""
        target = self._store.row(name, record_id)
        if target is not None and not target.deleted:
            return
        survivor = self._store.resolve(name, record_id)
        yield Base(survivor, survivor) if survivor != record_id else Base()

    def _take_over(self, name: str, row: RemoteRecord, known: dict[tuple[str, str], BaseRow]) -> None:
        """Make the record's own fingerprint our memory, where the store did not write it."""
        own = self._mapping.fingerprint_field(name)
        text = row.fields.get(own) if own else None
        last = known.get((row.id, own))
        is_ours = last is not None and last.value == text
        digests = parse_fingerprint(text) if isinstance(text, str) and not is_ours else None
        if digests is None:
            return
        rows = [self._row(name, row.id, own, text)]
        for remote_field, mapped in self._mapping.kept_fields(name).items():
            digest = digests.get(key_of(remote_field))
            if digest is not None:
                theirs = row.fields.get(remote_field)
                held = digest_of(mapped.normal(theirs)) == digest
                rows.append(self._row(name, row.id, remote_field, *((theirs, "") if held else (None, digest))))
        self._store.save_bases(rows)
        known.update({(base.id, base.remote_field): base for base in rows})


def remember(session: Session, run_id: str, name: str, record_id: str, values: Mapping[str, Scalar]) -> None:
    """Both sides agree on what a write, which the CRM acknowledged, put into our fields.

    :param values: raw values by remote field; those of other fields are nobody's business here.
    """
    kept = {*session.mapping.kept_fields(name), session.mapping.fingerprint_field(name)}
    Memory(session, run_id).agree((name, record_id, field, raw) for field, raw in values.items() if field in kept)


def stamp_fingerprints(session: Session, changes: Sequence[Change]) -> list[Change]:
    """The changes, each with the fingerprint that its record has once they are written."""
    ids: dict[str, list[str]] = {}
    for change in changes:
        if session.mapping.fingerprint_field(change.object):
            ids.setdefault(change.object, []).append(change.id or "")
    known = {name: session.store.bases(name, filter(None, ids[name])) for name in ids}
    rows = {(name, row.id): row for name in ids for row in session.store.rows(name, filter(None, ids[name]))}
    return [
        _stamped(session, change, known[change.object], rows.get((change.object, change.id or "")))
        if change.object in ids
        else change
        for change in changes
    ]


def _stamped(
    session: Session, change: Change, known: Mapping[tuple[str, str], BaseRow], row: RemoteRecord | None
) -> Change:
    mapping = session.mapping
    own = mapping.fingerprint_field(change.object)
    if not any(f.remote_field in mapping.kept_fields(change.object) for f in change.fields):
        return change
    stamp = FieldChange(
        field=FINGERPRINT,
        remote_field=own,
        old=row.fields.get(own) if row else None,
        new=_new_fingerprint(mapping, change, known),
        reason="Says which values are crmsync's, so that nobody's edit is taken for one.",
        rule="stamp",
        where=change.fields[0].where,
    )
    others = [f for f in change.fields if f.field != FINGERPRINT]
    return replace(change, fields=tuple(sorted([*others, stamp], key=lambda f: f.field)))


def _new_fingerprint(mapping: CrmMapping, change: Change, known: Mapping[tuple[str, str], BaseRow]) -> str:
    """The fingerprint of a record once the change is written: its other fields as they were last agreed on."""
    fields = mapping.kept_fields(change.object)
    written = {f.remote_field: fields[f.remote_field].normal(f.new) for f in change.fields if f.remote_field in fields}
    digests: dict[str, str] = {}
    for remote_field, mapped in fields.items():
        row = known.get((change.id or "", remote_field))
        if remote_field in written:
            digests[key_of(remote_field)] = digest_of(written[remote_field])
        elif row is not None:
            digests[key_of(remote_field)] = row.digest or digest_of(mapped.normal(row.value))
    return build_fingerprint(digests)

"""Forget: nothing of the person is left in any file of the store, and the chain still verifies."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmsync.errors import UsageError
from crmsync.sync.forget import forget
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People


def bytes_of(bench: Bench, system: str) -> bytes:
    path: Path = bench.project.store_path(system)
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_byte_of_a_person_is_left(tiny: Bench, system: str) -> None:
    people = People(tiny, system)
    contact = people.ids("contact")[0]
    people.edit("contact", contact, "email", "canary.person@forget.example")
    people.edit("contact", contact, "last_name", "Zanzibarsson")
    first = tiny.sync(system)[1]
    with tiny.session(system) as session:
        rows = session.store.run_history(first.run_id)[:1]
        session.store._run(
            "UPDATE findings SET message = message || ' canary.person@forget.example' WHERE rowid IN"
            " (SELECT rowid FROM findings LIMIT 1)"
        )
        row = rows[0]
        told = type(row)(**{
            **{n: getattr(row, n) for n in row.__dataclass_fields__},
            "ref": "r-0001/x/y", "new": "Canary.Person@forget.example", "status": None,
        })  # fmt: skip
        session.store.journal_intents([told])
        session.store.journal_outcome("r-0001/x/y", "ok", at=tiny.now)
    assert b"canary.person@forget.example" in bytes_of(tiny, system)
    (tiny.directory / "plan.json").write_text('{"x": "canary.person@forget.example"}')
    with tiny.session(system) as session:
        done = forget(session.store, session.mapping, "canary.person@forget.example", tiny.directory)
        assert list(session.store.chain_breaks()) == []
        assert session.store.integrity() == []
    assert done.ids == [contact]
    assert done.still_in_crm == [f"contact:{contact}"]
    assert [Path(name).name for name in done.files] == ["plan.json"]
    left = bytes_of(tiny, system).lower()
    assert b"canary.person" not in left
    assert b"zanzibarsson" not in left
    tiny.box.clock.advance(60)
    assert tiny.sync(system)[1].status == "ok"


def test_nobody_is_refused(tiny_synced: Bench) -> None:
    with tiny_synced.session("hubspot") as session, pytest.raises(UsageError, match="no contact 'nobody'"):
        forget(session.store, session.mapping, "nobody", tiny_synced.directory)

"""What happens to the store's file, and to the configuration, between two runs or in the middle of one."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from crmsync.errors import StoreError
from crmsync.store import Store, database, migrations
from tests.prove.trial import Trial, die
from tests.sync.people import People

PAGE = 4096
FRAME_HEADER, WAL_HEADER = 24, 32


def _path(trial: Trial) -> Path:
    return trial.ground.bench.project.store_path(trial.system)


def cut_power(trial: Trial) -> None:
    """Killed at a commit; of the log only some whole frames reached the disk. A disk that lies loses commits, too."""
    with trial.at_commit(die, "after"):
        trial.in_child()
    trial.fired = trial.died
    wal = Path(f"{_path(trial)}-wal")
    if not trial.fired or not wal.exists():
        return
    frames = (wal.stat().st_size - WAL_HEADER) // (PAGE + FRAME_HEADER)
    kept = {"all": frames, "half": frames // 2, "last": max(frames - 1, 0)}[trial.case.variant]
    os.truncate(wal, WAL_HEADER + kept * (PAGE + FRAME_HEADER))
    Path(f"{_path(trial)}-shm").unlink(missing_ok=True)


def fill_disk(trial: Trial) -> None:
    """At the k-th commit nothing more fits: SQLite says full, or the system refuses to let the file grow."""
    if trial.case.variant == "file-size":
        status = trial.in_child(lambda: _limit_files(_path(trial), trial.k))
        trial.died = True
        if os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 8:
            trial.say.append(f"a full disk ended the run with {status}")
        return
    real = Store.open.__func__  # type: ignore[attr-defined]

    def tight(cls: Any, path: Path, **more: Any) -> Store:
        store: Store = real(cls, path, **more)
        pages = store._rows("PRAGMA page_count")[0][0]
        store._run(f"PRAGMA max_page_count = {pages + trial.k // 2:d}")
        return store

    Store.open = classmethod(tight)  # type: ignore[method-assign, assignment]
    try:
        trial.cycle()
    finally:
        Store.open = classmethod(real)  # type: ignore[method-assign]
    trial.fired = bool(trial.errors)
    if trial.errors and not isinstance(trial.errors[0], StoreError):
        trial.say.append(f"a full disk is told as {trial.errors[0]!r}")


def _limit_files(path: Path, k: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = max((one.stat().st_size for one in path.parent.glob(f"{path.name}*")), default=0)
    limit = max(size, PAGE) + k * PAGE
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def flip_bits(trial: Trial) -> None:
    """Damage somewhere in the file. Either it is refused, then the store goes and comes again; or it did no harm."""
    chance = random.Random(f"{trial.case}")  # noqa: S311
    path = _path(trial)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    match trial.case.variant:
        case "bit":
            content[place] ^= 1 << chance.randrange(8)
        case "page":
            start = place - place % PAGE
            content[start : start + PAGE] = bytes(PAGE)
        case "cut":
            del content[place:]
        case "foreign":
            content = bytearray(b"%PDF-1.7 " + chance.randbytes(place))
    path.write_bytes(content)
    before = trial.crm.write_count()
    trial.cycle()
    if trial.errors:
        _rebuild_after(trial, before)
    elif _is_damaged(trial):
        trial.ground.bench.forget(trial.system)  # the whole file is looked at before a write; this run had none
    trial.may_be_told()


def _is_damaged(trial: Trial) -> bool:
    with trial.ground.bench.session(trial.system) as session:
        return bool(session.store.integrity())


def _rebuild_after(trial: Trial, before: int) -> None:
    if not isinstance(trial.errors[0], StoreError):
        trial.say.append(f"damage is told as {trial.errors[0]!r}")
    elif not getattr(trial.errors[0], "hint", ""):
        trial.say.append("the refusal does not name the way out")
    if trial.crm.write_count() != before:
        trial.say.append("written to the CRM on a damaged store")
    trial.ground.bench.forget(trial.system)


def lose_store(trial: Trial) -> None:
    """An edit of ours is made by hand, then the store is gone, or is what it was before the last run."""
    bench, people = trial.ground.bench, trial.people
    old = _path(trial).with_name("backup")
    shutil.copyfile(_path(trial), old)
    trial.run()
    trial.ground.wait(60)
    edited = _edit_by_hand(people)
    trial.people_acted = True
    if trial.case.variant == "half-way":
        with trial.at_request(die, "after"):
            trial.in_child()
    bench.forget(trial.system)
    if trial.case.variant != "lost":
        shutil.copyfile(old, _path(trial))
    old.unlink()
    trial.cycle()
    trial.may_be_told()
    for deal, field, value in edited:
        if people.value("deal", deal, field) != value and _keeps_edits(people, field):
            trial.say.append(f"I4 an edit of {field} made before the store was lost is gone")


def _edit_by_hand(people: People) -> list[tuple[str, str, str]]:
    edited = []
    for field in ("registration_id", "partner_name"):
        deal = next((d for d in people.ids("deal") if people.value("deal", d, field)), None)
        if deal:
            people.edit("deal", deal, field, "TYPED")
            edited.append((deal, field, "TYPED"))
    return edited


def _keeps_edits(people: People, name: str) -> bool:
    mapped = people.mapping.field("deal", name)
    assert mapped is not None
    return mapped.mode != "engine_owned" or getattr(mapped, "on_user_edit", "restore") != "restore"


def shut_store(trial: Trial) -> None:
    """A lock of another program; a directory in the way; a file that may only be read."""
    path = _path(trial)
    match trial.case.variant:
        case "directory":
            kept = path.read_bytes()
            for one in path.parent.glob(f"{path.name}*"):
                one.unlink()
            path.mkdir()
            trial.cycle()
            path.rmdir()
            path.write_bytes(kept)
        case "locked":
            with sqlite3.connect(path, isolation_level=None) as other:
                other.execute("BEGIN EXCLUSIVE")
                with patch.object(sqlite3, "connect", _in_a_hurry(sqlite3.connect)):
                    trial.cycle()
                other.execute("ROLLBACK")
            other.close()
        case "file":
            _read_only(trial, path)
    if not trial.errors and not trial.died:
        trial.say.append("the store could not be used, and nothing was said")
    for error in trial.errors:
        if not isinstance(error, StoreError) or str(path.name) not in str(error):
            trial.say.append(f"it is told as {error!r}")


def _in_a_hurry(real: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
    return lambda *args, **more: real(*args, **{**more, "timeout": 0.01})


def _read_only(trial: Trial, path: Path) -> None:
    """As an ordinary user, whom permissions bind."""

    def become_nobody() -> None:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)

    for one in (path.parent, *path.parent.glob("*")):
        one.chmod(0o555 if one.is_dir() else 0o444)
    status = trial.in_child(become_nobody)
    for one in (path.parent, *path.parent.glob("*")):
        one.chmod(0o700 if one.is_dir() else 0o600)
    trial.died = True
    if os.WEXITSTATUS(status) != 7:
        trial.say.append(f"a store that may only be read ended the run with {os.WEXITSTATUS(status)}, not in an error")


def reconfigure(trial: Trial) -> None:
    with trial.at_point(die):
        trial.in_child()
    trial.fired = trial.died
    bench = trial.ground.bench
    trial.people_acted = True  # what is usual does not hold under another policy
    if trial.case.variant == "policy":
        bench.edit_yaml("policies/baseline.yaml", "value: 90", "value: 100")
    else:
        name = {"salesforce": "PRM_Next_Action__c", "hubspot": "prm_next_action"}[trial.system]
        bench.edit_yaml(f"mappings/{trial.system}.yaml", f"field: {name}, max: 255", f"field: {name}, max: 200")


def other_version(trial: Trial) -> None:
    path = _path(trial)
    with sqlite3.connect(path) as db:
        (shape,) = db.execute("PRAGMA user_version").fetchone()
        if trial.case.variant == "newer":
            db.execute(f"PRAGMA user_version = {shape + 1:d}")
    db.close()
    if trial.case.variant == "newer":
        trial.cycle()
        if not any(getattr(error, "code", "") == "E530" for error in trial.errors):
            trial.say.append("a store of a newer crmsync was not refused")
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA user_version = {shape:d}")
        db.close()
        return
    trial.ground.bench.forget(trial.system)
    _make_old(path)
    trial.cycle()
    trial.may_be_told()


def _make_old(path: Path) -> None:
    """A store as the first shape of it was, before anything was in it."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute(f"PRAGMA application_id = {database._APPLICATION_ID:d}")
    migrations.migrate(conn, up_to=1)
    conn.close()

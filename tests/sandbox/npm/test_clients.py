"""The vendors' JavaScript clients, and what they expect of a CRM, against both CRMs of the sandbox.

Each ``*.test.mjs`` file is run by Node's test runner; the clients are installed once per lock file, into a cache.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest

from crmsync.sandbox import Sandbox, credentials
from crmsync.sandbox.worldcache import cache_root

HERE = Path(__file__).parent
NODE, NPM = shutil.which("node"), shutil.which("npm")
INSTALL_S, RUN_S = 240, 120
CONTACTS = 2_500


def has_node() -> bool:
    if not (NODE and NPM):
        return False
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True, timeout=20).stdout
    return int(said.lstrip("v").partition(".")[0] or 0) >= 18


pytestmark = pytest.mark.skipif(not has_node(), reason="Node.js 18 or newer and npm are not installed")


@pytest.fixture(scope="session")
def clients() -> Path:
    """A directory with node_modules as the lock file pins them; tests that run side by side share it."""
    pinned = (HERE / "package-lock.json").read_bytes()
    root = cache_root().parent / "npm"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = root / blake2b(pinned, digest_size=8).hexdigest()
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / ".complete").exists():
            install(target)
    return target


def install(target: Path) -> None:
    target.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, target)
    command = [str(NPM), "ci", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1", "--loglevel=error"]
    try:
        subprocess.run(command, cwd=target, capture_output=True, timeout=INSTALL_S, check=True)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm could not fetch the clients within {INSTALL_S} s")
    except subprocess.CalledProcessError as error:
        output = error.stderr.decode(errors="replace")
        if "EINTEGRITY" in output or "EUSAGE" in output:
            raise AssertionError(output) from None  # the lock file is wrong, which is ours to mend
        pytest.skip("npm could not fetch the clients (is there a way to a package registry?)")
    (target / ".complete").touch()


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as running:
        org = running.salesforce
        org.create_field("Account", "Ext_Key__c", "text", length=80, external_id=True, unique=True)
        (holder,) = org.insert_rows("Account", [{"Name": "Holder"}])
        people = ({"LastName": f"Person {number:04}", "AccountId": holder} for number in range(CONTACTS))
        org.insert_rows("Contact", people)
        yield running


@pytest.mark.parametrize("script", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_a_javascript_client_does_its_work(script: str, clients: Path, box: Sandbox, tmp_path: Path) -> None:
    for source in HERE.glob("*.mjs"):  # Node looks for modules beside the file that imports them
        shutil.copy(source, tmp_path)
    (tmp_path / "node_modules").symlink_to(clients / "node_modules")
    known = {name: value for name, value in vars(credentials).items() if name.isupper()}
    environment = {"PATH": os.environ["PATH"], "SANDBOX_URL": box.url, "CONTACTS": str(CONTACTS), **known}
    command = [str(NODE), "--test", "--test-reporter=spec", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=RUN_S)
    assert done.returncode == 0, done.stdout + done.stderr

"""``crmsync sandbox break``, ``mend``, ``act`` and ``log`` on a running sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from click.testing import Result

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from crmsync.sandbox.faults import CATALOGUE
from crmsync.sandbox.hands import VERBS
from tests.cli.conftest import envelope, run

DEAL, SELLER = "01FNZW2T", "Darcel Schlecht"


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(world="small") as running:
        yield running


@pytest.fixture
def box(world: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("CRMSYNC_SANDBOX_URL", world.url)
    yield world
    world.faults.clear()


def sandbox(*words: str) -> Result:
    return run("sandbox", *words)


def status(box: Sandbox) -> int:
    headers = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}
    with requests.get(f"{box.url}/crm/v3/owners", headers=headers, timeout=5) as answer:
        return answer.status_code


def test_the_catalogue_has_a_sentence_for_every_kind() -> None:
    lines = sandbox("break", "--list").stdout.splitlines()
    for kind in CATALOGUE.values():
        assert [line for line in lines if line.split()[:1] == [kind.name] and kind.says in line]
    assert {one["kind"] for one in envelope(sandbox("break", "--list", "--json"))["data"]} == set(CATALOGUE)


def test_break_and_mend(box: Sandbox) -> None:
    broken = sandbox("break", "down", "--system", "hubspot", "--always", "--at", "2")
    assert broken.exit_code == 0
    assert "until mended" in broken.stdout
    assert [status(box), status(box)] == [200, 503]
    assert sandbox("mend", "down").exit_code == 0
    assert status(box) == 200
    assert sandbox("mend").stdout == "nothing is broken\n"


def test_every_option_reaches_the_fault(box: Sandbox) -> None:
    words = "partial --system salesforce --times 3 --match x --method post --chance 0.5 --seed 4 --share 0.2 --code NO"
    assert sandbox("break", *words.split()).exit_code == 0
    [fault] = box.faults.armed()
    assert (fault.times, fault.match, fault.method, fault.chance) == (3, "x", "post", 0.5)
    assert (fault.seed, fault.share, fault.code) == (4, 0.2, "NO")
    number = str(fault.id)
    assert envelope(sandbox("mend", number, "--json"))["data"][0]["kind"] == "partial"


def test_a_person_can_be_armed(box: Sandbox) -> None:
    act = '{"verb": "move", "deal": "01FNZW2T", "stage": "proposal"}'
    assert sandbox("break", "person", "--act", act).exit_code == 0
    assert status(box) == 200
    assert box.faults.armed() == []
    assert "is not JSON" in sandbox("break", "person", "--act", "move").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("break",), "which kind of fault"),
        (("break", "dwon"), "did you mean down"),
        (("mend", "drip"), "no fault 'drip' is armed"),
        (("act",), "what is to be done"),
        (("act", "mvoe"), "did you mean 'move'"),
        (("act", "move", DEAL), "move takes DEAL STAGE"),
        (("act", "move", DEAL, "proposal", "now"), "move takes DEAL STAGE"),
        (("act", "edit", "deal", DEAL, "amount"), "is not FIELD=VALUE"),
        (("act", "move", "never made", "proposal"), "no deal 'never made'"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(box: Sandbox, words: tuple[str, ...], said: str) -> None:
    result = sandbox(*words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_no_sandbox_no_fault() -> None:
    result = sandbox("break", "down", "--url", "http://127.0.0.1:9")
    assert result.exit_code == 2
    assert "no sandbox answers at http://127.0.0.1:9" in result.stderr


def test_a_seller_acts_and_the_log_says_so(box: Sandbox) -> None:
    assert sandbox("act", "edit", "deal", DEAL, "amount=777", "lead_source=Web", "--as", SELLER).exit_code == 0
    assert sandbox("act", "close", DEAL, "won").exit_code == 0
    registered = envelope(sandbox("act", "register", "Meridian Technologies", "amount=5", "--json"))["data"]
    assert set(registered) == {"salesforce", "hubspot"}
    log = sandbox("log", "--record", DEAL).stdout
    assert [line for line in log.splitlines() if SELLER in line and "Amount" in line and "777" in line]
    entries = envelope(sandbox("log", "--record", DEAL, "--json"))["data"]
    assert {entry["system"] for entry in entries} == {"salesforce", "hubspot"}
    assert sandbox("log", "--record", "never made").stdout == "nothing has been changed\n"


def test_every_verb_is_listed_with_what_it_takes() -> None:
    text = sandbox("act", "--list").stdout
    assert [verb for verb in VERBS.values() if verb.says not in text] == []
    assert "KIND RECORD LOSERS..." in text
    assert "DEAL OUTCOME [REASON]" in text

"""The retry table, row by row: what the transport does with each, and that the documentation says the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmsync.connectors.retry import TABLE, Action, Row, find_row
from crmsync.connectors.transport import Dialect, Transport, VendorError
from crmsync.errors import AuthError, CrmsyncError, Permanent, QuotaExhausted, RateLimited, Transient, Unreachable
from tests.connectors.scripted import FakeTime, Say, Scripted, scripted_server, settings

DOC = Path(__file__).parents[2] / "docs" / "reference" / "retries.md"
ANSWERED = [row for row in TABLE if row.status]


@pytest.fixture(scope="module")
def crm() -> Iterator[Scripted]:
    with scripted_server() as server:
        yield server


def transport_for(row: Row, url: str) -> Transport:
    time = FakeTime()
    dialect = Dialect(
        system="hubspot" if row.system == "any" else row.system,
        read_error=lambda *_: VendorError(row.code),
        read_limits=lambda _: None,
        request_id=lambda _: "",
        sign_in_hint="hint",
        status_page="",
        calls_return="",
    )
    tokens = iter("abcdefgh")
    sign_in = lambda _force: {"Authorization": next(tokens)}  # noqa: E731
    return Transport(dialect, settings(url), sign_in=sign_in, clock=time.clock, sleep=time.sleep)


def tries(crm: Scripted, row: Row, method: str) -> tuple[int, type[CrmsyncError]]:
    crm.heard.clear()
    crm.script[:] = [Say(row.status, b"x")] * 9
    transport = transport_for(row, crm.url)
    with pytest.raises(CrmsyncError) as caught:
        transport.request(method, "/x", body=b"x" if method == "POST" else None)
    transport.close()
    return len(crm.heard), type(caught.value)


EXPECTED: dict[Action, tuple[int, tuple[type[CrmsyncError], ...]]] = {
    Action.RETRY_NOW: (4, (Transient, Unreachable)),
    Action.BACK_OFF: (4, (Transient, Unreachable)),
    Action.WAIT: (8, (RateLimited,)),
    Action.SIGN_IN: (2, (AuthError,)),
    Action.AUTH: (1, (AuthError,)),
    Action.STOP: (1, (QuotaExhausted,)),
    Action.PERMANENT: (1, (Permanent,)),
}


@pytest.mark.parametrize("row", ANSWERED, ids=lambda row: f"{row.system}-{row.status}-{row.code}")
def test_each_row_is_what_the_transport_does(crm: Scripted, row: Row) -> None:
    count, errors = EXPECTED[row.action]
    sent, error = tries(crm, row, "GET")
    assert (sent, error in errors) == (count, True)


@pytest.mark.parametrize("row", [row for row in ANSWERED if row.acted], ids=lambda row: f"{row.system}-{row.status}")
def test_a_row_where_the_crm_may_have_acted_makes_a_write_unknown(crm: Scripted, row: Row) -> None:
    assert tries(crm, row, "POST") == (1, Transient)


def test_no_row_is_there_twice() -> None:
    assert len({(row.system, row.status, row.code) for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    ("system", "status", "code", "action"),
    [
        ("salesforce", 403, "REQUEST_LIMIT_EXCEEDED", Action.STOP),
        ("salesforce", 403, "REQUEST_LIMIT_EXCEEDED:CONCURRENT", Action.WAIT),
        ("salesforce", 400, "A_CODE_OF_NEXT_YEAR", Action.PERMANENT),
        ("salesforce", 503, "A_CODE_OF_NEXT_YEAR", Action.BACK_OFF),
        ("hubspot", 429, "A_POLICY_OF_NEXT_YEAR", Action.WAIT),
        ("hubspot", 599, "", Action.BACK_OFF),
        ("hubspot", 404, "", Action.PERMANENT),
    ],
)
def test_the_best_fit_wins_and_the_unknown_has_an_answer(system: str, status: int, code: str, action: Action) -> None:
    assert find_row(system, status, code).action is action


def test_an_unknown_5xx_may_have_acted() -> None:
    assert find_row("hubspot", 599, "").acted


def test_the_documentation_shows_every_row() -> None:
    documented = [
        line for line in DOC.read_text().splitlines() if line.startswith(("| any", "| salesforce", "| hubspot"))
    ]
    assert documented == [documented_row(row) for row in TABLE]


def documented_row(row: Row) -> str:
    status = str(row.status) if row.status else "none"
    code = f"`{row.code}`" if row.code else "every other"
    wait = f"{row.action} (else {row.wait_s:g} s)" if row.action is Action.WAIT else str(row.action)
    return f"| {row.system} | {status} | {code} | {wait} | {'perhaps' if row.acted else 'no'} | {row.why} |"

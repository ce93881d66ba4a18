import io
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from crmsync import log

CANARIES = (
    "canary-secret-4711",
    "jane.doe@customer.example",
    "00D000000000062!AQEAQ.canary",
    "pat-na1-1234-canary",
    "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
)


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    yield
    logging.getLogger().handlers, _ = handlers, logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    log.setup_logging("debug", stream=stream)
    log.register_secret("canary-secret-4711")
    return stream


def test_not_a_terminal_means_json(lines: io.StringIO) -> None:
    structlog.get_logger().info("page read", object="deals", rows=3)
    event = json.loads(lines.getvalue())
    assert (event["event"], event["level"], event["rows"]) == ("page read", "info", 3)
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize("canary", CANARIES)
def test_a_canary_dies_wherever_it_is_planted(lines: io.StringIO, canary: str) -> None:
    logger = structlog.get_logger()
    logger.info(f"got {canary}", plain=f"a {canary} b", nested={"deep": [canary, {"x": canary}]})
    logging.getLogger("urllib3").warning("retrying %s", canary)
    try:
        raise RuntimeError(canary)
    except RuntimeError:
        logger.exception("failed")
    assert canary not in lines.getvalue()
    assert len(lines.getvalue().splitlines()) == 3


@pytest.mark.parametrize(
    "key", ["token", "access_token", "Authorization", "client_secret", "password", "email", "contact_email", "Cookie"]
)
def test_what_a_key_says_is_private_is_not_logged(lines: io.StringIO, key: str) -> None:
    structlog.get_logger().info("x", **{key: "short"}, headers={key: "short"})
    assert "short" not in lines.getvalue()


def test_a_bearer_header_loses_its_value_only(lines: io.StringIO) -> None:
    structlog.get_logger().info("sent Authorization: Bearer abcdef123456 to /crm")
    assert "Bearer [redacted] to /crm" in lines.getvalue()


def test_a_name_cannot_forge_a_line() -> None:
    stream = io.StringIO()
    log.setup_logging("info", stream=stream, as_json=False)
    structlog.get_logger().info("seen", name="Acme\n2026-01-01 [info] forged\x1b[31m")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b[31m" not in stream.getvalue()


def test_the_level_holds_back_what_is_below_it() -> None:
    stream = io.StringIO()
    log.setup_logging("warning", stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_a_log_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "crmsync.log"
    log.setup_logging("info", stream=io.StringIO(), file=path)
    structlog.get_logger().info("one")
    structlog.get_logger().info("two", token="x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["one", "two"]

"""The pages in a real browser: headless Chromium, driven by its command line alone."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from crmsync.sandbox import Sandbox
from tests.sandbox.window.conftest import FACTS, Page, deal_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
Browse = Callable[..., str]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)")


@pytest.fixture
def browse(box: Sandbox, tmp_path: Path) -> Browse:
    def run(path: str, *more: str) -> str:
        command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *more]
        done = subprocess.run(
            [*command, f"{box.url}/_sandbox/window/{path}"], capture_output=True, text=True, timeout=90, check=True
        )
        return done.stdout

    return run


@pytest.mark.parametrize("system", ["salesforce", "hubspot"])
def test_a_browser_shows_the_partner_card(box: Sandbox, browse: Browse, system: str) -> None:
    page = Page(browse(f"{system}/deal/{deal_of(box, system)}", "--dump-dom"))
    assert FACTS["attribution_reason"] in page.text("attribution")
    assert "Conflict" in page.text("flags") or "CONFLICT" in page.text("flags")
    assert "01 Apr 2026" in page.text("protection")


@pytest.mark.parametrize("width", [1360, 500])
def test_the_style_is_applied_at_any_width(browse: Browse, tmp_path: Path, width: int) -> None:
    picture = tmp_path / "list.png"
    browse("salesforce/deal", f"--window-size={width},900", f"--screenshot={picture}")
    kind, *size = struct.unpack(">12x4sII", picture.read_bytes()[:24])
    assert (kind, size) == (b"IHDR", [width, 900])
    assert picture.stat().st_size > 20_000  # an empty or unstyled page is a few kilobytes

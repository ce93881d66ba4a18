"""Every finding of the data has its line in the docs, and its severity is the one that is used."""

from __future__ import annotations

import re

from crmsync.sync.codes import SYNC_FINDINGS
from tests.test_docs import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text()
CODE = "\n".join(path.read_text() for path in (ROOT / "crmsync" / "sync").glob("*.py"))


def test_every_code_is_documented() -> None:
    assert [code for code in SYNC_FINDINGS if f"| `{code}` |" not in PAGE] == []


def test_every_code_that_is_used_is_known_with_its_severity() -> None:
    used = dict(re.findall(r'(?:[Ff]inding\(|_value_finding\()\s*"([A-Z_]+)",\s*"(error|warning|info)"', CODE))
    assert used.keys() >= {"USER_EDIT", "FIELD_FROZEN", "NOT_CLEARED", "SUGGESTION"}
    assert {code: SYNC_FINDINGS[code][0] for code in used} == used

"""The sample spreadsheets fit the demo world: one row is wrong in itself, one names a partner that nobody knows."""

from __future__ import annotations

import pytest

from crmsync.connectors.files.intake import IntakeResult, read_rows
from crmsync.sandbox.world import build_world
from crmsync.sandbox.world.base import FIXTURES
from crmsync.sandbox.world.people import domain_of
from tests.sandbox.world.conftest import NOW


def sample(kind: str) -> IntakeResult:
    return read_rows(FIXTURES / "intake" / f"{kind}.csv", kind)


def unknown_partners(result: IntakeResult) -> list[str | None]:
    partners = build_world("demo", NOW).partners
    known = {partner.name for partner in partners} | {domain_of(partner.website) for partner in partners}
    return [row.partner_ref for row in result.rows if row.partner_ref not in known]


def test_registrations_have_two_bad_rows_of_twelve():
    result = sample("registrations")
    assert len(result.rows) == 11
    assert [(row.line, row.column) for row in result.rejects] == [(7, "expected_close")]
    assert unknown_partners(result) == ["Indgo IT Suply"]


@pytest.mark.parametrize("kind", ["partners", "touches"])
def test_the_other_samples_are_good(kind: str):
    result = sample(kind)
    assert len(result.rows) == 3
    assert result.rejects == ()


def test_touches_name_known_partners():
    assert unknown_partners(sample("touches")) == []

from collections.abc import Callable
from pathlib import Path

import pytest

from crmsync.cases import CaseSettings, Result, Scenario, load_cases, run_scenario
from crmsync.diagnostics import Diagnostic
from crmsync.errors import ConfigError
from crmsync.starter import starter_dir

STARTER = CaseSettings(starter_dir() / "policies" / "baseline.yaml")

RECORDS = """
given:
  account: {X: {name: Acme GmbH, country: DE, domain: acme.example}}
  partner: {A: {name: North, type: reseller, status: active, agreement_status: active}}
defaults:
  registration: {partner_id: A, account_name: Acme GmbH, account_domain: acme.example}
"""
"""A ``baseline.yaml``."""

Load = Callable[..., list[Scenario]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Scenarios from the text of a file, beside the baseline of :data:`RECORDS`."""

    def load_text(text: str, baseline: str = RECORDS, settings: CaseSettings = STARTER) -> list[Scenario]:
        (tmp_path / "baseline.yaml").write_text(baseline)
        (tmp_path / "cases.yaml").write_text(text)
        return load_cases([tmp_path], settings)

    return load_text


def problems(load: Load, text: str) -> list[Diagnostic]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return list(caught.value.diagnostics)


def run(load: Load, text: str) -> Result:
    (scenario,) = load(text)
    return run_scenario(scenario)

"""Scenarios: given these records and this policy, what must the rules say, and when? For admins and our own tests."""

from crmsync.cases.jsonschema import case_json_schema
from crmsync.cases.load import CaseSettings, Scenario, load_cases
from crmsync.cases.report import failure_lines, result_data
from crmsync.cases.run import Failure, Result, run_scenario

__all__ = [
    "CaseSettings",
    "Failure",
    "Result",
    "Scenario",
    "case_json_schema",
    "failure_lines",
    "load_cases",
    "result_data",
    "run_scenario",
]

"""A mapping in a test is its YAML: dedented, with a small valid file around it."""

from __future__ import annotations

from textwrap import dedent, indent

from crmsync.diagnostics import Diagnostic
from crmsync.errors import ConfigError
from crmsync.mappings import Mapping
from crmsync.mappings.load import build_mapping
from crmsync.yamlpos import load_yaml_text

BASE = """\
version: 1
system: {system}
objects:
  account: {{object: {account}, fields: {{name: Name}}}}
  partner: {{object: {account}, where: {{field: Type, in: [Reseller]}}, fields: {{name: Name}}}}
  deal:
    object: {deal}
    fields:
      name: Name
      account_id: AccountId
      stage: {{field: StageName, values: {{New: registered, Open: qualified, Later: qualified, "Won": closed_won}}}}
"""
"""Lines 9 to 11 are the deal's fields; what a test adds begins in line 12."""

_OBJECTS = {"salesforce": ("Account", "Opportunity"), "hubspot": ("companies", "deals")}


def text_of(more: str = "", *, system: str = "salesforce", at: int = 6) -> str:
    """The base file with ``more`` below it, by default as more fields of the deal."""
    account, deal = _OBJECTS[system]
    return BASE.format(system=system, account=account, deal=deal) + indent(dedent(more).strip("\n"), " " * at) + "\n"


def mapping(more: str = "", *, system: str = "salesforce", at: int = 6) -> Mapping:
    return build_mapping(load_yaml_text(text_of(more, system=system, at=at), "m.yaml"), system=system)


def problems(more: str = "", *, system: str = "salesforce", at: int = 6) -> list[Diagnostic]:
    try:
        mapping(more, system=system, at=at)
    except ConfigError as error:
        return list(error.diagnostics)
    return []

"""Mappings: which CRM object and field each canonical field is, read from YAML, checked, and compiled to functions."""

from crmsync.mappings.fields import FieldMapping, ReadResult, ValueProblem
from crmsync.mappings.jsonschema import mapping_json_schema
from crmsync.mappings.live import check_live
from crmsync.mappings.load import load_mapping
from crmsync.mappings.mapping import Mapping
from crmsync.mappings.model import Mode, OnNull, OnUserEdit
from crmsync.mappings.tasks import TaskMapping

__all__ = [
    "FieldMapping",
    "Mapping",
    "Mode",
    "OnNull",
    "OnUserEdit",
    "ReadResult",
    "TaskMapping",
    "ValueProblem",
    "check_live",
    "load_mapping",
    "mapping_json_schema",
]

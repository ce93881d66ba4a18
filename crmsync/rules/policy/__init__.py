"""The policy: its model, how it is loaded, and where each of its statements stands."""

from crmsync.rules.policy.load import (
    Policy,
    build_policy,
    build_versions,
    load_policy,
    load_policy_text,
    policy_json_schema,
)
from crmsync.rules.policy.model import PolicyModel
from crmsync.rules.policy.programme import Length

__all__ = [
    "Length",
    "Policy",
    "PolicyModel",
    "build_policy",
    "build_versions",
    "load_policy",
    "load_policy_text",
    "policy_json_schema",
]

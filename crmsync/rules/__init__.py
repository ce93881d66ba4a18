"""The rules: facts and a policy in, decisions out. Pure: no clock, no vendor names, no I/O but the policy file."""

from crmsync.rules.codes import FLAGS
from crmsync.rules.decide import decide
from crmsync.rules.decision import Credit, Decision, Detail, Facts, FieldDecision, Finding, Likeness, Rule, TaskRequest
from crmsync.rules.neighbourhood import link_keys, neighbourhood_keys
from crmsync.rules.policy import Policy, load_policy, load_policy_text, policy_json_schema

__all__ = [
    "FLAGS",
    "Credit",
    "Decision",
    "Detail",
    "Facts",
    "FieldDecision",
    "Finding",
    "Likeness",
    "Policy",
    "Rule",
    "TaskRequest",
    "decide",
    "link_keys",
    "load_policy",
    "load_policy_text",
    "neighbourhood_keys",
    "policy_json_schema",
]

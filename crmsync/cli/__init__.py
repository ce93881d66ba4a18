"""The command line: ``crmsync COMMAND``. One file per group of commands; only :mod:`crmsync.cli.render` prints."""

from __future__ import annotations

import click

from crmsync.cli.app import global_options
from crmsync.cli.lazy import Entry, LazyGroup

_START, _DAY, _LOOK, _OPERATE = "Start", "Every day", "Look", "Operate"

COMMANDS = {
    "demo": Entry(_START, "crmsync.cli.demo", "Both CRMs on this machine, synced and explained."),
    "init": Entry(_START, "crmsync.cli.start", "Write a starter project."),
    "check": Entry(_START, "crmsync.cli.check", "Check the YAML; --live against the CRM as well."),
    "doctor": Entry(_START, "crmsync.cli.health", "Check sign-in, permissions, API calls, store."),
    "test": Entry(_START, "crmsync.cli.scenarios", "Run the policy's scenarios."),
    "policy": Entry(_START, "crmsync.cli.policy", "Show the policy as a document for people."),
    "provision": Entry(_START, "crmsync.cli.health", "Create the partner fields in the CRM."),
    "plan": Entry(_DAY, "crmsync.cli.plans", "Show every field that would change, and why."),
    "apply": Entry(_DAY, "crmsync.cli.plans", "Write exactly what a saved plan says."),
    "sync": Entry(_DAY, "crmsync.cli.plans", "Plan and apply within the guards."),
    "certify": Entry(_DAY, "crmsync.cli.certify", "Compare all of the mirror with the CRM, and mend it."),
    "undo": Entry(_DAY, "crmsync.cli.undo", "Take a run back, except where somebody has edited since."),
    "why": Entry(_LOOK, "crmsync.cli.look", "Explain a record or one of its fields."),
    "what-if": Entry(_LOOK, "crmsync.cli.whatif", "What another policy would flip.", "what_if"),
    "metrics": Entry(_LOOK, "crmsync.cli.metrics", "What partners bring: revenue, pipeline, win rates."),
    "findings": Entry(_LOOK, "crmsync.cli.look", "List conflicts, duplicates, missing facts."),
    "dupes": Entry(_LOOK, "crmsync.cli.dupes", "Records that may be the same: look, answer, plan merges."),
    "runs": Entry(_LOOK, "crmsync.cli.look", "List runs, or show one."),
    "status": Entry(_LOOK, "crmsync.cli.look", "Show the state of every connection."),
    "rejects": Entry(_LOOK, "crmsync.cli.rejects", "Writes the CRM refused: why, what to do, try again."),
    "unfreeze": Entry(_OPERATE, "crmsync.cli.unfreeze", "List fields left to another writer, take them back."),
    "forget": Entry(_OPERATE, "crmsync.cli.forget", "Remove a person from the local store."),
    "export": Entry(_OPERATE, "crmsync.cli.export", "Evidence about a record, and its verification."),
    "schedule": Entry(_OPERATE, "crmsync.cli.schedule", "Run syncs on the project's schedule."),
    "sandbox": Entry(_OPERATE, "crmsync.cli.sandbox", "Serve a Salesforce and a HubSpot on loopback."),
    "schema": Entry(_OPERATE, "crmsync.cli.check", "JSON Schema of the YAML files, for editors."),
    "completion": Entry(_OPERATE, "crmsync.cli.start", "Shell completion for bash, zsh or fish."),
}


@click.group(
    "crmsync",
    cls=LazyGroup,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done · 1 failed · 2 usage or YAML · 3 plan has changes (--exit-code) · 4 sign in · "
    "5 some records failed · 6 a guard stopped it · 70 bug · 130 interrupted",
)
@global_options(hidden=False)
@click.version_option(package_name="crmsync", prog_name="crmsync")
def main() -> None:
    """Partner facts on your CRM records: plan, sync, why."""


__all__ = ["COMMANDS", "main"]

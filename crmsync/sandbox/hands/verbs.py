"""What people do, as data: one row per verb, from which the HTTP routes and the commands are made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """``takes`` are the arguments in order; ``fields`` is a mapping and comes last, a name in ``lists`` is a list."""

    name: str
    says: str
    takes: tuple[str, ...]
    optional: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """What it is called on :class:`~crmsync.sandbox.hands.Hands`."""
        return f"{self.name}_" if self.name == "return" else self.name


VERBS = {
    verb.name: verb
    for verb in (
        Verb("edit", "Change fields of a record.", ("kind", "record", "fields")),
        Verb("move", "Move a deal to another stage.", ("deal", "stage")),
        Verb("close", "Close a deal as won or lost.", ("deal", "outcome"), ("reason",)),
        Verb("own", "Give a record to another owner.", ("kind", "record", "owner")),
        Verb("merge", "Merge records into the first one.", ("kind", "record", "losers"), lists=("losers",)),
        Verb("delete", "Delete a record.", ("kind", "record")),
        Verb("restore", "Take a record out of the recycle bin.", ("kind", "record")),
        Verb("add", "Create a record.", ("kind", "fields")),
        Verb("register", "File a deal registration for a partner.", ("partner", "fields")),
        Verb("approve", "Approve a registration.", ("registration",)),
        Verb("return", "Send a registration back for more facts.", ("registration", "reason")),
        Verb("reject", "Reject a registration.", ("registration", "reason")),
        Verb("touch", "Log what a partner did on a deal.", ("deal", "partner", "activity"), ("occurred_at",)),
    )
}

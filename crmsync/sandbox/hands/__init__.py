"""People at work in the sandbox: a seller or an admin who edits, closes, merges and registers, under their own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.hands.in_hubspot import InHubSpot
from crmsync.sandbox.hands.in_salesforce import InSalesforce
from crmsync.sandbox.hands.verbs import VERBS, Verb
from crmsync.sandbox.hands.words import OBJECTS, HandsError

if TYPE_CHECKING:
    from crmsync.sandbox.server import Sandbox

__all__ = ["VERBS", "Hands", "HandsError", "Verb"]

SYSTEMS = ("salesforce", "hubspot")
Side = InSalesforce | InHubSpot
Done = dict[str, str]
"""The record's id in each CRM in which something was done."""


@dataclass(frozen=True, slots=True)
class _Target:
    side: Side
    record_id: str
    user: str


class Hands:
    """Each verb works in both CRMs, or in the ``system`` named; a record is found by id, key, number or exact name.

    ``user`` is a name, an e-mail address or an id; nobody named: the administrator. Kinds and fields are the
    glossary's (``deal``, ``close_date``) or the CRM's own.
    """

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    # ---------------------------------------------------------------- records

    def edit(self, kind: str, record: str, fields: Mapping[str, Any], user: str = "", system: str = "both") -> Done:
        targets = self._targets(kind, record, user, system)
        for target in targets.values():
            target.side.row(kind, fields)  # all of it must be possible before any of it is done
        return self._each(targets, lambda one: one.side.edit(kind, one.record_id, fields, one.user) or one.record_id)

    def own(self, kind: str, record: str, owner: str, user: str = "", system: str = "both") -> Done:
        return self.edit(kind, record, {"owner_id": owner}, user, system)

    def add(self, kind: str, fields: Mapping[str, Any], user: str = "", system: str = "both") -> Done:
        targets = {name: _Target(side, "", self._user(side, user)) for name, side in self._sides(system).items()}
        for target in targets.values():
            target.side.row(kind, fields)
        return self._each(targets, lambda one: one.side.create(kind, fields, one.user))

    def delete(self, kind: str, record: str, user: str = "", system: str = "both") -> Done:
        targets = self._targets(kind, record, user, system)
        return self._each(targets, lambda one: one.side.delete(kind, one.record_id, one.user) or one.record_id)

    def restore(self, kind: str, record: str, user: str = "", system: str = "both") -> Done:
        targets = self._targets(kind, record, user, system, deleted=True)
        return self._each(targets, lambda one: one.side.restore(kind, one.record_id, one.user) or one.record_id)

    def merge(self, kind: str, record: str, losers: Sequence[str], user: str = "", system: str = "both") -> Done:
        """In HubSpot the survivor is a third record; its id is what is returned."""
        targets = self._targets(kind, record, user, system)
        ids = {id(one.side): [self._found(one.side, kind, loser) for loser in losers] for one in targets.values()}
        return self._each(targets, lambda one: one.side.merge(kind, one.record_id, ids[id(one.side)], one.user))

    # ---------------------------------------------------------------- deals

    def move(self, deal: str, stage: str, user: str = "", system: str = "both") -> Done:
        return self.edit("deal", deal, {"stage": stage}, user, system)

    def close(self, deal: str, outcome: str, reason: str = "", user: str = "", system: str = "both") -> Done:
        """``outcome`` is won or lost."""
        if outcome not in ("won", "lost"):
            raise HandsError(f"a deal is closed as won or lost, not '{outcome}'")
        fields = {"stage": f"closed_{outcome}", "close_date": self._now().date()}
        return self.edit("deal", deal, {**fields, "lost_reason": reason} if reason else fields, user, system)

    def touch(
        self, deal: str, partner: str, activity: str, occurred_at: str = "", user: str = "", system: str = "both"
    ) -> Done:
        """What a partner did on a deal: ``activity`` is demo, introduction, …"""
        now = self._now()
        stamps = {"occurred_at": occurred_at or now, "logged_at": now}
        tied = {"deal_id": deal, "partner_id": partner, "type": activity}
        name = f"{activity.replace('_', ' ').capitalize()}: {deal}"[:80]
        return self.add("touch", {"name": name, **tied, **stamps}, user, system)

    # ---------------------------------------------------------------- registrations

    def register(
        self, partner: str, fields: Mapping[str, Any] | None = None, user: str = "", system: str = "both"
    ) -> Done:
        """A new registration, submitted now, under the next free number unless one is given."""
        given = {"state": "submitted", "submitted_at": self._now(), "partner_id": partner, **(fields or {})}
        return self.add("registration", {"number": self._next_number(), **given}, user, system)

    def approve(self, registration: str, user: str = "", system: str = "both") -> Done:
        return self._decide(registration, {"state": "approved", "approved_at": self._now()}, user, system)

    def reject(self, registration: str, reason: str, user: str = "", system: str = "both") -> Done:
        fields = {"state": "rejected", "closure_code": "rejected", "decision_reason": reason}
        return self._decide(registration, fields, user, system)

    def return_(self, registration: str, reason: str, user: str = "", system: str = "both") -> Done:
        return self._decide(registration, {"state": "returned", "decision_reason": reason}, user, system)

    def _decide(self, registration: str, fields: Mapping[str, Any], user: str, system: str) -> Done:
        by = {"decided_at": self._now(), "decided_by": user or "System Admin"}
        return self.edit("registration", registration, {**fields, **by}, user, system)

    def _next_number(self) -> str:
        known = [row["PRM_Number__c"] or "" for row in self.box.salesforce.rows(self._registrations())]
        known += [row.get("prm_number", "") for row in self.box.hubspot.rows("prm_registration")]
        return (
            f"DR-{max((int(one[3:]) for one in known if one[:3] == 'DR-' and one[3:].isdigit()), default=10_000) + 1}"
        )

    def _registrations(self) -> str:
        return InSalesforce(self.box.salesforce).sobject("registration").name

    # ---------------------------------------------------------------- by name

    def perform(self, verb: str, given: Mapping[str, Any]) -> Done:
        """A verb and its arguments as JSON has them (``as`` is the user).

        :raises HandsError: when there is no such verb, an argument is missing or unknown, or it cannot be done.
        """
        about, arguments = check_act(verb, given)
        done: Done = getattr(self, about.method)(**arguments)
        return done

    @staticmethod
    def _each(targets: Mapping[str, _Target], action: Callable[[_Target], str]) -> Done:
        return {system: action(target) for system, target in targets.items()}

    # ---------------------------------------------------------------- who and what

    def _sides(self, system: str) -> dict[str, Side]:
        if system not in ("both", *SYSTEMS):
            raise HandsError(f"system must be both, salesforce or hubspot, not '{system}'")
        sides: dict[str, Side] = {
            "salesforce": InSalesforce(self.box.salesforce),
            "hubspot": InHubSpot(self.box.hubspot),
        }
        return {name: side for name, side in sides.items() if system in ("both", name)}

    def find_all(self, record: str, *, deleted: bool = False) -> set[str]:
        """The ids of all records of any kind that go by this name."""
        found: set[str | None] = set()
        for side in self._sides("both").values():
            for kind in OBJECTS:
                try:
                    found.add(side.find(kind, record, deleted=deleted))
                except HandsError:
                    continue  # an object that this world does not have, or a name that several records share
        return {one for one in found if one}

    def _targets(self, kind: str, record: str, user: str, system: str, *, deleted: bool = False) -> dict[str, _Target]:
        """Where the record is; an id is known to one of the CRMs only."""
        sides = self._sides(system)
        ids = {name: side.find(kind, record, deleted=deleted) for name, side in sides.items()}
        found = {name: record_id for name, record_id in ids.items() if record_id}
        if not found:
            where = "the recycle bin" if deleted else " or ".join(sides)
            raise HandsError(f"no {kind} '{record}' in {where}: name it by id, key, number or exact name")
        return {name: _Target(sides[name], one, self._user(sides[name], user)) for name, one in found.items()}

    @staticmethod
    def _found(side: Side, kind: str, record: str) -> str:
        found = side.find(kind, record)
        if found is None:
            raise HandsError(f"no {kind} '{record}': name it by id, key, number or exact name")
        return found

    @staticmethod
    def _user(side: Side, name: str) -> str:
        found = side.user(name)
        if found is None:
            raise HandsError(f"no active user '{name}': give a name, an e-mail address or an id")
        return found

    def _now(self) -> datetime:
        return self.box.clock.now()


def check_act(verb: str, given: Mapping[str, Any]) -> tuple[Verb, dict[str, Any]]:
    """The verb and its arguments, if they fit each other."""
    about = VERBS.get(verb)
    if about is None:
        raise HandsError(f"nobody can '{verb}': {', '.join(VERBS)}")
    arguments = {("user" if name == "as" else name): value for name, value in given.items()}
    missing = [name for name in about.takes if name not in arguments and name != "fields"]
    unknown = [name for name in arguments if name not in (*about.takes, *about.optional, "user", "system")]
    if missing or unknown:
        problem = f"needs {', '.join(missing)}" if missing else f"takes no {', '.join(unknown)}"
        raise HandsError(f"{verb} {problem}; it takes {', '.join((*about.takes, *about.optional))}, as and system")
    for name, value in arguments.items():
        wanted: type = dict if name == "fields" else list if name in about.lists else str
        if not isinstance(value, wanted):
            raise HandsError(f"{name} must be {_JSON_WORDS[wanted]}, not {value!r}")
    if "fields" in about.takes:
        arguments.setdefault("fields", {})
    return about, arguments


_JSON_WORDS: dict[type, str] = {dict: "an object of fields and values", list: "a list of records", str: "text"}

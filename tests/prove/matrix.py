"""The matrix as data: each fault, the points it is injected at, what is expected, and what must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.prove import inject_crm as crm
from tests.prove import inject_people as people
from tests.prove import inject_run as run
from tests.prove import inject_store as store
from tests.prove.trial import Trial, Usual
from tests.sync.conftest import SYSTEMS

ALL = tuple(f"I{n}" for n in range(1, 15))
POINTS = {
    "C": "opening the store", "A": "sign-in", "D": "describe", "Q": "first page", "P": "next page",
    "S": "commit before the first write", "M": "mapping and rules", "R": "reading again before a write",
    "W": "write", "K": "commit after a write", "H": "webhook", "T": "scheduler tick", "E": "closing",
}  # fmt: skip
BOTH_ENDS = ("before", "after")


@dataclass(frozen=True, slots=True)
class Fault:
    """One row. ``counts`` gives the values of ``k`` where they are not requests or commits.

    ``not_applicable`` says, for points or variants that the matrix knows and crmsync has not, why.
    """

    id: str
    name: str
    points: str
    inject: Callable[[Trial], None]
    expected: str
    variants: tuple[str, ...] = ("",)
    worlds: tuple[str, ...] = ("first", "later")
    invariants: tuple[str, ...] = ALL
    systems: tuple[str, ...] = SYSTEMS
    counts: int = 0
    not_applicable: dict[str, str] = field(default_factory=dict)

    def indices(self, point: str, usual: Usual) -> list[int]:
        """Every ``k`` at which the fault can meet this point of an undisturbed run."""
        if self.counts:
            return list(range(self.counts))
        if point in "SK":
            return [number for number, at in enumerate(usual.commits) if at == point]
        if point in "CMTE":
            return [0]
        return [request.number for request in usual.requests if request.point == point]


REQUESTS = "A D Q P R W"
NO_WEBHOOKS = "crmsync has no webhooks yet: it asks"

FAULTS: tuple[Fault, ...] = (
    Fault("F1", "kill -9", f"C {REQUESTS} S M K E", run.kill, "the next run takes it up", BOTH_ENDS),
    Fault("F2", "Ctrl-C, SIGTERM", f"C {REQUESTS} S M K E", run.stop, "the lock is free, the next run takes it up",
          BOTH_ENDS),
    Fault("F3", "power loss: the log is cut at a frame", "S K", store.cut_power, "the old state or the new, healed",
          ("all", "half", "last")),
    Fault("F4", "a storm of 429", "Q P R W", crm.storm, "one gate closes for all; nothing is dropped",
          ("plain", "zero", "negative", "huge", "date")),
    Fault("F5", "the day's calls are used up", "Q P R W", crm.run_out, "a clean stop that says when to go on",
          ("refused", "low")),
    Fault("F6", "500, 502, 503, a web page as 200", REQUESTS, crm.server_error, "tried again; a page is not zero rows",
          ("500-before", "500-after", "502-after", "503-before", "200-before", "200-after")),
    Fault("F7", "no answer in time", REQUESTS, run.time_out, "unknown, and read back", BOTH_ENDS),
    Fault("F8", "the connection is reset", REQUESTS, crm.reset, "as F7", ("before", "midway", "after")),
    Fault("F9", "a body cut short, or fewer rows than announced", REQUESTS, crm.cut_body,
          "the page is refused whole", ("length", "gzip", "fewer")),
    Fault("F10", "partial failure", "W", crm.fail_partly, "an outcome for each record; none means unknown",
          ("mixed", "as-200", "too-few", "in-vain")),
    Fault("F11", "a poisoned record fails its batch", "W", crm.poison, "isolated, and named; the rest is written",
          worlds=("first",)),
    Fault("F12", "records move while paging", "Q P", people.move_while_paging, "read once too often rather than not"),
    Fault("F13", "late rows, a lagging index", "Q", crm.show_late, "the overlap finds them", counts=3),
    Fault("F14", "more rows with one stamp than a page holds", "Q P", people.tie, "paged by id, to the end"),
    Fault("F15", "the token ends", "A D Q P R W", crm.end_token, "one sign-in, then on",
          ("ended", "refused", "no-new-one"),
          not_applicable={"A": "no refresh token is rotated: crmsync keeps none", }),
    Fault("F16", "a permission is withdrawn", "D Q P R W", crm.withdraw, "this object stops, and it is said",
          ("scope", "field")),
    Fault("F17", "the schema changes", "D Q P R W", crm.change_schema, "absent is not null: no blank is written",
          ("read-field", "our-field")),
    Fault("F18", "a record is deleted, or comes back", "Q P R W", people.delete, "gone is reported, not made anew",
          ("deleted", "restored")),
    Fault("F19", "records are merged", "Q P R W", people.merge, "the survivor is followed",
          ("accounts", "partners")),
    Fault("F20", "somebody edits the same field", REQUESTS, people.edit_ours, "their value stays",
          ("filled", "owned")),
    Fault("F21", "somebody edits another field", REQUESTS, people.edit_other, "both values stay"),
    Fault("F22", "both sides set the same value", REQUESTS, people.edit_same, "nothing is written"),
    Fault("F23", "our own write comes back", "Q", people.echo, "no write answers it", counts=1,
          not_applicable={"H": NO_WEBHOOKS}),
    Fault("F24", "webhooks, twice, late, forged", "", run.nothing, "", not_applicable={"H": NO_WEBHOOKS}),
    Fault("F25", "a webhook is lost", "", run.nothing, "", not_applicable={"H": NO_WEBHOOKS}),
    Fault("F26", "two runs at once; one is stopped and wakes", "C Q W K", run.run_twice,
          "one works, the other is told that it is busy", ("stopped",),
          not_applicable={"T": "a tick is a run: the same lock"}),
    Fault("F27", "clocks that differ or jump", "A Q P W", run.skew, "only the CRM's stamps count",
          ("crm-ahead", "crm-behind", "we-ahead", "we-behind", "zone"),
          invariants=tuple(i for i in ALL if i not in ("I10", "I13"))),
    Fault("F28", "the disk is full", "S K", store.fill_disk, "a clean stop, the store sound", ("pages", "file-size")),
    Fault("F29", "the store is damaged", "C", store.flip_bits, "refused, or harmless",
          ("bit", "page", "cut", "foreign"), worlds=("later",), counts=30),
    Fault("F30", "the store is lost, or an old copy comes back", "C", store.lose_store, "nothing is overwritten",
          ("lost", "older", "half-way"), worlds=("later",), counts=1),
    Fault("F31", "the store cannot be opened or written", "C", store.shut_store, "a named error",
          ("directory", "locked", "file"), worlds=("later",), counts=1),
    Fault("F32", "nobody answers", "C", crm.partition, "tried, then said", ("refused", "half-open"), worlds=("later",),
          counts=1, not_applicable={"AQPRW": "a cut in mid-run is F8; names, proxies and TLS: tests/security"}),
    Fault("F33", "answers without end", "Q P R", crm.flood, "size and time are capped",
          ("drip", "huge", "bomb", "deep"), worlds=("first",), not_applicable={"H": NO_WEBHOOKS}),
    Fault("F34", "hostile content", "Q P M", crm.lure, "refused, or kept as text",
          ("redirect", "next-link", "text"), worlds=("first",)),
    Fault("F35", "the configuration changes between a kill and the next run", "S K W", store.reconfigure,
          "decided anew under what holds now", ("policy", "mapping"),
          invariants=tuple(i for i in ALL if i != "I13")),
    Fault("F36", "another version of crmsync", "C", store.other_version, "migrated, or refused",
          ("newer", "older"), worlds=("later",), counts=1,
          not_applicable={"K": "no earlier release exists whose outbox could be half full"}),
    Fault("F37", "memory ends", "P M", run.starve, "as a kill", worlds=("first",), counts=6),
    Fault("F38", "a rule fails for one record", "M", run.break_rule, "that neighbourhood is named, the others go on",
          worlds=("first", "later"), counts=4),
)  # fmt: skip
BY_ID = {fault.id: fault for fault in FAULTS}

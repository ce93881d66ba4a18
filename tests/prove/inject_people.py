"""What people do between two requests."""

from __future__ import annotations

from typing import Any

from tests.prove.judge import Entry
from tests.prove.trial import Trial


def edit_ours(trial: Trial) -> None:
    """Somebody types into a field that this very run is about to write."""
    entry = _planned(trial, filled=trial.case.variant == "filled")
    if entry is None:
        trial.fired = False
        return
    trial.person(verb="edit", kind="deal", record=entry.id, fields={entry.field: "TYPED"})
    trial.cycle()
    if trial.case.variant == "filled":
        trial.may_be_told()  # theirs to fill: it simply stays


def edit_other(trial: Trial) -> None:
    entry = _planned(trial)
    if entry is None:
        trial.fired = False
        return
    trial.person(verb="edit", kind="deal", record=entry.id, fields={"name": "Renamed by a seller"})
    trial.cycle()
    trial.ground.box.faults.clear()
    name = trial.people.value("deal", entry.id, "name")
    if any(e.ours and e.id == entry.id and e.new == name for e in trial.usual.written):
        trial.say.append("a seller's name of a deal was written by us")
    trial.may_be_told()


def edit_same(trial: Trial) -> None:
    """Somebody types what we are about to write."""
    entry = _planned(trial)
    if entry is None:
        trial.fired = False
        return
    trial.person(verb="edit", kind="deal", record=entry.id, fields={entry.field: str(entry.new)})
    trial.cycle()
    trial.may_be_told()


def _planned(trial: Trial, *, filled: bool | None = None) -> Entry | None:
    """A text that the undisturbed run writes on a deal; of a field that sellers may fill, or of one of ours."""
    mapped = trial.people.mapping.kind_mappings["deal"].fields.values()
    wanted = {"fill_if_empty"} if filled else {"engine_owned"} if filled is False else {"fill_if_empty", "engine_owned"}
    names = {
        f.remote_field
        for f in mapped
        if f.mode in wanted and f.field in ("registration_id", "partner_name", "next_action")
    }
    deals = trial.people.mapping.object_of("deal")
    return next((e for e in trial.usual.written if e.object == deals and e.field in names and e.new), None)


def delete(trial: Trial) -> None:
    entry = _planned(trial)
    if entry is None:
        trial.fired = False
        return
    trial.person(verb="delete", kind="deal", record=entry.id)
    trial.cycle()
    if trial.case.variant == "restored":
        trial.ground.box.hands.restore("deal", entry.id, system=trial.system)
    trial.may_be_told()


def merge(trial: Trial) -> None:
    kind = "account" if trial.case.variant == "accounts" else "partner"
    ids = trial.people.ids(kind)
    if kind == "account":
        ids = sorted(set(ids) - set(trial.people.ids("partner")))
    trial.person(verb="merge", kind=kind, record=ids[0], losers=[ids[1]])
    trial.cycle()
    trial.may_be_told()


def move_while_paging(trial: Trial) -> None:
    """A deal that an earlier page has brought gets a newer stamp, and so does an account."""
    for kind, fields in (("deal", {"name": "Renamed"}), ("account", {"name": "Renamed, too"})):
        ids = trial.people.ids(kind)
        trial.person(verb="edit", kind=kind, record=ids[trial.k % len(ids)], fields=fields)
    trial.cycle()
    trial.may_be_told()


def tie(trial: Trial) -> None:
    """More records than a page holds get one stamp; one more is edited between two pages."""
    contacts = trial.people.ids("contact")
    trial.people_acted = True
    for contact in contacts:
        trial.people.edit("contact", contact, "title", "Buyer")
    act: dict[str, Any] = {"verb": "edit", "kind": "contact", "record": contacts[0], "fields": {"title": "Chief buyer"}}
    trial.person(**act)
    trial.cycle()
    trial.may_be_told()
    with trial.ground.bench.session(trial.system) as session:
        name, field = session.mapping.object_of("contact"), session.mapping.field("contact", "title")
        assert field is not None
        held = {row.id: row.fields.get(field.remote_field) for row in session.store.rows(name)}
    missed = [one for one in contacts[1:] if held.get(one) != "Buyer"]
    if missed:
        trial.say.append(f"{len(missed)} of {len(contacts)} records with one stamp were not brought")


def echo(trial: Trial) -> None:
    """Run after run, while the CRM moves the modified date of what we wrote."""
    for _ in range(4):
        trial.cycle()
        trial.ground.wait(30)
    for report in trial.reports[1:]:
        if report.written:
            trial.say.append(f"an echo was answered with {report.written} writes")
    trial.may_be_told()

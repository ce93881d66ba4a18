"""P1 to P4 as properties: whatever people do between syncs, in whatever order, in either CRM."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from crmsync.records import Stage
from tests.sync.conftest import SYSTEMS, Bench, begin_again
from tests.sync.people import People, assert_nobody_was_overwritten, assert_nothing_is_doubled

EXAMPLES = int(os.environ.get("CRMSYNC_EXAMPLES", "5"))

Place = tuple[str, str, str]
Act = Callable[[People, int, int], Place | None]
"""What somebody does; two numbers pick the records and the values. The field that must keep its value, if any."""


def change_stage(people: People, one: int, two: int) -> Place | None:
    if deal := people.pick("deal", one):
        stages = [stage for stage in Stage if stage != Stage.COLD]
        people.edit("deal", deal, "stage", stages[two % len(stages)])
        return "deal", deal, "stage"
    return None


def change_amount(people: People, one: int, two: int) -> Place | None:
    if deal := people.pick("deal", one):
        people.edit("deal", deal, "amount", Decimal(1000 * (two + 1)))
        return "deal", deal, "amount"
    return None


def change_owner(people: People, one: int, two: int) -> Place | None:
    if deal := people.pick("deal", one):
        people.edit("deal", deal, "owner_id", people.owners()[two % len(people.owners())])
        return "deal", deal, "owner_id"
    return None


def name_partner(people: People, one: int, two: int) -> Place | None:
    if (deal := people.pick("deal", one)) and (partner := people.pick("partner", two)):
        people.edit("deal", deal, "partner_id", partner)
        return "deal", deal, "partner_id"
    return None


def type_registration_id(people: People, one: int, two: int) -> None:
    if deal := people.pick("deal", one):
        people.edit("deal", deal, "registration_id", ("TYPED", "SCN-4-R1", None)[two % 3])


def move_deal(people: People, one: int, two: int) -> None:
    if (deal := people.pick("deal", one)) and (account := people.pick("account", two)):
        people.move(deal, account)


def register(people: People, one: int, two: int) -> None:
    account, partner = people.pick("account", one), people.pick("partner", two)
    if account and partner:
        number = f"NEW-{len(people.ids('registration'))}-{one}-{two}"
        people.register(number, account_id=account, account_name="Castrop Handel", partner_id=partner,
                        products=("GTX Pro",), motion="new_business")  # fmt: skip


def approve(people: People, one: int, two: int) -> None:
    if registration := people.pick("registration", one):
        people.edit("registration", registration, "state", ("approved", "rejected", "withdrawn")[two % 3])
        people.edit("registration", registration, "approved_at", people.bench.now)
        people.edit("registration", registration, "decided_at", people.bench.now)


def ask_for_extension(people: People, one: int, two: int) -> None:
    if registration := people.pick("registration", one):
        field = ("extension_requested_at", "extension_granted_at")[two % 2]
        people.edit("registration", registration, field, people.bench.now)


def delete(people: People, one: int, two: int) -> None:
    kind = ("deal", "registration", "contact", "touch")[two % 4]
    if record := people.pick(kind, one):
        people.delete(kind, record)


def merge_accounts(people: People, one: int, two: int) -> None:
    customers = sorted(set(people.ids("account")) - set(people.ids("partner")))
    if len(customers) > 1 and one % len(customers) != two % len(customers):
        people.merge("account", customers[one % len(customers)], customers[two % len(customers)])


def merge_partners(people: People, one: int, two: int) -> None:
    partners = people.ids("partner")
    if len(partners) > 1 and one % len(partners) != two % len(partners):
        people.merge("partner", partners[one % len(partners)], partners[two % len(partners)])


def meet(people: People, one: int, two: int) -> None:
    if (deal := people.pick("deal", one)) and (contact := people.pick("contact", two)):
        people.meet(deal, contact)


def edit_agreement(people: People, one: int, two: int) -> None:
    if partner := people.pick("partner", one):
        people.edit("partner", partner, "agreement_status", ("active", "expired", "terminated")[two % 3])
        people.edit("partner", partner, "status", ("active", "suspended", "active")[two % 3])


def let_time_pass(people: People, one: int, two: int) -> None:
    people.bench.box.clock.advance(3600 * (1, 30, 24 * 8, 24 * 40)[two % 4])


ACTS: tuple[Act, ...] = (
    change_stage, change_amount, change_owner, name_partner, type_registration_id, move_deal, register, approve,
    ask_for_extension, delete, merge_accounts, merge_partners, meet, edit_agreement, let_time_pass,
)  # fmt: skip

numbers = st.integers(0, 30)
stories = st.lists(st.tuples(st.sampled_from(ACTS), numbers, numbers), min_size=1, max_size=5)


@pytest.mark.parametrize("system", SYSTEMS)
@given(story=stories)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a story is short already; shrinking one takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_people_do(
    stage: Bench, tiny_world_synced: Path, system: str, story: list[tuple[Act, int, int]]
) -> None:
    begin_again(stage, tiny_world_synced)
    people = People(stage, system)
    kept: dict[Place, Any] = {}
    for act, one, two in story:
        edited = act(people, one, two)
        if edited:
            kept[edited] = people.value(*edited)
        stage.box.clock.advance(60)
        _, report = stage.sync(system)
        note(f"{act.__name__}({one}, {two}): {report.decided} decided, {report.written} written")
        assert report.status == "ok", report.failures
        plan, _ = stage.sync(system, full=True)
        assert plan.changes == (), f"a full sync after the incremental one (P2), after {act.__name__}"
    plan, _ = stage.sync(system)
    assert plan.changes == (), "a second sync (P1)"
    for place, value in kept.items():
        assert people.value(*place) in (value, None), f"an edit of {place} (P3)"
    assert_nobody_was_overwritten(people)
    assert_nothing_is_doubled(people)

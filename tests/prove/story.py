"""What people did between the first sync and the second: enough that the second has something of everything to do."""

from __future__ import annotations

from decimal import Decimal

from tests.sync.people import People


def live_on(people: People) -> None:
    """Sellers, admins and partners at work, in canonical words; the same in both CRMs."""
    deals, registrations = people.ids("deal"), people.ids("registration")
    customers = sorted(set(people.ids("account")) - set(people.ids("partner")))
    partners = people.ids("partner")
    protected = [deal for deal in deals if people.value("deal", deal, "protection_end")]
    people.edit("deal", protected[0], "stage", "closed_lost")
    people.edit("deal", deals[1], "amount", Decimal(77_000))
    people.move(deals[2], customers[0])
    people.edit("registration", registrations[0], "state", "approved")
    people.edit("registration", registrations[0], "approved_at", people.bench.now)
    people.edit("registration", registrations[0], "decided_at", people.bench.now)
    people.edit("partner", partners[0], "agreement_status", "terminated")
    for number, customer in enumerate(customers[:3]):
        people.register(
            f"LATER-{number}", account_id=customer, account_name="Castrop Handel", partner_id=partners[1],
            products=("GTX Pro",), motion="new_business",
        )  # fmt: skip
    people.delete("deal", deals[-1])
    people.meet(deals[3], people.ids("contact")[0])

"""What deciding costs a deal under the starter policy: neighbourhoods made one by one, as a sync streams them.

python benchmarks/decide.py [DEALS]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import process_time

import bench

from crmsync.records import (
    Account,
    AgreementStatus,
    Contact,
    Deal,
    Partner,
    PartnerStatus,
    PartnerType,
    Registration,
    RegistrationState,
    Stage,
    Touch,
    TouchType,
    User,
)
from crmsync.rules import Facts, decide, load_policy

NOW = datetime(2026, 6, 1, tzinfo=UTC)
POLICY = Path(__file__).parents[1] / "config" / "policies" / "baseline.yaml"
DEALS_EACH = 10
PARTNERS = {
    f"P{n}": Partner(
        id=f"P{n}",
        name=f"Partner {n}",
        type=PartnerType.RESELLER,
        status=PartnerStatus.ACTIVE,
        agreement_status=AgreementStatus.ACTIVE,
        manager_id="U1",
    )
    for n in range(40)
}
USERS = {"U1": User(id="U1", name="Pia", is_active=True)}


def neighbourhoods(deals: int) -> Iterator[Facts]:
    """Accounts with ten deals each; three of a hundred deals are registered, two have a partner's activity."""
    pick = random.Random(7)
    for at in range(deals // DEALS_EACH):
        account = Account(id=f"A{at}", name=f"Company {at}", domain=f"c{at}.example", country="DE", owner_id="U1")
        rows = tuple(_deal(pick, account.id, at * DEALS_EACH + n) for n in range(DEALS_EACH))
        registrations = tuple(_registration(pick, account, deal) for deal in rows if pick.random() < 0.03)
        touches = tuple(_touch(pick, deal) for deal in rows if pick.random() < 0.02)
        named = {r.partner_id for r in registrations} | {t.partner_id for t in touches}
        contacts = (Contact(id=f"C{at}", account_id=account.id, email=f"a@c{at}.example"),)
        yield Facts(
            accounts=(account,),
            contacts=contacts,
            deals=rows,
            registrations=registrations,
            touches=touches,
            partners={i: PARTNERS[i] for i in sorted(named) if i},
            users=USERS,
        )


def _deal(pick: random.Random, account_id: str, number: int) -> Deal:
    created_at = NOW - timedelta(days=pick.randrange(700))
    return Deal(
        id=f"D{number}",
        name=f"Deal {number}",
        account_id=account_id,
        owner_id="U1",
        stage=pick.choice(list(Stage)),
        amount=Decimal(pick.randrange(100_000)),
        currency="USD",
        created_at=created_at,
        close_date=date(2026, 1, 1) + timedelta(days=pick.randrange(300)),
        products=(pick.choice(["P1", "P2", "P3"]),),
    )


def _registration(pick: random.Random, account: Account, deal: Deal) -> Registration:
    at = (deal.created_at or NOW) - timedelta(days=3)
    return Registration(
        id=f"R{deal.id}",
        number=f"R{deal.id}",
        partner_id=pick.choice(list(PARTNERS)),
        account_id=account.id,
        account_name=account.name,
        account_domain=account.domain,
        deal_id=deal.id,
        products=deal.products,
        state=pick.choice([RegistrationState.APPROVED, RegistrationState.SUBMITTED]),
        submitted_at=at,
        approved_at=at + timedelta(days=1),
    )


def _touch(pick: random.Random, deal: Deal) -> Touch:
    at = (deal.created_at or NOW) - timedelta(days=5)
    partner_id = pick.choice(list(PARTNERS))
    return Touch(
        id=f"T{deal.id}",
        partner_id=partner_id,
        deal_id=deal.id,
        type=TouchType.INTRO,
        occurred_at=at,
        logged_at=at,
    )


def main(deals: int) -> None:
    policy = load_policy(POLICY)
    spent, fields = 0.0, 0
    for facts in neighbourhoods(deals):
        start = process_time()
        decision = decide(facts, policy, NOW)
        spent += process_time() - start
        fields += len(decision.fields)
    print(bench.machine())
    print(f"{deals:,} deals: {spent / deals * 1e6:.1f} µs of CPU a deal, {spent:.1f} s in all, {fields:,} values")
    print(f"peak memory {bench.peak_mib():.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1].replace("_", "").replace(",", "")) if len(sys.argv) > 1 else 100_000)

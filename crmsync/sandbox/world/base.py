"""The real base: a public CRM export, with its dates moved to the present by one offset and all its dirt kept."""

from __future__ import annotations

import csv
import sysconfig
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from crmsync.sandbox.world.dates import Calendar, chance, office_hour, spread
from crmsync.sandbox.world.model import Account, Deal, Seller
from crmsync.sandbox.world.names import slug

_FOLDER = "crm-sales-opportunities"


def _fixtures() -> Path:
    """A checkout's ``fixtures/``, or where the installed package put them."""
    checkout = Path(__file__).parents[3] / "fixtures"
    installed = Path(sysconfig.get_path("data"), "share", "crmsync", "fixtures")
    return checkout if (checkout / _FOLDER).is_dir() else installed


FIXTURES = _fixtures()
VENDOR_DOMAIN = "gtx-systems.example"
PRODUCTS = ("GTX Basic", "GTX Pro", "MG Special", "MG Advanced", "GTX Plus Pro", "GTX Plus Basic", "GTK 500")
PRODUCT_SPELLINGS = (*PRODUCTS, "GTXPro")
"""What the CRM's product field offers: the price list, and the spelling that sellers use instead of ``GTX Pro``."""
LOSS_REASONS = ("Price", "Competitor", "No Budget", "No Decision", "Missing Feature", "Timing")
LEAD_SOURCES = ("Web", "Phone Inquiry", "Purchased List", "Other")

_OPEN_STAGES = (("qualified", 0.30), ("proposal", 0.62), ("negotiation", 0.86), ("committed", 1.0))
_OPEN_STAGES_NO_ACCOUNT = (("qualified", 0.92), ("proposal", 0.97), ("negotiation", 0.99), ("committed", 1.0))
_STALE_SHARE, _OVERDUE_SHARE, _REASONLESS_SHARE = 0.12, 0.05, 0.04


class FixtureMissing(Exception):
    """The demo data is not where it belongs: the installation is not whole."""


@dataclass(frozen=True, slots=True)
class Base:
    sellers: tuple[Seller, ...]
    accounts: tuple[Account, ...]
    deals: tuple[Deal, ...]
    prices: Mapping[str, int]


def read_base(calendar: Calendar) -> Base:
    """The export as records.

    :raises FixtureMissing: when the CSV files are not in the checkout.
    """
    pipeline = base_rows("sales_pipeline.csv")
    newest = max(_us_date(row["close_date"]) for row in pipeline if row["close_date"])
    shift = calendar.today - newest
    names = {row["account"]: f"acc-{slug(row['account'])}" for row in base_rows("accounts.csv")}
    deals = _with_motions(_deal(row, names, shift, calendar) for row in pipeline)
    return Base(
        sellers=tuple(_sellers(base_rows("sales_teams.csv"))),
        accounts=tuple(_accounts(base_rows("accounts.csv"), names, deals)),
        deals=deals,
        prices={row["product"]: int(row["sales_price"]) for row in base_rows("products.csv")},
    )


def listed(product: str) -> str:
    """The price list's spelling of a product."""
    return "GTX Pro" if product == "GTXPro" else product


def seller_key(name: str) -> str:
    return f"{slug(name).replace('-', '.')}@{VENDOR_DOMAIN}"


def base_rows(name: str) -> list[dict[str, str]]:
    path = FIXTURES / _FOLDER / name
    if not path.is_file():
        raise FixtureMissing(f"demo data not found: {path} (install crmsync again, or run it from a checkout)")
    with path.open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def _us_date(text: str) -> date:
    month, day, year = text.split("/")
    return date(int(year), int(month), int(day))


def _sellers(rows: Iterable[Mapping[str, str]]) -> Iterable[Seller]:
    managers: dict[str, str] = {}
    for row in rows:
        managers.setdefault(row["manager"], row["regional_office"])
        yield _seller(row["sales_agent"], "Account Executive", row["regional_office"])
    for name, office in managers.items():
        yield _seller(name, "Sales Manager", office)


def _seller(name: str, title: str, office: str) -> Seller:
    first, _, last = name.partition(" ")
    return Seller(key=seller_key(name), first_name=first, last_name=last, title=title, office=office)


def _accounts(rows: Iterable[Mapping[str, str]], keys: Mapping[str, str], deals: Iterable[Deal]) -> Iterable[Account]:
    owners: dict[str, Counter[str]] = defaultdict(Counter)
    oldest: dict[str, datetime] = {}
    for deal in deals:
        if deal.account:
            owners[deal.account][deal.owner] += 1
            oldest[deal.account] = min(deal.created_at, oldest.get(deal.account, deal.created_at))
    for row in rows:
        key = keys[row["account"]]
        yield Account(
            key=key,
            name=row["account"],
            website=_website(row["account"]),
            country=row["office_location"],
            owner=min(owners[key], key=lambda seller: (-owners[key][seller], seller)),
            created_at=oldest[key] - timedelta(days=spread(20, 400, key)),
            company_number=f"{spread(100_000_000, 899_999_999, 'duns', key)}" if chance("duns?", key) < 0.4 else None,
            segment=row["sector"],
            parent=keys[row["subsidiary_of"]] if row["subsidiary_of"] else None,
        )


def _website(name: str) -> str:
    domain = f"{slug(name)}.example"
    forms = (domain, domain, domain, f"www.{domain}", f"https://www.{domain}/", f"http://{domain}/en/home")
    return forms[spread(0, len(forms) - 1, "website", name)]


def _deal(row: Mapping[str, str], accounts: Mapping[str, str], shift: timedelta, calendar: Calendar) -> Deal:
    key, account = row["opportunity_id"], accounts.get(row["account"])
    stage = _stage(row["deal_stage"], key, account)
    created = _created(row["engage_date"], key, shift, calendar)
    close = _us_date(row["close_date"]) + shift if row["close_date"] else _expected_close(key, created, calendar)
    lost = stage == "closed_lost" and chance("reason", key) >= _REASONLESS_SHARE
    return Deal(
        key=key,
        name=f"{row['account']} – {row['product']} ({key})" if account else f"{row['product']} ({key})",
        account=account,
        owner=seller_key(row["sales_agent"]),
        stage=stage,
        motion="new_business",
        amount=int(row["close_value"]) if row["close_value"] else None,
        currency="USD",
        created_at=created,
        close_date=close,
        last_activity_on=close if stage.startswith("closed") else _last_activity(key, created, calendar),
        product=row["product"],
        lead_source=LEAD_SOURCES[spread(0, len(LEAD_SOURCES) - 1, "source", key)],
        lost_reason=LOSS_REASONS[spread(0, len(LOSS_REASONS) - 1, "loss", key)] if lost else None,
    )


def _stage(source: str, key: str, account: str | None) -> str:
    """The export knows four stages; its open one is spread over the middle of the pipeline.

    A deal without an account rarely gets past qualification, as in life: the customer is what one learns there.
    """
    fixed = {"Prospecting": "registered", "Won": "closed_won", "Lost": "closed_lost"}
    if source in fixed:
        return fixed[source]
    steps = _OPEN_STAGES if account else _OPEN_STAGES_NO_ACCOUNT
    draw = chance("stage", key)
    return next(stage for stage, below in steps if draw < below)


def _created(engaged: str, key: str, shift: timedelta, calendar: Calendar) -> datetime:
    if engaged:
        return calendar.past(office_hour(_us_date(engaged) + shift, key))
    return office_hour(calendar.day(spread(1, 88, "prospecting", key)), key)


def _expected_close(key: str, created: datetime, calendar: Calendar) -> date:
    """Ahead for most open deals; a few are overdue, though never before the deal began."""
    if chance("overdue", key) < _OVERDUE_SHARE:
        return max(calendar.day(spread(1, 40, "late", key)), created.date())
    return calendar.day(-spread(5, 130, "close", key))


def _last_activity(key: str, created: datetime, calendar: Calendar) -> date | None:
    if chance("stale", key) < _STALE_SHARE:
        return max(calendar.day(spread(75, 160, "quiet", key)), created.date())
    return max(calendar.day(spread(1, 20, "active", key)), created.date())


def _with_motions(deals: Iterable[Deal]) -> tuple[Deal, ...]:
    """An account's first sale is new business; each further product starts as a cross-sell and goes on from there."""
    known: set[str] = set()
    first_won: dict[tuple[str, str], datetime] = {}
    motions: dict[str, str] = {}
    ordered = sorted(deals, key=lambda deal: (deal.created_at, deal.key))
    for deal in ordered:
        if not deal.account:
            continue
        pair = (deal.account, deal.product)
        motions[deal.key] = _motion(deal, first_won.get(pair), deal.account in known)
        if deal.stage == "closed_won":
            known.add(deal.account)
            first_won.setdefault(pair, deal.created_at)
    return tuple(
        replace(deal, motion=motions.get(deal.key, deal.motion)) for deal in sorted(ordered, key=lambda d: d.key)
    )


def _motion(deal: Deal, first_won: datetime | None, is_customer: bool) -> str:
    if first_won is not None:
        return "renewal" if deal.created_at - first_won >= timedelta(days=180) else "expansion"
    return "cross_sell" if is_customer else "new_business"

"""Which company is meant: families, shared domains, subdomains, free mail, merged records."""

from __future__ import annotations

from datetime import timedelta

from crmsync.sandbox.world.model import Merge
from crmsync.sandbox.world.partners import cast_key
from crmsync.sandbox.world.scenarios.kit import Bench, scenario


@scenario("34", "Parent (R1) and subsidiary (R2): no conflict, both say that a related account is registered")
def parent_and_subsidiary(bench: Bench) -> None:
    first, second = bench.pair
    parent = bench.account("Nordvik Group", "X", country="Norway")
    child = bench.account("Nordvik Italia", "Y", country="Italy", parent=parent.key)
    bench.approved("R1", first, bench.ago(10), parent)
    bench.registration("R2", second, "pending_approval", bench.fresh, child)


@scenario("35", "Two companies, one domain: R2 is the Italian one; R3 names no country and needs a person")
def one_domain_two_companies(bench: Bench) -> None:
    first, second = bench.pair
    domain = {"website": "nordbank.example"}
    bank = bench.account("Nordbank AG", "X1", country="Germany", company_number="111111111", **domain)
    bench.account("Nordbank Leasing SpA", "X2", country="Italy", company_number="222222222", **domain)
    bench.approved("R1", first, bench.ago(10), bank)
    leasing = {"account_name": "Nordbank Leasing", "account_country": "IT", "account_domain": "nordbank.example"}
    mail = {"contact_name": "Chiara Conti", "contact_email": "chiara.conti@nordbank.example"}
    bench.registration("R2", second, "pending_approval", bench.fresh, None, **leasing, **mail)
    unclear = {"account_name": "Nordbank", "account_domain": "nordbank.example"}
    contact = {"contact_name": "Lukas Vogel", "contact_email": "lukas.vogel@nordbank.example"}
    later = bench.fresh + timedelta(minutes=30)
    bench.registration("R3", cast_key("C"), "pending_approval", later, None, **unclear, **contact)


@scenario("37", "Free-mail addresses and no company: both incomplete, and not duplicates of each other")
def free_mail(bench: Bench) -> None:
    first, second = bench.pair
    for suffix, partner, who in (("R1", first, "jane"), ("R2", second, "bob")):
        contact = {"contact_name": who.title(), "contact_email": f"{who}.invented.scenario37@gmail.com"}
        bench.registration(suffix, partner, "submitted", bench.fresh, None, **contact)


@scenario(
    "38",
    "One company under a careers subdomain (R1), in capitals with a final dot (R2): the same account, so a conflict",
)
def same_domain_spelled_differently(bench: Bench) -> None:
    first, second = bench.pair
    bench.account("Aurelia Labs", website="https://www.aurelia.example/")
    spelled = {"account_name": "Aurelia Labs", "account_country": "DE"}
    careers = {"account_domain": "careers.aurelia.example", "contact_email": "jobs@careers.aurelia.example"}
    bench.approved("R1", first, bench.ago(6), None, **spelled, **careers)
    capitals = {"account_domain": "AURELIA.example.", "contact_email": "office@aurelia.example"}
    bench.registration("R2", second, "pending_approval", bench.fresh, None, **spelled, **capitals)


@scenario("38B", "An international domain in both its forms is one company: R1 matches the account")
def international_domain(bench: Bench) -> None:
    bench.account("Münchner Werkzeug GmbH", website="münchner-werkzeug.example")
    puny = {"account_name": "Muenchner Werkzeug", "account_domain": "xn--mnchner-werkzeug-jzb.example"}
    more = {"account_country": "DE", "contact_email": "einkauf@xn--mnchner-werkzeug-jzb.example"}
    bench.registration("R1", bench.pair[0], "pending_approval", bench.fresh, None, **puny, **more)


@scenario("AL", "The registration names a domain that the account lists as an alias: matched")
def domain_alias(bench: Bench) -> None:
    bench.account("Karwendel Naturkost", domain_aliases=("karwendel-bio.example", "karwendel.test"))
    alias = {"account_name": "Karwendel Bio", "account_domain": "karwendel-bio.example", "account_country": "DE"}
    mail = {"contact_email": "einkauf@karwendel-bio.example"}
    bench.registration("R1", bench.pair[0], "pending_approval", bench.fresh, None, **alias, **mail)


@scenario(
    "39", "The partner of R1 was merged into another: R1 belongs to the survivor, keeps its dates and names the first"
)
def partner_merged(bench: Bench) -> None:
    account = bench.account("Bludenz Schokolade")
    deal = bench.deal(account, "D1", bench.ago(48))
    survivor = {"original_partner": cast_key("M1"), "deal": deal.key}
    bench.approved("R1", cast_key("M2"), bench.ago(50), account, **survivor)
    bench.merges.append(Merge(kind="partner", master=cast_key("M2"), loser=cast_key("M1")))


@scenario("41", "Two customers with approved registrations were merged: conflict confirmed, nobody loses by machine")
def customers_merged(bench: Bench) -> None:
    first, second = bench.pair
    account = bench.account("Dachstein Seilbahn")
    other = bench.account("Dachstein Seilbahnen Betrieb", "X2", website="dachstein-seilbahn.example")
    bench.approved("R1", first, bench.ago(20), account)
    bench.approved("R2", second, bench.ago(15), other)
    bench.merges.append(Merge(kind="account", master=account.key, loser=other.key))


@scenario("DA", "Two records of one company: each is flagged as a possible duplicate of the other")
def duplicate_account(bench: Bench) -> None:
    bench.account("Elbtal Keramik GmbH", "X1", website="elbtal.example")
    bench.account("Elbtal Keramik", "X2", website="https://www.elbtal.example/kontakt")

"""Who is the end customer: what identifies a company, and which account a registration means.

Only a *match* may block anybody; what is *ambiguous* is flagged for a person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

from crmsync.records import Account, Registration
from crmsync.rules.decision import Likeness
from crmsync.rules.freemail import FREE_MAIL_DOMAINS
from crmsync.rules.names import legal_name, registrable_domain
from crmsync.rules.policy import Policy
from crmsync.rules.policy.matching import Alike


@dataclass(frozen=True, slots=True)
class Company:
    """What identifies a company, in comparable form. ``domains`` leaves out those that many companies share."""

    name: str = ""
    country: str = ""
    number: str = ""
    domains: frozenset[str] = frozenset()

    def index_keys(self) -> frozenset[str]:
        """Index keys: companies that share one may be the same."""
        keys = {f"domain:{domain}" for domain in self.domains}
        if self.number:
            keys.add(f"number:{self.number}")
        if self.name:
            keys.add(f"name:{self.name}")
        return frozenset(keys)

    def without(self, shared: Set[str]) -> Company:
        """The same company without what many others have too."""
        if not shared or shared.isdisjoint(self.index_keys()):
            return self
        return replace(
            self,
            name="" if f"name:{self.name}" in shared else self.name,
            number="" if f"number:{self.number}" in shared else self.number,
            domains=frozenset(domain for domain in self.domains if f"domain:{domain}" not in shared),
        )


@dataclass(frozen=True, slots=True)
class Match:
    """The account that a registration means. ``site`` names the customer even where no account exists yet."""

    outcome: Literal["match", "ambiguous", "none"]
    account_id: str | None = None
    step: str = ""
    candidates: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    score: float | None = None
    """Probability, where the matching model found it."""


def usable_domain(text: str | None, policy: Policy) -> str | None:
    """The registrable domain, aliases followed; ``None`` for free mail and shared domains."""
    domain = registrable_domain(text) if text else None
    if domain is None or domain in FREE_MAIL_DOMAINS or domain in policy.excluded_domains:
        return None
    return policy.aliases.get(domain, domain)


def is_free_mail(text: str | None, policy: Policy) -> bool:
    domain = registrable_domain(text) if text else None
    return domain in FREE_MAIL_DOMAINS or domain in policy.excluded_domains


def company_of_account(account: Account, policy: Policy) -> Company:
    found = (usable_domain(text, policy) for text in (account.domain, *account.domain_aliases))
    return _company(account.name, account.country, account.company_number, found)


def company_of_registration(registration: Registration, policy: Policy) -> Company:
    """The customer as the partner described it. The contact's address counts where no domain is given."""
    domain = usable_domain(registration.account_domain, policy) or usable_domain(registration.contact_email, policy)
    return _company(registration.account_name, registration.account_country, registration.account_number, [domain])


def _company(name: str | None, country: str | None, number: str | None, domains: Iterable[str | None]) -> Company:
    digits = "".join(c for c in (number or "") if c.isalnum()).lower()
    return Company(
        name=legal_name(name) if name else "",
        country=(country or "").strip().upper(),
        number=digits,
        domains=frozenset(domain for domain in domains if domain),
    )


class AccountIndex:
    """The accounts of a neighbourhood by what identifies them."""

    def __init__(self, accounts: Sequence[Account], policy: Policy, shared: Set[str] = frozenset()) -> None:
        self.companies = {account.id: company_of_account(account, policy) for account in accounts}
        counts = Counter(key for company in self.companies.values() for key in company.index_keys())
        self.shared = shared | {key for key, number in counts.items() if number > policy.model.identity.shared_above}
        """Keys that too many accounts have to identify one."""
        if self.shared:
            self.companies = {i: company.without(self.shared) for i, company in self.companies.items()}
        self._by_key: dict[str, list[str]] = defaultdict(list)
        for account_id in sorted(self.companies):
            company = self.companies[account_id]
            for key in company.index_keys():
                self._by_key[key].append(account_id)

    def sharing(self, key: str) -> Sequence[str]:
        return self._by_key.get(key, ())

    def groups(self) -> Iterable[tuple[str, Sequence[str]]]:
        """Every key that more than one account has."""
        return ((key, ids) for key, ids in sorted(self._by_key.items()) if len(ids) > 1)

    def match(self, company: Company) -> Match:
        """Number, then domain, then name with country; the first that finds anything decides."""
        if company.number and (same := self.sharing(f"number:{company.number}")):
            return self._one_of(same, "company number", "the company number is the same")
        on_domain = sorted({i for domain in company.domains for i in self.sharing(f"domain:{domain}")})
        if on_domain:
            return self._by_domain(on_domain, company)
        return self._named(company)

    def _one_of(self, ids: Sequence[str], step: str, reason: str) -> Match:
        if len(ids) == 1:
            return Match("match", ids[0], step, tuple(ids), (reason,))
        return Match("ambiguous", None, step, tuple(ids), (f"{reason}, at {len(ids)} accounts",))

    def _by_domain(self, ids: Sequence[str], company: Company) -> Match:
        fitting = [i for i in ids if not _contradicts(self.companies[i], company)]
        if len(ids) > 1:
            fitting = [i for i in fitting if _supports(self.companies[i], company)]
            named = [i for i in fitting if self.companies[i].name == company.name]
            fitting = named or fitting
        if len(fitting) == 1:
            return Match("match", fitting[0], "domain", tuple(ids), ("the domain is the same",))
        reason = "several accounts have the domain" if len(ids) > 1 else "the domain is the same, but not the company"
        return Match("ambiguous", None, "domain", tuple(ids), (reason,))

    def _named(self, company: Company) -> Match:
        same = self.sharing(f"name:{company.name}") if company.name else ()
        ids = [i for i in same if not _differ(self.companies[i].country, company.country)]
        if not ids:
            return Match("none", reasons=("no account has this number, domain, or name in this country",))
        certain = [i for i in ids if company.country and self.companies[i].country]
        certain = [i for i in certain if not _other_site(self.companies[i], company)]
        if len(certain) == 1 == len(ids):
            return Match("match", ids[0], "name", tuple(ids), ("legal name and country are the same",))
        reason = "the name is the same, but that is all" if len(ids) == 1 else "several accounts have the name"
        return Match("ambiguous", None, "name", tuple(ids), (reason,))


def match_alike(described: Match, meant: Sequence[Likeness], limits: Alike) -> Match:
    """The match with what the model, or a person, says about it.

    The model only speaks where the fields that identify a company find nothing. One account that is certain, with no
    other to be asked about, is a match; anything less certain asks.
    """
    said = [pair for pair in meant if pair.answer == "duplicate"]
    if len(said) == 1:
        return Match("match", said[0].other, "answer", (said[0].other,), ("a person has said so",), 1.0)
    if described.outcome != "none" or not meant:
        return described
    ids = tuple(pair.other for pair in meant)
    best = meant[0]
    if len(meant) == 1 and best.duplicate >= limits.match.at:
        return Match("match", best.other, "likeness", ids, best.reasons or ("the description fits",), best.duplicate)
    reason = "this account may be meant" if len(ids) == 1 else "several accounts may be meant"
    return Match("ambiguous", None, "likeness", ids, (reason, *best.reasons), best.duplicate)


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)


def _contradicts(known: Company, given: Company) -> bool:
    """The domain is shared, but this cannot be the company that is meant."""
    if _differ(known.number, given.number):
        return True
    return _differ(known.country, given.country) and _differ(known.name, given.name)


def _supports(known: Company, given: Company) -> bool:
    """Among several companies on one domain: the name or the country has to speak for one of them."""
    if known.country and given.country:
        return known.country == given.country
    return bool(known.name and known.name == given.name and given.country)


def _other_site(known: Company, given: Company) -> bool:
    apart = bool(known.domains and given.domains and known.domains.isdisjoint(given.domains))
    return apart or _differ(known.number, given.number)


def is_same_company(one: Company, other: Company) -> bool:
    """Whether two accounts are one company entered twice, as far as their fields tell."""
    if one.number and one.number == other.number:
        return True
    if _differ(one.number, other.number) or _differ(one.country, other.country):
        return False
    if not one.domains.isdisjoint(other.domains):
        return True
    same_name = bool(one.name and one.name == other.name and one.country and one.country == other.country)
    return same_name and not (one.domains and other.domains)

"""Which account does a registration mean? Held-out registrations against a made-up base of accounts.

python benchmarks/matching_registrations.py [ACCOUNTS [REGISTRATIONS [SEED]]]

Half of the registrations describe an account of the base as somebody else would write it, half a company that is not
there: a stranger, or now and then a relative of one that is. A partner gives a name, a country and a domain, or else
the address of a contact, of which one in six is at a free-mail provider. Nothing here is trained.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import bench
import matching_crm

from crmsync.identity.keys import blocking_keys
from crmsync.identity.records import Prepared
from crmsync.likeness import Matchmaker, TermCounts, default_matchmaker
from crmsync.records import Account, Registration
from crmsync.rules import Policy, load_policy

MOST_PER_KEY = 200
"""A key that more accounts share tells nothing, as in a sync."""
HELD_OUT = 8
"""Accounts that are made for each registration that is drawn from them: one in ten of them repeats another."""
POLICY = Path(__file__).parents[1] / "config" / "policies" / "baseline.yaml"
_OWN = frozenset({"id", "name", "domain", "country"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A registration, the company it describes and that one's family, as numbers of ``matching_crm.Entry``."""

    registration: Registration
    entity: int
    family: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The likeliest account of a registration, with the model's probability that it is the one that is meant."""

    asked: Asked
    account: matching_crm.Entry
    probability: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Answers given at a threshold. A relative of the account that is meant is neither right nor wrong."""

    answered: int
    right: int
    relatives: int
    expected: int

    @property
    def precision(self) -> float:
        """Of what was answered, relatives apart. Without any answer nothing was wrong, and nothing is claimed: 0."""
        counted = self.answered - self.relatives
        return self.right / counted if counted else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.expected if self.expected else 0.0


def base_and_held_out(accounts: int, count: int, seed: int) -> tuple[list[matching_crm.Entry], list[Asked]]:
    """A base, and registrations out of accounts that were made after it and are not in it.

    :raises ValueError: if too few of those repeat an account of the base, as with a base that is small beside them.
    """
    made = matching_crm.accounts(accounts + HELD_OUT * count, seed)
    base = list(islice(made, accounts))
    known = {entry.entity for entry in base}
    later = list(made)
    present = list(islice((e for e in later if e.entity in known), count // 2))
    absent = list(islice((e for e in later if e.entity not in known), count - count // 2))
    if len(present) + len(absent) < count:
        raise ValueError(
            f"{len(present)} of {count // 2} registrations repeat one of {accounts} accounts: ask for fewer"
        )
    chance = random.Random(f"registrations {seed}")
    drawn = sorted([*present, *absent], key=lambda e: str(e.raw["id"]))
    return base, [Asked(_registration(entry.raw, chance), entry.entity, entry.family) for entry in drawn]


def _registration(raw: Mapping[str, Any], chance: random.Random) -> Registration:
    """A domain, an address at it, or an address that identifies nobody; what is drawn does not follow from the data."""
    domain, way, free = raw.get("domain"), chance.random(), chance.random() < 1 / 6
    host = "gmail.com" if free else domain
    return Registration(
        id=f"R{str(raw['id'])[1:]}",
        account_name=raw["name"],
        account_country=raw["country"],
        account_domain=domain if way < 0.5 else None,
        contact_email=f"purchasing@{host}" if way >= 0.5 and host else None,
    )


def _account(raw: Mapping[str, Any]) -> Account:
    own = {name: raw[name] for name in ("name", "domain", "country") if raw.get(name)}
    return Account(id=raw["id"], **own, extra={n: v for n, v in raw.items() if n not in _OWN and v != ""})


class Index:
    """The accounts that share a key with a registration, and how common each value is among all accounts."""

    def __init__(self, base: Iterable[matching_crm.Entry], wanted: frozenset[str], maker: Matchmaker, policy: Policy):
        self._blocks: dict[str, list[str]] = defaultdict(list)
        self._kept: dict[str, tuple[matching_crm.Entry, Prepared]] = {}
        counts = TermCounts()
        for entry in base:
            record = maker.prepare(_account(entry.raw), policy)
            counts.add(record)
            for key in wanted.intersection(blocking_keys(record)):
                self._blocks[key].append(record.id)
                self._kept[record.id] = entry, record
        self._scorer = maker.scorer("registration", counts)

    def likeliest(self, asked: Asked, record: Prepared) -> Answer | None:
        """The account with the greatest probability of being meant; of equal ones the first id."""
        blocks = (self._blocks.get(key, ()) for key in blocking_keys(record))
        ids = sorted({account for block in blocks if len(block) <= MOST_PER_KEY for account in block})
        scored = [(self._scorer.score(record, self._kept[account][1]).p_duplicate, account) for account in ids]
        best = max(scored, key=lambda s: s[0], default=None)
        return None if best is None else Answer(asked, self._kept[best[1]][0], best[0])


def answers(base: Iterable[matching_crm.Entry], asked: Sequence[Asked], policy: Policy) -> Iterator[Answer]:
    """The likeliest account of each registration that shares a key with any, by the models that crmsync comes with."""
    maker = default_matchmaker()
    prepared = [maker.prepare(one.registration, policy) for one in asked]
    index = Index(base, frozenset(key for record in prepared for key in blocking_keys(record)), maker, policy)
    for one, record in zip(asked, prepared, strict=True):
        if answer := index.likeliest(one, record):
            yield answer


def quality(given: Iterable[Answer], expected: int, at: float) -> Quality:
    """What answers from a probability on are worth. ``expected`` registrations mean an account of the base."""
    sure = [answer for answer in given if answer.probability >= at]
    right = sum(a.account.entity == a.asked.entity for a in sure)
    family = sum(a.account.family == a.asked.family for a in sure)
    return Quality(len(sure), right, family - right, expected)


def main(accounts: int, count: int, seed: int) -> None:
    with bench.spending() as spent:
        policy = load_policy(POLICY)
        base, asked = base_and_held_out(accounts, count, seed)
        given = list(answers(base, asked, policy))
    known = {entry.entity for entry in base}
    expected = sum(one.entity in known for one in asked)
    print(bench.machine())
    print(f"{accounts:,} accounts, seed {seed}; {count:,} registrations, {expected:,} of them mean one of the accounts")
    print(f"{'':10}{'from':>6}{'precision':>11}{'recall':>8}{'answers':>9}{'right':>7}{'relatives':>11}")
    limits = policy.model.identity.alike.registration
    for band, at in (("top-1", limits.propose.at), ("match", limits.match.at)):
        it = quality(given, expected, at)
        numbers = f"{it.precision:11.4f}{it.recall:8.4f}{it.answered:9}{it.right:7}{it.relatives:11}"
        print(f"{band:10}{at:6.2f}{numbers}")
    print(f"{spent().cpu_s:.1f} CPU s, with making the records; {bench.peak_mib():.0f} MiB")


if __name__ == "__main__":
    given = [int(text.replace("_", "")) for text in sys.argv[1:4]]
    main(*given, *(100_000, 1_000, 11)[len(given) :])

"""What two decisions about the same records differ in, added up. Pure; keeps sums and a few examples, no records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from crmsync.records import Deal, Partner, Record, Registration, Value, kind_of
from crmsync.rules import Decision, FieldDecision, Finding
from crmsync.rules.fields import STAMPS
from crmsync.sync.diff import label_of

NOT_DECIDED = "not decided"
"""The attribution of a deal outside the policy's scope."""
MOST_EXAMPLES = 5
"""Of each sort; of findings, so many of each code:"""
MOST_OF_A_CODE = 1
PROTECTED = ("active", "expiring")

Sort = Literal["attribution", "gained", "lost", "moved", "opened", "closed"]
Place = tuple[str, str, str]


@dataclass(slots=True)
class Sum:
    """Deals, and their amounts in the corporate currency; those without a known rate are counted apart."""

    deals: int = 0
    amount: Decimal = Decimal(0)
    without_amount: int = 0

    def add(self, amount: Decimal | None) -> None:
        self.deals += 1
        if amount is None:
            self.without_amount += 1
        else:
            self.amount += amount


@dataclass(slots=True)
class PartnerSums:
    """What a partner is credited with under either policy."""

    name: str
    sourced_before: Sum = field(default_factory=Sum)
    sourced_after: Sum = field(default_factory=Sum)
    influenced_before: Sum = field(default_factory=Sum)
    influenced_after: Sum = field(default_factory=Sum)

    @property
    def changes(self) -> bool:
        return (self.sourced_before, self.influenced_before) != (self.sourced_after, self.influenced_after)


@dataclass(frozen=True, slots=True)
class Flip:
    """One telling difference, with the statement of the new policy (of the old, where something ends)."""

    sort: Sort
    kind: str
    id: str
    label: str
    old: Value
    new: Value
    amount: Decimal | None
    reason: str
    rule: str
    where: str


@dataclass(slots=True)
class Flips:
    """The differences between the policy in force and another one."""

    deals: int = 0
    attribution: dict[tuple[str, str], Sum] = field(default_factory=dict)
    partners: dict[str, PartnerSums] = field(default_factory=dict)
    protections: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Flip]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class Rates:
    """Amounts in the corporate currency, by the monthly rates of a policy."""

    corporate: str
    rates: Mapping[str, Mapping[str, Decimal]]

    def convert(self, amount: Decimal | None, currency: str | None, at: datetime | None) -> Decimal | None:
        """``None`` where the rate of the month is not known."""
        if amount is None or currency is None or currency == self.corporate:
            return amount if currency else None
        rate = self.rates.get(f"{at:%Y-%m}", {}).get(currency) if at else None
        return None if rate is None else amount * rate


@dataclass(slots=True)
class Tally:
    """Adds one neighbourhood after the other to the flips."""

    rates: Rates
    since: date | None = None
    flips: Flips = field(default_factory=Flips)

    def add(
        self, records: Mapping[tuple[str, str], Record], partners: Mapping[str, Partner], old: Decision, new: Decision
    ) -> None:
        """Compare what the two policies say about the records that count."""
        counted = {place: record for place, record in records.items() if self._counts(record, records)}
        before, after = _by_place(old.fields), _by_place(new.fields)
        for record in counted.values():
            if isinstance(record, Deal):
                self._deal(record, partners, before, after)
            elif isinstance(record, Registration):
                self._protection(record, counted, before, after)
        self._fields(counted, before, after)
        self._findings(counted, old.findings, new.findings)

    def _counts(self, record: Record, records: Mapping[tuple[str, str], Record]) -> bool:
        """With ``since``: deals created or closed, registrations submitted since then, or of such a deal."""
        since = self.since
        if since is None:
            return True
        if isinstance(record, Deal):
            return _is_since(record.created_at, since) or (record.close_date is not None and record.close_date >= since)
        if isinstance(record, Registration):
            deal = records.get(("deal", record.deal_id or ""))
            return _is_since(record.submitted_at, since) or (deal is not None and self._counts(deal, records))
        return False

    # ------------------------------------------------------------ deals

    def _deal(
        self,
        deal: Deal,
        partners: Mapping[str, Partner],
        before: Mapping[Place, FieldDecision],
        after: Mapping[Place, FieldDecision],
    ) -> None:
        amount = self._amount(deal)
        self.flips.deals += 1
        old, new = _value(before, deal, "attribution"), _value(after, deal, "attribution")
        for moment, decided in (("before", before), ("after", after)):
            self._credit(deal, amount, partners, decided, moment)
        if old != new:
            pair = (str(old or NOT_DECIDED), str(new or NOT_DECIDED))
            self.flips.attribution.setdefault(pair, Sum()).add(amount)
            decision = after.get(("deal", deal.id, "attribution")) or before[("deal", deal.id, "attribution")]
            self._example("attribution", deal, old, new, amount, decision.reason, decision)

    def _credit(
        self,
        deal: Deal,
        amount: Decimal | None,
        partners: Mapping[str, Partner],
        decided: Mapping[Place, FieldDecision],
        moment: str,
    ) -> None:
        partner_id = _value(decided, deal, "partner_id")
        if _value(decided, deal, "attribution") == "sourced" and partner_id:
            partner = partners.get(str(partner_id))
            self._sums(partner.name if partner and partner.name else str(partner_id), f"sourced_{moment}").add(amount)
        for name in _value(decided, deal, "influencing_partners") or ():
            self._sums(str(name), f"influenced_{moment}").add(amount)

    def _sums(self, name: str, which: str) -> Sum:
        found: Sum = getattr(self.flips.partners.setdefault(name, PartnerSums(name)), which)
        return found

    # ------------------------------------------------------------ protection

    def _protection(
        self,
        registration: Registration,
        records: Mapping[tuple[str, str], Record],
        before: Mapping[Place, FieldDecision],
        after: Mapping[Place, FieldDecision],
    ) -> None:
        was = _value(before, registration, "protection_status") in PROTECTED
        is_ = _value(after, registration, "protection_status") in PROTECTED
        old, new = _value(before, registration, "protection_end"), _value(after, registration, "protection_end")
        sort: Sort | None = "gained" if is_ and not was else "lost" if was and not is_ else None
        if sort is None and was and old != new:
            sort = "moved"
        if sort is None:
            return
        self.flips.protections[sort] += 1
        decision = after.get(("registration", registration.id, "protection_end"))
        deal = records.get(("deal", registration.deal_id or ""))
        amount = self._amount(deal if isinstance(deal, Deal) else registration)
        if decision:
            self._example(sort, registration, old if was else None, new if is_ else None, amount, "", decision)

    def _amount(self, record: Deal | Registration) -> Decimal | None:
        at = record.created_at if isinstance(record, Deal) else record.submitted_at
        return self.rates.convert(record.amount, record.currency, at)

    # ------------------------------------------------------------ the rest

    def _fields(
        self,
        counted: Mapping[tuple[str, str], Record],
        before: Mapping[Place, FieldDecision],
        after: Mapping[Place, FieldDecision],
    ) -> None:
        for place in before.keys() | after.keys():
            if place[:2] not in counted or place[2] in STAMPS:
                continue
            old, new = before.get(place), after.get(place)
            if (old.value if old else None) != (new.value if new else None):
                self.flips.fields[f"{place[0]}.{place[2]}"] += 1

    def _findings(
        self, counted: Mapping[tuple[str, str], Record], old: Iterable[Finding], new: Iterable[Finding]
    ) -> None:
        before, after = _by_identity(old), _by_identity(new)
        for sort, here, there, codes in (
            ("opened", after, before, self.flips.opened),
            ("closed", before, after, self.flips.closed),
        ):
            for identity in sorted(here.keys() - there.keys()):
                finding = here[identity]
                record = counted.get((finding.kind, finding.id))
                if record is None:
                    continue
                codes[finding.code] += 1
                amount = self._amount(record) if isinstance(record, Deal | Registration) else None
                self._example(sort, record, None, finding.code, amount, finding.message, finding)  # type: ignore[arg-type]

    def _example(
        self,
        sort: Sort,
        record: Record,
        old: Value,
        new: Value,
        amount: Decimal | None,
        reason: str,
        decided: FieldDecision | Finding,
    ) -> None:
        """Keep it if it weighs more than those kept already."""
        span = decided.rule.span
        text = reason or (decided.reason if isinstance(decided, FieldDecision) else "")
        where = span.brief if span else ""
        kept = self.flips.examples[sort]
        kept.append(
            Flip(sort, kind_of(record), record.id, label_of(record), old, new, amount, text, decided.rule.name, where)
        )
        kept.sort(key=lambda flip: (-(flip.amount or 0), flip.id, str(flip.new)))
        if sort in ("opened", "closed"):
            same = [flip for flip in kept if flip.new == new]
            kept[:] = [flip for flip in kept if flip not in same[MOST_OF_A_CODE:]]
        else:
            del kept[MOST_EXAMPLES:]


def _by_place(fields: Iterable[FieldDecision]) -> dict[Place, FieldDecision]:
    return {(row.kind, row.id, row.field): row for row in fields}


def _by_identity(findings: Iterable[Finding]) -> dict[tuple[str, str, str, str], Finding]:
    return {(f.code, f.kind, f.id, f.subject): f for f in findings}


def _value(decided: Mapping[Place, FieldDecision], record: Record, name: str) -> Any:
    found = decided.get((kind_of(record), record.id, name))
    return found.value if found else None


def _is_since(at: datetime | None, since: date) -> bool:
    return at is not None and at.date() >= since

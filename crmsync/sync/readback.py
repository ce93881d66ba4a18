"""Read back: a CRM that says "written" is checked, because an automation, or the CRM itself, can say so and not do it.

How much of it is the project's choice (``verify``). A check costs one request per batch: ``sample`` (the default)
checks what is created or contended, and of the other batches the first of each object and every tenth; ``always``
checks all, ``never`` none. A record that still holds its old values was not written: that is a failure (``NO_EFFECT``).
One that holds a third value was written, and the CRM made something else of it: that is told, and the mirror knows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crmsync.errors import AuthError, RemoteError
from crmsync.remote import Outcome, RemoteRecord, Scalar, Write
from crmsync.sync.plan import Change
from crmsync.sync.raw import is_blank, is_same
from crmsync.sync.report import RunReport, WriteFailure
from crmsync.sync.session import Session

EVERY = 10
STAMPS = ("synced_at", "policy_version", "fingerprint")


@dataclass(slots=True)
class ReadBack:
    """Checks the batches of one push."""

    session: Session
    report: RunReport
    _batches: Counter[str] = field(default_factory=Counter)
    _third: dict[str, dict[str, Scalar]] = field(default_factory=dict)
    """By ref, the values that the CRM made of ours."""

    def checked(
        self, changes: Mapping[str, Change], writes: Mapping[str, Write], outcomes: Sequence[Outcome]
    ) -> list[Outcome]:
        """The outcomes, with those that had no effect turned into failures. If reading fails the CRM's word stands."""
        done = [outcome for outcome in outcomes if outcome.status == "ok" and outcome.id]
        if not done or not self._is_due(changes, writes):
            return list(outcomes)
        first = next(iter(writes.values()))
        names = sorted({name for write in writes.values() for name in write.fields})
        try:
            rows = self.session.connector.read(first.object, [outcome.id for outcome in done if outcome.id], names)
        except (RemoteError, AuthError):
            return list(outcomes)
        return [
            self._judged(changes[o.ref], writes[o.ref], o, rows.get(o.id or "")) if o in done else o for o in outcomes
        ]

    def correct(self, change: Change, ref: str) -> None:
        """After booking: what the CRM made of our values is what the mirror holds."""
        third = self._third.pop(ref, None)
        if third and change.id:
            self.session.store.update_mirror(change.object, change.id, third)

    # -------------------------------------------------------------- inside

    def _is_due(self, changes: Mapping[str, Change], writes: Mapping[str, Write]) -> bool:
        how = self.session.project.verify
        first = next(iter(changes.values()))
        number = self._batches[first.object]
        self._batches[first.object] += 1
        if how != "sample":
            return how == "always"
        is_special = first.op == "upsert" or any(write.unless_since for write in writes.values())
        return is_special or number % EVERY == 0

    def _judged(self, change: Change, write: Write, outcome: Outcome, row: RemoteRecord | None) -> Outcome:
        if row is None or _is_untouched(change, write, row):
            message = "the CRM said that it had written, and it still holds the old value"
            return replace(outcome, status="failed", created=False, code="NO_EFFECT", message=message, retriable=True)
        fields = [f for f in change.fields if f.field not in STAMPS]
        other = {f.remote_field: held for f in fields if _is_other(held := row.fields.get(f.remote_field), f.new)}
        if other:
            self._third[outcome.ref] = other
            self.report.altered.append(_altered(change, other))
        return outcome


def _is_untouched(change: Change, write: Write, row: RemoteRecord) -> bool:
    """Every value that was to change is the old one."""
    if change.op == "upsert":
        sent = {name: value for name, value in write.fields.items() if name != write.key_field and not is_blank(value)}
        return bool(sent) and all(is_blank(row.fields.get(name)) for name in sent)
    moving = [f for f in change.fields if not is_same(f.old, f.new)]
    return bool(moving) and all(is_same(row.fields.get(f.remote_field), f.old) for f in moving)


def _is_other(held: Scalar, sent: Scalar) -> bool:
    """A third value; two spellings of one number, one instant or one yes are the same."""
    return not is_same(held, sent) and _plain(held) != _plain(sent)


def _plain(raw: Scalar) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return str(raw).lower()
    text = str(raw).strip()
    try:
        return repr(float(text))
    except ValueError:
        return text.replace("+0000", "Z").replace("+00:00", "Z").replace(".000Z", "Z").casefold()


def _altered(change: Change, other: Mapping[str, Scalar]) -> WriteFailure:
    where = next((f.where for f in change.fields if f.remote_field in other), "")
    return WriteFailure(
        object=change.object,
        record_id=change.id or change.key,
        label=change.label,
        status="altered",
        code="ALTERED",
        message=f"written, and the CRM made something else of it: {', '.join(sorted(other))}",
        where=where,
    )

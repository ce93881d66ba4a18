"""How far a dispute has come: since when it stands, at which level, and by when that level decides.

Nothing is remembered between runs but what the records hold: the dispute began when they say, or with the later claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crmsync.rules.decision import Rule
from crmsync.rules.policy.disputes import Level
from crmsync.rules.policy.model import TaskRule
from crmsync.rules.workdays import add_hours, add_workdays

if TYPE_CHECKING:
    from crmsync.rules.dossier import Dossier
    from crmsync.rules.situation import Situation


@dataclass(frozen=True, slots=True)
class Stand:
    """Of one dispute. ``level`` counts from 1; ``due_at`` is the end of that level's time."""

    since: datetime
    level: int
    due_at: datetime
    rule: Rule
    to: TaskRule | None

    @property
    def occasion(self) -> str:
        """Tells the tasks of the levels apart."""
        return f"level{self.level}" if self.level > 1 else ""


def stand_of(code: str, since: datetime | None, situation: Situation) -> Stand | None:
    """Where a dispute that began then stands now; ``None`` where that is not known, or the policy has no levels."""
    levels = situation.policy.model.conflict.escalation
    if since is None or not levels:
        return None
    due_at = since
    for at, level in enumerate(levels):
        due_at = _due(due_at, level, situation)
        if at == len(levels) - 1 or not situation.timeline.passed(due_at):
            rule = situation.policy.rule("conflict", "escalation", at)
            return Stand(since, at + 1, due_at, rule, _task(code, level, situation))
    return None


def _due(since: datetime, level: Level, situation: Situation) -> datetime:
    within = level.within
    if within.unit == "hours":
        return add_hours(since, within.value)
    calendar = situation.policy.model.calendars.get(within.calendar or "")
    return add_workdays(since, within.value, calendar, situation.policy.zone)


def _task(code: str, level: Level, situation: Situation) -> TaskRule | None:
    """The level's own addressee comes before the one of ``tasks:``."""
    if level.to is None:
        return None
    asked = situation.policy.model.tasks.get(code) or TaskRule()
    return TaskRule(to=level.to, due_in_days=asked.due_in_days)


def began_at(one: Dossier, other: Dossier, situation: Situation) -> datetime | None:
    """When the later of two claims came. Two that are approved began to disagree when that was first seen, on the day
    of this decision: no record says when their accounts were merged.

    What the records say goes first, claim by claim: a claim that came later begins a dispute of its own. None began
    before both claims were there, whatever a record says.
    """
    submitted = max(filter(None, (dossier.record.submitted_at for dossier in (one, other))), default=None)
    claimed = submitted
    if one.is_approved and other.is_approved:
        timeline = situation.timeline
        timeline.over(timeline.today)  # tomorrow it would be another day
        claimed = max(filter(None, (claimed, timeline.start_of(timeline.today))))
    said = (dossier.record.conflict_since or claimed for dossier in (one, other))
    return max(filter(None, (submitted, *said)), default=None)

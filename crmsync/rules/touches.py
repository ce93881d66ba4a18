"""Partner activities: which deal each belongs to, and which of them count."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmsync.records import Deal, Touch
from crmsync.rules.situation import Situation, is_closed
from crmsync.rules.timeline import shift


@dataclass(frozen=True, slots=True)
class Reading:
    """The touches of one deal, sorted by what they are good for."""

    sourcing: tuple[Touch, ...] = ()
    qualifying: tuple[Touch, ...] = ()
    locked: tuple[Touch, ...] = ()
    backdated: tuple[Touch, ...] = ()


def touches_by_deal(situation: Situation) -> dict[str, list[Touch]]:
    """Touches on a deal, and each touch on an account with the one deal that it most likely led to."""
    placed: dict[str, list[Touch]] = defaultdict(list)
    for deal_id, touches in situation.touches_on.items():
        placed[deal_id] += touches
    for account_id, touches in situation.touches_at.items():
        deals = sorted(situation.deals_at.get(account_id, ()), key=_created)
        starts = [_created(deal)[0] for deal in deals]
        for touch in touches:
            if deal := _nearest(touch, deals, starts, situation):
                placed[deal.id].append(touch)
    return placed


def _created(deal: Deal) -> tuple[datetime, str]:
    return (deal.created_at or shift(None, 0), deal.id)


def _nearest(touch: Touch, deals: list[Deal], starts: list[datetime], situation: Situation) -> Deal | None:
    """The next deal of the account within the look-back, or else the latest one that was then open."""
    if touch.occurred_at is None:
        return None
    lookback = situation.policy.model.attribution.sourcing_lookback_days
    at = bisect_left(starts, touch.occurred_at)
    if at < len(deals) and starts[at] <= shift(touch.occurred_at, lookback):
        return deals[at]
    before = (deal for deal in reversed(deals[:at]) if not _closed_before(deal, touch.occurred_at, situation))
    return next(before, None)


def _closed_before(deal: Deal, at: datetime, situation: Situation) -> bool:
    return is_closed(deal) and deal.close_date is not None and situation.timeline.end_of(deal.close_date) <= at


def read_touches(deal: Deal, touches: list[Touch], situation: Situation) -> Reading:
    """Sort a deal's touches. Only what has happened, inside the window, entered in time, counts."""
    terms = situation.policy.model.attribution
    sourcing: list[Touch] = []
    qualifying: list[Touch] = []
    locked: list[Touch] = []
    backdated: list[Touch] = []
    for touch in sorted(touches, key=lambda t: (t.occurred_at or shift(None, 0), t.id)):
        if touch.partner_id is None or not _in_window(deal, touch, situation):
            continue
        if _delay(touch) > timedelta(days=terms.backdate_limit_days):
            backdated.append(touch)
        elif _could_source(deal, touch, situation):
            (locked if _came_late(deal, touch, situation) else sourcing).append(touch)
        elif touch.type in terms.qualifying_touches:
            qualifying.append(touch)
    return Reading(tuple(sourcing), tuple(qualifying), tuple(locked), tuple(backdated))


def _in_window(deal: Deal, touch: Touch, situation: Situation) -> bool:
    occurred_at, terms = touch.occurred_at, situation.policy.model.attribution
    if occurred_at is None or not situation.timeline.passed(occurred_at):
        return False
    if is_closed(deal) and deal.close_date and occurred_at >= situation.timeline.end_of(deal.close_date):
        return False
    longest = max(terms.influence_window_days, terms.sourcing_lookback_days)
    return deal.created_at is None or occurred_at >= shift(deal.created_at, -longest)


def _delay(touch: Touch) -> timedelta:
    if touch.logged_at is None or touch.occurred_at is None:
        return timedelta(0)
    return touch.logged_at - touch.occurred_at


def _could_source(deal: Deal, touch: Touch, situation: Situation) -> bool:
    terms = situation.policy.model.attribution
    if touch.type not in terms.sourcing_touches or deal.created_at is None or touch.occurred_at is None:
        return False
    return shift(deal.created_at, -terms.sourcing_lookback_days) <= touch.occurred_at <= deal.created_at


def _came_late(deal: Deal, touch: Touch, situation: Situation) -> bool:
    """Entered after attribution was locked, though it is said to have happened before the deal."""
    logged_at = touch.logged_at or touch.occurred_at
    if deal.created_at is None or logged_at is None:
        return False
    return logged_at > shift(deal.created_at, situation.policy.model.attribution.lock_days)

"""How proposals and merge plans look. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from crmsync.cli.render import Line, Rows, styled
from crmsync.cli.words import count, shorten

if TYPE_CHECKING:
    from crmsync.sync.mergeplan import Loser, Merge, MergePlan
    from crmsync.sync.review import Proposal

_WIDTH = 44

ANSWERED = {"duplicate": "the same", "different": "different", "related": "related, not the same", "skip": "skipped"}


def proposals_lines(found: Sequence[Proposal], *, show: int | None) -> Iterator[Line]:
    """A paragraph for each pair, and how many there are."""
    if not found:
        yield "Nothing to ask: no pair is open."
        return
    for proposal in found[:show]:
        yield from proposal_lines(proposal, most=6)
        yield ""
    kinds = sorted({p.kind for p in found})
    by_kind = ", ".join(f"{sum(p.kind == kind for p in found)} {kind}" for kind in kinds)
    more = f"; {len(found) - show} not shown (--show all)" if show is not None and len(found) > show else ""
    yield f"{count(len(found), 'pair')} open: {by_kind}{more}"


def proposal_lines(proposal: Proposal, *, most: int | None = None) -> Iterator[Line]:
    """Both records side by side, the score and the evidence in plain words."""
    head = f"   {proposal.kind}   {_certainty(proposal)}"
    yield styled((proposal.id, "bold"), head)
    rows = [("", proposal.one, proposal.other)]
    for side in proposal.sides[:most]:
        mark = "=" if side.is_same else " "
        rows.append((f"{mark} {side.field}", shorten(side.one, _WIDTH), shorten(side.other, _WIDTH)))
    yield Rows(("field", shorten(proposal.one_name, _WIDTH), shorten(proposal.other_name, _WIDTH)), rows)
    for _, _, weight, text in sorted(proposal.evidence, key=lambda e: -abs(e[2]))[:most]:
        if text:
            yield f"  {weight:+6.1f}  {text}"


def _certainty(proposal: Proposal) -> str:
    if proposal.answer is not None:
        return f"you said: {ANSWERED[proposal.answer]}"
    related = f", related {proposal.related:.0%}" if proposal.related >= 0.05 else ""
    return f"the same: {proposal.duplicate:.1%}{related}"


def answered_lines(found: Sequence[Proposal], answer: str) -> Iterator[Line]:
    """What has been said of which pair."""
    for proposal in found:
        yield f"{proposal.one_name} and {proposal.other_name}: {ANSWERED[answer]}"


def merge_lines(plan: MergePlan) -> Iterator[Line]:
    """Each cluster with its survivor, what is lost, and what cannot be undone."""
    if not plan.merges:
        yield "Nothing to merge: no pair was accepted (crmsync dupes accept ID)."
        return
    for merge in plan.merges:
        yield from _merge(merge)
        yield ""
    yield styled(("For people to carry out. ", "bold"), f"In {plan.system}:")
    for note in plan.notes:
        yield f"  · {note}"


def _merge(merge: Merge) -> Iterator[Line]:
    yield styled(("keep ", "green"), f"{merge.survivor_name} ({merge.survivor}): {merge.reason}")
    for loser in merge.losers:
        yield from _loser(loser)


def _loser(loser: Loser) -> Iterator[Line]:
    sure = "you said so" if loser.answered else f"{loser.score:.1%}"
    moves = ", ".join(f"{number} {what}" for what, number in loser.moves.items())
    yield styled(("  merge ", "yellow"), f"{loser.name} ({loser.id}), {sure}{'; moves ' + moves if moves else ''}")
    for loss in loser.lost:
        kept = f"'{shorten(loss.kept, _WIDTH)}' stays" if loss.kept else "the survivor has none"
        yield f"      {loss.field}: '{shorten(loss.value, _WIDTH)}' is lost unless you copy it; {kept}"

"""What of a vendor's claims our own model finds, and the sums of it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from costopt.report.vendor.advice import ENDED
from costopt.report.vendor.sides import Compared, Totals, Verdict
from costopt.report.vendor.why import Story
from costopt.rules.base import Fit

_ZERO: Final = Decimal(0)


def supported(verdict: Verdict, story: Story) -> Decimal | None:
    """Of what they claim a month, what our own model finds; None = nothing is claimed, or it cannot
    judge: it has no figure, or one in another currency."""
    found, claimed = _found(verdict, story), story.theirs.monthly_savings
    if found is None or claimed is None:
        return None
    if not found:
        return _ZERO
    cost = story.case.cost
    if cost is None or cost.currency != story.theirs.currency:
        return None
    return max(min(claimed, found), _ZERO)


def _found(verdict: Verdict, story: Story) -> Decimal | None:
    """What our model finds in their advice: by their type where that would do, else by our own
    advice of the same kind."""
    ours, found = story.ours, story.judged
    mine = ours.estimated_monthly_savings.target if ours else _ZERO
    if verdict is Verdict.OPPOSITE:
        return _ZERO
    if verdict is Verdict.AGREE:
        return mine
    if found:
        if found.holds:
            return found.monthly_savings
        return _ZERO if ours and ours.action_type in ENDED else mine
    return _ZERO if _found_used(story) else None


def _found_used(story: Story) -> bool:
    """Whether our rule on idle things judged what they would end, and found it in use."""
    fits = any(isinstance(one, Fit) and one.rule == "idle" for one in story.outcomes)
    return fits and story.theirs.action in ("stop", "delete")


def totals(rows: Iterable[Compared], currency: str) -> Totals:
    """Over the rows that are in that currency."""
    ours = claimed = found = unjudged = _ZERO
    for row in rows:
        if row.currencies - {currency}:
            continue
        if row.ours:
            ours += row.ours.estimated_monthly_savings.target
        stated = max((row.theirs and row.theirs.monthly_savings) or _ZERO, _ZERO)
        claimed += stated
        found += row.supported or _ZERO
        unjudged += stated if row.supported is None else _ZERO
    return Totals(ours, claimed, found, unjudged)

"""What costopt and the vendors say of the same things, side by side: verdicts, and totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from costopt.model import Recommendation, Report, Resource, is_machine
from costopt.pricing.layer import type_key
from costopt.report import words
from costopt.report.vendor import why
from costopt.report.vendor.advice import ENDED, Advice, Asked, Told
from costopt.report.vendor.judging import Judged, judged
from costopt.rules.base import Case, Fit, Outcome
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.rules.scope import Refusal, out_of_scope
from costopt.rules.sizing import Sizing, sizing_of
from costopt.units import counted

_ZERO: Final = Decimal(0)
_LATER: Final = timedelta(days=1)
"""By so much what vendors say may be newer than the data: clouds tell of usage hours late."""


class Verdict(StrEnum):
    """How the two stand to one another, the widest apart first."""

    OPPOSITE = "opposite"
    ONLY_THEM = "only them"
    ONLY_US = "only us"
    DIRECTION = "same direction"
    AGREE = "agree"


@dataclass(frozen=True, slots=True)
class Compared:
    """One resource on which either has advice."""

    resource: Resource
    ours: Recommendation | None
    theirs: Advice | None
    verdict: Verdict
    why: str
    judged: Judged | None  # their type by our own model; None: there is none, or it cannot be
    supported: Decimal | None  # a month, of what they claim, in their currency; None = not judged

    @property
    def currencies(self) -> frozenset[str]:
        """Of all amounts that either states."""
        ours = self.ours.currency if self.ours else None
        theirs = self.theirs.currency if self.theirs else None
        return frozenset(filter(None, (ours, theirs)))

    @property
    def weight(self) -> Decimal:
        """The larger of the two savings, by which rows stand in order."""
        ours = self.ours.estimated_monthly_savings.target if self.ours else _ZERO
        theirs = self.theirs.monthly_savings if self.theirs else _ZERO
        return max(abs(ours), abs(theirs or _ZERO))


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums a month over the rows that are in the report's currency, the same rows in each."""

    ours: Decimal  # what our advice on these resources saves
    claimed: Decimal  # what the vendors state, at their own prices
    supported: Decimal  # of it, what our own model finds
    unjudged: Decimal  # of what is claimed, what cannot be judged


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything to be shown."""

    as_of: datetime
    currency: str
    asked: Mapping[str, int]  # source -> accounts in which it was; of those compared with
    rows: tuple[Compared, ...]  # the largest saving of either first
    totals: Totals
    notes: tuple[str, ...]

    @property
    def counts(self) -> dict[Verdict, int]:
        """Rows by verdict; each is there."""
        found = Counter(row.verdict for row in self.rows)
        return {verdict: found[verdict] for verdict in Verdict}


def compare(
    told: Told,
    cases: Mapping[str, Case],
    outcomes: Mapping[str, Sequence[Outcome]],
    report: Report,
    settings: RightsizeSettings,
) -> Comparison:
    """Our advice beside the vendors', on each resource that either has any on.

    Args:
        cases: of the resources to compare, by id.
        outcomes: what each rule said of them.
        report: what our advice is.
        settings: of the rule that sizes machines, by which the vendors' types are judged.
    """
    ours = {one.resource_id: one for one in report.recommendations}
    theirs = told.by_resource
    accounts = {case.resource.sub_account_id for case in cases.values()}
    sources = {one.source for one in told.asked if one.account in accounts}
    asked = [one for one in told.asked if one.source in sources]
    rows = [
        row
        for resource_id, case in cases.items()
        if resource_id in theirs or resource_id in ours
        if (row := compared(told, case, outcomes[resource_id], ours.get(resource_id), settings))
    ]
    rows.sort(key=lambda row: (-row.weight, row.resource.resource_id))
    unasked = len(ours.keys() & cases.keys()) - sum(row.ours is not None for row in rows)
    notes = (
        *_money_notes(rows, report.currency),
        *_later(asked, report.as_of),
        *_left_out([one for one in told.advice if one.source in sources], cases, unasked),
    )
    return Comparison(
        as_of=report.as_of,
        currency=report.currency,
        asked=Counter(source for source, _ in sorted({(one.source, one.account) for one in asked})),
        rows=tuple(rows),
        totals=_totals(rows, report.currency),
        notes=notes,
    )


def compared(
    told: Told,
    case: Case,
    outcomes: Sequence[Outcome],
    ours: Recommendation | None,
    settings: RightsizeSettings,
) -> Compared | None:
    """One resource; None where neither wants a change, or no vendor was asked."""
    first = next(iter(told.by_resource.get(case.resource.resource_id, ())), None)
    active = first if first and not first.dismissed and first.action != "keep" else None
    if active is None:
        if ours is None:
            return None
        source = first.source if first else told.silent_on(case.resource, ours)
        if source is None:
            return None
        text = why.only_us(source, first, ours)
        return Compared(case.resource, ours, None, Verdict.ONLY_US, text, None, None)
    sizing = _sizing(case, outcomes, settings, active)
    found = None
    if isinstance(sizing, Sizing) and active.instance_type:
        found = judged(sizing, active.instance_type)
    verdict = _verdict(ours, active, found)
    story = why.Story(case, tuple(outcomes), ours, active, sizing, found)
    return Compared(
        case.resource,
        ours,
        active,
        verdict,
        _WORDS[verdict](story),
        found,
        _supported(verdict, story),
    )


def _sizing(
    case: Case, outcomes: Sequence[Outcome], settings: RightsizeSettings, theirs: Advice
) -> Sizing | Refusal | None:
    """What a size is judged on, or why none can be; None: theirs is no size of a machine."""
    if theirs.instance_type is None or not is_machine(case.resource):
        return None
    if barred := why.barred(outcomes):
        return barred.reason, barred.detail
    return out_of_scope(case, settings) or sizing_of(case, settings)


_WORDS: Final = {
    Verdict.AGREE: why.agree,
    Verdict.DIRECTION: why.direction,
    Verdict.OPPOSITE: why.opposite,
    Verdict.ONLY_THEM: why.only_them,
}


# -- verdicts --------------------------------------------------------------------------------


def _verdict(ours: Recommendation | None, theirs: Advice, found: Judged | None) -> Verdict:
    if ours is None:
        return Verdict.ONLY_THEM
    if _same(ours, theirs):
        return Verdict.AGREE
    return Verdict.DIRECTION if _is_up(ours) == is_up(theirs, found) else Verdict.OPPOSITE


def _same(ours: Recommendation, theirs: Advice) -> bool:
    """The same action, and the same type where there is one."""
    if ours.action_type in ENDED:
        return theirs.action in ("stop", "delete")
    chosen = ours.recommended.instance_type if ours.recommended else None
    both = chosen and theirs.instance_type
    return bool(both and type_key(chosen or "") == type_key(theirs.instance_type or ""))


def _is_up(ours: Recommendation) -> bool:
    return words.costs_more(ours)


def is_up(theirs: Advice, found: Judged | None) -> bool:
    """Whether they want more of a machine: by their finding, the price, or what it saves."""
    if why.finds_too_small(theirs):
        return True
    if found:
        return found.hourly > found.today_hourly
    return (theirs.monthly_savings or _ZERO) < 0


# -- totals ----------------------------------------------------------------------------------


def _supported(verdict: Verdict, story: why.Story) -> Decimal | None:
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


def _found(verdict: Verdict, story: why.Story) -> Decimal | None:
    """What our model finds in their advice: by their type where that would do, else by our own
    advice of the same kind."""
    ours, found = story.ours, story.judged
    mine = ours.estimated_monthly_savings.target if ours else _ZERO
    match verdict:
        case Verdict.OPPOSITE:
            return _ZERO
        case Verdict.AGREE:
            return mine
    if found:
        if found.holds:
            return found.monthly_savings
        return _ZERO if ours is None or ours.action_type in ENDED else mine
    return _ZERO if _found_used(story) else None


def _found_used(story: why.Story) -> bool:
    """Whether our rule on idle things judged what they would end, and found it in use."""
    judged_ = (one for one in story.outcomes if isinstance(one, Fit) and one.rule == "idle")
    return story.theirs.action in ("stop", "delete") and any(judged_)


def _totals(rows: Iterable[Compared], currency: str) -> Totals:
    ours = claimed = supported = unjudged = _ZERO
    for row in rows:
        if row.currencies - {currency}:
            continue
        if row.ours:
            ours += row.ours.estimated_monthly_savings.target
        stated = max((row.theirs and row.theirs.monthly_savings) or _ZERO, _ZERO)
        claimed += stated
        supported += row.supported or _ZERO
        unjudged += stated if row.supported is None else _ZERO
    return Totals(ours, claimed, supported, unjudged)


# -- notes -----------------------------------------------------------------------------------


def _money_notes(rows: Sequence[Compared], currency: str) -> Iterator[str]:
    others = [other for row in rows if (other := row.currencies - {currency})]
    if others:
        which = ", ".join(sorted(frozenset[str]().union(*others)))
        yield (
            f"{counted(len(others), 'resource')} with amounts in {which}: in no sum, neither "
            f"costopt's nor the vendors', as sums are in {currency}"
        )


def _later(asked: Sequence[Asked], as_of: datetime) -> Iterator[str]:
    newest = max((one.since for one in asked), default=as_of)
    if newest - as_of > _LATER:
        yield (
            f"the vendors' advice is of up to {newest:%Y-%m-%d}, and costopt's as of "
            f"{as_of:%Y-%m-%d}: what they said then is not kept"
        )


def _left_out(advice: Sequence[Advice], cases: Mapping[str, Case], unasked: int) -> Iterator[str]:
    unheld = [one for one in advice if one.resource_id not in cases and not one.dismissed]
    bought = [one for one in unheld if one.action == "buy-commitment"]
    if bought:
        what = counted(len(bought), "recommendation")
        yield f"{what} to buy commitments: costopt does not size commitments, so none is compared"
    if lost := [one for one in unheld if one.resource_id and one.action not in _QUIET]:
        what = counted(len(lost), "recommendation")
        yield f"{what} on what is not in the inventory, or not chosen here: left out"
    if dismissed := sum(one.dismissed for one in advice):
        yield f"{counted(dismissed, 'recommendation')} that people dismissed or snoozed: left out"
    if unasked:
        what = counted(unasked, "resource")
        yield f"{what} on which costopt has advice, and no vendor could be asked for any: left out"


_QUIET: Final = ("keep", "buy-commitment")

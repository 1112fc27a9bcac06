"""What costopt and the vendors say of the same things, side by side: verdicts, and totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from costopt.model import ActionType, Recommendation, Report, Resource, is_machine
from costopt.pricing.layer import type_key
from costopt.report import words
from costopt.report.vendor import why
from costopt.report.vendor.advice import Advice, Told
from costopt.report.vendor.judging import Judged, judged
from costopt.rules.base import Case, Fit, Outcome
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.rules.scope import Refusal, out_of_scope
from costopt.rules.sizing import Sizing, sizing_of
from costopt.units import counted

_ENDED: Final = (ActionType.STOP, ActionType.DELETE)
_ZERO: Final = Decimal(0)


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
    supported: Decimal | None  # a month, of what they claim; None = it cannot be judged

    @property
    def weight(self) -> Decimal:
        """The larger of the two savings, by which rows stand in order."""
        ours = self.ours.estimated_monthly_savings.target if self.ours else _ZERO
        theirs = self.theirs.monthly_savings if self.theirs else _ZERO
        return max(abs(ours), abs(theirs or _ZERO))


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums a month over the rows, in the report's currency."""

    ours: Decimal  # what our advice on these resources saves
    claimed: Decimal  # what the vendors state, at their own prices
    supported: Decimal  # of it, what our own model finds
    unjudged: Decimal  # of what is claimed, what cannot be judged


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything to be shown."""

    as_of: datetime
    currency: str
    asked: Mapping[str, int]  # source -> accounts in which it was
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
    rows = [
        row
        for resource_id, case in cases.items()
        if resource_id in theirs or resource_id in ours
        if (row := compared(told, case, outcomes[resource_id], ours.get(resource_id), settings))
    ]
    rows.sort(key=lambda row: (-row.weight, row.resource.resource_id))
    return Comparison(
        as_of=report.as_of,
        currency=report.currency,
        asked={source: len({one for one, _ in places}) for source, places in told.asked.items()},
        rows=tuple(rows),
        totals=_totals(rows, report.currency),
        notes=tuple(_notes(told, rows, cases, report.currency)),
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
        source = told.source_for(case.resource.sub_account_id, case.resource.region_id)
        if ours is None or source is None:
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
        _supported(verdict, ours, active, found, outcomes),
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
    if ours.action_type in _ENDED:
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


def _supported(
    verdict: Verdict,
    ours: Recommendation | None,
    theirs: Advice,
    found: Judged | None,
    outcomes: Sequence[Outcome],
) -> Decimal | None:
    """Of what they claim a month, what our own model finds: by their type where that would do, else
    by our own advice of the same kind; None = it cannot judge."""
    claimed = max(theirs.monthly_savings or _ZERO, _ZERO)
    mine = ours.estimated_monthly_savings.target if ours else _ZERO
    if verdict is Verdict.OPPOSITE:
        return _ZERO
    if verdict is not Verdict.AGREE and found and found.holds:
        mine = found.monthly_savings
    elif verdict is Verdict.ONLY_THEM and found is None and not _found_used(theirs, outcomes):
        return None
    return min(claimed, max(mine, _ZERO))


def _found_used(theirs: Advice, outcomes: Sequence[Outcome]) -> bool:
    """Whether our rule on idle things judged what they would end, and found it in use."""
    judged_ = (one for one in outcomes if isinstance(one, Fit) and one.rule == "idle")
    return theirs.action in ("stop", "delete") and any(judged_)


def _totals(rows: Iterable[Compared], currency: str) -> Totals:
    ours = claimed = supported = unjudged = _ZERO
    for row in rows:
        if row.ours and row.ours.currency == currency:
            ours += row.ours.estimated_monthly_savings.target
        stated = _stated(row.theirs, currency)
        claimed += stated
        supported += row.supported if row.supported is not None and stated else _ZERO
        unjudged += stated if row.supported is None else _ZERO
    return Totals(ours, claimed, supported, unjudged)


def _stated(theirs: Advice | None, currency: str) -> Decimal:
    """What they claim in that currency; what costs more claims nothing."""
    if theirs is None or theirs.currency != currency:
        return _ZERO
    return max(theirs.monthly_savings or _ZERO, _ZERO)


def _notes(
    told: Told, rows: Sequence[Compared], cases: Mapping[str, Case], currency: str
) -> Iterator[str]:
    others = {row.theirs.currency for row in rows if row.theirs and row.theirs.currency}
    if foreign := sorted(others - {currency}):
        yield f"what is stated in {', '.join(foreign)} is in no sum: amounts here are in {currency}"
    unheld = [one for one in told.advice if one.resource_id not in cases and not one.dismissed]
    bought = [one for one in unheld if one.action == "buy-commitment"]
    if bought:
        what = counted(len(bought), "recommendation")
        yield f"{what} to buy commitments: costopt does not size commitments, so none is compared"
    if lost := [one for one in unheld if one.resource_id and one.action not in _QUIET]:
        what = counted(len(lost), "recommendation")
        yield f"{what} on what is not in the inventory, or not chosen here: left out"
    if dismissed := sum(one.dismissed for one in told.advice):
        yield f"{counted(dismissed, 'recommendation')} that people dismissed or snoozed: left out"


_QUIET: Final = ("keep", "buy-commitment")

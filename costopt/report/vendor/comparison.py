"""What costopt and the vendors say of the same things, compared: verdicts and their reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from costopt.model import Recommendation, Report, is_machine
from costopt.pricing.layer import type_key
from costopt.report import words
from costopt.report.vendor import notes, why
from costopt.report.vendor.advice import ENDED, Advice, Told
from costopt.report.vendor.judging import Judged, judged
from costopt.report.vendor.sides import Compared, Comparison, Verdict
from costopt.report.vendor.totals import supported, totals
from costopt.rules.base import Case, Outcome
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.rules.scope import Refusal, out_of_scope
from costopt.rules.sizing import Sizing, sizing_of

_ZERO: Final = Decimal(0)


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
    advice = [one for one in told.advice if one.source in sources]
    return Comparison(
        as_of=report.as_of,
        currency=report.currency,
        asked=Counter(source for source, _ in sorted({(one.source, one.account) for one in asked})),
        rows=tuple(rows),
        totals=totals(rows, report.currency),
        notes=(
            *notes.other_currencies(rows, report.currency),
            *notes.newer(asked, report.as_of),
            *notes.left_out(advice, cases, unasked),
        ),
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
        supported(verdict, story),
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

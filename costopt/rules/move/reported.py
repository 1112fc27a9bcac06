"""Moves as a report: totals that add up, what is too small as skips, and what a reader must know.

Spend is what the plan of all other rules leaves: moves are of the machines that it leaves, as it
leaves them. What the plan buys ahead is not taken off: it is bought for machines where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import Final, TypeVar

from costopt.model import PURCHASES, ActionType, Recommendation, Report, Skip, Summary
from costopt.rules.base import Fit
from costopt.rules.move.converted import exchange_notes
from costopt.rules.move.fleet import Moves
from costopt.rules.move.grounds import Ground
from costopt.rules.move.settings import CODE
from costopt.units import cents

_GAP: Final = 1e-5
"""Of what staying costs: a smaller gap is the solver's tolerance."""
_Said = TypeVar("_Said", Recommendation, Skip, Fit)


def reported(
    found: Moves,
    plan: Report,
    *,
    chosen: Collection[str] | None = None,
    min_monthly_savings: float = 0.0,
) -> Report:
    """The moves as a report, for every format there is.

    Args:
        plan: of the other rules, on the same part of the fleet.
        chosen: resource ids of that part; None = the whole fleet.
        min_monthly_savings: of a whole group, in the bill's currency; below it, it stays.
    """
    worth_it, small = _worth_it(
        _of(found.recommendations, chosen), Decimal(repr(min_monthly_savings))
    )
    skips = sorted(
        [*_of(found.skips, chosen), *small], key=lambda skip: (skip.resource_id, skip.reason)
    )
    fits = _of(found.fits, chosen)
    saved = sum((one.estimated_monthly_savings.target for one in worth_it), Decimal(0))
    planned = sum((one.estimated_monthly_savings.target for one in _made(plan)), Decimal(0))
    spend = plan.summary.monthly_spend - planned
    going = {one.resource_id for one in worth_it if one.action_type is not ActionType.SPOT}
    moving = [one for one in found.grounds if one.moves and going & _members(one)]
    judged = {one.resource_id for one in worth_it}
    judged |= {skip.resource_id for skip in skips} | {fit.resource_id for fit in fits}
    return Report(
        as_of=plan.as_of,
        window=plan.window,
        currency=plan.currency,
        summary=Summary(
            monthly_spend=spend,
            monthly_savings=saved,
            monthly_spend_after=spend - saved,
            reconciled_percent=plan.summary.reconciled_percent,
            resources=len(judged),
            well_sized=len(fits),
            recommendations=len(worth_it),
            skips=dict(sorted(Counter(skip.reason for skip in skips).items())),
        ),
        recommendations=tuple(worth_it),
        skips=tuple(skips),
        notes=tuple(
            dict.fromkeys(
                (
                    *_of_plan(plan, planned),
                    *_of_moves(found, moving, plan.currency),
                    *exchange_notes(found, plan.as_of),
                    *plan.notes,
                )
            )
        ),
    )


def _members(ground: Ground) -> set[str]:
    return {one.resource.resource_id for one in ground.group.members}


def _of(every: Iterable[_Said], chosen: Collection[str] | None) -> list[_Said]:
    return [one for one in every if chosen is None or one.resource_id in chosen]


def _worth_it(
    advice: Iterable[Recommendation], least: Decimal
) -> tuple[list[Recommendation], list[Skip]]:
    """What saves enough by what goes together, the largest first; and the rest, as skips."""
    groups = [list(rows) for _, rows in groupby(sorted(advice, key=_group_key), key=_group_key)]
    companies: dict[tuple[str, str], list[list[Recommendation]]] = {}
    for rows in groups:
        companies.setdefault(_company(rows[0]), []).append(rows)
    kept: list[list[Recommendation]] = []
    small: list[Skip] = []
    for company in companies.values():
        saved = sum(map(_saved, company), Decimal(0))
        if saved >= least:
            kept += company
            continue
        for rows in company:
            label = " and ".join(str(one[0].evidence["group"]) for one in company)
            detail = f"{label} would save {saved:,.2f} {rows[0].currency} a month: {rows[0].reason}"
            small += [Skip(one.resource_id, CODE, "small-saving", detail) for one in rows]
    kept.sort(key=lambda rows: (-_saved(rows), _group_key(rows[0])))
    return [one for rows in kept for one in rows], small


def _company(one: Recommendation) -> tuple[str, str]:
    """Groups that would not go without one another count as one."""
    names = (one.evidence["group_name"], *one.evidence.get("goes_with", ()))
    return min(names), "spot" if one.action_type is ActionType.SPOT else ""


def _group_key(one: Recommendation) -> tuple[str, str]:
    return one.evidence["group_name"], one.action_type


def _saved(rows: Iterable[Recommendation]) -> Decimal:
    return sum((one.estimated_monthly_savings.target for one in rows), Decimal(0))


def _made(plan: Report) -> Iterator[Recommendation]:
    bought, moved = PURCHASES, CODE
    return (
        one for one in plan.recommendations if one.action_type not in bought and one.rule != moved
    )


# -- what a reader must know -------------------------------------------------------------------


def _of_plan(plan: Report, planned: Decimal) -> Iterator[str]:
    yield (
        f"for what remains once the plan of costopt recommend is done, which takes "
        f"{cents(planned):,} off the {cents(plan.summary.monthly_spend):,} {plan.currency} that "
        "are spent a month"
    )
    if any(one.action_type in PURCHASES for one in plan.recommendations):
        yield "move first and buy ahead then: what moves leaves its commitments behind"


def _of_moves(found: Moves, moving: Collection[Ground], currency: str) -> Iterator[str]:
    if moving:
        months = next(iter(moving)).board.settings.horizon_months
        saved = sum(one.net_present_saving for one in moving)
        low = sum(one.net_present_low for one in moving)
        go = "1 group moves" if len(moving) == 1 else f"{len(moving):,} groups move"
        yield (
            f"{go}: over {months:g} months that saves {saved:,.0f} {currency} in today's money, "
            f"{low:,.0f} if all prices are off the wrong way"
        )
    if found.assignment is None:
        return
    if found.assignment.gap > _GAP:
        yield (
            f"the search for the best of all moves together was stopped: another answer could cost "
            f"{100 * found.assignment.gap:.2g} % less of what staying costs, at most"
        )
    for name in found.assignment.over:
        yield f"{name}: more than that is used today, and no move that pays keeps it"
    yield from found.notes

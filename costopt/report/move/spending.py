"""What is spent in each region before moves and after: what the picture is drawn from.

Before is what the plan of all other rules leaves. What a region spends adds up to the report's
totals: a group that goes takes along what it costs where it is, and brings what it will cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from costopt.model import PURCHASES, Cost, Offer, Report
from costopt.report import words
from costopt.report.move.rows import Row, rows
from costopt.rules.base import Case
from costopt.rules.groups import by_group
from costopt.rules.move.settings import CODE

Where = tuple[str, str]
"""Provider and region; "" = none."""


@dataclass(frozen=True, slots=True)
class Change:
    """One group's: what it costs a month where it is, and where it should be."""

    row: Row
    here: Where
    there: Where
    before: Decimal
    after: Decimal


@dataclass(slots=True)
class Spend:
    """A month in one region, without what changes."""

    where: Where
    stays: Decimal = Decimal(0)
    leaves: list[Change] = field(default_factory=list)
    comes: list[Change] = field(default_factory=list)

    @property
    def now(self) -> Decimal:
        """All of it, before moves."""
        return self.stays + sum((one.before for one in self.leaves), Decimal(0))

    @property
    def then(self) -> Decimal:
        """All of it, after."""
        return self.stays + sum((one.after for one in self.comes), Decimal(0))


@dataclass(frozen=True, slots=True)
class Spending:
    """All regions, and all that changes; largest first."""

    currency: str
    now: Decimal
    then: Decimal
    spends: tuple[Spend, ...]
    changes: tuple[Change, ...]
    rest: Decimal  # of `now`, on no resource whose region is known


def spending(report: Report, plan: Report, cases: Mapping[str, Case]) -> Spending:
    """By provider and region.

    Args:
        report: of the moves.
        plan: of the other rules, on the same part of the fleet.
        cases: of that part.
    """
    made = _without_moves(plan, cases)
    found = {where: Spend(where, amount) for where, amount in made.items()}
    changes = [_change(row) for row in rows(report.recommendations)]
    changes.sort(key=lambda one: (-one.row.saves, one.row.group))
    for one in changes:
        here = found.setdefault(one.here, Spend(one.here))
        here.stays -= one.before
        here.leaves.append(one)
        found.setdefault(one.there, Spend(one.there)).comes.append(one)
    summary = report.summary
    return Spending(
        currency=report.currency,
        now=summary.monthly_spend,
        then=summary.monthly_spend_after,
        spends=tuple(sorted(found.values(), key=lambda one: (-max(one.now, one.then), one.where))),
        changes=tuple(changes),
        rest=summary.monthly_spend - sum(made.values(), Decimal(0)),
    )


def _change(row: Row) -> Change:
    after = sum((one.estimated_monthly_cost for one in row.advice), Decimal(0))
    there = row.first.recommended or row.first.current
    return Change(row, _where(row.first.current), _where(there), after + row.saves, after)


def _where(offer: Offer) -> Where:
    return offer.provider_name, offer.region_id or ""


def _without_moves(plan: Report, cases: Mapping[str, Case]) -> dict[Where, Decimal]:
    """What each region costs a month once the plan is done."""
    found: dict[Where, Decimal] = defaultdict(Decimal)
    for where, cost in _costs(cases):
        if cost.currency == plan.currency:
            found[where] += cost.monthly
    for one in plan.recommendations:
        if one.action_type not in PURCHASES and one.rule != CODE:
            found[_where(one.current)] -= one.estimated_monthly_savings.target
    return found


def _costs(cases: Mapping[str, Case]) -> Iterator[tuple[Where, Cost]]:
    """Of a scaling group and its members only the members, which it is made of."""
    made_of = by_group(cases.values())
    for resource_id, case in cases.items():
        if case.cost and not (case.replicas is not None and resource_id in made_of):
            yield _where(case.current), case.cost


def called(where: Where) -> str:
    """`AWS us-east-1`."""
    return words.place(Offer(where[0], where[1] or None, None, None, None))

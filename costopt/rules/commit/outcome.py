"""What purchases come to: all together, in the providers' order, on the history they rest on.

The worst of the past is not the worst that can be. So beside the lowest four weeks seen there is
what is bound in all, which is lost if nothing runs any more, and what comes of it if demand falls
as the ladder fears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import numpy as np

from costopt.optimize.commitment import Offer, Tranche, Trial, Usage, apply
from costopt.optimize.commitment.history import MONTH_HOURS, WEEK_HOURS, lowest_stretch
from costopt.rules.commit.demand import Floats, Left
from costopt.rules.commit.outlook import Outlook
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.commit.sorts import Deal, relative
from costopt.units import HOURS_PER_MONTH, cents_down, money

_YEAR: Final = 12
_HOURS_PER_YEAR: Final = 8760
SHARE_DIGITS: Final = 4
"""Of shares, rounded once: what a page, a file and a picture say is one figure."""


def monthly(hourly: float) -> Decimal:
    """Money a month in whole cents, never rounded up: the one figure that is shown of it."""
    return cents_down(money(hourly * HOURS_PER_MONTH))


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A deal in the quantities of a year's purchases."""

    deal: Deal
    tranches: tuple[Tranche, ...]  # quantity in units of the deal; rate with the cost of capital
    rates: Mapping[str, float]  # term -> a unit's price an hour, upfront spread
    newsvendor: float  # units that would have been best on this history
    trial: Trial  # learnt on the first part of the history, judged on the rest
    held_back: bool = False  # more would pay on the whole history, and not in its last seven days

    @property
    def quantity(self) -> float:
        """Units in all."""
        return sum(one.quantity for one in self.tranches)

    def months(self, tranche: Tranche) -> int:
        """That a part binds."""
        return self.deal.priced_as(tranche.term).months

    def cost(self, tranche: Tranche) -> float:
        """Of a part, an hour, upfront spread."""
        return tranche.quantity * self.rates[tranche.term]

    def in_force(self, years: int) -> list[Tranche]:
        """The parts that still bind after so many years of their own."""
        return [one for one in self.tranches if self.months(one) > years * _YEAR]


@dataclass(frozen=True, slots=True, eq=False)
class Bought:
    """A purchase and what it comes to. Money per hour, as billed, where nothing else is said."""

    planned: Planned
    cost: float  # of all tranches, upfront spread
    on_demand: float  # what the demand that the deal finds costs on demand
    replaced: float  # of it, what the tranches replace
    lowest: float  # what they replace in the lowest four weeks of the history
    at_most: float  # what they replace if used in every hour
    lately: float  # what they replace in the span that a month is reckoned from
    last_week: float  # what they replace in the last seven days
    falling: float  # money saved over all terms if demand falls as feared
    stuck_over_terms: float  # the same if the lowest four weeks went on
    demand: Floats  # (H,) what it could have replaced, had there been no end of it; NaN = missing

    @property
    def deal(self) -> Deal:
        """What is bought."""
        return self.planned.deal

    @property
    def quantity(self) -> float:
        """Units in all."""
        return self.planned.quantity

    @property
    def saving(self) -> float:
        """On the history's mean."""
        return self.replaced - self.cost

    @property
    def saving_lately(self) -> float:
        """On the span that a month is reckoned from: what the bill of today falls by."""
        return self.lately - self.cost

    @property
    def stuck(self) -> float:
        """If demand fell to its lowest four weeks and stayed there."""
        return self.lowest - self.cost

    @property
    def utilisation(self) -> float:
        """Share of the commitment that is used."""
        return round(self.replaced / self.at_most, SHARE_DIGITS)

    @property
    def coverage(self) -> float:
        """Share of the demand that the deal finds, in money."""
        return round(self.replaced / self.on_demand, SHARE_DIGITS)

    @property
    def break_even(self) -> float:
        """The utilisation below which it loses."""
        return round(self.cost / self.at_most, SHARE_DIGITS)

    @property
    def obligation(self) -> float:
        """Money bound over all terms: what is lost if nothing runs any more."""
        return sum(
            self.planned.cost(one) * self.planned.months(one) / _YEAR * _HOURS_PER_YEAR
            for one in self.planned.tranches
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """What a purchase must come to."""

    least: float = 0.0  # saved an hour on the history's mean
    lately: slice = field(default_factory=lambda: slice(None))
    """Hours of the history in which, too, it must not lose: those that a month is reckoned from."""


def together(
    outlook: Outlook,
    offers: Sequence[Offer],
    plans: Mapping[str, Planned],
    lately: slice,
    settings: CommitSettings,
) -> tuple[Bought, ...]:
    """What each comes to beside the others, by scope: each on what those before it leave."""
    ordered = sorted(
        (offer for offer in offers if offer.name in plans), key=lambda one: (one.rank, one.name)
    )
    usage = Usage(outlook.today, np.ones(outlook.today.shape[1]))
    before = np.where(np.isnan(usage.amounts).any(axis=1), np.nan, 0.0)
    falling = _over_terms(outlook, ordered, plans, settings.yearly_decline)
    going_on = _over_terms(outlook, ordered, plans, 0.0)
    found = []
    for number, offer in enumerate(ordered):
        so_far = ordered[: number + 1]
        applied = apply(usage, so_far, [plans[one.name].quantity for one in so_far])
        replaced = applied.replaced - before
        before = applied.replaced
        planned = plans[offer.name]
        mean = float(np.nanmean(replaced))
        used = float(np.nanmean(applied.used[:, number]))
        low = lowest_stretch(replaced, MONTH_HOURS)
        worth = mean / used if used else 0.0  # of a unit, on demand
        found.append(
            Bought(
                planned=planned,
                cost=sum(planned.cost(one) for one in planned.tranches),
                on_demand=float(np.nanmean(applied.reached_cost[:, number])),
                replaced=mean,
                lowest=float(np.nanmean(replaced[low])),
                at_most=worth * planned.quantity,
                lately=_mean(replaced[lately], mean),
                last_week=_mean(replaced[-WEEK_HOURS:], mean),
                falling=sum(_mean(year, 0.0) for year in falling[offer.name]) * _HOURS_PER_YEAR,
                stuck_over_terms=sum(_mean(year[low], 0.0) for year in going_on[offer.name])
                * _HOURS_PER_YEAR,
                demand=applied.reached[:, number] * worth,
            )
        )
    return tuple(sorted(found, key=lambda one: one.deal.scope))


def _over_terms(
    outlook: Outlook,
    ordered: Sequence[Offer],
    plans: Mapping[str, Planned],
    decline: float,
) -> dict[str, list[Floats]]:
    """(H,) saved an hour by each in each year of its terms, on the demand of the year's middle."""
    saved: dict[str, list[Floats]] = {name: [] for name in plans}
    years = max((one.deal.priced[-1].months for one in plans.values()), default=0) // _YEAR
    for year in range(years):
        amounts = outlook.open(year * _YEAR + _YEAR / 2, decline)
        usage = Usage(amounts, np.ones(amounts.shape[1]))
        parts = {name: one.in_force(year) for name, one in plans.items()}
        quantities = [sum(part.quantity for part in parts[one.name]) for one in ordered]
        before = np.zeros(len(amounts))
        for number, offer in enumerate(ordered):
            replaced = apply(usage, ordered[: number + 1], quantities[: number + 1]).replaced
            cost = sum(plans[offer.name].cost(part) for part in parts[offer.name])
            saved[offer.name].append(replaced - before - cost)
            before = replaced
    return saved


def _mean(values: Floats, otherwise: float) -> float:
    """Without the hours of which there is no bill."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else otherwise


def rates_of(deal: Deal, left: Left) -> dict[str, float]:
    """A unit's price an hour by each way to buy it, upfront spread."""
    return {one.name: one.at(relative(one, deal, left)).rate() for one in deal.priced}

"""How much of each deal to buy, for how long, and when.

The portfolio says which deals and how much at most, by the newsvendor over the whole history; the
ladder spreads each over terms and months (spread.py), by a lower bound, on the demand that what is
held and the deals before it leave if all of it falls (outlook.py). What is told is then applied
once more, all together (outcome.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from costopt.optimize.commitment import (
    Offer,
    Open,
    Usage,
    best_quantity,
    held_out,
    open_to,
    portfolio,
)
from costopt.optimize.commitment.certainty import feared
from costopt.optimize.commitment.history import WEEK_HOURS
from costopt.optimize.commitment.newsvendor import saving
from costopt.rules.commit.demand import Floats, Left
from costopt.rules.commit.outcome import Bar, Bought, Planned, monthly, rates_of, together
from costopt.rules.commit.outlook import Months, Outlook
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.commit.sorts import Deal, relative
from costopt.rules.commit.spread import Demand, spread

_TRAINED: Final = 2 / 3
"""Of the history, for the trial; the rest judges."""


@dataclass(frozen=True, slots=True, eq=False)
class NotBought:
    """A deal that the newsvendor would buy, and caution does not."""

    deal: Deal
    newsvendor: float
    reason: str  # code
    detail: str


def buy(
    left: Left, outlook: Outlook, deals: Sequence[Deal], settings: CommitSettings, bar: Bar
) -> tuple[tuple[Bought, ...], tuple[NotBought, ...]]:
    """The purchases by scope, and what is not bought though it would have paid.

    Args:
        outlook: of `left`.
    Raises:
        InsufficientData: no hour is known.
    """
    if not deals or not left.kinds:
        return (), ()
    refused: list[NotBought] = []
    while True:  # what is not bought leaves more to the others
        offers = [deal.offer(settings.cost_of_capital) for deal in deals]
        plans, lost = _plans(offers, left, outlook, {deal.scope: deal for deal in deals}, settings)
        found: tuple[Bought, ...] = ()
        if not lost:
            found = together(outlook, offers, plans, bar.lately, settings)
            lost = [below for one in found if (below := _below(one, bar, left))]
        if not lost:
            return found, tuple(refused)
        refused += lost
        gone = {one.deal.scope for one in lost}
        deals = [deal for deal in deals if deal.scope not in gone]


def _plans(
    offers: Sequence[Offer],
    left: Left,
    outlook: Outlook,
    deals: Mapping[str, Deal],
    settings: CommitSettings,
) -> tuple[dict[str, Planned], list[NotBought]]:
    """How much of each, and what of the portfolio is not sure enough."""
    usage = Usage(outlook.today, np.ones(len(left.kinds)))
    chosen = portfolio(usage, offers)
    most = {one.offer: one.quantity for one in chosen.purchases}
    wanted = [offer for offer in offers if offer.name in most]
    longest = max((one.months for name in most for one in deals[name].priced), default=0)
    months = Months(outlook, wanted, [most[offer.name] for offer in wanted], longest)
    plans, refused = {}, []
    for name, quantity in most.items():
        demand, deal = open_to(usage, offers, chosen, name), deals[name]
        decline = feared(outlook.whole(deal.first.shares), settings.caution)
        plan = _planned(_Chosen(deal, quantity, demand, months, decline), left, settings)
        if isinstance(plan, NotBought):
            refused.append(plan)
        else:
            plans[name] = plan
    return plans, refused


def _below(one: Bought, bar: Bar, left: Left) -> NotBought | None:
    """Why it is not worth it after all."""
    newsvendor = one.planned.newsvendor
    would = f"{one.deal.label}: would save {monthly(one.saving):,} a month"
    if one.saving <= 0 or one.saving < bar.least:
        return NotBought(one.deal, newsvendor, "small-saving", would)
    days = len(left.amounts[bar.lately]) / 24
    for replaced, span in ((one.lately, f"{days:.3g}"), (one.last_week, "7")):
        if one.cost > replaced:
            lost = -monthly(replaced - one.cost)
            detail = f"{would} on the whole history, and lose {lost:,} on its last {span} days"
            return NotBought(one.deal, newsvendor, "falling-demand", detail)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """What the portfolio takes of a deal, and the demand that it finds now and later."""

    deal: Deal
    most: float  # units
    demand: Open
    months: Months
    decline: float  # of the demand of its kinds, feared a year

    def ahead(self, paying: float) -> Floats:
        """(months, H) what it finds in each month to come of so many units."""
        months = self.months.units(self.deal.scope, self.decline)
        if paying >= self.most:
            return np.asarray(np.minimum(months, paying))
        # History stands above the last days, whence demand falls: by as much as all of it does.
        fallen = np.maximum(self.demand.units - months, 0.0)
        return np.asarray(np.maximum(np.minimum(self.demand.units, paying) - fallen, 0.0))


def _planned(chosen: _Chosen, left: Left, settings: CommitSettings) -> Planned | NotBought:
    """Its ladder, up to what the portfolio bought; or why nothing is bought."""
    deal, most, (units, price) = chosen.deal, chosen.most, chosen.demand
    terms = [one.at(relative(one, deal, left)) for one in deal.priced]
    rate = terms[0].rate(settings.cost_of_capital)
    paying = _lately_paying(chosen.demand, rate, most)
    if paying <= 0:
        detail = f"{deal.label}: at the pace of the last 7 days it would lose money"
        return NotBought(deal, most, "falling-demand", detail)
    if held_back := paying < most:
        units = np.minimum(units, paying)
    trial = held_out(units, int(len(units) * _TRAINED), price, rate)
    if trial.outcome.saving < 0:
        detail = (
            f"{deal.label}: what the first {trial.trained / 168:.0f} weeks would have bought loses "
            "money in the weeks after, for demand falls"
        )
        return NotBought(deal, most, "falling-demand", detail)
    rates = rates_of(deal, left)
    capped = Demand(np.minimum(units, paying), chosen.ahead(paying), price, paying)
    tranches = spread(capped, terms, deal, rates, settings)
    if not tranches:
        detail = (
            f"{deal.label}: on the past's mean it would pay, but no part of the demand is sure "
            "enough to be needed for the whole term"
        )
        return NotBought(deal, most, "unsure-demand", detail)
    return Planned(deal, tranches, rates, most, trial, held_back)


def _lately_paying(demand: Open, rate: float, most: float) -> float:
    """No more than pays at the pace of the last seven days, if so much would lose money there.

    What binds for years can wait for a week: it may be a holiday, it may be the end.
    """
    week = demand.units[-WEEK_HOURS:]
    if np.isnan(week).all() or saving(week, demand.price, rate, most) >= 0:
        return most
    return min(most, best_quantity(week, demand.price, rate))

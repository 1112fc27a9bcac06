"""How much of each deal to buy, for how long, and when; and what that would have come to.

The portfolio says which deals and how much at most, by the newsvendor over the whole history; the
ladder spreads each over terms and months, by a lower bound, on the demand that the deals before it
leave. What is told is then applied once more, all together, in the providers' order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from costopt.optimize.commitment import (
    Offer,
    Open,
    Term,
    Tranche,
    Trial,
    Usage,
    apply,
    held_out,
    ladder,
    open_to,
    portfolio,
)
from costopt.optimize.commitment.certainty import needed
from costopt.optimize.commitment.history import MONTH_HOURS, lowest_stretch
from costopt.rules.commit_deals import Deal, Priced, relative
from costopt.rules.commit_demand import Floats, Left
from costopt.rules.commit_settings import CommitSettings

_TINY: Final = 1e-9
_TRAINED: Final = 2 / 3
"""Of the history, for the trial; the rest judges."""


@dataclass(frozen=True, slots=True, eq=False)
class Bought:
    """One deal in the quantities of a year's purchases. Money per hour, as billed."""

    deal: Deal
    tranches: tuple[Tranche, ...]  # quantity in units of the deal; rate with the cost of capital
    rates: Mapping[str, float]  # term -> a unit's price an hour, upfront spread
    newsvendor: float  # units that would have been best on this history
    cost: float  # of all tranches, upfront spread
    on_demand: float  # what the demand that the deal finds costs on demand
    replaced: float  # of it, what the tranches replace
    lowest: float  # what they replace in the lowest month of the history
    at_most: float  # what they replace if used in every hour
    trial: Trial  # learnt on the first part of the history, judged on the rest

    @property
    def quantity(self) -> float:
        """Units in all."""
        return sum(one.quantity for one in self.tranches)

    @property
    def saving(self) -> float:
        """On the history's mean."""
        return self.replaced - self.cost

    @property
    def stuck(self) -> float:
        """If demand fell to its lowest month and stayed there."""
        return self.lowest - self.cost

    @property
    def utilisation(self) -> float:
        """Share of the commitment that is used."""
        return self.replaced / self.at_most

    @property
    def coverage(self) -> float:
        """Share of the demand that the deal finds, in money."""
        return self.replaced / self.on_demand

    @property
    def break_even(self) -> float:
        """The utilisation below which it loses."""
        return self.cost / self.at_most


@dataclass(frozen=True, slots=True, eq=False)
class NotBought:
    """A deal that the newsvendor would buy, and caution does not."""

    deal: Deal
    newsvendor: float
    reason: str  # code
    detail: str


def buy(
    left: Left, deals: Sequence[Deal], settings: CommitSettings
) -> tuple[tuple[Bought, ...], tuple[NotBought, ...]]:
    """The purchases by scope, and what is not bought though it would have paid.

    Raises:
        InsufficientData: no hour is known.
    """
    if not deals or not left.kinds:
        return (), ()
    by_scope = {deal.scope: deal for deal in deals}
    usage = Usage(left.amounts, np.ones(len(left.kinds)))
    offers = [deal.offer(settings.cost_of_capital) for deal in deals]
    chosen = portfolio(usage, offers)
    plans: dict[str, _Plan] = {}
    refused = []
    for one in chosen.purchases:
        demand = open_to(usage, offers, chosen, one.offer)
        plan = _planned(by_scope[one.offer], left, demand, one.quantity, settings)
        if isinstance(plan, NotBought):
            refused.append(plan)
        else:
            plans[one.offer] = plan
    return _together(usage, offers, plans, left), tuple(refused)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    deal: Deal
    tranches: tuple[Tranche, ...]
    newsvendor: float
    trial: Trial

    @property
    def quantity(self) -> float:
        return sum(one.quantity for one in self.tranches)


class _Demand(NamedTuple):
    """What a deal finds, and what was chosen of it."""

    units: Floats  # (H,) no more than `most`
    price: float  # of a unit, on demand
    term: Term  # the first
    most: float


def _planned(
    deal: Deal, left: Left, demand: Open, most: float, settings: CommitSettings
) -> _Plan | NotBought:
    """Its ladder, up to what the portfolio bought; or why nothing is bought."""
    terms = [_term(one, deal, left) for one in deal.priced]
    rate = terms[0].rate(settings.cost_of_capital)
    units, price = demand
    trial = held_out(units, int(len(units) * _TRAINED), price, rate)
    if trial.outcome.saving < 0:
        detail = (
            f"{deal.label}: what the first {trial.trained / 168:.0f} weeks would have bought loses "
            "money in the weeks after, for demand falls"
        )
        return NotBought(deal, most, "falling-demand", detail)
    capped = np.minimum(units, most)
    steps = ladder(
        capped,
        price,
        terms,
        caution=settings.caution,
        cost_of_capital=settings.cost_of_capital,
        tranches=settings.tranches,
        step=deal.step,
    )
    tranches = _topped_up(steps.tranches, _Demand(capped, price, terms[0], most), deal, settings)
    if not tranches:
        detail = (
            f"{deal.label}: on the past's mean it would pay, but no part of the demand is sure "
            "enough to be needed for the whole term"
        )
        return NotBought(deal, most, "unsure-demand", detail)
    return _Plan(deal, _from_now(tranches), most, trial)


def _topped_up(
    tranches: tuple[Tranche, ...], demand: _Demand, deal: Deal, settings: CommitSettings
) -> tuple[Tranche, ...]:
    """With whole units more, where what is sure to be needed of one pays for all of it.

    The ladder takes of a machine that is sold whole only what lies under its bound, and so none of
    it: three machines that always run become two, for demand is feared to fall by a tenth.
    """
    step, term = deal.step, demand.term
    if not step:
        return tranches
    rate = term.rate(settings.cost_of_capital)
    sure = needed(demand.units, term.years, settings.caution)
    bought = sum(one.quantity for one in tranches)
    month = settings.tranches - 1 if tranches else 0
    more, found = 0.0, np.zeros(2)
    while bought + more + step <= demand.most + _TINY:
        wide = np.diff(np.clip(sure.levels, bought + more, bought + more + step))
        mean, low = (float(share.mean(axis=0) @ wide) for share in (sure.mean, sure.low))
        if demand.price * low < rate * step:
            break
        found += demand.price * np.array([mean, low]) - rate * step
        more += step
    if not more:
        return tranches
    extra = Tranche(month, term.name, more, rate, month + term.months, *map(float, found))
    return _merged((*tranches, extra))


def _from_now(tranches: tuple[Tranche, ...]) -> tuple[Tranche, ...]:
    """Of what is sold whole, the first part may be sold only after months: it is bought now."""
    first = min(one.month for one in tranches)
    return tuple(replace(one, month=one.month - first, ends=one.ends - first) for one in tranches)


def _merged(tranches: Iterable[Tranche]) -> tuple[Tranche, ...]:
    """Those of one month and term as one."""
    found: dict[tuple[int, str], Tranche] = {}
    for one in tranches:
        key = one.month, one.term
        before = found.get(key)
        found[key] = (
            one
            if before is None
            else replace(
                before,
                quantity=before.quantity + one.quantity,
                saving=before.saving + one.saving,
                saving_low=before.saving_low + one.saving_low,
            )
        )
    return tuple(found[key] for key in sorted(found))


def _term(one: Priced, deal: Deal, left: Left) -> Term:
    """In units of the deal."""
    return one.term(relative(one, deal, left))


def _together(
    usage: Usage, offers: Sequence[Offer], plans: dict[str, _Plan], left: Left
) -> tuple[Bought, ...]:
    """What each comes to beside the others: applied in order, each to what those before leave."""
    ordered = sorted(
        (offer for offer in offers if offer.name in plans), key=lambda one: (one.rank, one.name)
    )
    quantities = [plans[offer.name].quantity for offer in ordered]
    before = np.where(np.isnan(usage.amounts).any(axis=1), np.nan, 0.0)
    found = []
    for number, offer in enumerate(ordered):
        applied = apply(usage, ordered[: number + 1], quantities[: number + 1])
        replaced = applied.replaced - before
        before = applied.replaced
        plan = plans[offer.name]
        used = float(np.nanmean(applied.used[:, number]))
        mean = float(np.nanmean(replaced))
        low = replaced[lowest_stretch(replaced, MONTH_HOURS)]
        rates = {one.name: _term(one, plan.deal, left).rate() for one in plan.deal.priced}
        found.append(
            Bought(
                deal=plan.deal,
                tranches=plan.tranches,
                rates=rates,
                newsvendor=plan.newsvendor,
                cost=sum(one.quantity * rates[one.term] for one in plan.tranches),
                on_demand=float(np.nanmean(applied.reached_cost[:, number])),
                replaced=mean,
                lowest=float(np.nanmean(low)),
                at_most=mean / used * plan.quantity,
                trial=plan.trial,
            )
        )
    return tuple(sorted(found, key=lambda one: one.deal.scope))

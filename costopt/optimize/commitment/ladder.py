"""When to buy how much for how long: a ladder of commitments on one kind of demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.optimize.commitment.certainty import Caution, Needed, needed
from costopt.optimize.commitment.held import Held, held_in
from costopt.optimize.commitment.history import (
    MONTH_HOURS,
    Floats,
    Outcome,
    as_hours,
    lowest_stretch,
    outcome,
)
from costopt.optimize.commitment.newsvendor import YEAR_HOURS
from costopt.optimize.commitment.terms import MONTHS_PER_YEAR, Term, cheapest_payments
from costopt.units import HOURS_PER_MONTH

CAREFUL: Final = Caution()


@dataclass(frozen=True, slots=True)
class Layer:
    """Demand between two levels, and the term that suits it; figures are of its term's years."""

    term: str
    bottom: float
    top: float
    rate: float  # committed, per unit and hour
    needed: float  # share of hours that reach its units, on the mean, demand falling as feared
    needed_low: float  # its lower bound


@dataclass(frozen=True, slots=True)
class Tranche:
    """One purchase."""

    month: int  # from now; 0 = now
    term: str
    quantity: float
    rate: float  # per unit and hour
    ends: int  # month in which it has ended
    saving: float  # per hour, on the mean, demand falling as feared
    saving_low: float  # with the lower bound instead: not below 0


@dataclass(frozen=True, slots=True)
class Ladder:
    """The plan of a year of purchases; beyond it one looks again."""

    layers: tuple[Layer, ...]  # from the ground up; what is above the last stays on demand
    tranches: tuple[Tranche, ...]  # by month, then from the ground up
    held: tuple[Held, ...]
    outcome: Outcome  # of all tranches in force, on the history, beside what is held now
    stuck: float  # per hour: their saving if demand fell to its lowest month and stayed there
    waiting: float  # money that buying by and by forgoes against buying all now, if all goes well

    def committed(self, month: int) -> float:
        """Units committed in that month: with `held`, what has been bought and has not ended."""
        bought = (one.quantity for one in self.tranches if one.month <= month < one.ends)
        return sum(bought) + held_in(self.held, month)


def ladder(
    demand: npt.ArrayLike,
    price: float,
    terms: Sequence[Term],
    *,
    caution: Caution = CAREFUL,
    held: Sequence[Held] = (),
    cost_of_capital: float = 0.0,
    tranches: int = 4,
    step: float = 0.0,
    ahead: Floats | None = None,
) -> Ladder:
    """Long terms for what is sure to be needed long, shorter ones above, the rest on demand.

    A term is worth p * needed - c per unit and hour to a layer, with the lower bound of how often
    its units are needed. A shorter one is taken anew, or not, when it ends, so over the longest
    term it is worth the mean of its worth in each of its periods, where that is above 0. Each layer
    takes the term worth most; the advantage of the longer falls with height, so it lies below.

    What is held covers demand from the ground up as long as it lasts. The gap above it is bought in
    equal tranches a month apart, the surest first, so that they end in different months; what held
    commitments leave when they end is bought in that month.

    Args:
        demand: (H,) units, or money at on-demand price, per hour; NaN = missing, never zero.
        price: on demand, per unit and hour.
        terms: all that may be bought; of each length the cheapest payments are taken.
        caution: how sure to be, and which fall of demand to fear.
        held: what covers the same demand already.
        cost_of_capital: per year, as in `Term.rate`.
        tranches: months to spread the gap over, 1..12.
        step: the smallest increment sold; 0 = any quantity.
        ahead: (12 * years, H) the demand in each month to come, as of `certainty.needed`; where
            `demand` is but what others leave, and they are served first.
    Raises:
        ValueError: demand is no row of hours, a price not above 0, no such number of tranches.
        InsufficientData: too little history (certainty.LEAST_WEEKS).
    """
    hours = as_hours(demand)
    if price <= 0 or step < 0 or not 1 <= tranches <= MONTHS_PER_YEAR:
        raise ValueError("a price above 0, a step not below, and 1 to 12 tranches")
    offered = cheapest_payments(terms, cost_of_capital)
    years = max((term.years for term in offered), default=1)
    sure = needed(hours, years, caution, ahead)
    rates = {term.name: term.rate(cost_of_capital) for term in offered}
    market = _Market(price, step, sure, {term.name: term for term in offered}, rates)
    layers = _layers(market)
    bought, waiting = _purchases(market, layers, held, tranches)
    return Ladder(
        layers=layers,
        tranches=bought,
        held=tuple(held),
        outcome=_outcome(hours, price, bought, held_in(held, 0.0), years),
        stuck=_stuck(hours, price, bought, held_in(held, 0.0)),
        waiting=waiting,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Market:
    """What is decided with."""

    price: float
    step: float
    sure: Needed
    terms: dict[str, Term]  # shortest first
    rates: dict[str, float]

    def needed(self, term: str, bottom: float, top: float) -> tuple[float, float]:
        """How often units between two levels are needed over the term: the mean, its bound."""
        wide = np.diff(np.clip(self.sure.levels, bottom, top))
        years = self.terms[term].years
        mean, low = (
            float(share[:years].mean(axis=0) @ wide / wide.sum())
            for share in (self.sure.mean, self.sure.low)
        )
        return mean, low

    def tranche(self, month: int, layer: Layer, bottom: float, part: float) -> Tranche:
        """A purchase of so much from that level up."""
        mean, low = self.needed(layer.term, bottom, bottom + part)
        return Tranche(
            month=month,
            term=layer.term,
            quantity=part,
            rate=layer.rate,
            ends=month + self.terms[layer.term].months,
            saving=(self.price * mean - layer.rate) * part,
            saving_low=(self.price * low - layer.rate) * part,
        )


def _layers(market: _Market) -> tuple[Layer, ...]:
    """Neighbouring levels of one term as one layer."""
    names, levels = list(market.terms), market.sure.levels
    if not names or len(levels) < 2:
        return ()
    taken = _best_terms(market)
    edges = np.flatnonzero(np.diff(taken, prepend=-2, append=-2)).tolist()
    found = []
    for start, end in pairwise(edges):
        if taken[start] >= 0:
            name = names[taken[start]]
            bottom, top = float(levels[start]), float(levels[end])
            mean, low = market.needed(name, bottom, top)
            found.append(Layer(name, bottom, top, market.rates[name], mean, low))
    return tuple(found)


def _best_terms(market: _Market) -> npt.NDArray[np.int64]:
    """(L,) which term each level takes; -1 = none."""
    worth, now = [], []
    for name, term in market.terms.items():
        gain = market.price * market.sure.low - market.rates[name]  # (years, L)
        worth.append(_worth(gain, term.years))
        now.append(gain[: term.years].mean(axis=0))
    # What does not pay in its first period is not bought now, whatever it would be worth later;
    # of equal worth the shorter is taken, which comes first.
    pays = np.where(np.array(now) >= 0, np.array(worth), -np.inf)
    return np.where(pays.max(axis=0) > -np.inf, pays.argmax(axis=0), -1)


def _worth(by_year: Floats, years: int) -> Floats:
    """(L,) the mean over all years, each of its periods taken only where it pays."""
    total = np.zeros(by_year.shape[1])
    for start in range(0, len(by_year), years):
        period = by_year[start : start + years]
        total += np.maximum(0.0, period.mean(axis=0)) * len(period)
    return np.asarray(total / len(by_year))


def _purchases(
    market: _Market, layers: Sequence[Layer], held: Sequence[Held], tranches: int
) -> tuple[tuple[Tranche, ...], float]:
    """The year's purchases, and what buying by and by forgoes."""
    have = [0.0] * len(layers)
    found, waiting = [], 0.0
    for month in range(MONTHS_PER_YEAR):
        covered = held_in(held, month)
        limit = _limit(layers, held_in(held, 0.0), (month + 1) / tranches)
        for n, layer in enumerate(layers):
            floor = min(max(covered, layer.bottom), layer.top) + have[n]
            part = _sold(min(layer.top, limit) - floor, market.step)
            if part > 0:
                found.append(market.tranche(month, layer, floor, part))
                have[n] += part
            if month < tranches:
                still = max(0.0, layer.top - floor - max(part, 0.0))
                waiting += still * (market.price * layer.needed - layer.rate) * HOURS_PER_MONTH
    return tuple(found), waiting


def _limit(layers: Sequence[Layer], held: float, share: float) -> float:
    """The level up to which has been bought by now."""
    top = layers[-1].top if layers else 0.0
    return top if share >= 1 else held + max(0.0, top - held) * share


def _sold(quantity: float, step: float) -> float:
    """Rounded down to what is sold; a millionth of a step is rounding."""
    return float(np.floor(quantity / step + 1e-6) * step) if step else quantity


def _outcome(
    hours: Floats, price: float, bought: Sequence[Tranche], held: float, years: int
) -> Outcome:
    quantity = sum(one.quantity for one in bought)
    cost = sum(one.quantity * one.rate for one in bought)
    left = np.maximum(hours - held, 0.0)
    used = np.minimum(left, quantity)
    useful = used * (cost / quantity if quantity else 0.0)
    return outcome(price * left, price * used, cost, useful, years * YEAR_HOURS)


def _stuck(hours: Floats, price: float, bought: Sequence[Tranche], held: float) -> float:
    low = hours[lowest_stretch(hours, MONTH_HOURS)]
    quantity = sum(one.quantity for one in bought)
    used = float(np.nanmean(np.clip(low - held, 0.0, quantity)))
    return price * used - sum(one.quantity * one.rate for one in bought)

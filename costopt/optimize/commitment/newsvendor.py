"""How much to commit to of one kind of demand: the newsvendor's quantile of its history."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.optimize.commitment.history import (
    MONTH_HOURS,
    Floats,
    Outcome,
    as_hours,
    lowest_stretch,
    outcome,
)

YEAR_HOURS: Final = 8760

_EXACT: Final = 1e-9
"""How far n (1 - c/p) may miss a whole number and still be meant as one: 10 * (1 - 0.7) is
3.0000000000000004. Either side costs the same there; the smaller commitment is taken."""


@dataclass(frozen=True, slots=True)
class Newsvendor:
    """A commitment to one kind of demand, and what history says of it."""

    quantity: float  # units of demand, every hour of the term
    price: float  # on demand, per unit and hour
    rate: float  # committed, per unit and hour, used or not
    break_even: float  # c/p: the utilisation below which it loses
    outcome: Outcome
    stuck: float  # per hour: the saving if demand fell to its lowest month and stayed there


def newsvendor(
    demand: npt.ArrayLike,
    price: float,
    rate: float,
    *,
    step: float = 0.0,
    term_hours: int = YEAR_HOURS,
) -> Newsvendor:
    """The commitment of least cost on that history, the smallest if several cost the same.

    A unit more pays while demand exceeds it in at least c/p of all hours, so K = F^-1(1 - c/p): the
    smallest observed demand that at most c/p of the hours exceed. It is the best commitment for a
    future that is distributed as the history is, whence the longest history is taken: last month
    tells nothing of the term's other eleven.

    Args:
        demand: (H,) units, or money at on-demand price, per hour; NaN = missing, never zero.
        price: p, on demand, per unit and hour; 1 where demand is money.
        rate: c, committed, per unit and hour.
        step: the smallest increment sold; 0 = any quantity.
        term_hours: how long it binds.
    Raises:
        ValueError: demand is no row of hours; a price is not above 0, a rate below 0.
        InsufficientData: no hour is there.
    Source:
        Arrow, Harris, Marschak: Optimal Inventory Policy, Econometrica 19 (1951).
    """
    hours = as_hours(demand)
    _check(price, rate, step)
    quantity = best_quantity(hours, price, rate, step)
    low = hours[lowest_stretch(hours, MONTH_HOURS)]
    return Newsvendor(
        quantity=quantity,
        price=price,
        rate=rate,
        break_even=rate / price,
        outcome=commit(hours, price, rate, quantity, term_hours=term_hours),
        stuck=saving(low, price, rate, quantity),
    )


def best_quantity(hours: Floats, price: float, rate: float, step: float = 0.0) -> float:
    """K alone: the quantile, or the multiple of `step` on the cheaper side of it."""
    known = np.sort(hours[~np.isnan(hours)])
    below = math.ceil(len(known) * (1 - rate / price) - _EXACT)
    if below <= 0:
        return 0.0
    exact = float(known[below - 1])
    if not step:
        return exact
    # Cost is convex in the quantity: the best multiple is one of the two beside the optimum.
    under = math.floor(exact / step + _EXACT) * step
    over = under + step
    gain = saving(hours, price, rate, over) - saving(hours, price, rate, under)
    return over if gain > 0 else under


def saving(hours: Floats, price: float, rate: float, quantity: float) -> float:
    """Saved per hour against all on demand by so much committed; below 0: lost."""
    return float(price * np.nanmean(np.minimum(hours, quantity)) - rate * quantity)


def commit(
    hours: Floats, price: float, rate: float, quantity: float, *, term_hours: int = YEAR_HOURS
) -> Outcome:
    """What any quantity, not only the best, would have come to."""
    used = np.minimum(hours, quantity)
    return outcome(price * hours, price * used, rate * quantity, rate * used, term_hours)


def _check(price: float, rate: float, step: float) -> None:
    if not (0 < price < math.inf and 0 <= rate < math.inf and 0 <= step < math.inf):
        raise ValueError("prices are above 0, rates and increments not below, and finite")

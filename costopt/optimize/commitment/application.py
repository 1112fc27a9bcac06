"""How commitments are used up hour by hour, in the order in which providers apply them.

An offer is any discount bought ahead: each covers some classes of usage, and of each class a unit
of demand uses up so many units of the commitment (reservations: normalised units of a machine size;
savings plans: the committed rate in money). Offers apply one after another by rank (zonal before
regional reservations, reservations before savings plans, plans of one family before plans of all),
each to its classes in its own order (reservations from the smallest size up, savings plans by the
greatest discount), and each takes all it can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.compiled import compiled
from costopt.errors import InsufficientData
from costopt.optimize.commitment.history import Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """Demand by class: what is priced alike and covered alike is one class."""

    amounts: Floats  # (H, U) units per hour, >= 0; a NaN makes its whole hour missing
    prices: Floats  # (U,) on demand, per unit and hour, >= 0

    def __post_init__(self) -> None:
        if self.amounts.ndim != 2 or self.prices.shape != self.amounts.shape[1:]:
            raise ValueError("amounts are (hours, classes), with a price for each class")
        if (self.amounts < 0).any() or np.isinf(self.amounts).any():
            raise ValueError("amounts are finite and not below 0, or NaN")
        if not (np.isfinite(self.prices) & (self.prices >= 0)).all():
            raise ValueError("prices are finite and not below 0")


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be bought ahead, so many units of it for every hour of the term."""

    name: str  # unique in a portfolio
    rate: float  # per unit and hour, upfront payments spread over the term; > 0
    classes: tuple[int, ...]  # that it covers, in the order in which it is applied to them
    units: tuple[float, ...]  # of the commitment that a unit of demand uses up, by class; > 0
    rank: int = 0  # lower ranks apply first; of the same rank in the order of names
    step: float = 0.0  # sold in multiples of this; 0 = any quantity
    most: float = float("inf")  # units that may be bought
    held: float = 0.0  # units already owned throughout: used, paid for, and not to be decided

    def __post_init__(self) -> None:
        if len(self.classes) != len(self.units) or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"{self.name}: each class once, with the units it uses up")
        if not (self.rate > 0 and all(0 < unit < float("inf") for unit in self.units)):
            raise ValueError(f"{self.name}: rate and units are above 0")
        if min(self.step, self.most, self.held) < 0:
            raise ValueError(f"{self.name}: step, most and held are not below 0")


class Order(NamedTuple):
    """All offers' classes, flat, in order of application."""

    offers: Ints  # (O,) which offer comes when
    starts: Ints  # (O + 1,) where each one's classes begin
    classes: Ints
    units: Floats


class _After(NamedTuple):
    """What an hour's application leaves."""

    unused: Any  # (O,) of each offer, by its turn
    open: Any  # of each class of each offer in `Order`: whether the offer leaves some of it


class Applied(NamedTuple):
    """What became of each hour."""

    replaced: Floats  # (H,) money on demand that is not spent
    used: Floats  # (H, O) units of each offer
    reached: Floats  # (H, O) units that each offer would have used, had there been no end of it
    reached_cost: Floats  # (H, O) what the demand behind these costs on demand


def order_of(offers: Sequence[Offer]) -> Order:
    """The order in which they apply."""
    turns = sorted(range(len(offers)), key=lambda o: (offers[o].rank, offers[o].name))
    lengths = [len(offers[o].classes) for o in turns]
    return Order(
        np.array(turns, np.int64),
        np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        np.array([u for o in turns for u in offers[o].classes], np.int64),
        np.array([w for o in turns for w in offers[o].units], np.float64),
    )


def by_greatest_discount(
    prices: npt.ArrayLike, units: npt.ArrayLike, classes: Sequence[int]
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Classes and units as a savings plan applies: the greatest share off first.

    Of equal shares the lower committed rate comes first, as at AWS, then the lower class.

    Args:
        prices: (U,) on demand.
        units: (U,) committed rates in the same money.
        classes: those that the plan covers.
    """
    price, unit = np.asarray(prices, np.float64), np.asarray(units, np.float64)
    # Rounded: equal percentages differ in their last digits.
    paid = np.round(unit / price, 9)
    first = sorted(classes, key=lambda u: (paid[u], unit[u], u))
    return tuple(first), tuple(float(unit[u]) for u in first)


def known_hours(usage: Usage) -> Floats:
    """Its hours that are there in full, in order.

    Raises:
        InsufficientData: there is none.
    """
    known = usage.amounts[~np.isnan(usage.amounts).any(axis=1)]
    if not len(known):
        raise InsufficientData("no hour is known in all classes, so nothing can be committed to")
    return np.ascontiguousarray(known, np.float64)


def apply(usage: Usage, offers: Sequence[Offer], quantities: npt.ArrayLike) -> Applied:
    """What so many units of each offer (`held` included) replace in each hour; NaN = missing."""
    amounts = np.ascontiguousarray(usage.amounts, np.float64)
    owned = np.ascontiguousarray(quantities, np.float64)
    return Applied(*_apply(amounts, usage.prices, order_of(offers), owned))


@compiled
def _apply(amounts: Any, prices: Any, order: Order, owned: Any) -> Any:
    hours, offers = len(amounts), len(order.offers)
    replaced = np.zeros(hours)
    used = np.zeros((hours, offers))
    reached, cost = np.zeros((hours, offers)), np.zeros((hours, offers))
    for h in range(hours):
        rest = amounts[h].copy()
        if np.isnan(rest).any():
            replaced[h], used[h], reached[h], cost[h] = np.nan, np.nan, np.nan, np.nan
            continue
        for turn in range(offers):
            o = order.offers[turn]
            left = owned[o]
            for k in range(order.starts[turn], order.starts[turn + 1]):
                u, unit = order.classes[k], order.units[k]
                reached[h, o] += rest[u] * unit
                cost[h, o] += rest[u] * prices[u]
                taken = min(rest[u], left / unit)
                rest[u] -= taken
                left = max(0.0, left - taken * unit)
                used[h, o] += taken * unit
                replaced[h] += taken * prices[u]
    return replaced, used, reached, cost


@compiled
def bound(amounts: Any, prices: Any, order: Order, owned: Any) -> Any:
    """The money replaced in all hours together, and a plane that no application rises above.

    Prices of the dual programme are read off the order of application from its end: a unit more of
    an offer that is used up is worth what the demand it would take costs further on, on demand or
    in units of later offers; of one not used up, nothing. Any such prices bound every hour's best
    application, for any quantities, whatever order it takes; where each offer's discount is the
    same for all of its classes and the sets of classes are nested, they do so exactly.

    Args:
        amounts: (H, U), no NaN.
        owned: (O,) units.
    Returns:
        replaced; slope (O,) and constant: replaced(x) <= slope @ x + constant for every x.
    """
    hours, classes = amounts.shape
    offers = len(order.offers)
    replaced, constant = 0.0, 0.0
    slope = np.zeros(offers)
    rest, worth = np.empty(classes), np.empty(classes)
    after = _After(np.empty(offers), np.empty(len(order.classes), np.bool_))
    for h in range(hours):
        rest[:] = amounts[h]
        replaced += _take(rest, prices, order, owned, after)
        worth[:] = prices
        for turn in range(offers - 1, -1, -1):
            value = 0.0
            if after.unused[turn] <= 0:
                for k in range(order.starts[turn], order.starts[turn + 1]):
                    if after.open[k]:
                        value = max(value, worth[order.classes[k]] / order.units[k])
            slope[order.offers[turn]] += value
            for k in range(order.starts[turn], order.starts[turn + 1]):
                u = order.classes[k]
                worth[u] = min(worth[u], value * order.units[k])
        for u in range(classes):
            constant += amounts[h, u] * (prices[u] - worth[u])
    return replaced, slope, constant


@compiled
def replaced_by(amounts: Any, prices: Any, order: Order, owned: Any) -> float:
    """The money replaced in all hours together, as `bound` has it, without its plane."""
    after = _After(np.empty(len(order.offers)), np.empty(len(order.classes), np.bool_))
    total = 0.0
    for h in range(len(amounts)):
        total += _take(amounts[h].copy(), prices, order, owned, after)
    return total


@compiled
def _take(rest: Any, prices: Any, order: Order, owned: Any, after: _After) -> float:
    """One hour: takes from `rest`, in order, fills `after`, and returns the money replaced."""
    replaced = 0.0
    for turn in range(len(order.offers)):
        unused = owned[order.offers[turn]]
        for k in range(order.starts[turn], order.starts[turn + 1]):
            u, unit = order.classes[k], order.units[k]
            taken = rest[u]
            if taken * unit <= unused:
                unused -= taken * unit
                rest[u] = 0.0
            else:  # exactly 0, where a difference would leave what rounding makes of it
                taken = unused / unit
                unused = 0.0
                rest[u] -= taken
            replaced += taken * prices[u]
            after.open[k] = rest[u] > 0
        after.unused[turn] = unused
    return replaced

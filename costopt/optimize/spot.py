"""What an hour of work costs on spot: its price, work done twice, restarts, and the harm.

Arrays in, arrays out: every argument is a float or an array that broadcasts with the others, NaN
where something is not known, and a result is NaN where anything it needs is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

USUAL_CHANGE: Final = (0.78, 2.12)
"""How many times itself a spot price was eleven months on: 10th and 90th percentile of 11,848 pairs
of type and region (AWS, Linux; prices of August 2024 against the savings that the spot advisor told
in July 2025; median 1.15). For a price without a history."""


@dataclass(frozen=True, slots=True)
class Interruptible:
    """How a workload takes an interruption; floats or arrays."""

    checkpoint_hours: npt.ArrayLike = 0.0  # between checkpoints: half of it is lost on average
    restart_hours: npt.ArrayLike = 0.0  # until the work goes on where it was
    harm: npt.ArrayLike = 0.0  # money that each interruption costs beside

    @property
    def lost_hours(self) -> Floats:
        """Paid for and useless, per interruption."""
        return _floats(self.checkpoint_hours) / 2 + _floats(self.restart_hours)


@dataclass(frozen=True, eq=False, slots=True)
class Expected:
    """Cost of an hour of work, expected and at either end of what is known; never low > high."""

    cost: Floats
    low: Floats
    high: Floats  # inf: interrupted so often that the work may never be done


def hourly_rate(share: npt.ArrayLike, hours: npt.ArrayLike) -> Floats:
    """Interruptions per hour that interrupt that share of machines within so many hours.

    h = -ln(1 - share) / hours: each hour is as dangerous as the next (a constant hazard), and the
    share is of machines that ran all those hours. Where they ran less, h is higher: divide by the
    hours that they did run.

    Args:
        share: 0..1; 1 (a band without an upper end) gives inf.
        hours: 730 for AWS's advisor ("the rate at which Spot has reclaimed capacity during the
            trailing month"), 1 for Azure's eviction rates ("quoted per hour").
    Raises:
        ValueError: a share outside 0..1, or no hours.
    """
    part, span = _floats(share), _floats(hours)
    if np.any((part < 0) | (part > 1)) or np.any(span <= 0):
        raise ValueError("a share is between 0 and 1, and of more than 0 hours")
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(-np.log1p(-part) / span)


def band_rates(
    low: npt.ArrayLike, high: npt.ArrayLike, hours: npt.ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Interruptions per hour at the low of a band, at its middle share, and at its high.

    A band that ends at 1 says how often at least: its middle is not known (NaN), its high inf.
    """
    ends = _floats(low), _floats(high)
    middle = np.where(ends[1] == 1, np.nan, (ends[0] + ends[1]) / 2)
    return hourly_rate(ends[0], hours), hourly_rate(middle, hours), hourly_rate(ends[1], hours)


def expected_cost(price: npt.ArrayLike, rate: npt.ArrayLike, work: Interruptible) -> Floats:
    """E = p (1 + h (t_checkpoint / 2 + t_restart)) + h harm, per hour of work.

    It leaves out that work done again can be interrupted again: with x = h (t_checkpoint / 2 +
    t_restart) it is short of p / (1 - x) by x^2 of it, 1 % at x = 0.1. `expected` counts that at
    its high end.

    Args:
        price: p, of an hour on spot.
        rate: h, interruptions per hour.
    """
    paid, often = _floats(price), _floats(rate)
    return np.asarray(paid * (1 + _times(often, work.lost_hours)) + _times(often, work.harm))


def expected(
    price: npt.ArrayLike,
    rate: npt.ArrayLike,
    work: Interruptible,
    *,
    price_range: tuple[npt.ArrayLike, npt.ArrayLike],
    rate_range: tuple[npt.ArrayLike, npt.ArrayLike],
) -> Expected:
    """The expected cost, and its range: cheap and undisturbed, or dear and often interrupted.

    At the high end the work done again is interrupted, too: an hour of work takes 1 / (1 - x) paid
    hours, x = h (t_checkpoint / 2 + t_restart), each with the price and h times the harm; from
    x = 1 on it is never done.

    Args:
        price_range, rate_range: the low and the high of each.
    """
    dear, often = _floats(price_range[1]), _floats(rate_range[1])
    useful = 1 - _times(often, work.lost_hours)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        high = np.where(useful > 0, (dear + _times(often, work.harm)) / useful, np.inf)
    high = np.where(np.isnan(dear + useful), np.nan, high)
    cost = expected_cost(price, rate, work)
    low = expected_cost(price_range[0], rate_range[0], work)
    return Expected(cost, np.minimum(low, cost), np.maximum(high, cost))


def break_even_rate(price: npt.ArrayLike, on_demand: npt.ArrayLike, work: Interruptible) -> Floats:
    """h* = (p_od - p) / (p (t_checkpoint / 2 + t_restart) + harm): more interruptions per hour than
    that, and on demand is cheaper.

    Returns:
        0 where spot is not cheaper to begin with; inf where an interruption costs nothing.
    """
    paid = _floats(price)
    gain = _floats(on_demand) - paid
    each = paid * work.lost_hours + _floats(work.harm)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rate = np.where(gain > 0, gain / each, 0.0)
    return np.where(np.isnan(gain + each), np.nan, rate)


def price_range(history: npt.ArrayLike, share: float = 0.9) -> tuple[Floats, Floats, Floats]:
    """Low, mean and high of a price over time: the middle `share` of its hours.

    Args:
        history: (..., hours) the price in each hour; NaN = not known.
    Returns:
        Three arrays (...); NaN where no hour is known.
    """
    hours = _floats(history)
    known = np.asarray(~np.isnan(hours).all(axis=-1))
    filled = np.where(known[..., None], hours, 0.0)
    edge = (1 - share) / 2
    found = (
        np.nanquantile(filled, edge, axis=-1),
        np.nanmean(filled, axis=-1),
        np.nanquantile(filled, 1 - edge, axis=-1),
    )
    low, mean, high = (np.where(known, one, np.nan) for one in found)
    return low, mean, high


def usual_range(price: npt.ArrayLike, on_demand: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Where a price without a history may go: `USUAL_CHANGE` times it, at most the price on demand.

    AWS and Azure cap what one pays for spot at the price on demand unless one bids more.
    """
    paid, cap = _floats(price), _floats(on_demand)
    low, high = USUAL_CHANGE
    return np.minimum(paid * low, cap), np.maximum(np.minimum(paid * high, cap), paid)


def _times(rate: Floats, each: npt.ArrayLike) -> Floats:
    """Their product; nothing at any rate stays nothing (inf x 0)."""
    cost = _floats(each)
    with np.errstate(invalid="ignore"):
        return np.where(cost == 0, np.where(np.isnan(rate), np.nan, 0.0), rate * cost)


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, np.float64)

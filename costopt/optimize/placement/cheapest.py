"""The cheapest type that meets each need, at every place.

What an offer lacks is unknown or known; either way it meets no need of it. An offer's traits (spot,
arm64, burstable, Windows, a term of a year) are bits, of which each need says what it refuses. So
residency and what becomes of a move are for others: here is only what fits, and its price.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.compiled import compiled
from costopt.optimize.placement.dominance import Floats, Ints, undominated
from costopt.parallel import in_threads

MEASURES: Final = (
    "capacity",  # vCPUs times their speed relative to the reference CPU
    "memory_gib",
    "gpu_count",
    "gpu_memory_gib",  # of one card
    "gpu_bandwidth",  # of one card's memory
    "gpu_tensor",  # of one card
    "local_disk_gib",
    "network_gbps",
)
"""The columns in which needs and offers are compared. Units are the caller's, the same for both."""

NONE: Final = -1
"""In place of an offer: nothing there meets the need."""

_AT_ONCE: Final = 512
"""Needs that a thread takes at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """What must be met, one row a resource: the high estimate where a figure is uncertain."""

    least: Floats  # (R, measures) >= 0; 0 = not needed
    refuses: Ints  # (R,) bits: no offer with any of these traits will do

    def __post_init__(self) -> None:
        if self.least.ndim != 2 or self.refuses.shape != self.least.shape[:1]:
            raise ValueError("needs are (resources, measures), with what each refuses")
        if not (self.least >= 0).all():
            raise ValueError("a need is a number not below 0: what is unknown cannot be placed")


@dataclass(frozen=True, slots=True, eq=False)
class Offers:
    """What can be had, one row a price: the low estimate where a figure is uncertain."""

    has: Floats  # (N, measures); NaN = unknown
    hourly: Floats  # (N,) in one currency, >= 0
    place: Ints  # (N,) in 0 .. places - 1
    traits: Ints  # (N,) bits
    places: int

    def __post_init__(self) -> None:
        count = len(self.has)
        if self.has.ndim != 2 or not (
            self.hourly.shape == self.place.shape == self.traits.shape == (count,)
        ):
            raise ValueError("offers are (prices, measures), with price, place and traits of each")
        if not (np.isfinite(self.hourly) & (self.hourly >= 0)).all():
            raise ValueError("prices are finite and not below 0")
        if count and not (self.place.min() >= 0 and self.place.max() < self.places):
            raise ValueError(f"places are 0 to {self.places - 1}")


class Cheapest(NamedTuple):
    """The cheapest offer that meets each need at each place; of equal prices the first given."""

    offer: npt.NDArray[np.int32]  # (R, P) index into the offers; NONE where nothing fits
    hourly: Floats  # (R, P); inf where nothing fits


def cheapest(needs: Needs, offers: Offers, threads: int = 1) -> Cheapest:
    """What each need costs at least, everywhere.

    Exact: offers that another of their place makes needless are left out, the rest are tried from
    the cheapest up. Needs that are equal are tried once.

    Raises:
        ValueError: needs and offers differ in their measures.
    """
    if needs.least.shape[1] != offers.has.shape[1]:
        raise ValueError("needs and offers have the same measures")
    has = np.nan_to_num(offers.has, nan=0.0, posinf=np.inf)
    left = undominated(offers.place, offers.places, offers.hourly, has, offers.traits)
    distinct, same = _distinct(needs)
    work = partial(
        _first_that_fits,
        np.ascontiguousarray(has[left.choices]),
        offers.traits[left.choices],
        left.starts,
    )
    parts = [slice(at, at + _AT_ONCE) for at in range(0, len(distinct.refuses), _AT_ONCE)]
    each = ((distinct.least[part], distinct.refuses[part]) for part in parts)
    nothing = np.empty((0, offers.places), np.int64)
    found = np.concatenate([nothing, *in_threads(lambda some: work(*some), each, threads)])
    # A last entry for what is not there: NONE finds it.
    index = np.append(left.choices, NONE).astype(np.int32)
    price = np.append(offers.hourly[left.choices], np.inf)
    return Cheapest(index[found][same], price[found][same])


def _distinct(needs: Needs) -> tuple[Needs, Ints]:
    """Needs that differ, and which of them each one is."""
    _, refused = np.unique(needs.refuses, return_inverse=True)
    rows = np.column_stack((needs.least, refused.reshape(-1)))
    _, first, same = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    least = np.ascontiguousarray(needs.least[first], np.float64)
    return Needs(least, needs.refuses[first]), same.reshape(-1)


@compiled
def _first_that_fits(has: Any, traits: Any, starts: Any, least: Any, refuses: Any) -> Any:
    needs, places = len(least), len(starts) - 1
    found = np.full((needs, places), -1, np.int64)
    for r in range(needs):
        for p in range(places):
            for k in range(starts[p], starts[p + 1]):
                fits = (traits[k] & refuses[r]) == 0
                for m in range(least.shape[1]):
                    if not fits:
                        break
                    fits = has[k, m] >= least[r, m]
                if fits:
                    found[r, p] = k
                    break
    return found

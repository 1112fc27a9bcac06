"""The cloud beside the racks: where what runs on owned machines would cost least, all counted.

Machines, what they store, and all that they send, by the tiers of the place's internet traffic:
what of it goes to one another, and would cost less there, nobody knows, so that it counts as going
out. The way in is free at every provider of the built-in lists. What is not measured is not taken
for nothing: it is named, with the amount from which on it would turn the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.frame.cost import resource_key
from costopt.model import Place, RateKind
from costopt.optimize.placement.dominance import Floats
from costopt.rules.move.bounds import Board, bounds
from costopt.rules.move.groups import Group
from costopt.rules.move.market import Sold, charged, sold
from costopt.rules.move.subjects import Subject
from costopt.rules.move.sums import Taken, taken
from costopt.units import GIB

_MUCH: Final = 1000.0
"""GiB: what a GiB more costs is asked of so much."""


@dataclass(frozen=True, slots=True)
class Load:
    """What runs on the racks, beside its machines' needs."""

    sent_gib: float  # a month, of those of which it is measured
    stored_gib: float
    unsent: int  # machines of which nobody measures what they send
    unstored: int  # of which nobody says what they store

    @classmethod
    def of(cls, members: Sequence[Subject], stored: Mapping[str, float]) -> Load:
        """Of all of them.

        Args:
            stored: GiB of attached disks, by `resource_key`; NaN = of a size that is not known.
        """
        sent = [_sent(one) for one in members]
        kept = [stored.get(resource_key(one.resource.resource_id), np.nan) for one in members]
        return cls(
            float(np.nansum(sent)),
            float(np.nansum(kept)),
            int(np.isnan(sent).sum()),
            int(np.isnan(kept).sum()),
        )


def _sent(one: Subject) -> float:
    """GiB a month; NaN = not measured."""
    out = one.case.profile("network_out")
    return np.nan if out is None else out.mean * 3600 * one.hours / GIB


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Where it would cost least. Money a month, in the bill's currency."""

    place: Place
    run: float
    storage: float
    egress: float
    off: float  # share by which its prices may be off, by their age
    load: Load
    gib_stored: float  # what a GiB more costs
    gib_sent: float

    @property
    def monthly(self) -> float:
        """All of it."""
        return self.run + self.storage + self.egress

    @property
    def monthly_high(self) -> float:
        """The same with prices at the end that speaks against going."""
        return self.monthly * (1 + self.off)

    @property
    def known(self) -> bool:
        """Whether all that it would cost is counted."""
        return not self.load.unsent and not self.load.unstored


def cheapest(board: Board, stored: Mapping[str, float], as_of: datetime) -> Cloud | None:
    """The place that costs least of all where they may be; None = none sells what they need.

    Args:
        board: of one group: all that runs on the racks.
        stored: as of `Load.of`.
    """
    (group,), home = board.groups, int(board.home[0])
    load = Load.of(group.members, stored)
    market = sold(board.places, board.world, as_of)
    chosen = taken(board, market, 1)
    may = np.logical_and.reduce(bounds(board, {}))[0]
    run = _run(group, chosen)
    storage = _each(board, RateKind.BLOCK_STORAGE, load.stored_gib)
    egress = _each(board, RateKind.EGRESS_INTERNET, load.sent_gib)
    total = run + storage + egress
    total = np.where(may & np.isfinite(total), total, np.inf)
    total[home] = np.inf
    best = int(total.argmin())
    if not np.isfinite(total[best]):
        return None
    return Cloud(
        place=board.places[best],
        run=float(run[best]),
        storage=float(storage[best]),
        egress=float(egress[best]),
        off=_off(board, market, chosen.offer[:, best]),
        load=load,
        gib_stored=float(_each(board, RateKind.BLOCK_STORAGE, _MUCH)[best]) / _MUCH,
        gib_sent=float(_each(board, RateKind.EGRESS_INTERNET, _MUCH)[best]) / _MUCH,
    )


def _run(group: Group, chosen: Taken) -> Floats:
    """(P,) what their machines cost a month; inf where one of them has none."""
    hours = np.array([[one.hours] for one in group.members])
    there = np.isfinite(chosen.hourly)
    each = np.where(there, np.where(there, chosen.hourly, 0.0) * hours, np.inf)
    return np.asarray(each.sum(axis=0))


def _each(board: Board, kind: RateKind, gib: float) -> Floats:
    """(P,) what so much costs a month; NaN = nobody says."""
    amount = np.array([gib])
    return np.array([charged(board.world, place, kind, amount)[0] for place in board.places])


def _off(board: Board, market: Sold, offers: npt.NDArray[np.int32]) -> float:
    years = float(market.years[offers].max())
    return min(0.99, years * board.settings.price_drift_percent / 100)

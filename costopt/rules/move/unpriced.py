"""Places where a group could run, and of which nobody says what its disks or its traffic cost.

They are no place for it (sums.py). But that the price is what keeps it from there must be told: by
what it would save if they cost there what they cost at home.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from costopt.model import RateKind
from costopt.optimize.placement import Moving, Staying, worth
from costopt.optimize.placement.dominance import Floats
from costopt.rules.move.bounds import Bools
from costopt.rules.move.grounds import Ground
from costopt.rules.move.market import charged
from costopt.rules.move.sums import here


@dataclass(frozen=True, slots=True, eq=False)
class Unpriced:
    """(P,) each."""

    saving: Floats  # present, as expected, if all cost as at home; -inf = all prices are known
    storage: Bools  # nobody says what its disks cost there
    traffic: Bools  # that is known, and what it sends, or taking its data there, is not


def unpriced(ground: Ground) -> Unpriced:
    """Of one group, wherever there are machines for it."""
    number, sums = ground.number, ground.sums
    sold = _run(ground)
    open_ = np.isfinite(sold) & ~np.isfinite(sums.moving.run[number])
    gib = np.array([ground.group.stored_gib])
    world, places = ground.board.world, ground.board.places
    stored = np.array([charged(world, p, RateKind.BLOCK_STORAGE, gib)[0] for p in places])
    storage = open_ & np.isnan(stored)
    at = slice(number, number + 1)
    staying = Staying(sums.staying.run[at], sums.staying.storage[at], sums.staying.egress[at])
    moving = _moving(sums.moving, at)
    moving = replace(
        moving,
        run=np.where(open_, sold, np.inf)[None, :],
        storage=np.where(storage, staying.storage[0], moving.storage),
        egress=np.maximum(moving.egress, staying.egress[0]),
    )
    stay = min(float(ground.worth.stay[number]), float(here(ground.board, sums)[number]))
    cost = worth(staying, moving, ground.board.horizon).move[0]
    return Unpriced(np.where(open_, stay - cost, -np.inf), storage, open_ & ~storage)


def _run(ground: Ground) -> Floats:
    """(P,) what its machines would cost a month; inf where one has none."""
    rows = [row for row, _ in ground.members()]
    hours = np.array([[one.hours] for one in ground.group.members])
    hourly = ground.taken.hourly[rows]
    return np.asarray(np.where(np.isfinite(hourly), hourly * hours, np.inf).sum(axis=0))


def _moving(moving: Moving, at: slice) -> Moving:
    """One group's row of all."""
    return Moving(**{one.name: getattr(moving, one.name)[at] for one in fields(Moving)})

"""What to do with commitments already owned: keep, sell or exchange them; renew them or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.optimize.commitment.history import Floats, as_hours
from costopt.optimize.commitment.newsvendor import YEAR_HOURS, best_quantity
from costopt.units import HOURS_PER_MONTH

PARTS: Final = 64
"""Quantities tried of a commitment not sold in steps: the best is missed by less than a 64th."""


@dataclass(frozen=True, slots=True)
class Held:
    """A commitment in force."""

    name: str
    quantity: float  # units, every hour
    months_left: float
    rate: float  # per unit and hour, upfront payments spread over its whole term
    hourly: float = 0.0  # of that, what is still paid as it goes
    # What a buyer pays upfront for a unit, the rest of its term; None: it cannot be sold.
    resale: float | None = None
    # Of the resale; 12 %: AWS, "Reserved Instance Marketplace" (read 2026-11).
    resale_fee: float = 0.12
    exchangeable: bool = False

    def __post_init__(self) -> None:
        if min(self.quantity, self.months_left, self.rate, self.hourly, self.resale_fee) < 0:
            raise ValueError(f"{self.name}: nothing of a commitment is below 0")


@dataclass(frozen=True, slots=True, eq=False)
class Elsewhere:
    """Other demand that an exchanged commitment could cover."""

    name: str
    demand: npt.ArrayLike  # (H',) units per hour that no commitment covers yet; NaN = missing
    price: float  # on demand, per unit and hour
    rate: float  # committed: an exchange keeps the commitment's value, so this gives its units


class Action(StrEnum):
    """What can be done."""

    KEEP = "keep"
    SELL = "sell"
    EXCHANGE = "exchange"
    RENEW = "renew"  # when it ends
    LAPSE = "lapse"  # when it ends


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be done with one commitment, the others left as they are."""

    held: str
    action: Action
    quantity: float  # units of it
    utilisation: float  # of these units, on the history; NaN where there are none
    gain: float  # money, over `hours`, against keeping it (renew, lapse: against the other)
    hours: float
    into: str = ""  # the name of what it is exchanged for
    into_quantity: float = 0.0


def held_in(held: Sequence[Held], month: float) -> float:
    """Units still owned so many months from now."""
    return sum(one.quantity for one in held if one.months_left > month)


def choices(
    held: Sequence[Held],
    demand: npt.ArrayLike,
    price: float,
    rate: float,
    *,
    elsewhere: Sequence[Elsewhere] = (),
    step: float = 0.0,
) -> tuple[Choice, ...]:
    """What can be done with each commitment, most gained first; keeping gains nothing.

    All are of one kind and cover the same demand, on which they stand as one stack. Of each is
    judged what the top of that stack loses when it goes: choices of several commitments do not add
    up, so do one and look again. What was paid upfront is gone either way and counts in neither.

    Args:
        held: names differ.
        demand: (H,) units per hour that they cover; NaN = missing.
        price: on demand, per unit and hour.
        rate: of a new commitment of a year, for what to renew.
        elsewhere: other demand, for those that may be exchanged.
        step: units that can be parted from; 0 = any.
    Raises:
        ValueError: demand is no row of hours.
        InsufficientData: no hour is there.
    """
    hours = as_hours(demand)
    wanted = best_quantity(hours, price, rate, step)
    found = []
    for one in sorted(held, key=lambda each: each.name):
        top = _Top(one, held_in(held, 0.0), hours, price, step)
        found.append(top.kept())
        if one.resale is not None:
            found.append(top.sold())
        if one.exchangeable:
            found += [top.exchanged(other) for other in elsewhere]
        after = held_in(held, one.months_left)  # those that last longer
        found += top.ended(after, wanted, rate)
    useful = (one for one in found if one.quantity > 0)
    return tuple(sorted(useful, key=lambda one: (-one.gain, one.held, one.action, one.into)))


class _Top:
    """One commitment as the top of the stack."""

    def __init__(self, held: Held, stack: float, hours: Floats, price: float, step: float) -> None:
        self.held = held
        self.hours = hours
        self.price = price
        self.left = held.months_left * HOURS_PER_MONTH
        self.parts = _parts(held.quantity, step)
        # Units in use of the upper so many; on the history, per hour.
        self.used = np.array([_used(hours, stack - part, part) for part in self.parts])

    def kept(self) -> Choice:
        return self._choice(Action.KEEP, len(self.parts) - 1, 0.0)

    def sold(self) -> Choice:
        """The proceeds and the payments saved, less what it covered and on demand covers then."""
        kept = (self.held.resale or 0.0) * (1 - self.held.resale_fee)
        gains = self.parts * (kept + self.held.hourly * self.left)
        gains -= self.price * self.used * self.left
        best = int(gains.argmax())
        return self._choice(Action.SELL, best, float(gains[best]))

    def exchanged(self, other: Elsewhere) -> Choice:
        """What it covers there, less what it covered here; its payments go on."""
        there = as_hours(other.demand)
        units = self.parts * self.held.rate / other.rate
        covered = np.array([_used(there, 0.0, unit) for unit in units])
        gains = (other.price * covered - self.price * self.used) * self.left
        best = int(gains.argmax())
        return self._choice(
            Action.EXCHANGE, best, float(gains[best]), other.name, float(units[best])
        )

    def ended(self, after: float, wanted: float, rate: float) -> list[Choice]:
        """How much to renew, and how much not, on top of those that last longer."""
        renewed = min(max(0.0, wanted - after), self.held.quantity)
        found = []
        for action, start, part in (
            (Action.RENEW, after, renewed),
            (Action.LAPSE, after + renewed, self.held.quantity - renewed),
        ):
            used = _used(self.hours, start, part)
            saved = (self.price * used - rate * part) * YEAR_HOURS
            gain = saved if action is Action.RENEW else -saved
            rise = used / part if part else math.nan
            found.append(Choice(self.held.name, action, part, rise, gain, YEAR_HOURS))
        return found

    def _choice(
        self, action: Action, best: int, gain: float, into: str = "", into_quantity: float = 0.0
    ) -> Choice:
        part = float(self.parts[best])
        rate = float(self.used[best]) / part if part else math.nan
        return Choice(self.held.name, action, part, rate, gain, self.left, into, into_quantity)


def _parts(quantity: float, step: float) -> Floats:
    """0 up to all of it."""
    if step and quantity / step <= PARTS:
        return np.append(np.arange(0.0, quantity, step), quantity)
    parts = np.linspace(0.0, quantity, PARTS + 1)
    return np.append(np.floor(parts[:-1] / step) * step, quantity) if step else parts


def _used(hours: Floats, below: float, part: float) -> float:
    """Units in use, per hour, of so many that stand upon `below`."""
    return float(np.nanmean(np.clip(hours - below, 0.0, part)))

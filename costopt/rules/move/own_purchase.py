"""How many machines of a class are bought, and what all of them are worth together.

Spares are whole machines, and nobody's: they belong to the purchase. So do its break-even, its
saving and the month by which it has paid. Where a figure of one machine is asked for, the spares
are borne by the machines in proportion to what each saves without them: parts add up to the whole,
and none loses unless all do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from costopt.optimize.own import Own, break_even, paid_back, saved_monthly, standing_cost, worth
from costopt.optimize.placement import Horizon
from costopt.pricing.onprem import MachineClass
from costopt.rules.move.own_sums import Candidate, Costs, Rack
from costopt.rules.move.own_use import least_together
from costopt.rules.move.settings import MoveSettings
from costopt.rules.own_machines import whole_spares

_MONTHS: Final = 12


class Saved(NamedTuple):
    """A month."""

    target: float
    low: float  # with every range, the cloud's price and the use at the end that speaks against it
    high: float


@dataclass(frozen=True, eq=False)
class Purchase:
    """Machines in use, each with what it takes the place of, and the spares bought for them."""

    racks: tuple[Rack, ...]  # without spares of their own
    costs: Costs
    spares: int
    spares_against: int  # at the high end of their range
    once: float  # of going there, people's hours for groups included
    paid: float  # today's worth of 1 in each month of the horizon

    @classmethod
    def of(
        cls,
        racks: Sequence[Rack],
        costs: Costs,
        told: MachineClass,
        settings: MoveSettings,
        horizon: Horizon,
    ) -> Purchase:
        """With the spares that so many take."""
        once = sum(one.once(settings, horizon) for one in racks) + group_once(racks, settings)
        return cls(
            tuple(replace(one, spares=0) for one in racks),
            costs,
            whole_spares(told.spares_percent, len(racks)),
            whole_spares(_most_spares(told), len(racks)),
            once,
            float(horizon.paid(horizon.months)),
        )

    @property
    def count(self) -> int:
        """Machines in use."""
        return len(self.racks)

    @property
    def members(self) -> list[Candidate]:
        """All that they take the place of."""
        return [one for rack in self.racks for one in rack.members]

    @property
    def capex(self) -> float:
        """Of all that is bought."""
        return float(np.asarray(self.costs.told.capex)) * (self.count + self.spares)

    @property
    def price(self) -> float:
        """Of an hour in the cloud of what one takes the place of, on average."""
        return sum(one.price for one in self.racks) / self.count

    @property
    def used(self) -> float:
        """Share of the hours for which that is paid, weighed by its price."""
        return self._weighed([one.use.expected for one in self.members])

    @property
    def used_low(self) -> float:
        """The same in the four weeks in which all of them together were used least."""
        every = self.members
        return least_together([one.use for one in every], [one.hourly for one in every])

    def _weighed(self, uses: Sequence[float]) -> float:
        hourly = [one.hourly for one in self.members]
        return sum(a * b for a, b in zip(hourly, uses, strict=True)) / sum(hourly)

    def own(self, figures: Own) -> Own:
        """What one in use costs, with its part of the spares and of the traffic."""
        return replace(figures, spares=self.spares / self.count, other_yearly=self.other_yearly)

    @property
    def other_yearly(self) -> float:
        """What neighbours in the cloud that stay send to one, on average."""
        return _MONTHS * sum(one.traffic for one in self.racks) / self.count

    def break_even(self, price: float) -> float:
        """Share of the hours from which on they cost less than that an hour; inf = never."""
        return float(break_even(self.own(self.costs.told), price))

    @cached_property
    def saved(self) -> Saved:
        """Capital, spares and traffic counted."""
        costs = self.costs
        idle = (
            self.spares * spare_monthly(costs.told),
            self.spares_against * spare_monthly(costs.against),
            self.spares * spare_monthly(costs.for_it),
        )
        return Saved(*(before - less for before, less in zip(self._before, idle, strict=True)))

    @cached_property
    def _before(self) -> Saved:
        """Without the spares."""
        return Saved(
            sum(one.monthly for one in self.racks),
            sum(one.monthly_low for one in self.racks),
            sum(one.monthly_high for one in self.racks),
        )

    def part(self, rack: Rack, one: Candidate) -> Saved:
        """What is saved by one machine that goes: its machine's part of all, and its own of that,
        by what its computing costs."""
        within = one.monthly / rack.in_cloud
        before = Saved(rack.monthly, rack.monthly_low, rack.monthly_high)
        return Saved(
            *(
                within * all_ * (mine / every if every > 0 else 1 / self.count)
                for all_, mine, every in zip(self.saved, before, self._before, strict=True)
            )
        )

    @property
    def ahead(self) -> float:
        """What buying ahead in the cloud would save a month instead."""
        return sum(one.ahead for one in self.racks)

    @property
    def present(self) -> float:
        """Saved over the horizon, with what going takes."""
        return self.saved.target * self.paid - self.once

    @property
    def present_low(self) -> float:
        """The same by the unfavourable ends."""
        return self.saved.low * self.paid - self.once

    @cached_property
    def month(self) -> float:
        """The first by which all of it has cost no more than the cloud; inf = never in its life."""
        told = self.costs.told
        bare = replace(told, capex=0.0, salvage=0.0)
        each = [float(saved_monthly(one.own(told), one.price, one.used)) for one in self.racks]
        machines = self.count + self.spares
        sold = np.asarray(told.salvage) * worth(told.rate, told.life_years)
        return float(
            paid_back(
                self.capex + self.once,
                sum(each) - self.spares * spare_monthly(bare),
                sold=sold * machines,
                rate=told.rate,
                years=told.life_years,
            )
        )


def spare_monthly(figures: Own) -> float:
    """What a machine costs that only stands ready."""
    with_one, without = (standing_cost(replace(figures, spares=n)) for n in (1.0, 0.0))
    return float(with_one - without) / _MONTHS


def _most_spares(told: MachineClass) -> float:
    return max(told.spares_percent, told.ranges.get("spares_percent", (0.0, 0.0))[1])


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """How many machines pay, and what is left in the cloud."""

    bought: Purchase
    left: tuple[Rack, ...]  # those that save most first, each with the spares it would take more


def chosen(
    racks: Sequence[Rack],
    costs: Costs,
    told: MachineClass,
    settings: MoveSettings,
    horizon: Horizon,
) -> Chosen:
    """The number that saves most by the unfavourable ends, and beyond what buying ahead in the
    cloud would, as there is room; 0 = none pays."""
    best = sorted(racks, key=lambda one: (-one.monthly_low, _names(one)))
    room = math.inf if told.most is None else told.most - told.owned
    worth = _present_low(best, costs, told, settings, horizon)
    fits = [n for n in range(len(worth)) if n + whole_spares(told.spares_percent, n) <= room]
    count = max(fits, key=lambda n: worth[n])
    spares = [whole_spares(told.spares_percent, count + n) for n in (0, 1)]
    return Chosen(
        Purchase.of(best[:count], costs, told, settings, horizon),
        tuple(replace(one, spares=spares[1] - spares[0]) for one in best[count:]),
    )


def _names(rack: Rack) -> tuple[str, ...]:
    return tuple(one.subject.resource.resource_id for one in rack.members)


def _present_low(
    best: Sequence[Rack],
    costs: Costs,
    told: MachineClass,
    settings: MoveSettings,
    horizon: Horizon,
) -> list[float]:
    """Of the first 0, 1, 2.. of them, and no more than they save beyond buying ahead."""
    paid, once, groups = float(horizon.paid(horizon.months)), 0.0, set[str]()
    spare, worst_spare = spare_monthly(costs.told), spare_monthly(costs.against)
    found, low, beyond = [0.0], 0.0, 0.0
    for count, rack in enumerate(best, start=1):
        low += rack.monthly_low
        beyond += rack.monthly - rack.ahead
        once += rack.once(settings, horizon)
        groups |= _groups([rack])
        least = min(
            low - whole_spares(_most_spares(told), count) * worst_spare,
            beyond - whole_spares(told.spares_percent, count) * spare,
        )
        found.append(least * paid - once - len(groups) * _group_labour(settings))
    return found


def group_once(racks: Sequence[Rack], settings: MoveSettings) -> float:
    """People's hours for each group of which a machine goes, as for another provider."""
    return len(_groups(racks)) * _group_labour(settings)


def _groups(racks: Sequence[Rack]) -> set[str]:
    return {one.group.name for rack in racks for one in rack.members}


def _group_labour(settings: MoveSettings) -> float:
    return settings.labour_rate * (settings.labour_hours_group + settings.labour_hours_provider)

"""A machine of one's own against what it would take the place of.

Everything is in the currency of the bill. What is paid in the cloud is what remains after the plan,
and after a move or spot that is advised, or what buying ahead would leave of it: own machines must
beat the best that the cloud has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from costopt.model import Place, RateKind
from costopt.optimize.own import (
    Own,
    break_even,
    yearly_saving,
)
from costopt.optimize.placement import Horizon
from costopt.pricing.layer import system_key
from costopt.pricing.onprem import Site
from costopt.rules.move.groups import Group
from costopt.rules.move.market import World, charged
from costopt.rules.move.own_use import Floats, Use
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.subjects import Subject
from costopt.rules.own_machines import at_ends, in_currency, of_class
from costopt.units import GIB, HOURS_PER_MONTH

_MONTHS: Final = 12
_DAYS_A_MONTH: Final = HOURS_PER_MONTH / 24
_STRANDED_MONTHS: Final = 12.0
"""Until commitments end: nothing says when those of a machine do."""
_MUCH: Final = 1000.0
"""GiB: what is free at first is not free, so that prices of traffic are of so much."""
_MOST_OFF: Final = 0.99
_LINUX: Final = "linux"


class Ahead(NamedTuple):
    """The cheapest hour that can be bought ahead; it is paid for whether used or not."""

    hourly: float
    term: str


class Once(NamedTuple):
    """What is paid for going, in today's money."""

    data: float
    labour: float
    dual_run: float
    stranded: float


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A machine in the cloud that one of the class could take the place of. Money as today."""

    subject: Subject
    group: Group
    share: Floats  # (measures,) of one machine of the class
    use: Use
    hourly: float  # paid for an hour that it runs, after the plan and what is advised in the cloud
    listed: float | None  # the same on demand, by the list
    committed: Ahead | None  # the same by the cheapest committed price that is known
    leaving_gib: float  # price of a GiB that leaves its place for the internet
    received_gib: float  # from its neighbours, a month: at most

    @property
    def monthly(self) -> float:
        """What its computing costs, as it is expected to be used."""
        return self.hourly * HOURS_PER_MONTH * self.use.expected

    @property
    def best_monthly(self) -> float:
        """The same if it were bought ahead, where that is cheaper."""
        ahead = self.committed.hourly * HOURS_PER_MONTH if self.committed else math.inf
        return min(self.monthly, ahead)

    @property
    def traffic(self) -> float:
        """A month, of what its neighbours send it from the cloud."""
        return self.received_gib * self.leaving_gib

    def once(self, settings: MoveSettings, horizon: Horizon) -> Once:
        """What it takes to go, but for what its group takes."""
        months = settings.dual_run_days / _DAYS_A_MONTH
        dual = float(horizon.paid(months))
        until = float(horizon.paid(max(months, _STRANDED_MONTHS)))
        return Once(
            data=self.subject.stored_gib * self.leaving_gib,
            labour=settings.labour_rate * settings.labour_hours_machine,
            dual_run=self.subject.run * dual,
            stranded=self.subject.stranded * (until - dual),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What one machine of a class costs: as told, and with its ranges at both ends."""

    told: Own
    against: Own  # all that has a range at the end that speaks against owning
    for_it: Own
    cloud_low: float  # of an hour of what it takes the place of; inf = no range
    fall: float  # share by which that may fall in the machine's life, where it has no range
    factor: float  # of the file's currency in the bill's

    @classmethod
    def of(cls, site: Site, name: str, factor: float, drift_percent: float) -> Costs:
        """In the currency of the bill.

        Args:
            factor: what one unit of the file's currency is worth in it.
            drift_percent: by which prices of the cloud may be off for each year to come.
        """
        found = site.of_class(name)
        range_ = found.ranges.get("cloud_price_hourly")
        against, for_it = (at_ends(site, name, favourable=end) for end in (False, True))
        return cls(
            in_currency(of_class(site, name), factor),
            in_currency(against, factor),
            in_currency(for_it, factor),
            range_[0] * factor if range_ else math.inf,
            0.0 if range_ else min(_MOST_OFF, found.life_years * drift_percent / 100),
            factor,
        )

    def price_low(self, price: float) -> float:
        """What an hour of the cloud may come to cost."""
        return min(price * (1 - self.fall), self.cloud_low)


@dataclass(frozen=True, eq=False)
class Rack:
    """One machine of one's own, and what it would take the place of."""

    members: tuple[Candidate, ...]
    costs: Costs
    spares: int = 0  # whole machines that would have to be bought for it beside

    @cached_property
    def price(self) -> float:
        """Of an hour in which all of them run."""
        return sum(one.hourly for one in self.members)

    @property
    def used(self) -> float:
        """Of its hours, weighed by what is paid."""
        return sum(one.hourly * one.use.expected for one in self.members) / self.price

    @property
    def used_low(self) -> float:
        """The same where each was used least."""
        return sum(one.hourly * one.use.low for one in self.members) / self.price

    @property
    def in_cloud(self) -> float:
        """What its members' computing costs a month."""
        return sum(one.monthly for one in self.members)

    @property
    def ahead(self) -> float:
        """What buying that ahead saves a month, where it saves."""
        return self.in_cloud - sum(one.best_monthly for one in self.members)

    @property
    def traffic(self) -> float:
        """A month, of what neighbours that stay send to it."""
        return sum(one.traffic for one in self.members)

    def own(self, figures: Own) -> Own:
        """With its spares and traffic."""
        return replace(figures, spares=self.spares, other_yearly=_MONTHS * self.traffic)

    @property
    def break_even(self) -> float:
        """Share of the hours from which on it is cheaper; inf = never."""
        return float(break_even(self.own(self.costs.told), self.price))

    @cached_property
    def monthly(self) -> float:
        """What it saves, its capital and traffic counted; below 0: it costs more."""
        return self._saved(self.costs.told, self.price, self.used)

    @cached_property
    def monthly_low(self) -> float:
        """The same with every range, and its use, at the end that speaks against it."""
        return self._saved(self.costs.against, self.costs.price_low(self.price), self.used_low)

    @cached_property
    def monthly_high(self) -> float:
        """The same with every range of the class at the end that speaks for it."""
        return self._saved(self.costs.for_it, self.price, self.used)

    def _saved(self, figures: Own, price: float, used: float) -> float:
        return float(yearly_saving(self.own(figures), price, used)) / _MONTHS

    def once(self, settings: MoveSettings, horizon: Horizon) -> float:
        """To get there, but for what its groups take."""
        return sum(sum(one.once(settings, horizon)) for one in self.members)


# -- what a machine pays today -------------------------------------------------------------------


def candidate(
    subject: Subject, group: Group, share: Floats, *, use: Use, world: World, saved: float
) -> Candidate:
    """With its prices.

    Args:
        saved: a month, by a move that is advised within the cloud.
    """
    hourly = (subject.run - saved) / subject.hours
    return Candidate(
        subject, group, share, use, hourly, _listed(subject), _committed(subject, world),
        _per_gib(group.home, world), _received(subject),
    )  # fmt: skip


def _listed(one: Subject) -> float | None:
    cost = one.case.cost
    if cost is None or cost.compute <= 0 or cost.compute_list <= 0:
        return None
    return one.run / one.hours * float(cost.compute_list / cost.compute)


def _committed(one: Subject, world: World) -> Ahead | None:
    resource, kind = one.resource, one.resource.instance_type or ""
    found = [
        Ahead(float(price.list_unit_price) * factor, price.term or "")
        for price in world.catalogue.prices(resource.provider_name, kind)
        if price.pricing_category == "Committed"
        and price.region_id in (None, resource.region_id)
        and system_key(price.operating_system or _LINUX) == _LINUX
        and (factor := world.rate(price.currency)) is not None
    ]
    return min(found, default=None)


def _per_gib(home: Place, world: World) -> float:
    """NaN = nobody says."""
    gib = np.array([_MUCH])
    return float(charged(world, home, RateKind.EGRESS_INTERNET, gib)[0]) / _MUCH


def _received(one: Subject) -> float:
    """What it receives may all come from neighbours; where that is not measured, as much as it
    sends them."""
    into = one.case.profile("network_in")
    if into is None:
        return one.internal
    return into.mean * 3600 * one.hours / GIB

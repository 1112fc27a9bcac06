"""What a rightsizing is decided on: what the machine needs, what is on offer, and the choice."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np

from costopt.model import Cost, Offer, Profile, Shape
from costopt.optimize import size
from costopt.optimize.cost import flip
from costopt.optimize.outlook import Chances, Outlook
from costopt.pricing.catalogue import Market
from costopt.rules.base import Case
from costopt.rules.candidates import (
    Ladder,
    Need,
    capacities,
    distance,
    feasible,
    memory_is_settled,
)
from costopt.rules.demand import cpu_demand, memory_demand, network_demand
from costopt.rules.prices import Priced, all_as_billed, as_billed, priced
from costopt.rules.rightsize_settings import RightsizeSettings, with_smt
from costopt.rules.scope import Refusal, out_of_scope, throttled

_CERTAIN: Final = 0.99  # chance of having to undo a size
_ALTERNATIVES: Final = 3

GAMBLE: Final = 0.3
"""From this chance of having to be undone on, a change is a gamble: advised where nothing costs
less to expect, and never beside something safer."""

BUDGET: Final = "budget"
"""The fleet's risk budget, as something that may be lifted."""

_SMALLEST: Final = 1 / 256
"""Of today's machine: smaller ones are not asked for."""


@dataclass(frozen=True, eq=False)
class Sizing:
    """One machine, what it needs, and what is on offer."""

    case: Case
    current: Shape
    cost: Cost
    hourly: Decimal  # today's price of an hour as it is billed: by the list, else by the bill
    currency: str  # of `hourly` and of the market
    month: Decimal  # that counts for sustained use discounts (prices.sustained_month)
    need: Need
    ladder: Ladder
    outlook: Outlook
    chances: Chances  # by which it is decided
    settings: RightsizeSettings
    lifted: frozenset[str] = frozenset()  # of `candidates.CONSTRAINTS` and BUDGET: as if not there

    @property
    def market(self) -> Market:
        """The priced types where the machine stands."""
        return self.ladder.market

    @cached_property
    def prices(self) -> size.Floats:
        """(types,) an hour of each type, as it would be billed in this machine's place."""
        return all_as_billed(self.market, self.month)

    def price(self, position: int) -> Decimal:
        """The same of one type, exact."""
        price = self.market.prices[position]
        return as_billed(price.list_unit_price, price.instance_type, self.month)

    @property
    def price_basis(self) -> str:
        """What these prices are, in words."""
        listed = np.array_equal(self.prices, self.market.hourly)
        return "at list" if listed else "at list less sustained use discounts"

    @cached_property
    def memory_is_settled(self) -> bool:
        """Whether no choice here can change the memory."""
        return memory_is_settled(self.ladder, self.current, self.need.memory)

    @cached_property
    def capacities(self) -> size.Floats:
        """(types,) what each can do, as a share of what today's machine can."""
        return capacities(self.ladder, self.current, self.settings)

    @cached_property
    def _feasible(self) -> size.Bools:
        could = feasible(self.ladder, self.current, self.need, self.lifted)
        return could & (distance(self.ladder, self.current) >= 0)

    @cached_property
    def offers(self) -> size.Offers:
        """Every type of the market: whether it could take the machine's place, and its risk."""
        return self.offers_by(self.chances)

    def offers_by(self, chances: Chances) -> size.Offers:
        """The same by what was known at another moment, or counted otherwise."""
        market = self.market
        enough = self.capacities * self.settings.limit_percent >= chances.peak_percent
        held = self.prices[self._feasible & enough]
        return size.Offers(
            hourly=self.prices,
            vcpus=market.vcpus,
            memory_gib=market.memory_gib,
            distance=distance(self.ladder, self.current),
            feasible=self._feasible,
            risk=chances.at(self.capacities),
            safe=float(held.min()) if held.size else float(self.hourly),
            rollback_cost=self.rollback_cost,
        )

    @property
    def rollback_cost(self) -> float:
        """kappa in force: the user's, or the dearer one that the fleet's risk budget asks for."""
        least = 0.0 if BUDGET in self.lifted else self.outlook.least_rollback_cost
        return max(self.settings.rollback_cost, least)

    @cached_property
    def choice(self) -> int | None:
        """The market position of the machine to take; None = nothing smaller and cheaper that is
        not certain to be undone."""
        offers = self.offers
        while (chosen := self.choice_of(offers)) is not None and self._in_vain(chosen):
            larger = self.capacities > self.capacities[chosen]
            offers = replace(offers, feasible=offers.feasible & larger)
        return chosen

    def _in_vain(self, chosen: int) -> bool:
        """Whether that size is certain to be undone, or would have been in every past window.

        What undoing costs is reckoned by a yardstick that may be cheaper than today's machine, to
        which it goes back: so a size that is always undone may look like a saving.
        """
        capacity = float(self.capacities[chosen])
        undone = [replay.came_to(capacity)[0] for replay in self.outlook.replays]
        certain = bool(self.offers.risk[chosen] > _CERTAIN)
        return certain or (bool(undone) and all(undone))

    def choice_of(self, offers: size.Offers) -> int | None:
        """The same among other offers."""
        if math.isinf(offers.rollback_cost):  # no size keeps the fleet's budget
            return None
        return size.choose(
            offers,
            vcpus=self.current.vcpus,
            memory_gib=self._memory_gib,
            hourly=float(self.hourly),
            margin=self.settings.family_savings_percent / 100,
        )

    def is_smaller(self, position: int) -> bool:
        """Whether that type costs less than today's: what is larger is advised for its own sake."""
        return self.hourly > self.price(position)

    def flip(self, chosen: int) -> tuple[float, int | None] | None:
        """The dearer rollback cost at which another type, or None for today's, becomes the answer;
        among types no farther from today's than the one chosen."""
        offers = self.offers
        near = self.smaller & (offers.distance <= offers.distance[chosen])
        places = np.flatnonzero(near)
        price = np.append(offers.hourly[places], float(self.hourly))
        risk = np.append(offers.risk[places], 0.0)
        own = int(np.searchsorted(places, chosen))
        found = flip(price, risk, offers.safe, own, offers.rollback_cost)
        if found is None:
            return None
        return found[0], int(places[found[1]]) if found[1] < len(places) else None

    @cached_property
    def smaller(self) -> size.Bools:
        """Which types could take its place and are smaller than today's."""
        offers = self.offers
        return offers.feasible & size.smaller(offers, self.current.vcpus, self._memory_gib)

    @property
    def _memory_gib(self) -> float:
        known = None if self.memory_is_settled else self.current.memory_gib
        return np.nan if known is None else known

    def alternatives(self, chosen: int) -> list[int]:
        """Up to three other types that would do: the next size up first, then by expected cost; no
        gamble but where the one chosen is a greater one."""
        costs, risk = self.offers.expected, self.offers.risk
        fits = self.smaller & (costs < float(self.hourly))
        fits &= (risk < GAMBLE) | (risk <= risk[chosen])
        fits[chosen] = False
        kin = self.ladder.family == self.ladder.family[chosen]
        cautious = np.flatnonzero(fits & kin & (self.offers.hourly > self.offers.hourly[chosen]))
        least = np.flatnonzero(fits)
        least = least[np.argsort(costs[least], kind="stable")]
        ordered = dict.fromkeys([*cautious[:1].tolist(), *least.tolist()])
        return list(ordered)[:_ALTERNATIVES]

    @cached_property
    def next_larger(self) -> int | None:
        """The cheapest type with more vCPUs than today that holds the demand seen; kin first.

        What more it would use cannot be seen, so it is one step up, and then looked at again.
        """
        enough = self.capacities * self.settings.limit_percent >= self.need.cpu.p99_5
        larger = self.offers.feasible & enough & (self.offers.vcpus > self.current.vcpus)
        kin = np.flatnonzero(larger & (self.offers.distance == 0))
        found = kin if kin.size else np.flatnonzero(larger)
        return int(found[np.argmin(self.prices[found])]) if found.size else None

    def offer(self, position: int) -> Offer:
        """The type at that market position, as advice names it."""
        shape, price = self.market.shapes[position], self.market.prices[position]
        kept = self.memory_is_settled and self.current.memory_gib is not None
        return Offer(
            provider_name=self.case.resource.provider_name,
            region_id=self.case.resource.region_id,
            instance_type=shape.instance_type,
            vcpus=shape.vcpus,
            memory_gib=self.current.memory_gib if kept else shape.memory_gib,
            hourly_price=price.list_unit_price,
            currency=price.currency,
            pricing_category=price.pricing_category,
        )


def sizing_of(case: Case, settings: RightsizeSettings) -> Sizing | Refusal:
    """Everything to decide on, or why nothing can be decided."""
    profile = case.profile("cpu_utilization")
    if profile is None:
        return case.unmeasured("cpu_utilization", "cpu-unmeasured")
    shape = case.shape
    if shape is None:
        return "unknown-size", f"how many vCPUs {case.resource.instance_type} has is not known"
    if reason := throttled(shape, profile):
        return reason
    cost = priced(case, shape)
    if not isinstance(cost, Priced):
        return cost
    if case.outlook is None:
        return "thin-recently", "fewer than half of the CPU samples of the last 14 days are there"
    sizing = Sizing(
        case=case,
        current=shape,
        cost=cost.cost,
        hourly=cost.hourly,
        currency=cost.currency,
        month=cost.month,
        need=need_of(case, profile, settings),
        ladder=Ladder.of(cost.market),
        outlook=case.outlook,
        chances=case.outlook.now,
        settings=settings,
    )
    return _memory_unknown(sizing) or sizing


def need_of(case: Case, profile: Profile, settings: RightsizeSettings) -> Need:
    """What a machine in this one's place must hold, by that CPU profile."""
    return Need(
        cpu=cpu_demand(profile),
        memory=memory_demand(case, settings.size_memory),
        network=network_demand(case),
        allow_architecture_change=settings.allow_architecture_change,
        allow_burstable=settings.allow_burstable,
        allow_local_disk_loss=settings.allow_local_disk_loss,
    )


def sizes(case: Case, settings: RightsizeSettings) -> tuple[float, ...]:
    """The capacities, as shares of today's, whose risk a decision on this machine asks for; today's
    own among them, for the smallest type of all is judged too.

    Empty where none will be asked: not in scope, no CPU samples, or nothing to compare with.
    """
    shape = case.shape
    if shape is None or out_of_scope(case, settings) or not case.profile("cpu_utilization"):
        return ()
    cost = priced(case, shape)
    if not isinstance(cost, Priced):
        return ()
    ladder = Ladder.of(cost.market)
    asked = {*capacities(ladder, shape, settings), *capacities(ladder, shape, with_smt(settings))}
    return tuple(sorted({1.0, *(ratio for ratio in asked if ratio >= _SMALLEST)}))


def _memory_unknown(sizing: Sizing) -> Refusal | None:
    unknown = sizing.current.memory_gib is None and not sizing.memory_is_settled
    if unknown and not np.isnan(sizing.market.memory_gib).any():
        return "memory-unknown", "how much memory it has is not known, so none can be kept"
    return None

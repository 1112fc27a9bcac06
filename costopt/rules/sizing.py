"""What a rightsizing is decided on: what the machine needs, what is on offer, and the choice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Final

import numpy as np
from pydantic import BeforeValidator, Field

from costopt.model import Cost, Offer, Price, Profile, Shape, is_stopped
from costopt.optimize import size
from costopt.optimize.cost import ROLLBACK_COSTS, flip
from costopt.optimize.outlook import Chances, Outlook
from costopt.optimize.smt import SMT_SPEEDUP
from costopt.pricing.catalogue import Market
from costopt.rules import roles
from costopt.rules.base import Case, RuleSettings
from costopt.rules.candidates import (
    Ladder,
    Need,
    capacities,
    distance,
    feasible,
    memory_is_settled,
)
from costopt.rules.demand import cpu_demand, memory_demand, network_demand
from costopt.rules.threads import Speedup, Speedups
from costopt.units import provider_key

_ALTERNATIVES: Final = 3

_SMALLEST: Final = 1 / 256
"""Of today's machine: smaller ones are not asked for."""


def _named(cost: object) -> object:
    return ROLLBACK_COSTS.get(cost, cost) if isinstance(cost, str) else cost


RollbackCost = Annotated[float, BeforeValidator(_named), Field(gt=0, le=1000)]
"""A setting: kappa, as a number or by name."""

Refusal = tuple[str, str]
"""Reason code and detail of a skip."""


class RightsizeSettings(RuleSettings):
    """Settings of the rightsize rule."""

    rollback_cost: RollbackCost = Field(
        ROLLBACK_COSTS["default"],
        description="price of one rollback, in windows of 14 days of the machine that holds the "
        "highest demand seen: a number, or cautious (2), default (0.5), bold (0.2)",
    )
    risk_budget_percent: float | None = Field(
        None,
        gt=0,
        le=100,
        description="share of machines that may be rolled back in a window, by the fleet's own "
        "past; it can only make advice more cautious. Unset: no bound",
    )
    limit_percent: float = Field(
        90.0, gt=0, le=100, description="CPU that may be exceeded 0.5 % of the time, at most"
    )
    smt_speedup: Speedup = Field(
        0.0,
        description="speed of a hardware thread whose core's other one is busy too, as a share of "
        "its speed alone (0.63 compiling, 0.86 a network server); 0 = vCPUs count by number",
    )
    smt_speedups: Speedups = Field(
        default_factory=dict, description="the same by instance type or family"
    )
    memory_headroom_percent: float = Field(
        15.0, ge=0, lt=100, description="share of the new machine's memory free at its peak"
    )
    memory_budget_percent: float = Field(
        1.0,
        gt=0,
        le=100,
        description="share of machines that may run out of memory; where the fleet's own past "
        "shows more, more is kept free",
    )
    size_memory: bool = Field(
        True, description="false: memory figures are not trusted, a target keeps today's memory"
    )
    min_savings_percent: float = Field(
        10.0, ge=0, lt=100, description="smallest saving worth a change, of today's compute cost"
    )
    family_savings_percent: float = Field(
        15.0,
        ge=0,
        lt=100,
        description="how much less a smaller machine of another family must cost than the best of "
        "today's, to leave it",
    )
    cooldown_days: float = Field(
        14.0, ge=0, description="a machine resized less than this ago is left alone"
    )
    allow_architecture_change: bool = Field(
        False, description="offer arm64 to x86_64 machines and the reverse"
    )
    allow_burstable: bool = Field(
        False, description="offer burstable types to machines that are not"
    )
    allow_local_disk_loss: bool = Field(
        False, description="offer types with less local disk than today's"
    )
    allow_scaling_groups: bool = Field(
        False, description="also size members of scaling groups one by one"
    )
    upsize: bool = Field(
        True, description="advise a larger type where demand is cut off by the machine's size"
    )


@dataclass(frozen=True, eq=False)
class Sizing:
    """One machine, what it needs, and what is on offer."""

    case: Case
    current: Shape
    cost: Cost
    hourly: Decimal  # today's price of an hour: list, else as billed
    currency: str  # of `hourly` and of the market
    need: Need
    ladder: Ladder
    outlook: Outlook
    chances: Chances  # by which it is decided
    settings: RightsizeSettings

    @property
    def market(self) -> Market:
        """The priced types where the machine stands."""
        return self.ladder.market

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
        return feasible(self.ladder, self.current, self.need)

    @cached_property
    def offers(self) -> size.Offers:
        """Every type of the market: whether it could take the machine's place, and its risk."""
        return self.offers_by(self.chances)

    def offers_by(self, chances: Chances) -> size.Offers:
        """The same by what was known at another moment, or counted otherwise."""
        market, away = self.market, distance(self.ladder, self.current)
        could = self._feasible & (away >= 0)
        holds = could & (self.capacities * self.settings.limit_percent >= chances.peak_percent)
        return size.Offers(
            hourly=market.hourly,
            vcpus=market.vcpus,
            memory_gib=market.memory_gib,
            distance=away,
            feasible=could,
            risk=chances.at(self.capacities),
            safe=float(market.hourly[holds].min()) if holds.any() else float(self.hourly),
            rollback_cost=self.rollback_cost,
        )

    @property
    def rollback_cost(self) -> float:
        """kappa in force: the user's, or the dearer one that the fleet's risk budget asks for."""
        return max(self.settings.rollback_cost, self.outlook.least_rollback_cost)

    @cached_property
    def choice(self) -> int | None:
        """The market position of the machine to take; None = nothing smaller and cheaper."""
        return self.choice_of(self.offers)

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

    def flip(self, chosen: int) -> tuple[float, int | None] | None:
        """The dearer rollback cost at which another type, or None for today's, becomes the answer;
        among types no farther from today's than the one chosen."""
        offers = self.offers
        smaller = size.smaller(offers, self.current.vcpus, self._memory_gib)
        near = offers.feasible & smaller & (offers.distance <= offers.distance[chosen])
        places = np.flatnonzero(near)
        price = np.append(offers.hourly[places], float(self.hourly))
        risk = np.append(offers.risk[places], 0.0)
        own = int(np.searchsorted(places, chosen))
        found = flip(price, risk, offers.safe, own, offers.rollback_cost)
        if found is None:
            return None
        return found[0], int(places[found[1]]) if found[1] < len(places) else None

    @property
    def _memory_gib(self) -> float:
        known = None if self.memory_is_settled else self.current.memory_gib
        return np.nan if known is None else known

    def alternatives(self, chosen: int) -> list[int]:
        """Up to three other types that would do: the next size up first, then by expected cost."""
        smaller = size.smaller(self.offers, self.current.vcpus, self._memory_gib)
        costs = self.offers.expected
        fits = self.offers.feasible & smaller & (costs < float(self.hourly))
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
        return int(found[0]) if found.size else None

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


def out_of_scope(case: Case, settings: RightsizeSettings) -> Refusal | None:
    """Why this machine is not to be sized by its CPU and memory at all."""
    resource = case.resource
    if is_stopped(resource):
        return "not-running", f"its state is {resource.state}"
    if case.gpu_count:
        return "gpu-machine", "a GPU machine is never sized by its CPU alone"
    group = roles.controller(resource)
    if group and not settings.allow_scaling_groups:
        return "scaling-group", f"{group} decides its size; its members are not sized singly"
    cooldown = timedelta(days=settings.cooldown_days)
    if resource.resized_at and case.as_of - resource.resized_at < cooldown:
        resized = f"resized {resource.resized_at:%Y-%m-%d}"
        return "recently-resized", f"{resized}, less than {settings.cooldown_days:g} days ago"
    return None


def sizing_of(case: Case, settings: RightsizeSettings) -> Sizing | Refusal:
    """Everything to decide on, or why nothing can be decided."""
    profile = case.profile("cpu_utilization")
    if profile is None:
        return case.unmeasured("cpu_utilization", "cpu-unmeasured")
    shape = case.shape
    if shape is None:
        return "unknown-size", f"how many vCPUs {case.resource.instance_type} has is not known"
    if reason := _throttled(shape, profile):
        return reason
    priced = _priced(case, shape)
    if not isinstance(priced, _Priced):
        return priced
    if case.outlook is None:
        return "thin-recently", ("fewer than half of the CPU samples of the last 14 days are there")
    sizing = Sizing(
        case=case,
        current=shape,
        cost=priced.cost,
        hourly=priced.hourly,
        currency=priced.currency,
        need=need_of(case, profile, settings),
        ladder=Ladder.of(_market(case, priced.currency)),
        outlook=case.outlook,
        chances=case.outlook.now,
        settings=settings,
    )
    return _without_choice(sizing) or sizing


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
    """The capacities, as shares of today's, whose risk a decision on this machine asks for.

    Empty where none will be asked: not in scope, no CPU samples, or nothing to compare with.
    """
    shape = case.shape
    if shape is None or out_of_scope(case, settings) or not case.profile("cpu_utilization"):
        return ()
    priced = _priced(case, shape)
    if not isinstance(priced, _Priced):
        return ()
    ladder = Ladder.of(_market(case, priced.currency))
    asked = {*capacities(ladder, shape, settings), *capacities(ladder, shape, with_smt(settings))}
    return tuple(sorted(ratio for ratio in asked if _SMALLEST <= ratio < 1))


def with_smt(settings: RightsizeSettings) -> RightsizeSettings:
    """The settings with the SMT correction at its worst where it is off."""
    if settings.smt_speedup:
        return settings
    return settings.model_copy(update={"smt_speedup": SMT_SPEEDUP})


@dataclass(frozen=True, slots=True)
class _Priced:
    cost: Cost
    hourly: Decimal
    currency: str  # of `hourly`: a bill in euros is compared by the ratio of prices in dollars


def _priced(case: Case, shape: Shape) -> _Priced | Refusal:
    cost, price = case.cost, list_price(case)
    if cost is None:
        return "no-price", unpriced(case)
    hourly = price.list_unit_price if price else cost.hourly_effective
    if hourly is None or hourly <= 0:
        return "no-price", f"no list price of {shape.instance_type} and no billed hours"
    return _Priced(cost, hourly, price.currency if price else cost.currency)


def unpriced(case: Case) -> str:
    """Why no cost is known, and what would help."""
    resource, known = case.resource, case.catalogue.providers()
    if provider_key(resource.provider_name) not in known:
        listed = ", ".join(known)
        return f"there are no prices of the provider {resource.provider_name}, only of {listed}"
    if resource.region_id is None and resource.instance_type:
        return "no bill names it, and without its RegionId it has no list price"
    return "neither a bill nor a price names it"


def list_price(case: Case) -> Price | None:
    """The list price of the way the machine is bought: spot is compared with spot."""
    price = case.price
    return price if price and price.pricing_category == _category(case) else None


def _category(case: Case) -> str:
    """A committed machine's list price is the on-demand one; its discount is in the bill."""
    return "Dynamic" if case.resource.pricing_category == "Dynamic" else "Standard"


def _market(case: Case, currency: str) -> Market:
    return case.catalogue.market(
        case.resource.provider_name,
        case.resource.region_id,
        operating_system=case.resource.operating_system,
        pricing_category=_category(case),
        currency=currency,
    )


def _without_choice(sizing: Sizing) -> Refusal | None:
    if not sizing.market.shapes:
        resource = sizing.case.resource
        system = f"{resource.operating_system} " if resource.operating_system else ""
        place = resource.region_id or resource.provider_name
        priced = f"priced ({_category(sizing.case)}) in {sizing.currency} in {place}"
        return "no-market", f"no {system}machine types are {priced}"
    unknown = sizing.current.memory_gib is None and not sizing.memory_is_settled
    if unknown and not np.isnan(sizing.market.memory_gib).any():
        return "memory-unknown", "how much memory it has is not known, so none can be kept"
    return None


def _throttled(shape: Shape, cpu: Profile) -> Refusal | None:
    """A burstable machine out of credits runs at its baseline, so its demand is not seen.

    Signs: it spends nearly all it earns (mean at 90 % of the baseline); or a tenth of the samples
    stand within a point of the baseline, twice as many as within the two points on either side.
    """
    baseline = shape.burstable_baseline_percent
    if baseline is None or cpu.histogram is None or not cpu.count:
        return None
    edge = int(baseline)
    at = sum(cpu.histogram[max(0, edge - 1) : edge + 1])
    beside = sum(cpu.histogram[max(0, edge - 3) : edge + 3]) - at
    pinned = at >= 0.1 * cpu.count and at >= 2 * beside
    if not pinned and cpu.mean < 0.9 * baseline:
        return None
    return (
        "burstable-throttled",
        f"its CPU stands at the {baseline:g} % that {shape.instance_type} sustains "
        f"(mean {cpu.mean:.3g} %), so what it would use is not known",
    )

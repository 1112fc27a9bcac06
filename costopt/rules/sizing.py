"""What a rightsizing is decided on: what the machine needs, what is on offer, and the choice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np
from pydantic import Field

from costopt.model import Cost, Offer, Price, Profile, Shape, is_stopped
from costopt.optimize import size
from costopt.pricing.catalogue import Market
from costopt.rules import roles
from costopt.rules.base import Case, RuleSettings
from costopt.rules.candidates import Ladder, Need, memory_is_settled, offers
from costopt.rules.demand import Percentile, cpu_demand, memory_demand, network_demand, vcpus_needed
from costopt.units import provider_key

_ALTERNATIVES: Final = 3

Refusal = tuple[str, str]
"""Reason code and detail of a skip."""


class RightsizeSettings(RuleSettings):
    """Settings of the rightsize rule."""

    cpu_percentile: Percentile = Field(
        "P99.5", description="percentile of the CPU samples (means) that sizes the machine"
    )
    cpu_headroom_percent: float = Field(
        20.0, ge=0, lt=100, description="share of the new machine's CPU kept free at it"
    )
    limit_percent: float = Field(
        90.0, gt=0, le=100, description="CPU that may be exceeded 0.5 % of the time, at most"
    )
    memory_headroom_percent: float = Field(
        15.0, ge=0, lt=100, description="share of the new machine's memory free at its peak"
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
    def offers(self) -> size.Offers:
        """Every type of the market, and whether it could take the machine's place."""
        return offers(self.ladder, self.current, self.need)

    @cached_property
    def choice(self) -> int | None:
        """The market position of the machine to take; None = nothing smaller and cheaper."""
        return size.choose(
            self.offers,
            vcpus=self.current.vcpus,
            memory_gib=self._memory_gib,
            hourly=float(self.hourly),
            margin=self.settings.family_savings_percent / 100,
        )

    @property
    def _memory_gib(self) -> float:
        known = None if self.memory_is_settled else self.current.memory_gib
        return np.nan if known is None else known

    def alternatives(self, chosen: int) -> list[int]:
        """Up to three other types that would do: the next size up first, then the cheapest."""
        smaller = size.smaller(self.offers, self.current.vcpus, self._memory_gib)
        fits = self.offers.feasible & smaller & (self.offers.hourly < float(self.hourly))
        fits[chosen] = False
        kin = self.ladder.family == self.ladder.family[chosen]
        cautious = np.flatnonzero(fits & kin & (self.offers.hourly > self.offers.hourly[chosen]))
        ordered = dict.fromkeys([*cautious[:1].tolist(), *np.flatnonzero(fits).tolist()])
        return list(ordered)[:_ALTERNATIVES]

    def next_larger(self) -> int | None:
        """The cheapest type with more vCPUs than today that holds the demand; kin first."""
        larger = self.offers.feasible & (self.offers.vcpus > self.current.vcpus)
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
    sizing = Sizing(
        case=case,
        current=shape,
        cost=priced.cost,
        hourly=priced.hourly,
        currency=priced.currency,
        need=need_of(case, shape, profile, settings),
        ladder=Ladder.of(_market(case, priced.currency)),
        settings=settings,
    )
    return _without_choice(sizing) or sizing


def need_of(case: Case, shape: Shape, profile: Profile, settings: RightsizeSettings) -> Need:
    """What a machine in this one's place must hold, by that CPU profile."""
    cpu = cpu_demand(profile, settings.cpu_percentile)
    return Need(
        vcpus=vcpus_needed(cpu, shape.vcpus, settings.cpu_headroom_percent, settings.limit_percent),
        cpu=cpu,
        memory=memory_demand(case, settings.memory_headroom_percent, settings.size_memory),
        network=network_demand(case),
        allow_architecture_change=settings.allow_architecture_change,
        allow_burstable=settings.allow_burstable,
        allow_local_disk_loss=settings.allow_local_disk_loss,
    )


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

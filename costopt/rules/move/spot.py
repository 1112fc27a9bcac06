"""Spot: for work that bears an interruption, what it is expected to cost where it stands.

Anti-pattern: batch work at the full price; or a database on machines that go away. Better: spot for
what policy marks or what looks interruptible, at the price with lost hours counted, and only where
it saves with the price and the interruptions at their unfavourable ends.

The machine stays what it is and where it is: the same type, bought another way. Its restart, and
the work lost since the last checkpoint, are in the price (optimize/spot.py). A type of which nobody
says how often it is interrupted is not advised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np

from costopt.model import ActionType, Effort, Offer, Price, Recommendation, Savings, Skip, Window
from costopt.optimize.spot import (
    Expected,
    Interruptible,
    band_rates,
    break_even_rate,
    expected,
    usual_range,
)
from costopt.pricing.age import age
from costopt.pricing.interruptions import Band
from costopt.rules.interruptible import Answer, Interruptibility, interruptible
from costopt.rules.move.groups import Gathered, Group
from costopt.rules.move.market import World
from costopt.rules.move.settings import CODE, MoveSettings
from costopt.rules.move.subjects import Subject
from costopt.units import cents_down, money

CODES: Final = ("spot-unsure", "no-spot-price", "interruptions-unknown", "small-saving")
"""Of why spot is not advised of what bears interruptions."""


@dataclass(frozen=True, slots=True, eq=False)
class OnSpot:
    """One machine's price on spot against that on demand, an hour, in the currency of its price."""

    subject: Subject
    group: Group
    may: Interruptibility
    on_demand: Price
    spot: Price
    band: Band
    expected: Expected
    break_even: float  # interruptions an hour

    @property
    def share(self) -> float:
        """Of today's computing cost: what is expected to be saved."""
        return 1 - float(self.expected.cost) / float(self.on_demand.list_unit_price)

    @property
    def share_low(self) -> float:
        """The same at the unfavourable ends; -inf where the work may never be done."""
        return 1 - float(self.expected.high) / float(self.on_demand.list_unit_price)


def on_spot(
    found: Gathered, world: World, settings: MoveSettings, window: Window, *, least: float
) -> tuple[dict[str, Recommendation], tuple[Skip, ...]]:
    """What should run on spot, by resource id; and what might, and why it is not advised.

    Args:
        least: smallest saving a month worth a change, in the bill's currency.
    """
    advised: dict[str, Recommendation] = {}
    skips: list[Skip] = []
    for group in found.groups if settings.spot else ():
        for one in group.members:
            priced = _judged(one, group, world, settings)
            told = (
                _advice(priced, world, settings, window, least)
                if isinstance(priced, OnSpot)
                else priced
            )
            if isinstance(told, Recommendation):
                advised[one.resource.resource_id] = told
            elif told is not None:
                skips.append(Skip(one.resource.resource_id, CODE, *told))
    return advised, tuple(skips)


def _judged(
    one: Subject, group: Group, world: World, settings: MoveSettings
) -> OnSpot | tuple[str, str] | None:
    """Its price on spot; why it is not known; None = it is no question."""
    resource, price = one.resource, one.case.price
    may = _may(one, group, settings)
    if price is None or out_of_question(one, group, settings):
        return None
    kind, region = price.instance_type, resource.region_id
    spot = world.catalogue.price(
        resource.provider_name, region, kind, pricing_category="Dynamic", currency=price.currency
    )
    if spot is None:
        return "no-spot-price", f"{may.reason}, but no spot price of {kind} in {region} is known"
    band = world.interruptions.band(resource.provider_name, region, kind, resource.operating_system)
    if band is None:
        return "interruptions-unknown", (
            f"{may.reason}, and spot is at {_off(price, spot)} % less, but nobody says how often "
            f"{kind} is interrupted in {region}"
        )
    work = Interruptible(
        settings.checkpoint_hours, settings.restart_hours, settings.interruption_cost
    )
    listed, paid = float(price.list_unit_price), float(spot.list_unit_price)
    low, middle, high = band_rates(band.low, band.high, band.hours)
    usual = float(low) if np.isnan(middle) else float(middle)
    cost = expected(
        paid, usual, work, price_range=usual_range(paid, listed), rate_range=(low, high)
    )
    return OnSpot(
        one, group, may, price, spot, band, cost, float(break_even_rate(paid, listed, work))
    )


def _may(one: Subject, group: Group, settings: MoveSettings) -> Interruptibility:
    beside = [member.resource for member in group.members if member is not one]
    return interruptible(one.case, settings, beside)


def out_of_question(one: Subject, group: Group, settings: MoveSettings) -> str:
    """Why nobody asks whether the machine should run on spot; "" = it is asked."""
    if not settings.spot:
        return "rules.move spot is off"
    if one.resource.pricing_category == "Dynamic":
        return "it runs on spot already"
    if one.stranded:
        return "commitments pay for it"
    if one.case.price is None:
        return "its price on demand is not known"
    may = _may(one, group, settings)
    return "" if may.answer is Answer.YES else may.reason


def _off(price: Price, spot: Price) -> str:
    return f"{100 * float(1 - spot.list_unit_price / price.list_unit_price):.0f}"


def _advice(
    told: OnSpot, world: World, settings: MoveSettings, window: Window, least: float
) -> Recommendation | tuple[str, str]:
    one, resource = told.subject, told.subject.resource
    saved = one.run * told.share
    detail = f"{told.may.reason}; {resource.instance_type} on spot, {told.band}"
    if told.share_low <= 0:
        return (
            "spot-unsure",
            f"{detail}, saves {saved:,.2f} a month if all goes as usual, not surely",
        )
    target = cents_down(money(saved))
    if target < Decimal(repr(least)) or target <= 0:
        return "small-saving", f"{detail}, saves {target} a month"
    low = cents_down(money(one.run * told.share_low))
    high = 1 - float(told.expected.low) / float(told.on_demand.list_unit_price)
    current = one.case.current
    return Recommendation(
        rule=CODE,
        action_type=ActionType.SPOT,
        resource_id=resource.resource_id,
        resource_name=resource.resource_name,
        sub_account_id=resource.sub_account_id,
        current=current,
        recommended=_offer(current, told.spot),
        estimated_monthly_cost=cents_down(money(one.run)) - target,
        estimated_monthly_savings=Savings(
            low=min(low, target),
            target=target,
            high=max(target, cents_down(money(one.run * high))),
            at_list=None,
            basis=one.case.cost.basis if one.case.cost else "list",
        ),
        currency=world.currency,
        lookback=window,
        reason=_reason(told, window),
        implementation_effort=Effort.MEDIUM,
        restart_needed=True,
        rollback_possible=True,
        evidence=_figures(told, settings),
        tags=resource.tags,
    )


def _offer(current: Offer, spot: Price) -> Offer:
    return Offer(
        provider_name=current.provider_name,
        region_id=current.region_id,
        instance_type=current.instance_type,
        vcpus=current.vcpus,
        memory_gib=current.memory_gib,
        gpu_model=current.gpu_model,
        gpu_count=current.gpu_count,
        hourly_price=spot.list_unit_price,
        currency=spot.currency,
        pricing_category="Dynamic",
    )


def _reason(told: OnSpot, window: Window) -> str:
    price, spot = told.on_demand, told.spot
    parts = [
        f"{told.may.reason}; on spot an hour is {spot.list_unit_price.normalize():f} instead of "
        f"{price.list_unit_price.normalize():f} {price.currency}, {float(told.expected.cost):.4g} "
        f"with the work that interruptions cost ({told.band}), at most "
        f"{float(told.expected.high):.4g}"
    ]
    days = [day for day in (spot.valid_from, told.band.day) if day is not None]
    if days and age(min(days), window.end.date()).stale:
        parts.append(f"prices or interruptions are of {min(days)} and may be stale")
    return "; ".join(parts)


def _figures(told: OnSpot, settings: MoveSettings) -> dict[str, Any]:
    """Money an hour, in the currency of the price."""
    days: Mapping[str, date | None] = {"price": told.spot.valid_from, "band": told.band.day}
    return {
        "group": told.group.label,
        "group_name": told.group.name,
        "group_machines": len(told.group.members),
        "interruptible": {"basis": told.may.basis.value, "reason": told.may.reason},
        "spot_hourly_price": told.spot.list_unit_price,
        "expected_hourly_cost": money(round(float(told.expected.cost), 6)),
        "expected_hourly_cost_high": money(round(float(told.expected.high), 6)),
        "interrupted_share": [told.band.low, told.band.high],
        "interrupted_within_hours": told.band.hours,
        "break_even_interruptions_per_hour": round(told.break_even, 4),
        "checkpoint_hours": settings.checkpoint_hours,
        "restart_hours": settings.restart_hours,
        "dates": {name: day.isoformat() for name, day in days.items() if day},
        "sources": sorted({text for text in (told.spot.source, told.band.source) if text}),
    }

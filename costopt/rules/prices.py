"""What a machine costs today, and what is sold where it stands.

Both are compared as they would be billed: Google's sustained use discounts, which come by
themselves and differ by series, are off the list price of either side, for the hours that the
machine runs. An account that pays by invoice has none; for it a move away from a series that has
them is told to save less than it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from costopt.frame.cost import list_cost
from costopt.model import Cost, Offer, Price, Recommendation, Resource, Shape
from costopt.pricing import sustained
from costopt.pricing.age import age
from costopt.pricing.catalogue import Floats, Market
from costopt.rules.base import Case
from costopt.rules.scope import Refusal
from costopt.units import provider_key


@dataclass(frozen=True, slots=True)
class Priced:
    """What it costs, by which price of an hour it is compared, and with what."""

    cost: Cost
    hourly: Decimal  # as billed
    currency: str  # of `hourly`: a bill in euros is compared by the ratio of prices in dollars
    market: Market  # of that currency; never empty
    month: Decimal  # share of the month that counts for sustained use discounts; 0 = there are none


def priced(case: Case, shape: Shape) -> Priced | Refusal:
    """Today's cost, its hourly price and the market, or why there is none."""
    cost, price = case.cost, list_price(case)
    if cost is None:
        return "no-price", _unpriced(case)
    month = sustained_month(case.resource, cost)
    # what is billed has its discounts already
    hourly = cost.hourly_effective
    if price:
        hourly = as_billed(price.list_unit_price, price.instance_type, month)
    if hourly is None or hourly <= 0:
        return "no-price", f"no list price of {shape.instance_type} and no billed hours"
    currency = price.currency if price else cost.currency
    market = _market(case, currency)
    if not market.shapes:
        return "no-market", _unsold(case, currency)
    return Priced(cost, hourly, currency, market, month)


def sustained_month(resource: Resource, cost: Cost) -> Decimal:
    """Share of the month's hours, 0..1, for which a machine in its place has sustained use
    discounts; 0 = it has none: of another cloud, on the spot market, or wholly committed.

    Of what is committed in part, that part counts which no commitment covers: only that is saved.
    """
    google = provider_key(resource.provider_name) == "gcp"
    if not google or resource.pricing_category == "Dynamic" or cost.committed_share >= 1:
        return Decimal(0)
    return Decimal(repr(cost.running_share))


def as_billed(listed: Decimal, instance_type: str, month: Decimal) -> Decimal:
    """An hour of the type at its list price less its sustained use discount.

    Args:
        month: as of `sustained_month`.
    """
    return listed * (1 - sustained.discount(instance_type, month))


def all_as_billed(market: Market, month: Decimal) -> Floats:
    """(types,) the same of every type of the market, parallel to its prices."""
    if not month:
        return market.hourly
    kinds, of_type = _kinds(market)
    paid = np.array([float(1 - sustained.discount(kind, month)) for kind in kinds])
    return np.asarray(market.hourly * paid[of_type])


@lru_cache(maxsize=256)
def _kinds(market: Market) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The kinds of types that are discounted alike, and which of them each type is."""
    names, of_type = np.unique(
        [sustained.kind(price.instance_type) for price in market.prices], return_inverse=True
    )
    return names.tolist(), of_type


def unbilled_cost(resource: Resource, price: Price | None) -> Cost | None:
    """The cost of a machine that no bill names: its list price, less what the provider takes off
    by itself; None without a price."""
    whole = list_cost(resource, price)
    if whole is None or price is None:
        return None
    month = sustained_month(resource, whole)
    return list_cost(resource, price, sustained.discount(price.instance_type, month))


def attached_gpu(resource: Resource) -> str:
    """The accelerator type of cards attached to the machine that its type does not bring along
    (Google's N1), as their prices name it; "" = none."""
    return resource.attributes.get("attached_gpu", "")


def _unpriced(case: Case) -> str:
    """Why no cost is known, and what would help."""
    resource, known = case.resource, case.catalogue.providers()
    if resource.provider_name == "OnPrem":
        return "no entry of a hosts file prices it: costopt collect prometheus --hosts"
    if provider_key(resource.provider_name) not in known:
        listed = ", ".join(known)
        return f"there are no prices of the provider {resource.provider_name}, only of {listed}"
    if resource.region_id is None and resource.instance_type:
        return "no bill names it, and without its RegionId it has no list price"
    if card := attached_gpu(resource):
        return f"no bill names it, and there is no list price of it with its {card} cards"
    return "neither a bill nor a price names it"


def list_price(case: Case) -> Price | None:
    """The list price of the way the machine is bought: spot is compared with spot."""
    price = case.price
    return price if price and price.pricing_category == _category(case) else None


def _category(case: Case) -> str:
    """A committed machine's list price is the on-demand one; its discount is in the bill."""
    return "Dynamic" if case.resource.pricing_category == "Dynamic" else "Standard"


def _market(case: Case, currency: str) -> Market:
    """The types priced where it stands, of its operating system and way of purchase."""
    return case.catalogue.market(
        case.resource.provider_name,
        case.resource.region_id,
        operating_system=case.resource.operating_system,
        pricing_category=_category(case),
        currency=currency,
    )


def _unsold(case: Case, currency: str) -> str:
    resource = case.resource
    system = f"{resource.operating_system} " if resource.operating_system else ""
    place = resource.region_id or resource.provider_name
    return f"no {system}machine types are priced ({_category(case)}) in {currency} in {place}"


def dated(advice: Recommendation, case: Case) -> Recommendation:
    """The advice with the days of the list prices that it rests on (evidence `prices_of`), and a
    word in its reason where the oldest is stale (pricing/age.py).

    What another machine saves is reckoned by the ratio of list prices, whatever the bill says; what
    no longer runs saves what is billed, and rests on the list only where there is no bill.
    """
    compared = advice.recommended not in (None, advice.current)
    listed = advice.estimated_monthly_savings.basis == "list"
    offers = (advice.current, advice.recommended if compared else None)
    priced_by = [_listed(offer, case) for offer in offers if offer and (compared or listed)]
    days = sorted({one.valid_from for one in priced_by if one and one.valid_from})
    if not days:
        return advice
    stale = age(days[0], case.as_of).stale
    return replace(
        advice,
        reason=f"{advice.reason}; prices of {days[0]} may be stale" if stale else advice.reason,
        evidence={**advice.evidence, "prices_of": [day.isoformat() for day in days]},
    )


def _listed(offer: Offer, case: Case) -> Price | None:
    if not offer.instance_type:
        return None
    return case.catalogue.price(
        offer.provider_name,
        offer.region_id,
        offer.instance_type,
        operating_system=case.resource.operating_system,
        pricing_category=_category(case),
        currency=offer.currency,
    )

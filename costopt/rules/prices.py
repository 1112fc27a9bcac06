"""What a machine costs today, and what is sold where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from costopt.model import Cost, Price, Shape
from costopt.pricing.catalogue import Market
from costopt.rules.base import Case
from costopt.rules.scope import Refusal
from costopt.units import provider_key


@dataclass(frozen=True, slots=True)
class Priced:
    """What it costs, by which price of an hour it is compared, and with what."""

    cost: Cost
    hourly: Decimal
    currency: str  # of `hourly`: a bill in euros is compared by the ratio of prices in dollars
    market: Market  # of that currency; never empty


def priced(case: Case, shape: Shape) -> Priced | Refusal:
    """Today's cost, its hourly price and the market, or why there is none."""
    cost, price = case.cost, list_price(case)
    if cost is None:
        return "no-price", _unpriced(case)
    hourly = price.list_unit_price if price else cost.hourly_effective
    if hourly is None or hourly <= 0:
        return "no-price", f"no list price of {shape.instance_type} and no billed hours"
    currency = price.currency if price else cost.currency
    market = _market(case, currency)
    if not market.shapes:
        return "no-market", _unsold(case, currency)
    return Priced(cost, hourly, currency, market)


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

"""SKUs of the Cloud Billing Catalogue: of which part of a machine each is the price, and how much.

Read as protobuf messages (google.cloud.billing.v1.Sku).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from costopt.providers.gcp.prices import descriptions
from costopt.providers.gcp.prices.descriptions import Part
from costopt.units import HOURS_PER_MONTH

CURRENCY: Final = "USD"
USAGES: Final = ("OnDemand", "Preemptible", "Commit1Yr", "Commit3Yr")
STRANGE: Final = "not understood"

_HOURS: Final = {
    "s": Decimal(1) / 3600,
    "min": Decimal(1) / 60,
    "h": Decimal(1),
    "d": Decimal(24),
    "mo": Decimal(HOURS_PER_MONTH),
}
_GIB: Final = {
    "MiBy": Decimal(1) / 1024,
    "GiBy": Decimal(1),
    "TiBy": Decimal(1024),
    "GBy": Decimal(10**9) / 2**30,  # some series are billed by decimal gigabytes
}
_BY_SIZE: Final = ("ram", "extended", "premium-ram", "ssd")
_NANO: Final = Decimal("1e-9")


class Offer(NamedTuple):
    """A part at a price."""

    part: Part
    usage: str  # one of USAGES
    hourly: Decimal  # dollars an hour: of one vCPU, GiB, card or machine
    since: date | None
    regions: tuple[str, ...]


def offer(sku: Any, now: datetime) -> Offer | str:
    """The part's price; a text says why the SKU is left out.

    Args:
        now: prices that hold from later on do not count (UTC).
    """
    if reason := descriptions.left_out(sku.description):
        return reason
    found = descriptions.sold(sku.description)
    usage = _usage(found.usage, sku.category.usage_type) if found else ""
    if found is None or usage not in USAGES:
        return STRANGE
    price, regions = _price(sku, found.part, now), _regions(sku)
    if isinstance(price, str):
        return price
    return Offer(found.part, usage, *price, regions) if regions else "of no region"


def _usage(described: str, category: str) -> str:
    """How it is bought; "" where description and category cannot both be right.

    Some spot SKUs are of the category OnDemand.
    """
    if described == "Preemptible":
        return described if category in ("OnDemand", "Preemptible") else ""
    if described or category.startswith("Commit"):
        return category if category == described else ""
    return category


def _regions(sku: Any) -> tuple[str, ...]:
    found = tuple(sku.service_regions) or tuple(sku.geo_taxonomy.regions)
    return tuple(region for region in found if region and region != "global")


def _price(sku: Any, part: Part, now: datetime) -> tuple[Decimal, date | None] | str:
    """Dollars an hour and since when; or why there is none."""
    in_force = [one for one in sku.pricing_info if one.effective_time.seconds <= now.timestamp()]
    if not in_force:
        return "not in force yet"
    info = max(in_force, key=lambda one: one.effective_time.ToNanoseconds())
    expression = info.pricing_expression
    per_hour = _per_hour(expression.usage_unit, part)
    if per_hour is None:
        return STRANGE
    rates = sorted(expression.tiered_rates, key=lambda tier: tier.start_usage_amount)
    if any(tier.unit_price.currency_code not in ("", CURRENCY) for tier in rates):
        return f"not in {CURRENCY}"
    # what comes first for free is a gift within an account, not a machine's price
    amount = next((money for tier in rates if (money := _money(tier.unit_price)) > 0), None)
    if amount is None:
        return "of a price of zero"
    seconds = info.effective_time.seconds
    since = datetime.fromtimestamp(seconds, UTC).date() if seconds else None
    return amount * per_hour, since


def _money(price: Any) -> Decimal:
    return Decimal(price.units) + Decimal(price.nanos) * _NANO


def _per_hour(unit: str, part: Part) -> Decimal | None:
    """What makes a price per unit one of an hour (and a GiB); None: no such unit."""
    size, dot, time = unit.rpartition(".")
    hours = _HOURS.get(time)
    if hours is None or bool(dot) != (part.kind in _BY_SIZE):
        return None
    if not dot:
        return 1 / hours
    return 1 / (hours * _GIB[size]) if size in _GIB else None

"""The list's items, and which of them are prices of an ordinary machine.

Of the some ten items of a size in a region, most are another thing under its name: the Windows
price, spot, Low Priority (of Batch), hosts, Cloud Services (at the Windows price, with nothing that
says Windows), Dev/Test subscriptions, prices that no longer or not yet hold. A reservation's price
is that of the whole term, though its unit says "1 Hour"; a savings plan's rates stand inside the
item of the on-demand price.

Source: Microsoft, "Azure Retail Prices overview" (property details); the oddities by name in
tests/providers/azure/test_prices_rows.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from costopt import schema
from costopt.model import Price
from costopt.pricing import azure_sizes
from costopt.pricing.layer import type_key
from costopt.providers import listed
from costopt.providers.azure.prices.source import Item

SOURCE: Final = schema.AZURE_RETAIL
_HOUR: Final = "1 Hour"
_TYPE: Final = re.compile(r"(?:Standard|Basic)_[A-Za-z0-9][A-Za-z0-9_-]{0,60}")
_YEARS: Final = re.compile(r"([135]) Years?")
_SPOT: Final = re.compile(r"\bspot\b", re.IGNORECASE)
_WINDOWS: Final = re.compile(r"\bwin(?:dows)?\b", re.IGNORECASE)
_OTHER_PRODUCT: Final = re.compile(r"\bdedicated ?host|\bcloud ?services\b", re.IGNORECASE)
_OTHER_METER: Final = re.compile(r"\blow priority\b", re.IGNORECASE)
_PROMO: Final = re.compile(r"\bpromo\b", re.IGNORECASE)
_MOST: Final = Decimal("1e9")  # three years of the dearest machine cost below a hundred million

# What a commitment of Azure's costs is the same however it is paid: at once, or by the month.
_RESERVED: Final = "{}yr no-upfront"
_SAVINGS_PLAN: Final = "{}yr no-upfront compute-savings-plan"


@dataclass
class Listed:
    """What one region's list gave."""

    prices: list[Price] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)  # items that say no price, by reason


class _Offer(NamedTuple):
    """One price of an item."""

    category: str
    term: str | None
    hourly: Decimal


class _Rank(NamedTuple):
    """Which of two prices of the same thing counts: the greater one."""

    is_primary: bool  # a meter's own region; of many meters no region is
    since: datetime
    meter: str
    sku: str
    hourly: Decimal


class _Refused(Exception):
    """An item that says no price, and why. Nothing of the item itself is repeated: it is what
    somebody on the network said."""


def read(items: Iterable[Item], region: str, currency: str, moment: datetime) -> Listed:
    """The prices of ordinary machines that hold at a moment, one for each size, system, category
    and term, in memory of the prices kept.

    x_ValidFrom is that day: an item's own date says since when its price holds, often for years,
    and not that it still does.

    Args:
        items: of one region's list, in one currency; others are left out.
        moment: UTC.
    """
    found = Listed()
    best: dict[tuple[str, ...], tuple[_Rank, Price]] = {}
    for item in items:
        try:
            for rank, price in _prices(item, region, currency, moment, found.left_out):
                key = (type_key(price.instance_type), price.operating_system or "",
                       price.pricing_category, price.term or "")  # fmt: skip
                if key not in best or best[key][0] < rank:
                    best[key] = (rank, price)
        except _Refused as why:
            found.left_out[str(why)] += 1
    found.prices = [price for _, price in best.values()]
    return found


def _prices(
    item: Item, region: str, currency: str, moment: datetime, left_out: Counter[str]
) -> Iterator[tuple[_Rank, Price]]:
    if _is_another_thing(item):
        return
    _vet(item, region, currency)
    since, until = _moment(item, "effectiveStartDate"), _moment(item, "effectiveEndDate")
    if since is None:
        raise _Refused("no day since when it holds")
    if since > moment or (until is not None and until < moment):
        return
    is_primary = item.get("isPrimaryMeterRegion") is True
    for offer in _offers(item, left_out):
        rank = _Rank(is_primary, since, _text(item, "meterId"), _text(item, "skuId"), offer.hourly)
        yield (
            rank,
            Price(
                provider_name=azure_sizes.PROVIDER,
                region_id=region,
                instance_type=_text(item, "armSkuName"),
                list_unit_price=offer.hourly,
                currency=currency,
                pricing_category=offer.category,
                operating_system="Windows"
                if _WINDOWS.search(_text(item, "productName"))
                else "Linux",
                term=offer.term,
                valid_from=moment.astimezone(UTC).date(),
                source=SOURCE,
            ),
        )


def _vet(item: Item, region: str, currency: str) -> None:
    if _text(item, "armRegionName") != region:
        raise _Refused("of another region")
    if _text(item, "currencyCode") != currency:
        raise _Refused(f"not in {currency}")
    if not _TYPE.fullmatch(_text(item, "armSkuName")):
        raise _Refused("no size's name")
    if _text(item, "unitOfMeasure") != _HOUR:
        raise _Refused("no price of an hour")


def _is_another_thing(item: Item) -> bool:
    """What nobody can buy as an ordinary machine, and what has no size at all."""
    product, name = _text(item, "productName"), _text(item, "armSkuName")
    meter = f"{_text(item, 'meterName')} {_text(item, 'skuName')}"
    return bool(
        item.get("type") not in ("Consumption", "Reservation")
        or not name
        or _OTHER_PRODUCT.search(product)
        or _OTHER_METER.search(meter)
        # A size on promotion is listed under its own name, or under that of the size itself.
        or (_PROMO.search(f"{product} {meter}") and not name.endswith("_Promo"))
        or _tier(item) > 0
    )


def _offers(item: Item, left_out: Counter[str]) -> Iterator[_Offer]:
    """The item's own price and, inside it, those of savings plans."""
    spot = _SPOT.search(f"{_text(item, 'meterName')} {_text(item, 'skuName')}")
    price = _amount(item)
    if item["type"] == "Reservation":
        years = _years(item, "reservationTerm")
        hours = years * listed.HOURS_PER_YEAR
        yield _Offer("Committed", _RESERVED.format(years), _hourly(price / hours))
        return
    yield _Offer("Dynamic" if spot else "Standard", None, _hourly(price))
    plans = item.get("savingsPlan")
    for plan in plans if isinstance(plans, list) and not spot else ():
        try:
            rate = plan if isinstance(plan, dict) else {}
            term = _SAVINGS_PLAN.format(_years(rate, "term"))
            yield _Offer("Committed", term, _hourly(_amount(rate)))
        except _Refused as why:
            left_out[f"savings plan: {why}"] += 1


def _amount(told: Mapping[str, Any]) -> Decimal:
    """An exact amount of money above zero. Savings plans name it by either name, or both."""
    value = told.get("retailPrice", told.get("unitPrice"))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _Refused("no price of an hour")
    if value <= 0:
        raise _Refused("a price of zero" if value == 0 else "a price below zero")
    if value >= _MOST:
        raise _Refused("no price of an hour")
    return Decimal(value)


def _hourly(value: Decimal) -> Decimal:
    hourly = listed.hourly(value)
    if not hourly:
        raise _Refused("a price of zero")
    return hourly


def _years(told: Mapping[str, Any], name: str) -> int:
    found = _YEARS.fullmatch(_text(told, name))
    if found is None:
        raise _Refused("a term of another kind")
    return int(found[1])


def _tier(item: Item) -> Decimal:
    """From how many units a month on the price holds; machines are billed by the first tier."""
    value = item.get("tierMinimumUnits", 0)
    return Decimal(value) if isinstance(value, int | Decimal) else Decimal()


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value.strip() if isinstance(value, str) else ""


def _moment(item: Item, name: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(_text(item, name))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found

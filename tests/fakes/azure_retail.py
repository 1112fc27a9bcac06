"""Azure's Retail Prices API, behind the fakes' door or one of its own, with the real one's ways.

    with retail() as prices:
        prices.items += around(item("Standard_D4s_v5", 0.23))

Pages have 1,000 items. The link to the next one names the port, has the filter with blanks and
quotes as they are, and forgets version and currency. Filters know upper and lower case. Savings
plans show in one version only. Source: learn.microsoft.com/rest/api/cost-management/retail-prices/
azure-retail-prices, and what clients on GitHub note of it (cited in the tests).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.azure_arm import Answer, Call, Door, refusal, said, serve

PATH = "/api/retail/prices"
PREVIEW = "2023-01-01-preview"
REGION = "westeurope"
Item = dict[str, Any]

_CLAUSE = re.compile(r"(\w+) eq '([^']*)'")
_FIELDS = {"priceType": "type"}  # filters call it otherwise


@dataclass
class Retail:
    """What is listed, in dollars."""

    door: Door
    items: list[Item] = field(default_factory=list)
    page: int = 1000
    rates: dict[str, float] = field(default_factory=dict)  # other currencies, for a dollar
    link: Callable[[Retail, Call, int], object] | None = None  # in place of the usual one
    _chosen: dict[str, list[Item]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.door.url

    @property
    def asked(self) -> list[Call]:
        """The calls for prices."""
        return [call for call in self.door.calls if call.path == PATH]

    def answer(self, call: Call) -> Answer | None:
        """A page of what the filter lets through."""
        if call.path != PATH:
            return None
        found = self._filtered(call.query.get("$filter", ""))
        if found is None:
            return refusal(400, "BadRequest", "Invalid OData parameters supplied")
        start = int(call.query.get("$skip", 0))
        end = start + self.page
        currency = call.query.get("currencyCode", "USD")
        known = currency if currency in self.rates else "USD"
        return said(
            {
                "BillingCurrency": known,
                "CustomerEntityId": "Default",
                "CustomerEntityType": "Retail",
                "Items": [self._shown(one, call, known) for one in found[start:end]],
                "NextPageLink": (self.link or usual_link)(self, call, end)
                if end < len(found) or self.link
                else None,
                "Count": 1000,  # whatever there is
            }
        )

    def _filtered(self, wanted: str) -> list[Item] | None:
        if wanted not in self._chosen:
            clauses = [_CLAUSE.fullmatch(part) for part in wanted.split(" and ")]
            if None in clauses:
                return None
            named = [(_FIELDS.get(one[1], one[1]), one[2]) for one in clauses if one]
            self._chosen[wanted] = [
                item for item in self.items if all(item.get(name) == value for name, value in named)
            ]
        return self._chosen[wanted]

    def _shown(self, one: Item, call: Call, currency: str) -> Item:
        shown = dict(one)
        if call.query.get("api-version") != PREVIEW:
            shown.pop("savingsPlan", None)
        if currency != "USD":
            shown |= {"currencyCode": currency, **_converted(one, self.rates[currency])}
        return shown


def _converted(one: Item, rate: float) -> Item:
    prices = {name: round(one[name] * rate, 6) for name in ("retailPrice", "unitPrice")}
    plans = one.get("savingsPlan")
    return prices | ({"savingsPlan": [p | _converted(p, rate) for p in plans]} if plans else {})


def usual_link(prices: Retail, call: Call, skip: int) -> object:
    """As the API writes it; the port is there even where it is the scheme's own."""
    return f"{prices.url}{PATH}?$filter={call.query['$filter']}&$skip={skip}"


@contextmanager
def retail() -> Iterator[Retail]:
    """A list of its own, empty, served."""
    with serve(Door()) as door:
        yield behind(door)


def behind(door: Door) -> Retail:
    """An empty list behind that door."""
    prices = Retail(door)
    door.services.append(prices.answer)
    return prices


# -- items -----------------------------------------------------------------------------------------


def item(size: str, price: float, region: str = REGION, **other: Any) -> Item:
    """An on-demand price of Linux; `other` overrides fields."""
    meter = size.removeprefix("Standard_").replace("_", " ")
    series = re.sub(r"\d+", "", meter).replace(" ", "")
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": region,
        "location": "EU West",
        "effectiveStartDate": "2021-11-01T00:00:00Z",
        "meterId": f"meter of {size}",
        "meterName": meter,
        "productId": "DZH318Z08NC2",
        "skuId": f"DZH318Z08NC2/{meter}",
        "productName": f"Virtual Machines {series} Series",
        "skuName": meter,
        "serviceName": "Virtual Machines",
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": size,
    } | other


def windows(one: Item, price: float) -> Item:
    """The same machine with Windows."""
    return _at(one, price) | {"productName": f"{one['productName']} Windows"}


def spot(one: Item, price: float, kind: str = "Spot") -> Item:
    """The same machine on the spot market, or of Low Priority."""
    names = {name: f"{one[name]} {kind}" for name in ("meterName", "skuName")}
    return _at(one, price) | names


def reserved(one: Item, total: float, term: str = "1 Year") -> Item:
    """The same machine for a term; the price is that of the whole of it."""
    return _at(one, total) | {"type": "Reservation", "reservationTerm": term}


def around(one: Item) -> list[Item]:
    """The item, and what is listed beside it, so that no other Linux price of an hour is among."""
    price = one["retailPrice"]
    future = {"effectiveStartDate": "2999-01-01T00:00:00Z"}
    cloud_services = one["productName"].removeprefix("Virtual Machines ") + " CloudServices"
    return [
        windows(one, price * 1.9),
        spot(one, price * 0.1, "Low Priority"),
        reserved(one, price * 8760 * 0.6),
        one,
        spot(one, price * 0.2),
        spot(windows(one, price * 1.9), price * 0.5),
        _at(one, price * 1.9) | {"productName": cloud_services},
        _at(one, price * 0.8) | {"type": "DevTestConsumption"},
        reserved(one, price * 26280 * 0.4, "3 Years"),
        _at(one, price * 1.5) | future,
        _at(one, price * 0.5) | {"effectiveStartDate": "2015-01-01T00:00:00Z"},
        _at(one, price * 1.2) | {"isPrimaryMeterRegion": False, "meterId": "zzz"},
    ]


def _at(one: Item, price: float) -> Item:
    return one | {"retailPrice": price, "unitPrice": price}

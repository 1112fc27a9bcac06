"""The Cloud Billing Catalogue on loopback: SKUs as Google writes them, in pages of 5,000.

    with cloud() as made:  # tests.fakes.gcp_cloud
        made.catalogue.add("N2 Instance Core running in Belgium", "0.034773", "europe-west1")
        made.catalogue.add("N2 Instance Ram running in Belgium", "0.004661", "europe-west1")

Category and unit follow from the description as they do in the real list; `more` overrides them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from tests.fakes.gcp_rest import Answer, Call, Rest, error, page

NAME: Final = "cloudbilling.skus.list"
SERVICE: Final = "6F81-5844-456A"
SINCE: Final = "2026-08-03T00:00:00Z"
_MOST: Final = 5000
_NAMELESS: Final = {"Micro Instance": "F1Micro", "Small Instance": "G1Small"}

Sku = dict[str, Any]


@dataclass
class Catalogue:
    """The list of Compute Engine; a test may change what stands in it."""

    skus: list[Sku] = field(default_factory=list)
    page: int = _MOST  # SKUs on a page, at the most

    def add(self, description: str, price: str | Decimal, *regions: str, **more: Any) -> Sku:
        """One SKU; `more` as of `sku`."""
        made = sku(f"{len(self.skus):04X}-TEST", description, price, *regions, **more)
        self.skus.append(made)
        return made

    def routes(self, rest: Rest) -> None:
        """Have the call answered."""
        rest.route(NAME, "GET", "/v1/services/{service}/skus", self._listed)

    def _listed(self, call: Call) -> Answer | dict[str, Any]:
        if call.parts["service"] != SERVICE:
            return error(404, "Requested entity was not found.", "notFound")
        if int(call.query.get("pageSize") or 0) > _MOST:
            return error(400, "Page size must not be more than 5000.", "badRequest")
        found = page(self.skus, call, most=self.page)
        return found if isinstance(found, Answer) else {"skus": list(found[0]), **found[1]}


def sku(
    sku_id: str,
    description: str,
    price: str | Decimal,
    *regions: str,
    usage: str = "",
    unit: str = "",
    since: str = SINCE,
    currency: str = "USD",
    **more: Any,
) -> Sku:
    """One SKU with one price.

    Args:
        price: of one unit.
        usage: of its category; "" = as the description suggests.
        more: fields of the document, as the API names them.
    """
    group = _group(description)
    return {
        "name": f"services/{SERVICE}/skus/{sku_id}",
        "skuId": sku_id,
        "description": description,
        "category": {
            "serviceDisplayName": "Compute Engine",
            "resourceFamily": "Storage" if group == "LocalSSD" else "Compute",
            "resourceGroup": group,
            "usageType": usage or _usage(description),
        },
        "serviceRegions": list(regions),
        "pricingInfo": [pricing((0, price), unit=unit or _unit(group, description), since=since,
                                currency=currency)],
        "serviceProviderName": "Google",
        "geoTaxonomy": {
            "type": "REGIONAL" if len(regions) == 1 else "MULTI_REGIONAL",
            "regions": list(regions),
        },
        **more,
    }  # fmt: skip


def pricing(
    *tiers: tuple[float, str | Decimal], unit: str, since: str = SINCE, currency: str = "USD"
) -> dict[str, Any]:
    """A price that holds since then.

    Args:
        tiers: from which amount of use on, and the price of one unit.
    """
    rates = [
        {"startUsageAmount": start, "unitPrice": {"currencyCode": currency, **_money(price)}}
        for start, price in tiers
    ]
    expression = {"usageUnit": unit, "displayQuantity": 1, "tieredRates": rates}
    return {
        "effectiveTime": since,
        "summary": "",
        "pricingExpression": expression,
        "currencyConversionRate": 1,
    }


def _money(price: str | Decimal) -> dict[str, Any]:
    nanos = Decimal(price).scaleb(9)
    assert nanos == nanos.to_integral_value(), "the list knows no less than a billionth"
    units, rest = divmod(int(nanos), 10**9)
    return {"units": str(units), "nanos": rest}


def _group(description: str) -> str:
    for words, group in _NAMELESS.items():
        if words in description:
            return group
    if "Local S" in description:
        return "LocalSSD"
    if "N1 Predefined" in description:
        return "N1Standard"  # vCPUs and memory alike
    found = re.search(r"\b(?:Core|Cpu|Ram|RAM)\b", description)
    return {"Core": "CPU", "Cpu": "CPU"}.get(found[0], "RAM") if found else "GPU"


def _usage(description: str) -> str:
    if found := re.search(r"^Commitment.* for (\d) Year", description):
        return f"Commit{found[1]}Yr"
    return "Preemptible" if "Preemptible" in description else "OnDemand"


def _unit(group: str, description: str) -> str:
    if group == "LocalSSD":
        return "GiBy.mo"
    return "GiBy.h" if re.search(r"\bram\b", description, re.IGNORECASE) else "h"

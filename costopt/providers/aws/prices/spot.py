"""Spot prices: what a machine of the spot market cost lately, by type, system and region.

The mean over the last 24 hours, each price counted as long as it held, and then over the zones: the
present price alone may be a spike, and nobody knows in which zone a machine will be. The price in
force when the 24 hours begin counts from then on; AWS tells it, though it was set before.

Source: EC2 API, DescribeSpotPriceHistory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from costopt import schema
from costopt.model import Price
from costopt.providers import listed
from costopt.providers.aws.access import Account
from costopt.providers.aws.prices import rows
from costopt.providers.aws.prices.systems import ON_SPOT, System, system

SOURCE: Final = schema.AWS_SPOT
SPAN: Final = timedelta(hours=24)
_TYPES_A_CALL: Final = 100
History = dict[tuple[str, str], dict[str, list[tuple[datetime, Decimal]]]]


def prices(
    account: Account,
    region: str,
    until: datetime,
    types: Sequence[str] | None = None,
    systems: Iterable[System] = ON_SPOT,
) -> list[Price]:
    """The spot prices of a region over the 24 hours before `until` (UTC).

    Args:
        types: only these; None = all that are sold there.
    Raises:
        ClientError, BotoCoreError: AWS does not say.
    """
    history: History = {}
    asked = {
        "ProductDescriptions": [one.platform for one in systems],
        "StartTime": until - SPAN,
        "EndTime": until,
    }
    for part in _parts(types):
        pages = account.client("ec2", region).get_paginator("describe_spot_price_history")
        for page in pages.paginate(**asked, **part):
            for entry in page["SpotPriceHistory"]:
                _note(history, entry)
    found = []
    for (name, platform), zones in sorted(history.items()):
        means = [mean for _, steps in sorted(zones.items()) if (mean := _mean(steps, until))]
        if means:
            hourly = listed.hourly(sum(means, Decimal()) / len(means))
            found.append(_price(region, name, platform, hourly, until))
    return found


def _parts(types: Sequence[str] | None) -> list[dict[str, list[str]]]:
    if types is None:
        return [{}]
    return [
        {"InstanceTypes": list(types[start : start + _TYPES_A_CALL])}
        for start in range(0, len(types), _TYPES_A_CALL)
    ]


def _note(history: History, entry: Mapping[str, Any]) -> None:
    """Keep one change of price; what is no price of a machine we know is passed over."""
    price, known = rows.amount(entry["SpotPrice"]), system(entry["ProductDescription"])
    if price and known and rows.is_type(entry["InstanceType"]):
        zones = history.setdefault((entry["InstanceType"], known.name), {})
        steps = zones.setdefault(entry["AvailabilityZone"], [])
        steps.append((entry["Timestamp"].astimezone(UTC), price))


def _mean(steps: list[tuple[datetime, Decimal]], until: datetime) -> Decimal | None:
    """The mean of a zone's price, weighted by how long it held; None = none held before `until`."""
    begin, held, seconds = until - SPAN, Decimal(), 0
    ordered = sorted(set(steps))
    ends = [moment for moment, _ in ordered[1:]] + [until]
    for (moment, price), end in zip(ordered, ends, strict=True):
        span = int((min(end, until) - max(moment, begin)).total_seconds())
        if span > 0:
            held, seconds = held + price * span, seconds + span
    return held / seconds if seconds else None


def _price(region: str, name: str, system_name: str, hourly: Decimal, until: datetime) -> Price:
    return Price(
        provider_name=rows.PROVIDER,
        region_id=region,
        instance_type=name,
        list_unit_price=hourly,
        currency=rows.currency_of(region),
        pricing_category="Dynamic",
        operating_system=system_name,
        valid_from=until.date(),
        source=SOURCE,
    )

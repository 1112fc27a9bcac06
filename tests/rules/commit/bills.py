"""Small bills, inventories and price lists for the rule on commitments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from costopt import schema
from costopt.model import Resource
from costopt.model.bill import Held, Metered, Usage
from costopt.pricing import builtin
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.commitments import replay
from costopt.rules.commit import Commitments, commitments
from costopt.rules.commit.settings import CommitSettings

START = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())  # a Monday
WEEK = 168
REGION = "us-east-1"
RATE = 0.096
"""Of m5.large on demand."""
SURE = CommitSettings(yearly_decline=0.0, cost_of_capital=0.0)
"""Nothing is feared but what history shows."""


def usage(
    name: str | None,
    hours: Any,
    *,
    rate: float = RATE,
    provider: str = "aws",
    region: str = REGION,
    sku: str = "m5.large",
    unit: str = "Hours",
    pricing: str = "",
    uses: dict[str, float] | None = None,
    assumed: Sequence[str] = (),
) -> Usage:
    """A meter; `hours` in each period."""
    quantity = np.asarray(hours, np.float64)
    return Usage(
        key="\x1f".join(("1", region, name or "", "Compute", sku, unit, pricing)),
        resource_id=name,
        provider=provider,
        account="1",
        region=region,
        quantity=quantity,
        rate=np.full(len(quantity), rate),
        uses=uses or {},
        assumed=frozenset(assumed),
    )


def held(
    name: str, amount: Any, *, cost: float = 1.0, by_spend: bool = True, order: int = 2,
    kind: str = "", provider: str = "aws",
) -> Held:  # fmt: skip
    """A commitment of so much in each period; a unit costs `cost`."""
    size = np.asarray(amount, np.float64)
    return Held(name, name, provider, kind, order, by_spend, "1", size, size * cost)


def bill(
    usages: Sequence[Usage], commitments_: Sequence[Held] = (), *, hours: float = 1.0,
    provider: str = "aws",
) -> Metered:  # fmt: skip
    """A bill by the hour, or by periods of so many."""
    count = len(usages[0].quantity)
    starts = START + np.arange(count, dtype=np.int64) * int(hours * 3600)
    made = Metered(
        provider, "USD", starts, hours, tuple(usages), tuple(commitments_), np.zeros(count),
        Decimal(0),
    )  # fmt: skip
    return replace(made, actual=replay(made))


def machine(name: str, instance_type: str = "m5.large", **fields: Any) -> Resource:
    """A machine of the inventory."""
    return Resource(resource_id=name, provider_name="AWS", instance_type=instance_type, **fields)


def bought(name: str, term: str = "1yr", **attributes: str) -> Resource:
    """What the inventory says of a commitment."""
    return Resource(resource_id=name, provider_name="AWS", attributes={"term": term, **attributes})


def prices(*rows: tuple[str, str, str], region: str = REGION, provider: str = "AWS") -> Catalogue:
    """A catalogue with committed prices: type, term, price an hour."""
    table = pa.Table.from_pylist(
        [
            {
                "ProviderName": provider, "RegionId": region, "x_InstanceType": name,
                "x_OperatingSystem": "Linux", "PricingCategory": "Committed", "x_Term": term,
                "ListUnitPrice": Decimal(price), "PricingCurrency": "USD",
                "x_ValidFrom": date(2026, 5, 1), "x_Source": "a list",
            }
            for name, term, price in rows
        ],
        schema=schema.PRICES,
    )  # fmt: skip
    return Catalogue.load(table)


@contextmanager
def without_the_snapshot() -> Iterator[None]:
    """No commitment has a price but by the lists that are given, and the bill."""
    read = builtin.read

    def without(provider_key: str, name: Any) -> pa.Table | None:
        return None if name == "commitments" else read(provider_key, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "read", without)
        yield


RESERVED = ("m5.large", "1yr no-upfront", "0.0576")  # 60 % of the price on demand
PLAN = ("m5.large", "1yr no-upfront compute-savings-plan", "0.072")  # 75 %


def advise(
    one: Metered,
    catalogue: Catalogue,
    settings: CommitSettings = SURE,
    resources: Sequence[Resource] | None = None,
    **more: Any,
) -> Commitments:
    """The rule on one bill, whose machines are all m5.large where nothing else is said."""
    if resources is None:
        resources = [machine(u.resource_id) for u in one.usages if u.resource_id]
    inventory = {each.resource_id: each for each in resources}
    return commitments({one.provider: one}, inventory, catalogue, settings, **more)

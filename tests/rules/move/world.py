"""A small world of two providers: Acme in Alba (EU), Brno (EU) and Cork (EU), Dover (GB) and
Elko (US); Bolt in Alba's town. Machines of one family, one speed, one price a vCPU by place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import schema
from costopt.frame.traffic import Sent, Traffic
from costopt.model import Cost, Resource, Window
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.equivalence import Facts
from costopt.pricing.interruptions import INTERRUPTIONS, Interruptions
from costopt.pricing.money import Exchanges
from costopt.pricing.places import Places
from costopt.rules.base import Case
from costopt.rules.move import Moves, moves
from costopt.rules.move.market import World
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.subjects import Known

END = datetime(2026, 10, 5, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=30), END)
TODAY = date(2026, 10, 5)
HOURS = 730

PLACES = {  # provider, region: country, continent, latitude, longitude
    ("Acme", "alba"): ("IT", "Europe", 44.7, 8.0),
    ("Acme", "brno"): ("CZ", "Europe", 49.2, 16.6),
    ("Acme", "cork"): ("IE", "Europe", 51.9, -8.5),
    ("Acme", "dover"): ("GB", "Europe", 51.1, 1.3),
    ("Acme", "elko"): ("US", "North America", 40.8, -115.8),
    ("Bolt", "alba-1"): ("IT", "Europe", 44.7, 8.1),
    ("AWS", "us-west-1"): ("US", "North America", 37.3, -121.9),
    ("AWS", "us-west-2"): ("US", "North America", 45.8, -119.7),
    ("AWS", "us-west-2-lax-1"): ("US", "North America", 34.1, -118.2),
    ("AWS", "us-gov-west-1"): ("US", "North America", 45.5, -122.7),
    ("AWS", "us-gov-east-1"): ("US", "North America", 40.0, -83.0),
}
PROVIDERS = sorted({provider for provider, _ in PLACES})
SIZES = {"s1.large": 2, "s1.xlarge": 4, "s1.2xlarge": 8, "s1.4xlarge": 16}
FREE = MoveSettings(
    labour_rate=0, dual_run_days=0, yearly_rate=0, price_drift_percent=0, most_ms=1000
)
"""Nothing but what is billed."""


def world(
    vcpu: Mapping[tuple[str, str], str],
    *,
    storage: str = "0.10",
    internet: str = "0.09",
    region: str = "0.02",
    spot: str | None = None,
    committed: str | None = None,
    band: tuple[float, float] | None = None,
    currency: str = "USD",
    factor: Decimal = Decimal(1),
    day: date = TODAY,
    network: Mapping[str, float | None] | None = None,
) -> World:
    """Prices a vCPU and hour by place; of a GiB stored, to the internet and to other regions.

    Args:
        spot, committed: of a vCPU and hour, everywhere.
        factor: of every amount.
        network: of a provider's machines, Gbit/s; else 10.
    """
    places = [
        {"provider": p, "region_id": r, "country": c, "continent": k, "latitude": a,
         "longitude": o, "source": "an atlas"}
        for (p, r), (c, k, a, o) in PLACES.items()
    ]  # fmt: skip
    prices = [
        _price(place, name, Decimal(each) * vcpus * factor, category, currency, day)
        for place, listed in vcpu.items()
        for category, each in (
            ("Standard", listed),
            ("Dynamic", spot),
            ("Committed", committed),
        )
        if each is not None
        for name, vcpus in SIZES.items()
    ]
    shapes = [
        {"ProviderName": provider, "x_InstanceType": name, "x_vCPUs": float(vcpus),
         "x_PhysicalCores": vcpus / 2, "x_MemoryGiB": 4.0 * vcpus, "x_Architecture": "x86_64",
         "x_Family": "s1", "x_NetworkGbps": (network or {}).get(provider, 10.0)}
        for provider in PROVIDERS for name, vcpus in SIZES.items()
    ]  # fmt: skip
    kinds = {"block-storage": storage, "egress-internet": internet, "egress-region": region}
    rates = [
        {"ProviderName": provider, "x_RateKind": kind, "ListUnitPrice": Decimal(price) * factor,
         "PricingCurrency": currency, "x_ValidFrom": day, "x_Source": "a list"}
        for provider in PROVIDERS for kind, price in kinds.items()
    ]  # fmt: skip
    speeds = [
        {"provider": provider, "name": "s1", "per_vcpu": 1.0, "source": "a benchmark"}
        for provider in PROVIDERS
    ]
    bands = [
        {"ProviderName": "Acme", "x_InterruptedLow": band[0], "x_InterruptedHigh": band[1],
         "x_InterruptedHours": 730.0, "x_ValidFrom": day, "x_Source": "a band"}
    ] if band else []  # fmt: skip
    return World(
        Catalogue.load(
            pa.Table.from_pylist(prices, schema=schema.PRICES),
            schema.conform(pa.Table.from_pylist(shapes), schema.SHAPES),
            schema.conform(pa.Table.from_pylist(rates), schema.RATES),
        ),
        Facts.load(pa.Table.from_pylist(speeds)),
        Places.load(pa.Table.from_pylist(places)),
        Exchanges.load(),
        Interruptions.load(pa.Table.from_pylist(bands, schema=INTERRUPTIONS) if bands else None),
        currency,
    )


def _price(
    place: tuple[str, str], name: str, hourly: Decimal, category: str, currency: str, day: date
) -> dict[str, Any]:
    return {
        "ProviderName": place[0], "RegionId": place[1], "x_InstanceType": name,
        "x_OperatingSystem": "Linux", "PricingCategory": category, "ListUnitPrice": hourly,
        "PricingCurrency": currency, "x_ValidFrom": day, "x_Source": "a list",
        "x_Term": "3yr" if category == "Committed" else None,
    }  # fmt: skip


def machine(
    name: str,
    here: World,
    *,
    instance_type: str = "s1.4xlarge",
    region: str = "alba",
    provider: str = "Acme",
    monthly: float | None = None,
    **fields: Any,
) -> Case:
    """A machine that runs all month at list price, nothing of it measured."""
    resource = Resource(
        resource_id=name, provider_name=provider, resource_name=name, region_id=region,
        instance_type=instance_type, operating_system="Linux", state="running", **fields,
    )  # fmt: skip
    shape = here.catalogue.shape(provider, instance_type)
    price = here.catalogue.price(provider, region, instance_type, currency=here.currency)
    assert shape is not None
    assert price is not None
    compute = Decimal(str(monthly)) if monthly else price.list_unit_price * HOURS
    cost = Cost(compute, compute, compute, None, 1.0, 0.0, here.currency, "list")
    return Case(
        resource=resource, shape=shape, price=price, profiles=(), findings=(), disputed=None,
        cost=cost, catalogue=here.catalogue, window=WINDOW, as_of=END, min_monthly_savings=5,
    )  # fmt: skip


def disks(**gib: float) -> dict[str, Resource]:
    """A disk of so many GiB on each machine."""
    return {
        f"disk-{name}": Resource(
            f"disk-{name}", "Acme", attributes={"size_gib": str(size), "attached_to": name}
        )
        for name, size in gib.items()
    }


def placed(
    here: World,
    *cases: Case,
    settings: MoveSettings = FREE,
    sent: Mapping[str, Traffic] | None = None,
    stored: Mapping[str, float] | None = None,
    ended: Iterable[str] = (),
    spend: Mapping[str, float] | None = None,
    **changes: Any,
) -> Moves:
    """The rule on these machines."""
    known = Known.of(
        disks(**(stored or {})), Sent(sent or {}, {}), {"acme": changes}, [], here.facts
    )
    by_id = {case.resource.resource_id: case for case in cases}
    return moves(by_id, set(ended), known, here, settings, window=WINDOW, spend=spend or {})


def gone(found: Moves) -> dict[str, str]:
    """Machine -> the region it is to go to."""
    return {
        one.resource_id: (one.recommended.region_id or "") if one.recommended else ""
        for one in found.recommendations
    }


def why(found: Moves) -> dict[str, str]:
    """Machine -> the code of why it stays."""
    return {skip.resource_id: skip.reason for skip in found.skips}


def tagged(case: Case, **tags: str) -> Case:
    """The machine with tags."""
    return replace(case, resource=replace(case.resource, tags=tags))


def each(names: Sequence[str], here: World, **fields: Any) -> list[Case]:
    """Several machines alike."""
    return [machine(name, here, **fields) for name in names]

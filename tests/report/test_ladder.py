"""The sizes beside the chosen one, each with the need it fails or holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import schema
from costopt.model import Resource, Shape
from costopt.pricing.catalogue import Catalogue
from costopt.report import ladder
from costopt.report.screen import Screen
from tests.report import builders, cases

SIZES = (("s1", 1, 2), ("s2", 2, 4), ("s2h", 2, 16), ("s4", 4, 16), ("s8", 8, 32), ("s9", 9, 36))
NEEDS = {"cpu": {"needed_vcpus": 1.9}, "memory": {"needed_gib": 7.5}}


def _catalogue() -> Catalogue:
    shapes = [
        {"ProviderName": "Cellar", "x_InstanceType": name, "x_vCPUs": vcpus, "x_MemoryGiB": gib}
        for name, vcpus, gib in SIZES
    ]
    prices = [
        {"ProviderName": "Cellar", "x_InstanceType": name, "PricingCategory": "Standard",
         "ListUnitPrice": Decimal(gib) / 100 + Decimal(vcpus) / 50, "PricingCurrency": "USD"}
        for name, vcpus, gib in SIZES
    ]  # fmt: skip
    return Catalogue.load(
        pa.Table.from_pylist(prices, schema=schema.PRICES),
        pa.Table.from_pylist(shapes, schema=schema.SHAPES),
    )


def _drawn(evidence: dict[str, Any], chosen: str | None) -> str:
    resource = Resource("vm", "Cellar", instance_type="s8", vcpus=8.0, memory_gib=32.0)
    case = cases.case(
        resource=resource, shape=Shape("Cellar", "s8", 8.0, 32.0), catalogue=_catalogue()
    )
    target = replace(builders.offer(chosen), provider_name="Cellar") if chosen else None
    screen = Screen(100, colour=False)
    ladder.draw(screen, case, evidence, target)
    return " ".join(screen.text().split())


def test_each_size_says_what_it_fails() -> None:
    drawn = _drawn(NEEDS, "s2h")
    assert "needs 1.9 vCPUs and 7.5 GiB" in drawn
    assert "s1 1 2 0.04 too few vCPUs s2 2 4 0.08 too little memory s2h 2 16 0.20 rec" in drawn
    assert "s4 4 16 0.24 holds both s8 8 32 0.48 today's" in drawn
    assert "s9" not in drawn


def test_around_today_where_nothing_was_chosen() -> None:
    drawn = _drawn(NEEDS, None)
    assert "s8 8 32 0.48 today's s9 9 36 0.54 holds both" in drawn


def test_without_known_needs_nothing_is_drawn() -> None:
    assert _drawn({"cpu": {}}, "s2h") == ""
    assert _drawn({}, None) == ""


def test_a_type_that_the_market_lacks_has_no_neighbours() -> None:
    assert _drawn(NEEDS, "t99") == ""

"""The sizes beside the chosen one, each with its risk and what it costs to expect."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import schema
from costopt.model import Recommendation, Resource, Shape
from costopt.pricing.catalogue import Catalogue
from costopt.report import ladder
from costopt.report.screen import Screen
from costopt.rules.base import Case
from tests.report import builders, cases

SIZES = (("s1", 1, 2), ("s2", 2, 4), ("s2h", 2, 16), ("s4", 4, 16), ("s8", 8, 32), ("s9", 9, 36))
EVIDENCE: dict[str, Any] = {
    "cpu": {"risk_of_sizes": {"4": 0.0036, "2": 0.05, "1": 1.0}},
    "memory": {"needed_gib": 7.5},
    "rollback_cost": {"windows": 0.5, "safe_hourly_price": 0.4},
}
LARGER = builders.larger().estimated_monthly_savings


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


def _case() -> Case:
    resource = Resource("vm", "Cellar", instance_type="s8", vcpus=8.0, memory_gib=32.0)
    return cases.case(
        resource=resource, shape=Shape("Cellar", "s8", 8.0, 32.0), catalogue=_catalogue()
    )


def _drawn(evidence: dict[str, Any], advice: Recommendation | None) -> str:
    screen = Screen(100, colour=False)
    drawn = ladder.draw(screen, _case(), evidence, advice)
    assert drawn == bool(screen.text())
    return " ".join(screen.text().split())


def _advice(chosen: str, **fields: Any) -> Recommendation:
    target = replace(builders.offer(chosen), provider_name="Cellar")
    return builders.recommendation(recommended=target, **fields)


def test_each_size_says_what_it_risks_and_costs() -> None:
    # The safe machine costs 0.40 an hour: 0.04 + 1 * (0.36 + 0.5 * 0.4), 0.20 + 0.05 * (0.2 + 0.2).
    drawn = _drawn(EVIDENCE, _advice("s2h"))
    assert (
        "s1 1 2 0.04 >99 % too little memory s2 2 4 0.08 5.0 % too little memory "
        "s2h 2 16 0.20 5.0 % 0.22 recommended s4 4 16 0.24 0.4 % 0.2413 "
        "s8 8 32 0.48 none 0.48 today's"
    ) in drawn
    assert "holds the highest demand seen (0.4 an hour), and 0.5 windows of it" in drawn
    assert "a yardstick" in drawn
    assert "s9" not in drawn


def test_around_today_where_nothing_was_chosen() -> None:
    drawn = _drawn(EVIDENCE, None)
    assert "s8 8 32 0.48 none 0.48 today's s9 9 36 0.54 none 0.54" in drawn


def test_alternatives_stand_among_them_by_price() -> None:
    other = builders.offer("z3", vcpus=3.0, memory_gib=16.0, hourly_price=Decimal("0.21"))
    nameless = builders.offer(None, hourly_price=None)
    drawn = _drawn(EVIDENCE, _advice("s2h", alternatives=(nameless, other)))
    assert "recommended z3 3 16 0.21 alternative s4" in drawn  # its risk is not in the evidence


def test_an_alternative_of_the_same_family_is_called_one() -> None:
    kin = builders.offer("S4", vcpus=4.0, memory_gib=16.0, hourly_price=Decimal("0.24"))
    drawn = _drawn(EVIDENCE, _advice("s2h", alternatives=(kin,)))
    assert "s4 4 16 0.24 0.4 % 0.2413 alternative s8" in drawn


def test_a_larger_machine_has_no_risk_to_weigh() -> None:
    drawn = _drawn(EVIDENCE, _advice("s9", estimated_monthly_savings=LARGER))
    assert "s8 8 32 0.48 today's s9 9 36 0.54 recommended" in drawn
    assert "expected" not in drawn


def test_without_a_price_of_rollbacks_nothing_is_expected() -> None:
    told = EVIDENCE | {"rollback_cost": {"windows": None, "safe_hourly_price": 0.4}}
    drawn = _drawn(told, None)
    assert "s4 4 16 0.24 0.4 % s8 8 32 0.48 none today's" in drawn
    assert "expected:" not in drawn


def test_below_which_rollback_cost_a_smaller_size_is_the_better_one() -> None:
    # s2h: 0.2 + 0.9 * (0.4 - 0.2) + 0.9 * 0.4 * k = 0.48; s4: 0.24 + 0.4 * 0.16 + 0.16 k = 0.48
    told = EVIDENCE | {"cpu": {"risk_of_sizes": {"4": 0.4, "2": 0.9}}}
    found = ladder.break_even(_case(), told)
    assert found is not None
    assert (round(found[0], 6), found[1]) == (1.1, "s4")
    assert ladder.break_even(_case(), told | {"memory": {"needed_gib": 20.0}}) is None
    dear = told | {"rollback_cost": {"windows": 0.5, "safe_hourly_price": 2.0}}
    assert ladder.break_even(_case(), dear) is None
    assert ladder.break_even(_case(), {}) is None


def test_a_type_that_the_market_lacks_has_no_neighbours() -> None:
    assert _drawn(EVIDENCE, _advice("t99")) == ""

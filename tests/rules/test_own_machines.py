"""onprem.toml in the optimizer's figures: buying, closing, and what the answer hangs on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from costopt.optimize.own import INPUTS, break_even, standing_cost
from costopt.pricing.onprem import load
from costopt.rules.own_machines import of_class, swings, to_close
from tests.conftest import ROOT

SITE = load(ROOT / "docs" / "examples" / "onprem.toml")
TODAY = datetime(2026, 5, 1, tzinfo=UTC)


def test_the_example_is_eight_times_the_methods_illustration() -> None:
    own = of_class(SITE, "h100-8")
    assert standing_cost(own) == pytest.approx(8 * 16_118.34, abs=0.1)
    assert break_even(own, [8 * 2.95, 8 * 6.90]) == pytest.approx([0.6496, 0.2713], abs=5e-5)


def test_what_is_owned_costs_what_it_would_fetch() -> None:
    kept = to_close(SITE, "rack-64", TODAY)
    assert kept is not None
    assert kept.capex == 4000
    assert kept.life_years == pytest.approx(6 - 730 / 365.25)
    # 609 of the 1,461 days left are under contract; with interest a little more than their share
    assert 900 * (1 - 609 / 1461) * 0.9 < float(kept.hosting_yearly) < 900 * (1 - 609 / 1461)


def test_nothing_is_closed_that_is_not_owned_or_is_past_its_life() -> None:
    assert to_close(SITE, "h100-8", TODAY) is None
    assert to_close(SITE, "rack-64", datetime(2030, 5, 3, tzinfo=UTC)) is None


def test_a_contract_that_is_over_binds_nobody() -> None:
    kept = to_close(SITE, "rack-64", datetime(2028, 1, 1, tzinfo=UTC))
    assert kept is not None
    assert kept.hosting_yearly == pytest.approx(900)


def test_figures_move_within_their_range_or_by_a_fifth() -> None:
    found = {one.name: one for one in swings(SITE, "h100-8", 8 * 2.95)}
    assert (found["price"].low, found["price"].high) == (16.0, 55.0)
    assert (found["capex"].low, found["capex"].high) == (260_000, 380_000)
    assert (found["rate"].low, found["rate"].high) == pytest.approx((0.064, 0.096))
    assert found["pue"].low == pytest.approx(1.12)
    # nothing to move: no salvage, no spares
    assert set(found) == set(INPUTS) - {"salvage", "spares"}


def test_a_buildings_pue_is_never_below_one() -> None:
    lean = SITE.model_copy(update={"pue": 1.1})
    found = {one.name: one for one in swings(lean, "h100-8", 20.0)}
    assert found["pue"].low == 1.0


def test_without_ranges_every_figure_moves_by_a_fifth() -> None:
    found = {one.name: one for one in swings(SITE, "rack-64", 2.0)}
    assert (found["price"].low, found["price"].high) == pytest.approx((1.6, 2.4))
    assert (found["salvage"].low, found["salvage"].high) == pytest.approx((400, 600))

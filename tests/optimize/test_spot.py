"""Spot: examples of docs/method.md worked by hand, a simulation, and what must always hold."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.spot import (
    USUAL_CHANGE,
    Interruptible,
    band_rates,
    break_even_rate,
    expected,
    expected_cost,
    hourly_rate,
    price_range,
    usual_range,
)

HOURLY = Interruptible(checkpoint_hours=1.0, restart_hours=0.1, harm=0.5)
"""The example of docs/method.md: loses 0.6 h and 0.50 an interruption."""


def test_a_band_is_a_hazard_over_a_month() -> None:
    # -ln(0.95) = 0.051293; / 730 h
    assert hourly_rate(0.05, 730) == pytest.approx(7.0265e-5, rel=1e-4)
    assert hourly_rate(0.11, 730) == pytest.approx(1.59632e-4, rel=1e-4)
    assert hourly_rate(0.0, 730) == 0
    assert hourly_rate(1.0, 730) == np.inf
    assert np.isnan(hourly_rate(np.nan, 730))


def test_a_rate_quoted_per_hour_is_of_one_hour() -> None:
    assert hourly_rate(0.1, 1) == pytest.approx(0.1053605)


def test_the_rates_of_bands() -> None:
    # 5-10 % (11): 0.08 in the middle, -ln(0.92) / 730 = 0.0833816 / 730
    low, middle, high = band_rates([0.05, 0.2], [0.11, 1.0], 730)
    assert low == pytest.approx([7.0265e-5, 3.05676e-4], rel=1e-4)
    assert middle[0] == pytest.approx(1.14221e-4, rel=1e-4)
    assert high[0] == pytest.approx(1.59632e-4, rel=1e-4)
    assert np.isnan(middle[1])
    assert high[1] == np.inf


@pytest.mark.parametrize(("share", "hours"), [(-0.1, 730), (1.1, 730), (0.1, 0)])
def test_a_share_that_is_none_is_refused(share: float, hours: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        hourly_rate(share, hours)


@given(st.floats(0, 0.99), st.floats(0.01, 10_000))
def test_after_that_many_hours_that_share_is_gone(share: float, hours: float) -> None:
    assert 1 - math.exp(-float(hourly_rate(share, hours)) * hours) == pytest.approx(share)


def test_the_example_of_the_method() -> None:
    # 0.06 (1 + 0.001 * 0.6) + 0.001 * 0.5 = 0.060036 + 0.0005
    assert expected_cost(0.06, 0.001, HOURLY) == pytest.approx(0.060536)
    # (0.17 - 0.06) / (0.06 * 0.6 + 0.5) = 0.11 / 0.536
    assert break_even_rate(0.06, 0.17, HOURLY) == pytest.approx(0.205224, rel=1e-5)
    # dear end: 0.09 an hour, h = 0.01: (0.09 + 0.005) / (1 - 0.006)
    found = expected(0.06, 0.001, HOURLY, price_range=(0.05, 0.09), rate_range=(0.0, 0.01))
    assert found.low == pytest.approx(0.05)
    assert found.cost == pytest.approx(0.060536)
    assert found.high == pytest.approx(0.0955734, rel=1e-6)


def test_what_is_interrupted_more_often_than_it_gets_on_never_ends() -> None:
    found = expected(
        0.06, 0.1, HOURLY, price_range=(0.06, 0.06), rate_range=(0.1, [1.0, 2.0, np.inf])
    )
    assert found.high.tolist() == [pytest.approx(0.56 / 0.4), np.inf, np.inf]


def test_without_loss_or_harm_interruptions_cost_nothing() -> None:
    free = Interruptible()
    assert expected_cost(0.06, np.inf, free) == 0.06
    assert break_even_rate(0.06, 0.17, free) == np.inf
    found = expected(0.06, 0.1, free, price_range=(0.06, 0.08), rate_range=(0.0, np.inf))
    assert found.high == 0.08


def test_unknown_is_neither_nothing_nor_never() -> None:
    assert np.isnan(expected_cost(np.nan, 0.001, HOURLY))
    assert np.isnan(expected_cost(0.06, np.nan, HOURLY))
    assert np.isnan(expected_cost(0.06, np.nan, Interruptible()))
    assert np.isnan(break_even_rate(np.nan, 0.17, HOURLY))
    found = expected(0.06, 0.001, HOURLY, price_range=(0.05, np.nan), rate_range=(0.0, np.nan))
    assert np.isnan(found.high)


def test_spot_that_is_dearer_never_breaks_even() -> None:
    assert break_even_rate([0.2, 0.17], 0.17, HOURLY).tolist() == [0.0, 0.0]


def test_arrays_broadcast() -> None:
    costs = expected_cost(np.array([[0.06], [0.1]]), [0.0, 0.001], HOURLY)
    assert costs == pytest.approx(np.array([[0.06, 0.060536], [0.1, 0.10056]]))


def test_a_simulation_of_interrupted_work_agrees() -> None:
    """40,000 jobs of 24 h, a checkpoint an hour, 6 minutes to restart, interrupted every 40 h."""
    chance = np.random.default_rng(7)
    rate, jobs, checkpoint, restart = 1 / 40, 40_000, 1.0, 0.1
    paid = interruptions = 0.0
    for _ in range(24):  # segments between checkpoints; interrupted, one starts anew
        open_ = np.ones(jobs, bool)
        begun = np.zeros(jobs)  # hours of restarting before the segment's work
        while open_.any():
            need = checkpoint + begun
            until = chance.exponential(1 / rate, jobs)
            done = until >= need
            paid += float(np.where(done, need, until)[open_].sum())
            interruptions += int((open_ & ~done).sum())
            begun = np.where(done, begun, restart)
            open_ &= ~done
    hours = 24 * jobs
    work = Interruptible(checkpoint, restart)
    lower = float(expected_cost(1.0, rate, work))
    upper = float(expected(1.0, rate, work, price_range=(1, 1), rate_range=(rate, rate)).high)
    # x = 0.015: first order 1.015, with repetitions 1.01523
    assert lower == pytest.approx(1.015)
    assert paid / hours == pytest.approx(upper, abs=1e-3)
    assert interruptions / paid == pytest.approx(rate, rel=0.02)


prices = st.floats(0.001, 100)
rates = st.floats(0, 1)
works = st.builds(Interruptible, st.floats(0, 24), st.floats(0, 4), st.floats(0, 1000))


@given(prices, st.floats(1.001, 20), works)
def test_at_the_break_even_rate_both_cost_the_same(
    price: float, times: float, work: Interruptible
) -> None:
    rate = float(break_even_rate(price, price * times, work))
    if math.isfinite(rate):
        assert float(expected_cost(price, rate, work)) == pytest.approx(price * times)


downs, ups = st.floats(0, 1), st.floats(1, 3)


@given(prices, rates, works, st.tuples(downs, ups, downs, ups))
def test_the_range_holds_the_expectation(
    price: float, rate: float, work: Interruptible, factors: tuple[float, float, float, float]
) -> None:
    cheap, dear, seldom, often = factors
    found = expected(
        price,
        rate,
        work,
        price_range=(price * cheap, price * dear),
        rate_range=(rate * seldom, rate * often),
    )
    assert found.low <= found.cost <= found.high


@given(prices, rates, st.floats(1, 1000), works)
def test_another_currency_changes_nothing_but_the_unit(
    price: float, rate: float, factor: float, work: Interruptible
) -> None:
    other = Interruptible(work.checkpoint_hours, work.restart_hours, np.asarray(work.harm) * factor)
    here, there = expected_cost(price, rate, work), expected_cost(price * factor, rate, other)
    assert there == pytest.approx(here * factor)


def test_the_range_of_a_price_is_its_middle_hours() -> None:
    low, mean, high = price_range([np.arange(101.0), np.full(101, np.nan)], share=0.9)
    assert [low[0], mean[0], high[0]] == pytest.approx([5, 50, 95])
    assert np.isnan([low[1], mean[1], high[1]]).all()
    gaps = np.append(np.arange(101.0), [np.nan] * 50)
    assert [float(one) for one in price_range(gaps)] == pytest.approx([5, 50, 95])


def test_a_price_without_a_history_stays_below_on_demand() -> None:
    low, high = usual_range([0.1, 0.1, 0.5], [1.0, 0.15, 0.4])
    assert low == pytest.approx([0.078, 0.078, 0.39])
    assert high == pytest.approx([0.212, 0.15, 0.5])


def test_the_usual_change_is_what_the_sources_show(real_data: Path) -> None:
    then = pd.read_csv(real_data / "prices" / "coroot_2024-08-09_ondemand_spot.csv.gz")
    advised = pd.read_json(real_data / "prices" / "aws_spot_advisor_2025-07.json", typ="series")
    now = pd.DataFrame(
        [
            (region, kind, said["s"])
            for region, systems in advised["spot_advisor"].items()
            for kind, said in systems.get("Linux", {}).items()
        ],
        columns=["region", "instance_type", "saving"],
    )
    both = then[then.provider == "aws"].merge(now, on=["region", "instance_type"])
    both = both[both.spot_usd_hour.notna() & (both.saving > 0)]
    change = (1 - both.saving / 100) * both.on_demand_usd_hour / both.spot_usd_hour
    assert len(change) == 11_848
    assert change.quantile([0.1, 0.9]).to_list() == pytest.approx(USUAL_CHANGE, abs=0.005)

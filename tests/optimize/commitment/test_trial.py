"""Committing by the past and judged by what came after: by hand, and on real fleets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from costopt.errors import InsufficientData
from costopt.optimize.commitment import Caution, Term, held_out, ladder, rolling, trailing

RATE = 0.63
DAY = 24


@pytest.fixture(scope="module")
def azure(real_data: Path) -> np.ndarray:
    """Core-hours of the Azure fleet of 2019, per hour, 30 days."""
    path = real_data / "fleet_aggregates" / "azure_v2_fleet_5min_30d.csv.gz"
    cores = np.loadtxt(path, delimiter=",", skiprows=1, usecols=1) / 100
    return np.asarray(cores.reshape(-1, 12).mean(axis=1))


def test_by_hand() -> None:
    past, future = [4.0] * 6 + [8.0] * 4, [2.0, 6.0, 6.0, 6.0]
    trial = held_out([*past, *future], 10, 1.0, 0.5)
    assert trial.quantity == 4.0  # 4 of 10 hours exceed it, at most half
    assert trial.outcome.saving == pytest.approx(14 / 4 - 2)
    assert trial.oracle_quantity == 6.0
    assert trial.oracle == pytest.approx(20 / 4 - 3)
    assert trial.of_oracle == pytest.approx(0.75)
    assert trial.oracle_share == pytest.approx(0.4)
    late = held_out([*past, *future], 10, 1.0, 0.5, trailing(4, 1.0, 0.5))
    assert late.quantity == 8.0
    assert late.outcome.saving == pytest.approx(1.0)


def test_where_nothing_could_be_saved() -> None:
    demand = [4.0, 4.0, 0.0, 0.0]
    assert held_out(demand, 2, 1.0, 0.5).of_oracle == -np.inf
    assert held_out(demand, 2, 1.0, 0.5, lambda _: 0.0).of_oracle == 1.0


def test_several_are_weighed_by_what_they_spend() -> None:
    steady, falling = np.full(20, 9.0), np.repeat([4.0, 1.0], 10)
    found = rolling([steady, falling], origins=[10], horizon=10, price=1.0, rate=0.5)
    assert found.count == 2
    assert found.share == pytest.approx((4.5 + 1 - 2) / 10)
    assert found.oracle_share == pytest.approx(0.5)
    assert found.worst == pytest.approx(-1.0)
    with pytest.raises(InsufficientData):
        rolling([steady], origins=[15], horizon=10, price=1.0, rate=0.5)


@pytest.mark.parametrize("days", range(7, 28))
def test_azure_held_out(azure: np.ndarray, days: int) -> None:
    trial = held_out(azure, days * DAY, 1.0, RATE)
    assert trial.of_oracle >= 0.98  # asked for: 0.8
    assert trial.outcome.saving > 0
    future = azure[days * DAY :].reshape(-1, DAY)
    on_that_day = np.minimum(future, trial.quantity).mean(axis=1) - RATE * trial.quantity
    assert (on_that_day > 0).all()  # no day of it loses


def test_azure_a_ladder_held_out(azure: np.ndarray) -> None:
    """Careful costs little here, and leaves no hour at a loss."""
    past, future = azure[: 20 * DAY], azure[20 * DAY :]
    plan = ladder(past, 1.0, [Term("1y", 12, RATE)], caution=Caution(yearly_decline=0.1))
    rule = held_out(azure, 20 * DAY, 1.0, RATE, lambda _: plan.committed(11))
    assert rule.of_oracle >= 0.9
    assert (np.minimum(future, rule.quantity) > RATE * rule.quantity).all()


def test_azure_a_ladder_that_knows_two_weeks_saves_too(azure: np.ndarray) -> None:
    plan = ladder(azure[: 15 * DAY], 1.0, [Term("1y", 12, RATE)])
    found = held_out(azure, 15 * DAY, 1.0, RATE, lambda _: plan.committed(11))
    assert found.of_oracle >= 0.8


def test_paying_for_nothing_is_worse_than_any_share() -> None:
    gone = np.repeat([4.0, 0.0], 10)
    found = rolling([gone, np.full(20, 4.0)], origins=[10], horizon=10, price=1.0, rate=0.5)
    assert found.worst == -np.inf
    assert found.share == pytest.approx(0.0)  # 2 saved by one, 2 lost by the other

"""What each slot costs at each level: against a slow recount, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.need import Terms, slot_costs

_TERMS = Terms(price=1.0, risk_price=10.0, quantile=0.9)


def _weeks(seed: int, missing: float = 0.2) -> np.ndarray:
    random = np.random.default_rng(seed)
    weeks = random.exponential(1.5, (3, 5, 4))
    weeks[random.random(weeks.shape) < missing] = np.nan
    return weeks


@given(st.integers(0, 500))
def test_costs_are_price_plus_the_share_of_samples_above(seed: int) -> None:
    weeks, most = _weeks(seed), 4
    cost = slot_costs(weeks, most, _TERMS)
    for slot in range(5):
        near = [
            x
            for at in (slot - 1, slot, slot + 1)
            for x in weeks[:, at % 5].ravel().tolist()
            if not math.isnan(x)
        ]
        seen_weeks = sum(bool((~np.isnan(week[slot])).any()) for week in weeks)
        by_rank = sorted(near)[max(0, math.ceil(0.9 * len(near)) - 1)] if near else math.inf
        least = most if seen_weeks < 2 else min(most, math.ceil(by_rank))
        for level in range(most + 1):
            if level < least:
                assert cost[slot, level] == np.inf
            elif seen_weeks >= 2:
                above = sum(x > level for x in near) / len(near)
                assert cost[slot, level] == pytest.approx(level + 10 * above)


def test_what_was_never_measured_keeps_what_runs_today() -> None:
    weeks = np.zeros((4, 3, 1))
    weeks[:, 1] = np.nan
    weeks[1:, 2] = np.nan  # one week is no habit
    cost = slot_costs(weeks, 2, _TERMS)
    assert np.isfinite(cost[0]).all()
    assert np.isinf(cost[1, :2]).all()
    assert np.isinf(cost[2, :2]).all()
    assert cost[1, 2] == 2.0  # its price, and no risk that nobody knows


def test_a_replica_starts_before_it_is_needed() -> None:
    weeks = np.zeros((2, 6, 1))
    weeks[:, 4] = 1.0
    cost = slot_costs(weeks, 1, Terms(1.0, 10.0, quantile=0.99, lead_slots=1))
    # 4 is needed; 3 and 5 stand beside it; 2 because what 3 needs must be started before
    assert np.isinf(cost[:, 0]).tolist() == [False, False, True, True, True, True]


def test_never_fewer_than_the_least() -> None:
    cost = slot_costs(np.zeros((2, 3, 1)), 3, Terms(1.0, 1.0, least=2))
    assert np.isinf(cost[:, :2]).all()
    assert np.isfinite(cost[:, 2:]).all()


def test_demand_above_all_there_is_takes_all_there_is() -> None:
    cost = slot_costs(np.full((2, 3, 1), 9.5), 3, Terms(1.0, 10.0))
    assert cost[:, 3].tolist() == [13.0] * 3

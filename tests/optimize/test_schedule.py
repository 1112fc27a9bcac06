"""The cheapest week, held to a mixed-integer programme and to cases worked out by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.optimize.schedule import Choice, cheapest, cheapest_of, cost_of
from tests.optimize import milp


def _random(
    seed: int, *, most_slots: int = 14, most_levels: int = 5, least_time: int = 4
) -> Choice:
    random = np.random.default_rng(seed)
    shape = random.integers(2, most_slots + 1), random.integers(2, most_levels + 1)
    cost = random.exponential(1, shape).round(3)
    cost[random.random(shape) < 0.2] = np.inf
    up, down = random.exponential(0.5, 2).round(3)
    min_up, min_down = random.integers(1, least_time + 1, 2)
    return Choice(cost, float(up), float(down), int(min_up), int(min_down))


def _allowed(levels: np.ndarray, choice: Choice) -> bool:
    """Minimum times as the words say them: no step against the last one, too soon after it."""
    steps = np.sign(levels - np.roll(levels, 1))
    for wait, up in ((choice.min_up, 1), (choice.min_down, -1)):
        for t in np.flatnonzero(steps == up):
            if any(steps[(t + later) % len(steps)] == -up for later in range(1, wait)):
                return False
    return True


@pytest.mark.parametrize("seed", range(40))
def test_as_cheap_as_the_integer_programme(seed: int) -> None:
    choice = _random(seed)
    least = milp.least_cost(choice)
    plan = cheapest(choice)
    if plan is None:
        assert least == np.inf
        return
    assert plan.cost == pytest.approx(least, abs=1e-6)
    assert cost_of(plan.levels, choice) == pytest.approx(plan.cost, abs=1e-9)
    assert _allowed(plan.levels, choice)


def test_a_week_of_a_group_is_as_cheap_as_the_integer_programme() -> None:
    random = np.random.default_rng(7)
    hours = np.arange(168)
    need = 4 + 3 * np.sin(hours / 24 * 2 * np.pi) + random.normal(0, 0.5, 168)
    levels = np.arange(12)[None]
    cost = levels + 20 * np.exp(-(levels - need[:, None]))
    cost[levels < np.ceil(need)[:, None]] = np.inf
    choice = Choice(cost, up_cost=0.7, down_cost=0.2)
    found = cheapest(choice)
    assert found
    assert found.cost == pytest.approx(milp.least_cost(choice), abs=1e-6)


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_no_plan_of_all_is_cheaper(seed: int) -> None:
    choice = _random(seed, most_slots=6, most_levels=3)
    slots, levels = choice.cost.shape
    every = (np.array(plan) for plan in product(range(levels), repeat=slots))
    least = min((cost_of(plan, choice) for plan in every if _allowed(plan, choice)), default=np.inf)
    found = cheapest(choice)
    assert (found.cost if found else np.inf) == pytest.approx(least)


@given(st.integers(0, 10_000), st.integers(1, 13))
def test_a_week_has_no_first_slot(seed: int, turn: int) -> None:
    choice = _random(seed)
    turned = Choice(
        np.roll(choice.cost, turn, axis=0),
        choice.up_cost,
        choice.down_cost,
        choice.min_up,
        choice.min_down,
    )
    one, other = cheapest(choice), cheapest(turned)
    assert (one is None) == (other is None)
    if one and other:
        assert one.cost == pytest.approx(other.cost)


def test_a_short_pause_is_not_worth_a_restart() -> None:
    """Off costs 0, on costs 1; needed but for slots 3 and 8 to 13."""
    cost = np.zeros((14, 2))
    cost[:, 1] = 1.0
    cost[[0, 1, 2, 4, 5, 6, 7], 0] = np.inf
    found = cheapest(Choice(cost, up_cost=1.5, down_cost=0.0))
    assert found
    assert found.levels.tolist() == [1] * 8 + [0] * 6
    assert found.cost == 8 + 1.5


def test_minimum_times_off_keep_a_machine_running() -> None:
    cost = np.zeros((8, 2))
    cost[:, 1] = 1.0
    cost[[0, 1, 2, 6, 7], 0] = np.inf
    assert cheapest(Choice(cost, 0.0, 0.0, min_down=3)).levels.tolist() == [1, 1, 1, 0, 0, 0, 1, 1]  # type: ignore[union-attr]
    assert cheapest(Choice(cost, 0.0, 0.0, min_down=4)).levels.tolist() == [1] * 8  # type: ignore[union-attr]


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    choices = [_random(seed) for seed in range(30)]
    together = cheapest_of(choices, threads=2)
    for choice, found in zip(choices, together, strict=True):
        alone = cheapest(choice)
        assert (found is None) == (alone is None)
        assert found is None or alone is None or found.levels.tolist() == alone.levels.tolist()


@pytest.mark.parametrize(
    "choice",
    [
        Choice(np.array([[np.nan, 1.0]]), 0, 0),
        Choice(np.array([[-np.inf, 1.0]]), 0, 0),
        Choice(np.zeros((0, 2)), 0, 0),
        Choice(np.zeros(3), 0, 0),
        Choice(np.zeros((2, 2)), -1, 0),
        Choice(np.zeros((2, 2)), 0, np.inf),
        Choice(np.zeros((2, 2)), 0, 0, min_up=0),
        Choice(np.zeros((2, 2)), 0, 0, min_down=0),
    ],
)
def test_refuses_what_makes_no_sense(choice: Choice) -> None:
    with pytest.raises(ValueError, match=r"cost|times|change"):
        cheapest(choice)

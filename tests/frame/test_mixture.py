"""Which spikes are random ones put in among real ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.frame.mixture import random

WORK, CHANCE = 20.0, 0.2
"""What a trace and none weigh."""


def spikes(*groups: tuple[int, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Weights and heights of groups of spikes: how many, weight, height."""
    weights = np.concatenate([np.full(count, weight) for count, weight, _ in groups])
    heights = np.concatenate([np.full(count, height) for count, _, height in groups])
    return weights, heights.astype(np.float32)


def test_those_without_a_trace_are_random() -> None:
    found = random(*spikes((40, WORK, 50), (40, CHANCE, 50)))
    assert not found[:40].any()
    assert found[40:].all()


def test_chance_beside_a_few_does_not_save_them_where_no_real_one_is_as_high() -> None:
    low, high = 40, 90
    found = random(*spikes((60, WORK, low), (300, CHANCE, high), (9, WORK, high)))
    assert not found[:60].any()
    assert found[60:].all()


def test_the_same_few_stay_where_real_ones_are_as_high() -> None:
    found = random(*spikes((60, WORK, 90), (300, CHANCE, 90), (9, WORK, 90)))
    assert not found[:60].any()
    assert found[60:360].all()
    assert not found[360:].any()


def test_a_real_one_without_a_trace_is_saved_by_those_of_its_height() -> None:
    found = random(*spikes((60, WORK, 40), (3, 0.5, 40), (300, CHANCE, 90)))
    assert not found[:63].any()
    assert found[63:].all()


def test_nothing_where_all_can_be_real() -> None:
    assert not random(*spikes((50, WORK, 40), (3, CHANCE, 90))).any()
    assert not random(*spikes((1, CHANCE, 90))).any()


def test_all_where_hardly_any_is_real() -> None:
    assert random(*spikes((2, WORK, 40), (200, CHANCE, 90))).all()


@pytest.mark.parametrize("height", [0.0, 9.99, 100.0, 105.0])
def test_heights_to_the_limit(height: float) -> None:
    found = random(*spikes((40, WORK, height), (40, CHANCE, height)))
    assert found.sum() == 40


@given(
    st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(0, 105, width=32)), min_size=1, max_size=200)
)
def test_order_does_not_matter(seen: list[tuple[float, float]]) -> None:
    weights, heights = (np.array(column) for column in zip(*seen, strict=True))
    found = random(weights, heights.astype(np.float32))
    assert found.dtype == bool
    turned = np.random.default_rng(len(seen)).permutation(len(seen))
    again = random(weights[turned], heights[turned].astype(np.float32))
    assert (again == found[turned]).mean() >= 0.99  # sums of floats differ in their last bits

"""Look-alikes stand together, always in the same order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.profile.likeness import POINTS, alike
from tests.profile.weeks import evening, flat, nightly, office

KINDS = (office(70), evening(60), nightly(80), flat(50), flat(1))


def rows(each: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """`each` noisy copies of every kind, mixed; with the kind of each row."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.repeat(np.arange(len(KINDS)), each))
    scale = rng.uniform(0.8, 1.1, (len(kinds), 1))
    values = np.array([KINDS[kind] for kind in kinds]) * scale
    return np.clip(values + rng.normal(0, 1, values.shape), 0, 100), kinds


@pytest.mark.parametrize("each", [5, 40, 300])
def test_the_kinds_come_apart(each: int) -> None:
    values, kinds = rows(each)
    assert (len(values) > POINTS) == (each == 300)
    clusters = alike(values, 100.0)
    assert 5 <= len(clusters) <= 8
    for cluster in clusters:
        assert len(set(kinds[cluster])) == 1
    order = kinds[np.concatenate(clusters)]
    assert np.count_nonzero(np.diff(order)) == len(KINDS) - 1  # each kind in one piece


@settings(max_examples=40)
@given(
    count=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([1, 3, 1000]),
    gaps=st.sampled_from([0.0, 0.3, 0.9]),
)
def test_every_row_stands_in_the_order_once(
    count: int, seed: int, levels: int, gaps: float
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels, (count, 168)).astype(float)
    holes = rng.random(values.shape) < gaps
    holes[:, 0] = False
    values[holes] = np.nan
    clusters = alike(values, 100.0)
    assert sorted(np.concatenate(clusters).tolist()) == list(range(count))
    again = alike(values.copy(), 100.0)
    assert [c.tolist() for c in again] == [c.tolist() for c in clusters]


def test_equal_rows_in_great_number() -> None:
    values = np.full((POINTS * 2, 168), 3.0)
    assert sorted(np.concatenate(alike(values, 100.0)).tolist()) == list(range(POINTS * 2))


def test_the_busiest_cluster_comes_first() -> None:
    values, kinds = rows(20)
    clusters = alike(values, 100.0)
    assert kinds[clusters[0]][0] == 3  # flat(50)
    assert values[clusters[0][0]].mean() > values[clusters[0][-1]].mean()

"""Packing: nothing is lost, no machine overflows, and what is called least is least."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.optimize.packing import pack

TENTHS = st.integers(1, 10).map(lambda n: n / 10)


def fewest(shares: list[tuple[float, float]]) -> int:
    """By trying every way."""
    best = len(shares)
    for way in product(range(len(shares)), repeat=len(shares)):
        filled = np.zeros((len(shares), 2))
        np.add.at(filled, list(way), shares)
        if (filled <= 1 + 1e-9).all():
            best = min(best, len(set(way)))
    return best


@settings(max_examples=60)
@given(st.lists(st.tuples(TENTHS, TENTHS), min_size=1, max_size=5))
def test_against_every_way(shares: list[tuple[float, float]]) -> None:
    found = pack(shares, np.ones(len(shares)))
    assert sorted(need for one in found.machines for need in one) == list(range(len(shares)))
    for one in found.machines:
        assert (np.sum([shares[need] for need in one], axis=0) <= 1 + 1e-9).all()
    assert found.least <= fewest(shares) <= len(found.machines)


def test_the_steadiest_stand_together() -> None:
    found = pack([[0.5], [0.5], [0.5], [0.5]], [1.0, 0.2, 1.0, 0.2])
    assert found.machines == ((0, 2), (1, 3))
    assert found.exact


def test_thirds_fill_a_machine() -> None:
    assert len(pack([[1 / 3]] * 3, np.ones(3)).machines) == 1


def test_nothing_needs_nothing_and_too_much_is_refused() -> None:
    assert pack([], []).machines == ()
    with pytest.raises(ValueError, match="larger than a machine"):
        pack([[1.1]], [1.0])

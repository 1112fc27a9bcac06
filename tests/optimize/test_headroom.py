"""optimize/headroom.py: the headroom that the fleet's own past asks for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.headroom import budgeted_headroom
from costopt.optimize.memory import FAILED, HELD, UNSEEN, Int8s, memory_windows

TRIED = (15, 30, 50)


def fleet(resources: int, *failures: int) -> Int8s:
    """(headrooms, resources, 2): at each headroom the first so many fail in their second window."""
    windows = np.full((len(failures), resources, 2), HELD, np.int8)
    for of_headroom, failed in zip(windows, failures, strict=True):
        of_headroom[:failed, 1] = FAILED
    return windows


def test_the_least_headroom_within_the_budget() -> None:
    # of 299: (3 + 1) / 300 is over 1 %, (2 + 1) / 300 is 1 %
    found = budgeted_headroom(fleet(299, 3, 2, 0), TRIED, configured_percent=15)
    assert (found.headroom_percent, found.basis) == (30, "fleet")
    assert (found.resources, found.failed) == (299, (3, 2, 0))
    assert found.bounds == pytest.approx((4 / 300, 3 / 300, 1 / 300))
    assert found.words == ("with 30 % headroom 2 of 299 machines would have run out of memory")


def test_a_small_fleet_keeps_what_is_configured_and_says_so() -> None:
    found = budgeted_headroom(fleet(98, 0, 0, 0), TRIED, configured_percent=17)
    assert (found.headroom_percent, found.basis) == (17, "configured")
    assert "the past of 98 machines is too little to show that at most 1 %" in found.words
    assert budgeted_headroom(fleet(99, 0, 0, 0), TRIED, configured_percent=17).basis == "fleet"
    lax = budgeted_headroom(fleet(9, 0, 0, 0), TRIED, configured_percent=17, budget=0.1)
    assert lax.headroom_percent == 15


def test_where_nothing_tried_holds_memory_stays() -> None:
    found = budgeted_headroom(fleet(299, 90, 60, 30), TRIED, configured_percent=15)
    assert (found.headroom_percent, found.basis) == (None, "none")
    assert found.words == (
        "even with 50 % headroom 30 of 299 machines would have run out of memory: "
        "memory stays as it is"
    )


def test_windows_of_one_machine_count_once_and_unseen_machines_not() -> None:
    windows = fleet(200, 0, 0, 0)
    windows[:, 0] = FAILED  # both windows
    windows[:, 1:101, 0] = UNSEEN  # one of two
    windows[:, 101:] = UNSEEN
    found = budgeted_headroom(windows, TRIED, configured_percent=15)
    assert (found.resources, found.failed) == (101, (1, 1, 1))


@pytest.mark.parametrize("tried", [(15, 30), (30, 15, 50), (15, 15, 50)])
def test_headrooms_rise_and_are_as_many_as_the_windows(tried: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="3 headrooms are wanted, least first"):
        budgeted_headroom(fleet(10, 0, 0, 0), tried, configured_percent=15)


@given(st.integers(0, 2**32 - 1))
def test_more_headroom_never_fails_more_machines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    peaks = np.cumsum(rng.normal(0.2, 3, (40, 35)), axis=1) % 100
    windows = memory_windows(peaks, [14, 21], 14, TRIED)
    found = budgeted_headroom(windows, TRIED, configured_percent=15, budget=0.5)
    assert list(found.failed) == sorted(found.failed, reverse=True)
    assert found.resources == 40


def test_the_chosen_headroom_keeps_its_budget_on_machines_not_seen() -> None:
    """200 machines choose, 2000 others of the same kind are resized: on average within 5 %."""
    rng = np.random.default_rng(7)
    shares = []
    for _ in range(40):
        peaks = 20 * np.exp(rng.normal(0, 0.12, (2200, 28)))
        windows = memory_windows(peaks, [14], 14, (0, 15, 30, 45, 60))
        seen, others = windows[:, :200], windows[:, 200:]
        found = budgeted_headroom(seen, (0, 15, 30, 45, 60), configured_percent=0, budget=0.05)
        assert found.headroom_percent is not None
        at = found.headrooms_percent.index(found.headroom_percent)
        shares.append((others[at] == FAILED).mean())
    assert np.mean(shares) <= 0.05
    assert max(shares) > 0  # and not by keeping everything

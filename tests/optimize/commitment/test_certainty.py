"""How sure demand is, of months that are not the history's own: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from costopt.errors import InsufficientData
from costopt.optimize.commitment.certainty import (
    Caution,
    falling,
    feared,
    needed,
    used_between,
)

CAREFUL = Caution()
HOURS = 6 * 168


def test_demand_that_stands_on_something_else_falls_faster() -> None:
    """One of twenty, nineteen of which are covered: in the year's first half only, and in part."""
    share = falling(0.1, 12)
    ahead = np.maximum(20 * share - 19, 0.0)[:, None] * np.ones(HOURS)
    one = np.ones(HOURS)
    sure = needed(one, 1, CAREFUL, ahead)
    reached = np.mean([ahead[:, 0] >= top for top in sure.levels[1:]], axis=1)
    assert sure.mean[0] == pytest.approx(reached)
    found = used_between(ahead, 0.0, 1.0, CAREFUL)
    assert found.mean == found.low == pytest.approx(float(ahead[:, 0].mean()))
    alone = used_between(share[:, None] * one, 0.0, 1.0, CAREFUL)
    assert alone.mean == pytest.approx(float(share.mean()))
    assert found.mean < alone.mean / 3


def test_the_bound_is_of_whole_weeks() -> None:
    """Half of six weeks in use: the mean is a half, and a bound lies below it."""
    weeks = np.repeat([1.0, 0.0, 1.0, 0.0, 1.0, 0.0], 168)
    weeks[3] = np.nan
    found = used_between(np.tile(weeks, (12, 1)), 0.0, 1.0, CAREFUL)
    assert found.mean == pytest.approx((3 * 168 - 1) / (HOURS - 1))
    assert 0 < found.low < found.mean
    with pytest.raises(InsufficientData):
        used_between(np.ones((12, 168)), 0.0, 1.0, CAREFUL)


def test_the_fear_is_of_what_history_shows_if_that_is_more() -> None:
    assert feared(np.ones(HOURS), CAREFUL) == 0.1
    halved = np.repeat([1.0, 0.5], 52 * 168)
    assert feared(halved, CAREFUL) == pytest.approx(0.5)

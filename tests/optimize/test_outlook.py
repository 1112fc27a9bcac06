"""optimize/outlook.py: the risk of a capacity, and what it came to, from those of known sizes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.features import Floats
from costopt.optimize.outlook import Chances, Outlook, Replay
from costopt.optimize.record import Record

SIZES = np.array([1.0, 0.75, 0.5, 0.25, 1 / 3 / 2])
CHANCES = Chances(SIZES, np.array([0.0, 0.1, 0.2, 0.4, 0.7]), 40.0)
REPLAY = Replay(
    origin=datetime(2026, 9, 7, tzinfo=UTC),
    chances=CHANCES,
    exhausted=np.array([False, False, False, True, True]),
    added=np.array([0.0, 0.0, 0.004, 0.02, 0.5]),
    kept=np.array([1.0, 1.0, 1.0, 0.6, 0.1]),
    train_days=14,
    test_days=14,
)


@pytest.mark.parametrize(
    ("capacity", "risk"),
    [
        (2.0, 0.0),  # larger ones add no violation to today's
        (1.0, 0.0),
        (0.75, 0.1),  # a size that was asked for is found itself,
        (0.5, 0.2),
        (0.25, 0.4),
        (1 / 6, 0.7),  # whatever the last bit of its share,
        (0.5 - 1e-12, 0.2),
        (0.5 + 1e-12, 0.2),
        (0.9, 0.1),  # one between two has the smaller one's risk, never less than its own
        (0.3, 0.4),
        (0.1, 1.0),  # and below all of them nothing is known
    ],
)
def test_the_risk_of_a_capacity(capacity: float, risk: float) -> None:
    assert CHANCES.at(np.array([capacity])).tolist() == [risk]


@given(st.lists(st.floats(0.01, 3), min_size=2, max_size=20).map(sorted))
def test_more_capacity_is_never_riskier(capacities: list[float]) -> None:
    assert (np.diff(CHANCES.at(np.array(capacities))) <= 0).all()


@pytest.mark.parametrize(
    ("capacity", "came"),
    [
        (4.0, (False, 0.0, 1.0)),
        (1.0, (False, 0.0, 1.0)),
        (0.5, (False, 0.004, 1.0)),
        (0.4, (True, 0.02, 0.6)),
        (0.25, (True, 0.02, 0.6)),
        (0.05, (True, 0.5, 0.1)),
    ],
)
def test_what_a_capacity_came_to(capacity: float, came: tuple[bool, float, float]) -> None:
    assert REPLAY.came_to(capacity) == came


def test_the_disputed_share_of_a_capacity_is_that_of_the_size_that_stands_for_it() -> None:
    def outlook(disputed_over: Floats | None) -> Outlook:
        nothing, never = np.zeros(len(SIZES)), np.zeros(len(SIZES), np.int64)
        record = Record(0, never, 0, never)
        return Outlook(
            CHANCES, nothing, nothing, nothing, 28, 14, 0.005, record, (),
            disputed_over=disputed_over,
        )  # fmt: skip

    known = outlook(np.array([0.001, 0.002, 0.003, 0.004, 0.005]))
    shares = [known.disputed_share(capacity) for capacity in (1, 0.5 + 1e-12, 0.4, 1 / 6, 0.1)]
    assert shares == [0.001, 0.003, 0.004, 0.005, 0.005]
    assert outlook(None).disputed_share(0.5) == 0

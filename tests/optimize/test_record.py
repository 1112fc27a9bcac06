"""optimize/record.py: what a machine's own past makes of the model's chance, and its bound."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.record import OWN_WINDOWS, Record, upper_share


def record(windows: int, over: list[int], before: int, over_before: list[int]) -> Record:
    return Record(windows, np.array(over), before, np.array(over_before))


def test_no_record_leaves_the_model_s_chance_alone() -> None:
    chances = np.array([0.0, 0.1, 0.5])
    none = record(0, [0, 0, 0], 0, [0, 0, 0])
    assert none.applied(chances).tolist() == chances.tolist()
    assert none.upper(chances).tolist() == [0, 0, 0]


def test_the_record_is_a_floor_and_outweighs_the_model() -> None:
    assert OWN_WINDOWS == 10
    some = record(2, [0, 1, 0], 2, [0, 1, 0])
    # (10 * 0.1 + 1) / (10 + 2) = 1 / 6, and its record 1 / 3; (5 + 0) / 12
    found = some.applied(np.array([0.0, 0.1, 0.5]))
    assert found.tolist() == pytest.approx([0.0, 1 / 3, 5 / 12])


@pytest.mark.parametrize(
    ("times", "of", "expected"),
    [
        (0, 1, 0.95),  # 1 - p = 5 %
        (0, 3, 1 - 0.05 ** (1 / 3)),
        (1, 2, 0.95**0.5),  # 1 - p ** 2 = 5 %
        (3, 4, 0.95**0.25),  # 1 - p ** 4 = 5 %
        (2, 4, 0.9023886837),  # published tables: 0.9024
        (1, 10, 0.3941633),  # published tables: 0.3942
        (4, 4, 1.0),
        (0, 0, 1.0),
    ],
)
def test_the_upper_end_of_a_share_by_hand(times: int, of: int, expected: float) -> None:
    assert upper_share(times, of) == pytest.approx(expected, abs=1e-6)


@given(st.integers(1, 40), st.data())
def test_at_the_upper_end_so_few_have_a_chance_of_one_in_twenty(
    of: int, data: st.DataObject
) -> None:
    times = data.draw(st.integers(0, of - 1))
    p = upper_share(times, of)
    tail = sum(comb(of, n) * p**n * (1 - p) ** (of - n) for n in range(times + 1))
    assert tail == pytest.approx(0.05, abs=1e-9)
    assert times / of < p < 1


@given(
    st.integers(0, 8),
    st.integers(0, 2),
    st.data(),
    st.floats(0, 1),
)
def test_where_the_record_decides_its_bound_is_above_the_chance(
    before: int, newest: int, data: st.DataObject, chance: float
) -> None:
    over_before = data.draw(st.integers(0, before))
    over = over_before + data.draw(st.integers(0, newest))
    one = record(before + newest, [over], before, [over_before])
    model = np.array([chance])
    lived, upper = float(one.applied(model)[0]), float(one.upper(model)[0])
    if lived <= chance:
        assert upper == 0
    elif lived == over / (before + newest + 1):
        assert upper > lived


def test_two_of_four_fortnights_are_no_bound_of_themselves() -> None:
    one = record(4, [2], 2, [0])
    assert one.applied(np.array([0.05])).tolist() == [0.4]
    assert one.upper(np.array([0.05]))[0] == pytest.approx(0.9024, abs=1e-4)
    assert one.upper(np.array([0.6])).tolist() == [0.0]  # there the model's own end holds

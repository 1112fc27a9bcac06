"""Ladders: what is sure goes long; purchases spread; what is held comes first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.errors import InsufficientData
from costopt.optimize.commitment import (
    Caution,
    Held,
    Term,
    best_quantity,
    cheapest_payments,
    ladder,
    yearly_change,
)

YEAR = Term("1y", 12, 0.6)
THREE = Term("3y", 36, 0.4)
STEADY = Caution(yearly_decline=0.0)
WEEK = 168


def _office(base: float, more: float, weeks: int) -> np.ndarray:
    """So much always, and more in half of the hours."""
    return np.where(np.arange(weeks * WEEK) % 24 < 12, base + more, base).astype(float)


# Terms


def test_a_rate_is_what_the_payments_come_to() -> None:
    assert Term("all", 12, 0.0, upfront=876.0).rate() == pytest.approx(0.1)
    assert Term("part", 36, 0.05, upfront=1314.0).rate() == pytest.approx(0.1)
    # Twelve payments of 73 at the end of each month, at 12 % a year, are worth 822.39 today
    # (the sum of 73 / 1.12 ** (k / 12)), so 876 at once is a rate of 0.1 * 876 / 822.39.
    today = sum(73 / 1.12 ** (k / 12) for k in range(1, 13))
    assert Term("all", 12, 0.0, upfront=876.0).rate(0.12) == pytest.approx(0.1 * 876 / today)
    assert YEAR.rate(0.12) == pytest.approx(0.6)


def test_capital_decides_between_payments() -> None:
    none, all_ = Term("none", 12, 0.10), Term("all", 12, 0.0, upfront=0.095 * 8760)
    assert cheapest_payments([none, all_, THREE], 0.0) == [all_, THREE]
    assert cheapest_payments([none, all_, THREE], 0.2) == [none, THREE]


@pytest.mark.parametrize("wrong", [(6, 1.0), (18, 1.0), (12, 0.0), (12, -1.0)])
def test_terms_that_cannot_be(wrong: tuple[int, float]) -> None:
    with pytest.raises(ValueError, match="x: "):
        Term("x", *wrong)


# Layers


def test_what_always_runs_goes_long_and_what_half_runs_stays_on_demand() -> None:
    plan = ladder(_office(10, 6, 8), 1.0, [YEAR, Term("3y", 36, 0.55)], caution=STEADY)
    (layer,) = plan.layers
    assert (layer.term, layer.bottom, layer.top) == ("3y", 0.0, 10.0)
    assert (layer.needed, layer.needed_low) == (1.0, 1.0)
    # Where three years cost 0.4, layers needed half the time pay at that rate, not at 0.6.
    cheap = ladder(_office(10, 6, 8), 1.0, [YEAR, THREE], caution=STEADY)
    assert cheap.committed(11) == pytest.approx(16.0)


def test_a_feared_fall_leaves_the_upper_part_to_the_shorter_term() -> None:
    plan = ladder(np.full(8 * WEEK, 100.0), 1.0, [YEAR, THREE], caution=Caution(yearly_decline=0.2))
    assert [layer.term for layer in plan.layers] == ["3y", "1y"]
    long, short = plan.layers
    # A unit at x is needed for n years, until demand has fallen to it: n = ln(x / 100) / ln 0.8.
    needed = np.log(np.array([long.top, short.top]) / 100) / np.log(0.8)
    # A year pays while needed for 0.6 of it.
    assert needed[1] == pytest.approx(0.6, abs=0.06)
    # Three years are worth n - 1.2; a year at a time 0.4 for each of two years, and of less than
    # 1.6 years in all only the first: n - 1.2 is more from 2 years on, and as much from 1.6 on.
    assert needed[0] == pytest.approx(2.0, abs=0.09)
    assert short.needed > short.rate
    assert long.needed > short.rate


def test_few_weeks_make_careful() -> None:
    random = np.random.default_rng(0)
    weekly = np.repeat(random.uniform(50, 100, 52), WEEK)
    long = ladder(weekly, 1.0, [YEAR], caution=STEADY).committed(11)
    short = ladder(weekly[: 4 * WEEK], 1.0, [YEAR], caution=STEADY).committed(11)
    assert long < best_quantity(weekly, 1.0, 0.6)
    assert short <= np.sort(weekly[: 4 * WEEK : WEEK])[1]
    sure = ladder(weekly, 1.0, [YEAR], caution=Caution(confidence=0.99, yearly_decline=0.0))
    assert sure.committed(11) < long


@given(st.integers(0, 10_000), st.floats(0.3, 0.9), st.floats(0, 0.4))
@settings(max_examples=12)
def test_every_tranche_pays_by_its_lower_bound_and_none_is_above_the_newsvendor(
    seed: int, rate: float, decline: float
) -> None:
    random = np.random.default_rng(seed)
    hours = random.gamma(2, 5, 5 * WEEK) + random.uniform(0, 20)
    terms = [Term("1y", 12, rate), Term("3y", 36, rate * 0.65)]
    plan = ladder(hours, 1.0, terms, caution=Caution(yearly_decline=decline, draws=100))
    assert all(one.saving >= one.saving_low for one in plan.tranches)
    assert sum(one.saving_low for one in plan.tranches) >= -1e-9
    assert plan.committed(11) <= best_quantity(hours, 1.0, rate * 0.65) + 1e-9
    assert plan.outcome.saving >= 0
    assert plan.waiting >= -1e-9
    tops = [0.0, *(layer.top for layer in plan.layers)]
    assert [layer.bottom for layer in plan.layers] == tops[:-1]
    assert [layer.term for layer in plan.layers] in (["3y", "1y"], ["3y"], ["1y"], [])


# Purchases


def test_purchases_and_their_ends_are_spread() -> None:
    plan = ladder(_office(12, 0, 6), 1.0, [YEAR], caution=STEADY, tranches=4)
    assert [(one.month, one.quantity, one.ends) for one in plan.tranches] == [
        (month, pytest.approx(3.0), 12 + month) for month in range(4)
    ]
    assert [plan.committed(month) for month in (0, 1, 3, 11, 12, 15)] == pytest.approx(
        [3, 6, 12, 12, 9, 0]
    )
    # 9, 6 and 3 units wait a month each, at 0.4 an hour.
    assert plan.waiting == pytest.approx(18 * 0.4 * 730)
    assert plan.outcome.saving == pytest.approx(12 * 0.4)
    assert plan.outcome.utilisation == pytest.approx(1.0)
    assert plan.stuck == pytest.approx(12 * 0.4)


def test_whole_machines_only() -> None:
    plan = ladder(_office(10, 0, 6), 1.0, [YEAR], caution=STEADY, tranches=4, step=1.0)
    assert [one.quantity for one in plan.tranches] == [2, 3, 2, 3]


def test_what_is_held_comes_first_and_is_replaced_when_it_ends() -> None:
    held = [Held("old", 4.0, months_left=5, rate=0.5), Held("new", 3.0, months_left=20, rate=0.5)]
    plan = ladder(_office(12, 0, 6), 1.0, [YEAR], caution=STEADY, held=held, tranches=1)
    assert [(one.month, one.quantity) for one in plan.tranches] == [(0, 5.0), (5, 4.0)]
    assert {plan.committed(month) for month in range(12)} == {12.0}
    # In the demand that is left beside what is held now, the nine bought find five to cover.
    assert plan.outcome.on_demand == pytest.approx(5.0)


def test_held_beyond_need_is_not_added_to() -> None:
    held = [Held("too much", 20.0, months_left=30, rate=0.5)]
    plan = ladder(_office(12, 0, 6), 1.0, [YEAR], caution=STEADY, held=held)
    assert plan.tranches == ()
    assert plan.outcome.saving == 0.0
    assert plan.waiting == 0.0


def test_nothing_offered_and_nothing_needed() -> None:
    assert ladder(_office(12, 0, 6), 1.0, []).tranches == ()
    assert ladder(np.zeros(6 * WEEK), 1.0, [YEAR]).tranches == ()
    assert ladder(_office(12, 0, 6), 0.5, [YEAR]).tranches == ()


# History


def test_a_year_on_year_fall_is_seen_and_a_season_is_not() -> None:
    weeks = np.arange(104)
    season = 100 + 30 * np.sin(2 * np.pi * weeks / 52)
    assert yearly_change(np.repeat(season, WEEK)) == pytest.approx(1.0)
    falling = np.repeat(season * 0.7 ** (weeks / 52), WEEK)
    assert yearly_change(falling) == pytest.approx(0.7)
    assert yearly_change(falling[: 60 * WEEK]) == 1.0  # eight pairs of weeks are too few
    holed = falling.copy()
    holed[5000:9000] = np.nan
    assert yearly_change(holed) == pytest.approx(0.7)
    feared = ladder(falling, 1.0, [YEAR, THREE], caution=STEADY, tranches=1)
    unfeared = ladder(np.repeat(season, WEEK), 1.0, [YEAR, THREE], caution=STEADY, tranches=1)
    assert feared.layers[0].top < unfeared.layers[0].top * 0.7


def test_what_ended_is_not_committed_to() -> None:
    assert ladder(np.repeat([10.0, 0.0], 60 * WEEK), 1.0, [YEAR, THREE]).tranches == ()


def test_missing_hours_are_no_hours_without_demand() -> None:
    hours = _office(12, 0, 6)
    hours[100:300] = np.nan
    plan = ladder(hours, 1.0, [YEAR], caution=STEADY)
    assert plan.layers[0].top == 12.0
    assert plan.outcome.missing == 200


def test_too_little_history() -> None:
    with pytest.raises(InsufficientData, match="2 weeks"):
        ladder(np.ones(200), 1.0, [YEAR])


@pytest.mark.parametrize("wrong", [{"price": 0.0}, {"tranches": 0}, {"tranches": 13}, {"step": -1}])
def test_settings_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="1 to 12 tranches"):
        ladder(np.ones(600), **{"price": 1.0, "terms": [YEAR], **wrong})
    with pytest.raises(ValueError, match="shares"):
        Caution(confidence=1.0)

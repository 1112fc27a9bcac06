"""What a fleet teaches: which rows, in whatever order, and at an origin only what was known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np
import pytest

from costopt.backtest import fleet
from costopt.backtest.fleet import LADDER, budget_within, learn, rows
from costopt.backtest.study import STANDARD, Studied, study
from costopt.backtest.windows import Origin, Timetable, timetable
from costopt.optimize.risk import prior
from tests.backtest.fleets import A_DAY, Values, days, history, restless

TABLE = timetable(49)
NAMES = [f"vm-{number:02d}" for number in range(24)]


def studied(
    cpu: Values, name: str, table: Timetable = TABLE, sizes: Sequence[float] = LADDER
) -> Studied:
    one = history(cpu, name)
    return study(one, one.cpu, np.array(sizes), table, STANDARD)


@lru_cache(maxsize=1)
def machines() -> tuple[Studied, ...]:
    return tuple(studied(restless(49, number), name) for number, name in enumerate(NAMES))


def test_a_lesson_is_a_row_for_every_smaller_size_and_what_became_of_it() -> None:
    """Two machines go to 60 and to 20 % in the test: too much for a half, and for a quarter down
    to an eighth (11.25 %)."""
    table = timetable(28)
    two = [
        studied(np.concatenate([days(14, 1), days(14, level)]), name, table)
        for name, level in (("a", 60), ("b", 20))
    ]
    figures, happened = rows(two, table.origins)
    assert happened.tolist() == [1, 1, 1, 1, 0, 0, 1, 1]
    np.testing.assert_array_equal(figures[:4], two[0].figures[table.origins[0]][1:])


def test_windows_that_are_missing_teach_nothing() -> None:
    table = timetable(28)
    cpu = np.concatenate([days(14, 1), np.full(14 * A_DAY, np.nan)])
    figures, happened = rows([studied(cpu, "a", table)], table.origins)
    assert figures.shape == (0, 10)
    assert happened.shape == (0,)


def test_sizes_beside_the_ladder_teach_nothing() -> None:
    table = timetable(28)
    cpu = restless(28, 1)
    plain = rows([studied(cpu, "a", table)], table.origins)
    more = rows([studied(cpu, "a", table, [1, 0.7, 0.5, 0.3, 0.25, 0.125, 0.0625])], table.origins)
    np.testing.assert_array_equal(plain[0], more[0])
    np.testing.assert_array_equal(plain[1], more[1])


def test_a_ladder_that_does_not_hold_the_sizes_to_learn_on_is_refused() -> None:
    with pytest.raises(KeyError, match="not all were studied"):
        rows([studied(restless(49, 1), "a", sizes=(1, 0.3))], TABLE.origins)


def test_what_is_learned_does_not_depend_on_the_order_of_machines() -> None:
    there = learn(machines(), TABLE, prior())
    back = learn(machines()[::-1], TABLE, prior())
    for at, model in there.models.items():
        np.testing.assert_array_equal(model.coefficients, back.models[at].coefficients)


def test_an_origin_learns_from_tests_that_had_ended_and_now_from_all() -> None:
    """49 days: origins 35, 28, 21 and 14 days back; only the oldest's test ends by 21."""
    learned = learn(machines(), TABLE, prior())
    weight = min(1.0, 300 / prior().rows) * prior().rows
    of = {at.back_days: round(model.rows - weight) for at, model in learned.models.items()}
    a_lesson = 4 * len(NAMES)
    assert of == {35: a_lesson, 28: a_lesson, 21: a_lesson, 14: 2 * a_lesson, 0: 4 * a_lesson}


def test_models_of_the_past_are_the_same_whatever_came_later() -> None:
    learned = learn(machines(), TABLE, prior())
    at = TABLE.origins[2]
    end = (49 - at.back_days) * A_DAY
    changed = []
    for number, name in enumerate(NAMES):
        cpu = restless(49, number)
        cpu[end:] = 100 - cpu[end:]
        changed.append(studied(cpu, name))
    again = learn(changed, TABLE, prior())
    for origin in TABLE.origins:
        same = np.array_equal(
            learned.models[origin].coefficients, again.models[origin].coefficients
        )
        assert same == (origin.back_days >= at.back_days)


def test_a_fleet_without_a_past_has_the_prior() -> None:
    learned = learn([], TABLE, prior())
    assert all(model is prior() for model in learned.models.values())


def test_of_very_many_machines_some_teach_and_which_depends_on_the_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet, "MOST_TEACHERS", 5)
    models = [
        learn(order, TABLE, prior(), seed).models[TABLE.now]
        for seed, order in ((0, machines()), (0, machines()[::-1]), (1, machines()))
    ]
    assert models[0].coefficients.tolist() == models[1].coefficients.tolist()
    assert models[0].coefficients.tolist() != models[2].coefficients.tolist()
    assert models[0].rows == models[2].rows


def test_todays_size_risks_nothing_and_smaller_ones_never_less() -> None:
    learned = learn(machines(), TABLE, prior())
    for one in machines():
        for at in (*TABLE.origins, TABLE.now):
            chances = learned.chances(one, at)
            assert chances is not None
            assert chances[0] == 0
            assert (np.diff(chances) >= 0).all()
            assert chances[-1] <= 1
        assert learned.upper(one)[0] == 0


def test_a_window_too_thin_has_no_risk() -> None:
    learned = learn(machines(), TABLE, prior())
    empty = studied(np.full(49 * A_DAY, np.nan), "off")
    assert learned.chances(empty, TABLE.now) is None


def test_its_own_record_counts() -> None:
    """Two machines alike of late; one used up half a machine's budget in both earlier windows."""
    table = timetable(42)
    quiet = days(42, 12)
    busy = quiet.copy()
    busy[: 28 * A_DAY : 100] = 60  # one in a hundred
    learned = learn([], table, prior())
    calm, once = (
        learned.chances(studied(c, n, table), table.now) for c, n in ((quiet, "a"), (busy, "b"))
    )
    assert calm is not None
    assert once is not None
    assert once[1] == pytest.approx(2 / 4)  # of three windows and one more
    assert calm[1] < 0.1


# -- the fleet's risk budget ---------------------------------------------------------------------


def within(budget: float, ones: Sequence[Studied], origins: Sequence[Origin], **more: Any) -> float:
    learned = learn(ones, TABLE, prior())
    return budget_within(
        learned,
        ones,
        origins,
        budget=budget,
        least=0.5,
        limit_percent=90,
        **more,
    ).rollback_cost


def test_a_calm_fleet_keeps_its_budget_at_the_least_cost() -> None:
    calm = [studied(days(49, 10), name) for name in NAMES]
    assert within(0.05, calm, TABLE.origins) == 0.5


def test_a_budget_that_so_few_machines_cannot_show_is_kept_by_nothing() -> None:
    calm = [studied(days(49, 10), name) for name in NAMES]
    assert within(1 / 26, calm, TABLE.origins) == inf  # 1 / (24 + 1) is the least to be shown
    assert within(0.05, calm, ()) == inf


def test_a_fleet_that_was_undone_pays_more_for_it() -> None:
    """All machines jump to 60 % in the last fortnight: no size below today's would have lasted."""
    jump = np.concatenate([days(35, 10), days(14, 60)])
    ones = [studied(jump, name) for name in NAMES]
    newest = TABLE.origins[-1:]
    assert within(0.5, ones, newest) > 0.5
    assert within(1.0, ones, newest) == 0.5


def test_the_sizes_on_offer_may_be_others() -> None:
    """Only three quarters are on offer: those last, where a half does not."""
    jump = np.concatenate([days(35, 10), days(14, 60)])
    ones = [studied(jump, name, sizes=(1, 0.75, *LADDER[1:])) for name in NAMES]
    newest = TABLE.origins[-1:]
    assert within(0.5, ones, newest, sizes=(1, 0.75)) == 0.5


def test_the_cost_does_not_depend_on_the_order_of_origins() -> None:
    there = within(0.2, machines(), TABLE.origins)
    assert there == within(0.2, machines(), TABLE.origins[::-1])

"""Fleet scores: a fleet of three windows by hand, then what must hold for any."""

from dataclasses import replace

import numpy as np
import pytest

from costopt.backtest.outcome import Outcomes, outcomes
from costopt.backtest.result import Guarded, Interval, MethodScore
from costopt.backtest.score import memory_score, rung, score
from costopt.errors import InsufficientData

LADDER = np.array([1.0, 0.5, 0.25])
BUSY = [60, 60, 10, 10, 10, 10, 10, 10, 10, 10]  # two violations at a half and at a quarter
QUIET = [10] * 10
EMPTY = [np.nan] * 10
STAYS, HALVES = np.ones(3), np.full(3, 0.5)
METHODS = {
    "costopt": ("costopt", ""),
    "half": ("Half", "a book"),
    "none": ("None", "no book"),
    "again": ("Half again", "another book"),
}


def _tiny(*windows: list[float], budget: float = 0.1) -> Outcomes:
    """A budget of 10 % of ten slots: the second violation uses it up; leads of 0 and 3 slots."""
    return outcomes(np.array(windows, np.float64), LADDER, [0, 3], budget=budget)


def _scores(found: Outcomes, choices: dict[str, np.ndarray], **more: object) -> dict:
    resources = more.pop("resources", np.arange(len(found.over_90)))
    given = score(found, resources, choices, METHODS, [0.0, 15.0], draws=50, **more)  # type: ignore
    return {each.name: each for each in given}


def test_by_hand() -> None:
    """Two of three windows sized to a half, one of them busy: reverted after its second slot."""
    chosen = {"costopt": np.array([0.5, 0.5, np.nan])}
    ours = _scores(_tiny(BUSY, QUIET, QUIET), chosen)["costopt"]
    assert ours.windows == 3
    assert ours.abstained == pytest.approx(1 / 3)
    assert ours.saved.value == pytest.approx((0.5 + 0.5) / 3)
    assert ours.net.value == pytest.approx((0.5 * 0.2 + 0.5) / 3)
    assert ours.rolled_back.value == pytest.approx(1 / 3)
    assert ours.over_90 == ours.over_100 == pytest.approx(0.2 / 3)
    assert ours.windows_over_half_percent == pytest.approx(1 / 3)
    assert ours.windows_over_one_percent == pytest.approx(1 / 3)
    assert [each.lead_minutes for each in ours.guarded] == [0, 15]
    assert ours.guarded[0].net == ours.net
    assert ours.guarded[1].net.value == pytest.approx((0.5 * 0.5 + 0.5) / 3)
    assert ours.guarded[0].violation == pytest.approx(0.2 / 3)
    assert ours.guarded[0].worst == 0.2
    assert ours.net_minus_ours is None


def test_one_resource_has_no_spread() -> None:
    """One window, of one resource: every figure is known, and so is every draw."""
    found = score(
        _tiny(BUSY),
        np.array([7]),
        {"half": np.array([0.5]), "costopt": np.array([0.25])},
        METHODS,
        [0.0, 15.0],
    )
    assert [each.name for each in found] == ["costopt", "half"]
    assert found[1] == MethodScore(
        name="half",
        title="Half",
        source="a book",
        windows=1,
        abstained=0,
        saved=Interval(0.5, 0.5, 0.5),
        net=Interval(0.1, 0.1, 0.1),
        rolled_back=Interval(1, 1, 1),
        over_90=0.2,
        over_100=0.2,
        windows_over_half_percent=1,
        windows_over_one_percent=1,
        guarded=(
            Guarded(0.0, Interval(0.1, 0.1, 0.1), 0.2, 0.2),
            Guarded(15.0, Interval(0.25, 0.25, 0.25), 0.2, 0.2),
        ),
        net_minus_ours=Interval(-0.05, -0.05, -0.05),  # 0.5 * 0.2 - 0.75 * 0.2
    )


def test_ours_first_then_by_net_saving() -> None:
    chosen = {"none": STAYS, "half": HALVES, "again": HALVES, "costopt": STAYS}
    found = _scores(_tiny(BUSY, QUIET, QUIET), chosen)
    assert list(found) == ["costopt", "again", "half", "none"]


def test_the_same_sizes_differ_by_nothing() -> None:
    chosen = {"costopt": HALVES, "half": HALVES}
    found = _scores(_tiny(BUSY, QUIET, BUSY), chosen)
    assert found["half"].net_minus_ours == Interval(0, 0, 0)
    assert replace(found["half"], net_minus_ours=None, name="costopt", source="") == replace(
        found["costopt"], title="Half"
    )


def test_windows_without_samples_are_left_out() -> None:
    chosen = {"costopt": HALVES}
    with_empty = _scores(_tiny(BUSY, EMPTY, QUIET), chosen, resources=np.array([0, 1, 2]))
    without = _scores(_tiny(BUSY, QUIET), {"costopt": HALVES[:2]}, resources=np.array([0, 2]))
    assert with_empty == without


def test_weights_weigh_savings_and_not_windows() -> None:
    chosen = {"costopt": np.array([0.5, 1.0, 1.0])}
    weights = np.array([6.0, 2.0, 2.0])
    found = _scores(_tiny(BUSY, QUIET, QUIET), chosen, weights=weights)["costopt"]
    assert found.saved.value == pytest.approx(0.3)
    assert found.net.value == pytest.approx(0.06)
    assert found.rolled_back.value == pytest.approx(1 / 3)


def test_the_order_of_windows_and_of_methods_does_not_show() -> None:
    rng = np.random.default_rng(8)
    found = outcomes(rng.uniform(0, 60, (40, 20)), LADDER, [0, 3], budget=0.1)
    chosen = {name: rng.choice([1.0, 0.5, 0.25, np.nan], 40) for name in METHODS}
    resources, order = np.repeat(np.arange(10), 4), rng.permutation(40)
    shuffled = Outcomes(
        ladder=LADDER,
        over_90=found.over_90[order],
        over_100=found.over_100[order],
        exhausted=found.exhausted[order],
        guarded=found.guarded[:, order],
        kept=found.kept[:, order],
    )
    again = {name: chosen[name][order] for name in reversed(chosen)}
    assert _scores(shuffled, again, resources=resources[order]) == _scores(
        found, chosen, resources=resources
    )


@pytest.mark.parametrize("size", [0.3, 0.0, 2.0])
def test_a_choice_is_on_the_ladder(size: float) -> None:
    with pytest.raises(ValueError, match="ladder"):
        _scores(_tiny(QUIET), {"costopt": np.array([size])})


def test_ours_is_there_and_leads_match() -> None:
    with pytest.raises(ValueError, match="'costopt'"):
        _scores(_tiny(QUIET), {"half": np.array([1.0])})
    with pytest.raises(ValueError, match="lead"):
        score(_tiny(QUIET), np.array([0]), {"costopt": np.array([1.0])}, METHODS, [10.0])


def test_nothing_to_score() -> None:
    with pytest.raises(InsufficientData):
        _scores(_tiny(EMPTY), {"costopt": np.array([1.0])})


def test_memory_by_hand() -> None:
    sizes = np.array([0.5, 0.25, np.nan, 1.0])
    failed = np.array([False, True, False, False])
    found = memory_score("half", np.array([0, 0, 1, 1]), sizes, failed, draws=200)
    assert (found.name, found.windows) == ("half", 4)
    assert found.saved == Interval(0.3125, 0.0, 0.625)
    assert found.out_of_memory == Interval(0.25, 0.0, 0.5)
    weights = np.array([1.0, 4.0])
    weighted = memory_score("half", np.array([0, 0, 1, 1]), sizes, failed, weights=weights)
    assert weighted.saved.value == 0.125
    assert weighted.out_of_memory.value == 0.25


def test_the_rung_that_holds_a_need() -> None:
    need = np.array([0.2, 0.25, 0.25 + 1e-12, 0.26, 1.0, 1.7, np.inf, np.nan, 1e-15])
    expected = [0.25, 0.25, 0.25, 0.5, 1.0, 1.0, 1.0, np.nan, 0.25]
    for ladder in (LADDER, np.append(LADDER, 0.0)):
        np.testing.assert_array_equal(rung(need, ladder), expected)


def test_only_a_need_of_nothing_is_a_stop_and_only_where_stopping_is_offered() -> None:
    assert rung(np.zeros(1), np.append(LADDER, 0.0)).tolist() == [0.0]
    assert rung(np.zeros(1), LADDER).tolist() == [0.25]
    with pytest.raises(ValueError, match="need"):
        rung(np.array([-0.1]), LADDER)

"""optimize/features.py: against a plain NumPy reading of what the names say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.optimize.features import MARGIN_LIMIT, NAMES, RECENT_DAYS, features, hundredths
from costopt.schema import MISSING_U16

LIMITS = np.array([90.0, 45.0, 22.5, 11.25])
BUDGET = 0.005


def plain(
    window: npt.NDArray[np.uint16], limit: float, slots_a_day: int, budget: float
) -> list[float]:
    """The figures of one window at one limit."""
    there = window != MISSING_U16
    held = np.sort(window[there].astype(np.int64))
    over = there & (window > limit * 100)
    day = (np.arange(len(window)) - len(window)) // slots_a_day  # -1 is the last
    days = [np.flatnonzero((day == d) & there) for d in np.unique(day)]
    days = [places for places in days if len(places)]
    shares = np.array([over[places].mean() for places in days])

    def margin(level: float) -> float:
        return float(np.clip(np.log(limit * 100 / max(level, 1)), -MARGIN_LIMIT, MARGIN_LIMIT))

    def log_rate(places: npt.NDArray[np.bool_]) -> float:
        return float(np.log((over[places].sum() + 0.5) / (there[places].sum() + 1)))

    levels = [np.quantile(held, q, method="inverted_cdf") for q in (1, 0.999, 0.99, 0.95)]
    recent = there & (day >= -RECENT_DAYS)
    return [
        *[margin(level) for level in (*levels, held.mean())],
        log_rate(there),
        log_rate(recent) if recent.any() else log_rate(there),
        float((shares > 0).mean()),
        float(np.log(shares.max() + 0.5 / slots_a_day)),
        float(np.mean([over[p].sum() > budget * len(p) for p in days])),
    ]


samples = st.one_of(st.integers(0, 10_500), st.just(MISSING_U16), st.sampled_from([9000, 4500]))


@settings(max_examples=100)
@given(
    st.lists(st.lists(samples, min_size=1, max_size=60), min_size=1, max_size=3),
    st.integers(1, 12),
    st.sampled_from([0.005, 0.1]),
)
def test_against_a_plain_reading(drawn: list[list[int]], slots_a_day: int, budget: float) -> None:
    slots = max(len(window) for window in drawn)
    train = np.full((len(drawn), slots), MISSING_U16, np.uint16)
    for row, window in zip(train, drawn, strict=True):
        row[slots - len(window) :] = window
        row[-1] = min(row[-1], 10_500)  # every window needs a sample
    found = features(train, LIMITS, slots_a_day, budget)
    for window, of_window in zip(train, found, strict=True):
        for limit, figures in zip(LIMITS, of_window, strict=True):
            expected = plain(window, limit, slots_a_day, budget)
            assert figures.tolist() == pytest.approx(expected, abs=1e-9)


def named(figures: npt.NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(NAMES, figures.tolist(), strict=True))


def test_a_case_by_hand() -> None:
    # ten days of 100 samples at 10 %; the last day has two at 50 %, the fourth from last one
    window = np.full(1000, 1000, np.uint16)
    window[[950, 960, 640]] = 5000
    of_half = named(features(window[None], np.array([45.0]), 100, BUDGET)[0, 0])
    assert of_half == pytest.approx(
        {
            "margin_max": np.log(45 / 50),
            "margin_p99_9": np.log(45 / 50),  # the 999th of 1,000
            "margin_p99": np.log(4.5),
            "margin_p95": np.log(4.5),
            "margin_mean": np.log(45 / 10.12),
            "log_rate": np.log(3.5 / 1001),
            "log_recent_rate": np.log(2.5 / 301),
            "days_any": 0.2,
            "log_worst_day": np.log(0.02 + 0.005),
            "days_over_budget": 0.2,
        }
    )


def test_margins_are_cut_and_do_not_depend_on_the_machine_s_size() -> None:
    calm = np.full((1, 200), 10, np.uint16)
    assert named(features(calm, LIMITS, 100, BUDGET)[0, 0])["margin_max"] == MARGIN_LIMIT
    assert named(features(calm * 1000, LIMITS, 100, BUDGET)[0, 3])["margin_max"] > -MARGIN_LIMIT
    some = np.random.default_rng(5).integers(100, 4000, (2, 400)).astype(np.uint16)
    twice = features(some * 2, 2 * LIMITS, 100, BUDGET)
    assert features(some, LIMITS, 100, BUDGET) == pytest.approx(twice)


def test_a_sample_at_the_limit_is_not_over_it() -> None:
    at, over = np.full((1, 100), 4500, np.uint16), np.full((1, 100), 4501, np.uint16)
    assert named(features(at, LIMITS, 100, BUDGET)[0, 1])["days_any"] == 0
    assert named(features(over, LIMITS, 100, BUDGET)[0, 1])["days_any"] == 1


def test_hundredths_keep_what_the_lake_keeps() -> None:
    found = hundredths(np.array([0.0, 12.344, 12.346, 105.0, 250.0, np.nan]))
    assert found.tolist() == [0, 1234, 1235, 10_500, 10_500, MISSING_U16]

"""A week's rhythm in words."""

import numpy as np
import pytest

from costopt.profile.rhythm import rhythm_of
from tests.profile.weeks import evening, flat, nightly, office


@pytest.mark.parametrize(
    ("week", "words"),
    [
        (flat(40), "steady"),
        (flat(0), "steady"),
        (office(60), "weekdays 09-18 h"),
        (nightly(start=1, hours=4), "daily 01-05 h"),
        (nightly(start=22, hours=5), "daily 22-03 h"),
        (evening(), "daily 18-24 h"),
        (np.r_[np.full(120, 2.0), np.full(48, 70.0)], "weekends"),
        (np.r_[np.full(120, 70.0), np.full(48, 2.0)], "weekdays"),
    ],
)
def test_words(week: np.ndarray, words: str) -> None:
    assert rhythm_of(week, 100.0) == words


def test_noise_is_no_rhythm() -> None:
    rng = np.random.default_rng(1)
    assert rhythm_of(rng.normal(1.0, 0.8, 168).clip(0), 100.0) == "steady"


def test_hours_without_data_are_no_evidence_of_demand() -> None:
    week = office(60)
    week[120:] = np.nan  # stopped at the weekend
    assert rhythm_of(week, 100.0) == "weekdays 09-18 h"


def test_rates_have_their_own_scale() -> None:
    assert rhythm_of(office(6e6, 1e5), 6e6) == "weekdays 09-18 h"

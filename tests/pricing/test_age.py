"""How old a price is, and when that is too old."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from costopt.pricing.age import Age, age


@pytest.mark.parametrize(
    ("valid_from", "as_of", "expected"),
    [
        (date(2026, 1, 1), date(2026, 6, 30), Age(180, stale=False)),
        (date(2026, 1, 1), date(2026, 7, 1), Age(181, stale=True)),
        (date(2026, 1, 1), date(2025, 12, 1), Age(0, stale=False)),  # of a later day
        (None, date(2026, 1, 1), Age(None, None)),  # missing is never new
    ],
)
def test_age(valid_from: date | None, as_of: date, expected: Age) -> None:
    assert age(valid_from, as_of) == expected


def test_a_moment_counts_by_its_day() -> None:
    assert age(date(2026, 1, 1), datetime(2026, 7, 1, 0, 1, tzinfo=UTC)).days == 181

"""Figures for people: a noun agrees with its figure as it is written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from costopt.units import counted, exact


@pytest.mark.parametrize(
    ("number", "form", "said"),
    [
        (0, ",", "0 days"),
        (1, ",", "1 day"),
        (1.0, "g", "1 day"),
        (1.04, ".2g", "1 day"),
        (1.04, ".3g", "1.04 days"),
        (0.5, "g", "0.5 days"),
        (-1, "+d", "-1 day"),
        (1234, ",", "1,234 days"),
    ],
)
def test_only_one_is_singular(number: float, form: str, said: str) -> None:
    assert counted(number, "day", form) == said


@pytest.mark.parametrize(
    ("limit", "said"),
    [("0.0", "0.00"), ("10.0", "10.00"), ("1234.5", "1,234.50"), ("0.005", "0.005")],
)
def test_a_limit_is_as_it_was_given(limit: str, said: str) -> None:
    assert exact(Decimal(limit)) == said

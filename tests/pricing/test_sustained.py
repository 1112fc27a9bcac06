"""Sustained use discounts, against the examples of Google's documentation."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.pricing import builtin
from costopt.pricing.sustained import dearer, discount


@pytest.mark.parametrize(
    ("month", "expected"),
    [("0", "0"), ("0.25", "0"), ("0.5", "0.1"), ("0.75", "0.2"), ("1", "0.3"), ("1.2", "0.3")],
)
def test_as_documented_for_n1(month: str, expected: str) -> None:
    """ "If you use it for 50% of the month, you get an effective discount of 10%, ... of 75%, 20%,
    ... of 100%, 30%" """
    assert discount("n1-standard-1", Decimal(month)) == Decimal(expected)


def test_between_the_steps() -> None:
    # 0.25 x 1 + 0.15 x 0.8 = 0.37 of 0.4
    assert discount("n1-standard-1", Decimal("0.4")) == Decimal("0.075")


def test_at_most_20_percent_for_n2() -> None:
    """(1 + 0.8678 + 0.733 + 0.6) / 4, which Google calls 20 %."""
    assert discount("n2-standard-4", Decimal(1)) == Decimal("0.1998")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("custom-2-4096", "0.3"),
        ("f1-micro", "0.3"),
        ("g1-small", "0.3"),
        ("m1-ultramem-40", "0.3"),
        ("m2-ultramem-208", "0.3"),
        ("n2-custom-4-8192", "0.1998"),
        ("n2d-standard-4", "0.1998"),
        ("c2-standard-4", "0.1998"),
        ("e2-standard-4", "0"),
        ("c2d-standard-4", "0"),
        ("n4-standard-4", "0"),
        ("m3-ultramem-32", "0"),
        ("a2-highgpu-1g", "0"),
        ("t2d-standard-4", "0"),
        # "All GPU devices with the exception of NVIDIA H100, A100, and L4 GPU types"
        ("nvidia-tesla-t4", "0.3"),
        ("nvidia-tesla-k80", "0.3"),
        ("nvidia-tesla-a100", "0"),
        ("nvidia-l4", "0"),
    ],
)
def test_series(name: str, expected: str) -> None:
    assert discount(name, Decimal(1)) == Decimal(expected)


def test_other_clouds_types_are_none_of_google_s() -> None:
    names = [
        row["x_InstanceType"]
        for key in ("aws", "azure")
        if (table := builtin.read(key, "shapes"))
        for row in table.to_pylist()
    ]
    assert len(names) > 2000
    assert not any(discount(name, Decimal(1)) for name in names)


@given(st.decimals(0, 1, places=4), st.decimals(0, 1, places=4))
def test_who_runs_longer_pays_more_at_a_lower_price(one: Decimal, other: Decimal) -> None:
    less, more = sorted((one, other))
    for name in ("n1-standard-1", "n2-standard-2"):
        assert discount(name, less) <= discount(name, more) + Decimal("1e-20")
        paid = [month * (1 - discount(name, month)) for month in (less, more)]
        assert paid[0] <= paid[1] + Decimal("1e-20")


@pytest.mark.parametrize(
    ("name", "reduced", "kept", "expected"),
    [
        ("n1-standard-4", 0.3, 0.5, 0.9 / 0.7),  # a whole month, then half: (1 + 0.8) / 2
        ("n1-standard-4", 0.3, 0.25, 1 / 0.7),
        ("n1-standard-4", 0.1, 0.5, 1 / 0.9),  # half a month, then a quarter
        ("n1-standard-4", 0.3, 1.0, 1),
        ("n1-standard-4", 0.0, 0.5, 1),  # an account without the discount
        ("n1-standard-4", 0.6, 1.0, 1),  # more than sustained use takes off: a whole month's
        ("e2-standard-4", 0.3, 0.5, 1),
        ("m5.large", 0.3, 0.5, 1),
    ],
)
def test_who_runs_less_pays_more_for_an_hour(
    name: str, reduced: float, kept: float, expected: float
) -> None:
    assert dearer(name, reduced, kept) == pytest.approx(expected)


@given(st.decimals(0, 1, places=4))
def test_the_share_of_the_month_is_read_off_the_discount(month: Decimal) -> None:
    for name in ("n1-standard-1", "n2-standard-2"):
        off = discount(name, month)
        half = discount(name, month / 2)
        assert dearer(name, float(off), 0.5) == pytest.approx(float((1 - half) / (1 - off)))

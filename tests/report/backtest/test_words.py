"""Figures as people read them: small is never nothing, unknown is never zero."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from costopt.backtest.result import Bin, Calibration, Interval
from costopt.report.backtest import words
from tests.report.backtest import builders

MINUS, DASH, UNKNOWN = "\u2212", "\u2013", "\u2014"


@pytest.mark.parametrize(
    ("share", "decimals", "said"),
    [
        (0.665, 1, "66.5"),
        (0.0, 1, "0.0"),
        (0.0004, 1, "<0.1"),
        (0.00004, 2, "<0.01"),
        (-0.123, 1, f"{MINUS}12.3"),
        (-0.0001, 1, "0.0"),
        (1.0, 0, "100"),
        (nan, 1, UNKNOWN),
    ],
)
def test_points(share: float, decimals: int, said: str) -> None:
    assert words.points(share, decimals) == said


def test_spans_stay_readable_below_zero() -> None:
    assert words.span(Interval(0.5, 0.45, 0.551)) == f"45.0{DASH}55.1"
    assert words.span(Interval(0, -0.02, 0.02)) == f"{MINUS}2.0 to 2.0"
    assert words.signed_span(Interval(0, -0.02, 0.031)) == f"{MINUS}2.0 to +3.1"
    assert words.span(Interval(nan, nan, nan)) == UNKNOWN
    assert words.signed(0.0) == "0.0"


def test_leads_and_sizes() -> None:
    assert [words.lead(m) for m in (5, 10, 60, 90, 240, 1440)] == [
        "5 min", "10 min", "1 h", "90 min", "4 h", "24 h",
    ]  # fmt: skip
    sizes = (1.0, 0.75, 0.5, 1 / 3, 0.0625, 0.123, 0.0)
    assert [words.rung(size) for size in sizes] == [
        "1", "3/4", "1/2", "1/3", "1/16", "0.123", "none (stopped)",
    ]  # fmt: skip


def test_whose_a_name_is() -> None:
    assert words.is_ours("costopt")
    assert words.is_ours("costopt-bold")
    assert not words.is_ours("costoptimizer")
    assert words.short_name("costopt-bold") == "bold"
    assert words.short_name("aws-co") == "aws-co"


def test_calibration_tells_of_the_bin_at_one_in_ten() -> None:
    bins = (Bin(0.02, 0.01, 90), Bin(0.12, 0.09, 30), Bin(0.9, 0.95, 50))
    said = words.calibration(Calibration(bins, 0.0183))
    assert "said that 12 % would be rolled back, it was 9 % (30 cases; 95 % range" in said
    assert "Over all 170 cases" in said
    assert "off by 1.8 points" in said


def test_the_method_is_told_with_and_without_a_gap() -> None:
    told = words.method(builders.backtest())
    assert "4 past moments, from 2026-01-19 to 2026-02-09" in told
    assert "saw the 14 days before and was tested on the 14 days that followed" in told
    gap = words.method(builders.backtest(gap_days=1.0, origins=(builders.START,)))
    assert "1 past moment, 2026-01-05." in gap
    assert "tested after a gap of 1 day on" in gap


def test_terms_say_what_counts() -> None:
    told = words.terms(builders.backtest())
    assert "1, 1/2, 1/4, 1/8, 1/16 of today's" in told
    assert "more than 0.5 % of a window's samples were over 90 %" in told
    assert "0.5 windows of the machine that holds the highest demand" in told


def test_differences_are_explained_only_where_there_are_any() -> None:
    assert "Difference" in words.reading(builders.backtest(2))
    alone = words.reading(builders.backtest(1))
    assert "Difference" not in alone
    assert list(alone) == ["Net saving", "Rolled back", words.TIME]


def test_the_headline_counts_the_others() -> None:
    assert "beside 6 other rules" in words.headline(builders.backtest(7))
    assert "beside" not in words.headline(builders.backtest(1))
    ours = words.ours(builders.three_kappas())
    assert ours is not None
    assert ours.name == "costopt"
    assert words.ours(replace(builders.backtest(2), scores=builders.backtest(2).scores[1:])) is None

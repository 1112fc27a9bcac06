"""The page: every figure whole at any width, the least important columns first to go."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from costopt.backtest.base import Baseline, Need
from costopt.backtest.result import Backtest
from costopt.report.backtest import as_text, listed
from costopt.report.backtest.columns import figures, fitting
from costopt.report.screen import cells_of
from tests.report.backtest import builders

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def page(result: Backtest, width: int = 100) -> str:
    return as_text(result, width=width).decode()


def row(text: str, name: str) -> list[str]:
    """The figures beside a method's name, where it first stands."""
    line = next(line for line in text.splitlines() if line.startswith(f"  {name} "))
    return line.split()[1:]


def test_a_page_of_100_columns_says_all_that_counts() -> None:
    text = page(builders.with_memory())
    assert "471 machines, 1,840 test windows, 2026-01-05 to 2026-02-23 UTC" in text
    # net, gross, rolled back, mean over 90 and 100 %, worst at three leads
    assert row(text, "costopt")[:3] == ["66.5", "69.8", "7.8"]
    assert row(text, "costopt")[-5:] == ["0.47", "0.16", "0.52", "1.68", "7.63"]
    assert row(text, "aws-co")[-1] == "\u22120.4"
    assert "64.5\u201368.5" in text
    assert "\u22121.9 to +1.1" in text
    assert "off by 1.5 points" in text
    assert re.search(r"37 +6 +short-history\n +4 +thin-data", text)
    assert "• Memory is measured on 300 of 471 machines." in text


def test_ours_is_first_and_stands_out() -> None:
    text = as_text(builders.backtest(5), colour=True).decode()
    lines = [line for line in text.splitlines() if "66.5" in line or "66.1" in line]
    ours, other = lines
    assert "costopt" in ours
    assert "\x1b[1;32m66.5" in ours.replace(" ", "")
    assert "\x1b[1;32m" not in other
    assert "\x1b" not in page(builders.backtest(5))


def test_memory_has_its_own_table() -> None:
    text = page(builders.with_memory())
    memory = text[text.index("  Memory\n") :]
    assert row(memory, "krr-simple") == [
        "1,200", "40.5", "38.5\u201342.5", "8.3", "7.0\u20139.9",
    ]  # fmt: skip
    assert "Memory" not in page(builders.backtest())


def test_what_is_approximated_is_marked_and_told() -> None:
    ours, other, *_ = builders.backtest(3).scores
    some = replace(other, name="aws-co-idle", by_cpu_alone=0.24)
    text = page(builders.backtest(3, scores=(ours, some)))
    assert "  aws-co-idle * " in text
    assert "* approximated: in 24 % of the windows" in text
    wide = replace(other, name="gcp-idle", by_cpu_alone=1.0)
    assert "in 24\u2013100 % of the" in page(builders.backtest(3, scores=(ours, some, wide)))
    assert "*" not in page(builders.backtest(3))


def test_the_foot_says_how_to_replay_as_advice_looks() -> None:
    assert "--train-days 28" in page(builders.backtest(1))
    assert "--train-days 28" not in page(builders.backtest(1, train_days=28.0))


def test_nothing_to_tell_is_not_told() -> None:
    text = page(builders.backtest(1, calibration=None, skipped={}))
    for absent in ("risks come true", "left out", "Please note", "cannot be told apart"):
        assert absent not in text


@pytest.mark.parametrize("coloured", [True, False])
@pytest.mark.parametrize("width", [40, 60, 72, 80, 100, 120, 160])
@pytest.mark.parametrize("methods", [1, 3, 27])
def test_nothing_is_wider_than_the_page_and_no_figure_is_cut(
    width: int, methods: int, coloured: bool
) -> None:
    result = builders.backtest(methods)
    text = ANSI.sub("", as_text(result, width=width, colour=coloured).decode())
    assert max(map(cells_of, text.splitlines())) <= max(width, 60)
    start = text.index("Saving \u2500")
    table = text[start : text.index("  Net saving")]
    for score in result.scores:
        assert f"  {score.name} " in table
    names = start - text.rindex("\n", 0, start) - 1
    for line in table.splitlines()[1:]:
        assert "\u2026" not in line[names:]  # titles are cut, figures never
    assert len(re.findall(r"\d\u2013\d", table)) == methods  # each net's range is whole


def test_columns_give_way_in_the_order_of_their_worth() -> None:
    columns = figures(builders.backtest(7))
    kept = [[c.head for c in fitting(columns, room)] for room in (200, 80, 60, 40, 1)]
    assert len(kept[0]) == len(columns) == 12
    assert ("over", "0.5 %") not in kept[1]
    assert ("worst", "10 min") in kept[2]
    assert ("worst", "24 h") not in kept[2]
    assert kept[3] == [("net", ""), ("rolled", "back"), ("to", "costopt")]
    assert kept[4] == [("net", "")]
    for fewer, more in zip(kept[1:], kept, strict=False):
        assert set(fewer) <= set(more)


def test_baselines_are_listed_with_their_sources() -> None:
    stays = Baseline("a-rule", "A rule of thumb", "page 3 of its guide", lambda past: Need(1.0))
    other = Baseline("b", "Another", "its source", lambda past: Need(1.0))
    text = listed([stays, other], width=60).decode()
    assert text == (
        "  a-rule  A rule of thumb\n"
        "          page 3 of its guide\n"
        "  b       Another\n"
        "          its source\n"
    )

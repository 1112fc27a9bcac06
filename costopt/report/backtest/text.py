"""A backtest for the terminal: what was replayed, every method, and how to read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from costopt.backtest.base import Baseline
from costopt.backtest.result import Backtest
from costopt.report.backtest import columns, words
from costopt.report.screen import HEAD, PLAIN, QUIET, STRONG, WARN, Screen, cells_of

WIDTH: Final = 100
_WITHOUT_NETWORK: Final = "approximated where no network data were collected: decided without them"


def as_text(result: Backtest, *, width: int = WIDTH, colour: bool = False) -> bytes:
    """UTF-8 text.

    Args:
        width: columns of the screen; a narrow one leaves columns out, never figures within them.
        colour: with ANSI colours.
    """
    screen = Screen(width, colour=colour)
    _head(screen, result)
    columns.draw(screen, result)
    screen.blank()
    if approximated := words.approximated(result):
        screen.paragraph(approximated, QUIET)
        screen.blank()
    for what, meaning in words.reading(result).items():
        screen.labelled(what, meaning, QUIET)
    screen.blank()
    _memory(screen, result)
    _calibration(screen, result)
    _skipped(screen, result)
    screen.notes(result.notes)
    if looking_back := words.looking_back(result):
        screen.paragraph(looking_back, QUIET)
        screen.blank()
    return screen.text().encode()


def listed(baselines: Iterable[Baseline], *, width: int = WIDTH, colour: bool = False) -> bytes:
    """Every baseline by name: what it stands for, and where it is published. UTF-8 text."""
    screen = Screen(width, colour=colour)
    known = list(baselines)
    label = max(cells_of(baseline.name) for baseline in known)
    for baseline in known:
        screen.labelled(baseline.name, baseline.title, STRONG, label=label)
        screen.labelled("", baseline.source, QUIET, label=label)
        if baseline.also:
            screen.labelled("", _WITHOUT_NETWORK, QUIET, label=label)
    return screen.text().encode()


def _head(screen: Screen, result: Backtest) -> None:
    screen.blank()
    screen.line((words.title(result), STRONG), (f", {words.data(result)}", PLAIN))
    screen.blank()
    screen.paragraph(words.method(result))
    screen.paragraph(words.terms(result))
    screen.blank()


def _memory(screen: Screen, result: Backtest) -> None:
    if not result.memory:
        return
    screen.title("Memory")
    rows = [[(name, HEAD) for name in ("Method", "windows", "saved %", "", "out of memory %", "")]]
    for score in result.memory:
        style = STRONG if words.is_ours(score.name) else PLAIN
        rows.append(
            [
                (score.name, STRONG),
                (f"{score.windows:,}", PLAIN),
                (words.points(score.saved.value), style),
                (words.span(score.saved), QUIET),
                (words.points(score.out_of_memory.value), style),
                (words.span(score.out_of_memory), QUIET),
            ]
        )
    screen.table(rows, (False, True, True, False, True, False))
    screen.blank()
    screen.paragraph(
        "Saved: share of today's memory. Out of memory: share of windows in which at least one "
        "sample needed more memory than was left; no guard can undo that in time.",
        QUIET,
    )
    screen.blank()


def _calibration(screen: Screen, result: Backtest) -> None:
    if result.calibration is None or not result.calibration.bins:
        return
    screen.title("Do the risks come true?")
    screen.paragraph(words.calibration(result.calibration))
    screen.blank()


def _skipped(screen: Screen, result: Backtest) -> None:
    """By reason: windows, and of how many machines no window is left."""
    if not result.skipped:
        return
    screen.title("Left out")
    counts = sorted(result.skipped.items(), key=lambda item: (-item[1], item[0]))
    rows = [[(name, HEAD) for name in ("windows", "whole machines", "reason")]]
    for reason, count in counts:
        whole = result.left_out.get(reason, 0)
        rows.append(
            [(f"{count:,}", STRONG), (f"{whole:,}" if whole else "", PLAIN), (reason, WARN)]
        )
    screen.table(rows, (True, True, False))
    screen.blank()

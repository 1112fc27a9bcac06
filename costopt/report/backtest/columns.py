"""The table of methods: its columns, and which of them give way on a narrow page.

A method takes two lines: its figures, and below them its title and the 95 % intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from costopt.backtest.result import Backtest, MethodScore
from costopt.report.backtest import words
from costopt.report.screen import (
    GAP,
    HEAD,
    MARGIN,
    MONEY,
    PLAIN,
    QUIET,
    STRONG,
    Column,
    Screen,
    Span,
    cells_of,
)

_LEAST_NAME: Final = 18  # cells for names and titles
_SAVING: Final = "Saving"
_WINDOWS: Final = "Windows"
_DIFFERENCE: Final = "Difference"

Cell = tuple[str, str]
"""A figure, and what stands below it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A column of figures under a group's head and its own two lines."""

    group: str
    head: Cell
    cells: Sequence[Cell]
    last: int  # the one with the largest is the first to give way

    @property
    def width(self) -> int:
        """Cells it needs, so that no figure is ever cut."""
        return max(cells_of(text) for cell in (self.head, *self.cells) for text in cell)


def draw(screen: Screen, result: Backtest) -> None:
    """The table, the methods in the order given."""
    scores = result.scores
    names = max(_LEAST_NAME, *(cells_of(words.marked(score)) for score in scores))
    shown = fitting(figures(result), screen.width - 2 * MARGIN - names)
    widths = _widths(shown)
    rest = screen.width - 2 * MARGIN - sum(width + GAP for width in widths)
    columns = [Column(rest, cut_end=True), *(Column(width, right=True) for width in widths)]
    _heads(screen, columns, shown)
    for row, score in enumerate(scores):
        screen.grid(columns, [_name(score), *(_spans(score, c.cells[row], c) for c in shown)])


def fitting(columns: Sequence[Figures], room: int) -> list[Figures]:
    """The columns without the least important, until the rest stand in `room` cells."""
    shown = list(columns)
    while len(shown) > 1 and sum(width + GAP for width in _widths(shown)) > room:
        shown.remove(max(shown, key=lambda column: column.last))
    return shown


def figures(result: Backtest) -> list[Figures]:
    """Every column, from the left; figures are percent, differences are points of it."""

    def column(group: str, head: Cell, last: int, say: Callable[[MethodScore], Cell]) -> Figures:
        return Figures(group, head, [say(score) for score in result.scores], last)

    def bare(group: str, head: Cell, last: int, say: Callable[[MethodScore], float]) -> Figures:
        return column(group, head, last, lambda score: (words.points(say(score)), ""))

    limit = f"{result.limit_percent:g} %"
    return [
        column(_SAVING, ("net", ""), 0, lambda s: (words.points(s.net.value), words.span(s.net))),
        bare(_SAVING, ("gross", ""), 6, lambda s: s.saved.value),
        bare(_WINDOWS, ("rolled", "back"), 1, lambda s: s.rolled_back.value),
        bare(_WINDOWS, ("over", "0.5 %"), 21, lambda s: s.windows_over_half_percent),
        bare(_WINDOWS, ("over", "1 %"), 20, lambda s: s.windows_over_one_percent),
        bare(_WINDOWS, ("no", "advice"), 22, lambda s: s.abstained),
        column(words.TIME, ("mean", limit), 5, lambda s: (words.points(s.over_90, 2), "")),
        column(words.TIME, ("mean", "100 %"), 7, lambda s: (words.points(s.over_100, 2), "")),
        *_worst(result, words.TIME),
        column(_DIFFERENCE, ("to", words.OURS), 2, _difference),
    ]


def _worst(result: Backtest, group: str) -> list[Figures]:
    """A column a lead: of the worst window, with the guard; the longest leads give way first."""
    leads = sorted({guarded.lead_minutes for s in result.scores for guarded in s.guarded})
    return [
        Figures(
            group,
            ("worst", words.lead(minutes)),
            [(_worst_at(score, minutes), "") for score in result.scores],
            last=8 + place if place else 3,
        )
        for place, minutes in enumerate(leads)
    ]


def _worst_at(score: MethodScore, minutes: float) -> str:
    found = [guarded.worst for guarded in score.guarded if guarded.lead_minutes == minutes]
    return words.points(found[0], 2) if found else words.NOTHING


def _difference(score: MethodScore) -> Cell:
    of = score.net_minus_ours
    return (words.signed(of.value), words.signed_span(of)) if of else ("", "")


# -- drawing ---------------------------------------------------------------------------------


def _widths(columns: Sequence[Figures]) -> list[int]:
    """Cells of each column; the first of a group is widened where the group's head needs it."""
    widths: list[int] = []
    for group, members in groupby(columns, lambda column: column.group):
        own = [column.width for column in members]
        lack = cells_of(group) - _together(own)
        widths += [own[0] + max(lack, 0), *own[1:]]
    return widths


def _together(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _heads(screen: Screen, columns: Sequence[Column], shown: Sequence[Figures]) -> None:
    """The groups with a line to their end, then each column's own two lines."""
    groups, cells = [columns[0]], [[("", PLAIN)]]
    widths = iter(columns[1:])
    for group, members in groupby(shown, lambda column: column.group):
        width = _together([next(widths).width for _ in members])
        groups.append(Column(width))
        rule = "\u2500" * (width - cells_of(group) - 1)
        cells.append([(f"{group} {rule}".rstrip(), QUIET)])
    screen.grid(groups, cells)
    heads = [[(text, HEAD) for text in column.head] for column in shown]
    screen.grid(columns, [[("Method", HEAD)], *heads])
    screen.rule()


def _name(score: MethodScore) -> list[Span]:
    return [(words.marked(score), STRONG), (score.title, QUIET)]


def _spans(score: MethodScore, cell: Cell, column: Figures) -> list[Span]:
    """Our own rows stand out, and in them what is saved."""
    ours = words.is_ours(score.name)
    style = (MONEY if column.group == _SAVING else STRONG) if ours else PLAIN
    return [(cell[0], style), (cell[1], QUIET)]

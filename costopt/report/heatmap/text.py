"""Heatmaps for the terminal: cells of background colour, or shades and figures without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from math import ceil
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from rich.color import Color, ColorSystem

from costopt.profile.heatmap import Overview, WeekMap
from costopt.profile.week import Array
from costopt.report.heatmap import words
from costopt.report.heatmap.palette import Colour, code, colour, ink_on
from costopt.report.heatmap.scale import Scale, scale_of
from costopt.report.screen import MARGIN, PLAIN, QUIET, STRONG, Screen, Span, cells_of, shortened
from costopt.units import counted

Depth = Literal["256", "truecolor"]
_SHADES: Final = " ░▒▓█"
_BARS: Final = " ▁▂▃▄▅▆▇█"
_THIN, _NOTHING = "\u2571", "\u00b7"  # a slash from corner to corner, as the pictures' hatching
_HOURS_A_CELL: Final = (1, 2, 3, 4, 6, 12)
_LABEL: Final = 20
_MEAN: Final = 6


class _Cells:
    """How one cell is written, on a given scale, with or without colour."""

    def __init__(self, scale: Scale, depth: Depth | None) -> None:
        self.scale, self.depth = scale, depth

    def span(self, value: float, thin: bool, width: int) -> Span:
        """A cell of 1 to 3 columns: its figure where there is room, its doubt always."""
        if np.isnan(value):
            return _NOTHING.center(width), QUIET
        share = self.scale.share(value)
        figure = self.scale.bare(value) if self.scale.unit != "%" else f"{value:.0f}"
        if self.depth:
            background = colour(share)
            fits = width == 3 and len(figure) <= width
            text = _THIN * width if thin else (figure if fits else "").rjust(width)
            return text, _style(background, self.depth)
        if width == 1:  # a bar: in a row they make a curve
            top = len(_BARS) - 1
            return _THIN if thin else _BARS[min(ceil(share * top), top)], PLAIN
        shade = _THIN if thin else _SHADES[min(int(share * len(_SHADES)), len(_SHADES) - 1)]
        if width == 2 or len(figure) == width:
            return shade * width, PLAIN
        return shade + figure.rjust(2), PLAIN


@cache
def _style(background: Colour, depth: Depth) -> str:
    """Black or white on the background, in colours that the terminal knows."""
    ink, paper = ink_on(background), code(background)
    if depth == "truecolor":
        return f"{ink} on {paper}"
    # Named by number: rich remembers a style's first rendering for consoles of every depth.
    eight = (Color.parse(name).downgrade(ColorSystem.EIGHT_BIT) for name in (ink, paper))
    return " on ".join(f"color({colour.number})" for colour in eight)


def week_text(
    week: WeekMap, colour: bool, width: int, *, depth: Depth = "truecolor", fit: bool = False
) -> str:
    """The week as lines of text, Monday first, hours across.

    Args:
        colour: with ANSI colours; else shades and figures.
        width: columns of the screen; from 80 on every cell has its figure.
        depth: how many colours the terminal knows.
        fit: the scale reaches to the highest value, not to 100 %.
    """
    screen = Screen(width, colour=colour, depth=depth)
    scale = scale_of(week.unit, [week.values], fit=fit)
    cells = _Cells(scale, depth if colour else None)
    across = min(max((screen.width - 2 * MARGIN - 4) // 24, 1), 3)
    _, _, peak = week.peak
    mean = f"mean {scale.words(week.mean)}"
    _head(screen, words.title(week), f"{mean}, peak {scale.words(peak)} {words.peak_words(week)}")
    screen.paragraph(words.subtitle(week), QUIET)
    step = 1 if across == 3 else 3
    hours = "".join(str(hour).rjust(across).ljust(across * step) for hour in range(0, 24, step))
    screen.line((" " * 4 + hours.rstrip(), QUIET))
    for day, name in enumerate(words.DAYS):
        row = zip(week.values[day], week.thin[day], strict=True)
        screen.line((f"{name} ", PLAIN), *(cells.span(v, t, across) for v, t in row))
    _legend(screen, week, cells, min(across, 2))
    screen.paragraph(words.basis(week), QUIET)
    return screen.text()


def overview_text(
    picture: Overview, colour: bool, width: int, *, depth: Depth = "truecolor", fit: bool = False
) -> str:
    """The fleet as lines of text, look-alikes together; a cell is as many hours as must be."""
    screen = Screen(width, colour=colour, depth=depth)
    scale = scale_of(picture.unit, [picture.values], fit=fit)
    cells = _Cells(scale, depth if colour else None)
    room = screen.width - 2 * MARGIN - _LABEL - 1 - _MEAN - 6
    hours = next((h for h in _HOURS_A_CELL if 168 // h <= room), _HOURS_A_CELL[-1])
    _head(screen, words.fleet_title(picture), f"mean {scale.words(picture.mean)}")
    screen.paragraph(words.subtitle(picture), QUIET)
    days = " ".join(name.ljust(24 // hours)[: 24 // hours] for name in words.DAYS)
    screen.line((" " * (_LABEL + 1) + days + " mean".rjust(_MEAN), QUIET))
    values, thin = _coarse(picture, hours)
    for cluster in picture.clusters:
        if len(picture.clusters) > 1:
            title = f"{cluster.rhythm}, {counted(cluster.machines, 'machine')}"
            screen.line((f"{title}, mean {scale.words(cluster.mean)}", QUIET))
        for row in range(cluster.start, cluster.stop):
            label = picture.labels[row] or counted(len(picture.ids[row]), "machine")
            short = shortened(label, _LABEL)
            mean = scale.bare(float(picture.means[row])).rjust(_MEAN)
            spans = _by_day(
                [cells.span(v, t, 1) for v, t in zip(values[row], thin[row], strict=True)]
            )
            pad = " " * (_LABEL - cells_of(short) + 1)
            screen.line((short + pad, PLAIN), *spans, (mean, PLAIN))
    _legend(screen, picture, cells, 1)
    screen.line((f"coverage {words.coverage_words(picture)}", QUIET))
    return screen.text()


def _head(screen: Screen, title: str, figures: str) -> None:
    """Title at the left, figures at the right; the title gives way."""
    room = screen.width - 2 * MARGIN - cells_of(figures) - 2
    short = shortened(title, max(room, 12))
    screen.line(
        (short, STRONG), (" " * max(room - cells_of(short) + 2, 2), PLAIN), (figures, PLAIN)
    )


def _legend(screen: Screen, picture: WeekMap | Overview, cells: _Cells, width: int) -> None:
    """The scale in steps of `width` columns, and the marks of doubt where there are any."""
    count = 20 // width
    steps = [cells.span(cells.scale.top * (n + 0.5) / count, False, width) for n in range(count)]
    screen.line(("0 ", QUIET), *steps, (f" {cells.scale.tick_words(cells.scale.top)}", QUIET))
    marks = [f"{_THIN * 2} {words.thin_words(picture)}"] if picture.thin.any() else []
    marks += [f"{_NOTHING} no data"] if picture.missing.any() else []
    if marks:
        screen.line(("   ".join(marks), QUIET))


def _coarse(picture: Overview, hours: int) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Means over `hours` hours, of those that have data; thin where their mean coverage is."""
    shape = (len(picture.values), 168 // hours, hours)
    blocks, there = picture.values.reshape(shape), ~picture.missing.reshape(shape)
    count = there.sum(axis=2)
    total = np.where(there, blocks, 0.0).sum(axis=2)
    values = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    thin = picture.coverage.reshape(shape).mean(axis=2) < picture.thin_below
    return values, thin & (count > 0)


def _by_day(cells: Sequence[Span]) -> Iterator[Span]:
    a_day = len(cells) // 7
    for number, cell in enumerate(cells):
        if number and number % a_day == 0:
            yield " ", PLAIN
        yield cell

"""Savings against rollbacks: every method a named dot, and the line that none of them passes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import dist, isnan
from typing import Final

from costopt.backtest.result import Interval, MethodScore
from costopt.report.backtest import words
from costopt.report.backtest.labels import Label, Line, Named, place
from costopt.report.backtest.panel import OURS, THEIRS, Panel, range_of, root_range_of
from costopt.report.heatmap.canvas import Box, Canvas
from costopt.report.heatmap.palette import INK, SOFT

_OUR_RADIUS, _RADIUS = 11.0, 6.0
_OUR_SIZE, _SIZE = 19.0, 15.0  # of names, in pixels
_LINE_HEIGHT: Final = 1.25  # of a name, as a share of its size
_NEAR: Final = 24.0  # pixels from a dot to one that crowds it
_LEADER: Final = "#98a1ae"
_LEAST: Final = 10.0  # points that an axis spans: what is closer than it looks, looks so
_EDGE: Final = "#c3d9e8"  # the frontier: ours' hue, stepping back


def pareto(scores: Sequence[MethodScore]) -> list[MethodScore]:
    """The methods that no other one beats in savings and rollbacks at once, the calmest first."""
    best: list[MethodScore] = []
    for score in sorted(scores, key=lambda s: (s.rolled_back.value, -s.net.value)):
        if not best or score.net.value > best[-1].net.value:
            best.append(score)
    return best


def drawable(scores: Sequence[MethodScore]) -> list[MethodScore]:
    """The methods whose figures are known."""
    return [s for s in scores if not isnan(s.net.value) and not isnan(s.rolled_back.value)]


def draw_frontier(canvas: Canvas, box: Box, scores: Sequence[MethodScore]) -> None:
    """The panel; scores without figures are left out."""
    shown = drawable(scores)
    mine = [score for score in shown if words.is_ours(score.name)]
    backs = [_back(s) for s in shown] + [end for s in mine for end in _ends(s.rolled_back)]
    nets = [_net(s) for s in shown] + [end for s in mine for end in _ends(s.net)]
    across = root_range_of([0.0, *backs], least=_LEAST)
    panel = Panel(canvas, box, across, range_of(nets, least=_LEAST, parts=7))
    panel.grid("test windows rolled back, %; square-root scale", "net saving, % of today's CPU")
    lines = _edge(panel, pareto(shown))
    for score in mine:
        lines += _bars(panel, score)
    if len(mine) > 1:
        knob = sorted((_back(s), _net(s)) for s in mine)
        panel.line(knob, OURS, 1.5, alpha=0.6)
    _dots(panel, shown)
    _names(panel, shown, lines)


def _dots(panel: Panel, shown: Sequence[MethodScore]) -> None:
    """A grey dot each, ours a larger blue diamond below them, so that neither hides the other."""
    for score in shown:
        if words.is_ours(score.name):
            panel.dot(_back(score), _net(score), _OUR_RADIUS, OURS, marker="D")
        else:
            panel.dot(_back(score), _net(score), _RADIUS, THEIRS, zorder=5)


def frontier_legend(canvas: Canvas, left: float, middle: float) -> None:
    """What the diamond and the line mean, on one line."""
    axes = canvas.axes(Box(left, middle - 10, 20, 20))
    axes.scatter([10], [10], s=90, color=OURS, marker="D", linewidths=0, clip_on=False)
    left += 32
    left += 26 + canvas.text(left, middle, f"{words.OURS}, with its 95 % range", 15, colour=SOFT)
    canvas.fill(Box(left, middle - 2, 34, 5), _EDGE)
    canvas.text(left + 44, middle, "none saves more at fewer rollbacks", 15, colour=SOFT)


def _names(panel: Panel, shown: Sequence[MethodScore], lines: Sequence[Line]) -> None:
    edge = {score.name for score in pareto(shown)}
    ordered = sorted(shown, key=lambda s: (not words.is_ours(s.name), _crowd(panel, s, shown)))
    named = [_named(panel, score) for score in ordered]
    mine = sum(words.is_ours(score.name) for score in shown)
    for score, label in zip(ordered, place(named, panel.box, lines, first=mine), strict=True):
        ours = words.is_ours(score.name)
        if label.leader:
            panel.pixel_line(label.leader, OURS if ours else _LEADER, 1.0)
        colour = OURS if ours else INK if score.name in edge else SOFT
        _write(panel.canvas, label, words.short_name(score.name), ours=ours, colour=colour)


def _crowd(panel: Panel, score: MethodScore, shown: Sequence[MethodScore]) -> int:
    """How many dots lie near: a lonely one's name belongs beside it, in a crowd none can."""
    at = panel.spot(_back(score), _net(score))
    spots = [panel.spot(_back(other), _net(other)) for other in shown]
    return sum(dist(at, spot) < _NEAR for spot in spots)


def _write(canvas: Canvas, label: Label, name: str, *, ours: bool, colour: str) -> None:
    box = label.box
    middle = box.top + box.height / 2
    canvas.fill(Box(box.left - 2, box.top + 2, box.width + 4, box.height - 4), "white")
    size = _OUR_SIZE if ours else _SIZE
    canvas.text(box.left, middle, name, size, colour=colour, bold=ours)


def _named(panel: Panel, score: MethodScore) -> Named:
    ours = words.is_ours(score.name)
    size = _OUR_SIZE if ours else _SIZE
    return Named(
        panel.spot(_back(score), _net(score)),
        _OUR_RADIUS if ours else _RADIUS,
        panel.canvas.measured(words.short_name(score.name), size, bold=ours),
        size * _LINE_HEIGHT,
    )


def _edge(panel: Panel, best: Sequence[MethodScore]) -> list[Line]:
    """The frontier as a stair from each of the best to the next, and on to the right."""
    corners: list[tuple[float, float]] = []
    for score in best:
        if corners:
            corners.append((_back(score), corners[-1][1]))
        corners.append((_back(score), _net(score)))
    corners.append((panel.across.high, corners[-1][1]))
    panel.line(corners, _EDGE, 5.0, solid_joinstyle="round")
    spots = [panel.spot(*corner) for corner in corners]
    return list(pairwise(spots))


def _bars(panel: Panel, score: MethodScore) -> list[Line]:
    """The 95 % intervals both ways."""
    x, y = _back(score), _net(score)
    both = ([(v, y) for v in _ends(score.rolled_back)], [(x, v) for v in _ends(score.net)])
    bars = [bar for bar in both if bar]
    for bar in bars:
        panel.line(bar, OURS, 2.0, alpha=0.7)
    return [(panel.spot(*start), panel.spot(*end)) for start, end in bars]


def _ends(of: Interval) -> tuple[float, ...]:
    """Both ends in percent; none where they are not known."""
    return () if isnan(of.low) or isnan(of.high) else (of.low * 100, of.high * 100)


def _back(score: MethodScore) -> float:
    return score.rolled_back.value * 100


def _net(score: MethodScore) -> float:
    return score.net.value * 100

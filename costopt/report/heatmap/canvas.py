"""A matplotlib figure measured in pixels from the top left, and its bytes, the same every time.

No pyplot, no user's matplotlibrc, no clock and no version in the file; text is never mathematics.
SVG keeps text as text.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from costopt.report.heatmap.palette import INK
from costopt.report.safe import terminal

_DPI: Final = 100
# DejaVu Sans comes with matplotlib: the same letters everywhere. The others only serve scripts it
# lacks, where they are installed.
_FALLBACK_FONTS: Final = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans Devanagari",
    "Hiragino Sans",
    "PingFang SC",
    "Apple SD Gothic Neo",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


class Canvas:
    """One picture of a fixed size in pixels."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
        agg = FigureCanvasAgg(self.figure)
        self._renderer = agg.get_renderer()  # type: ignore[no-untyped-call]

    def axes(self, box: Box) -> Axes:
        """Bare axes over the box, in its own pixels: x to the right, y down."""
        axes = self.figure.add_axes(self._place(box))
        axes.set_axis_off()
        axes.set_xlim(0, box.width)
        axes.set_ylim(box.height, 0)
        return axes

    def _place(self, box: Box) -> tuple[float, float, float, float]:
        """Matplotlib's rectangle: left, bottom, width, height as shares of the figure."""
        return (
            box.left / self.width,
            1 - box.bottom / self.height,
            box.width / self.width,
            box.height / self.height,
        )

    def text(
        self,
        left: float,
        top: float,
        words: str,
        size: float,
        *,
        colour: str = INK,
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
        room: float | None = None,
    ) -> float:
        """Write one line, its middle at `top`, shortened to `room`; returns its width in pixels."""
        line = Text(
            left / self.width,
            1 - top / self.height,
            terminal(words),
            fontsize=size * 72 / _DPI,
            color=colour,
            fontweight="bold" if bold else "normal",
            horizontalalignment=align,
            verticalalignment="center_baseline",
            transform=self.figure.transFigure,
            parse_math=False,
        )
        self.figure.add_artist(line)
        return self._fitted(line, room)

    def measured(self, words: str, size: float, *, bold: bool = False) -> float:
        """How many pixels wide that line would be; nothing is written."""
        line = Text(
            0,
            0,
            terminal(words),
            fontsize=size * 72 / _DPI,
            fontweight="bold" if bold else "normal",
            parse_math=False,
        )
        line.set_figure(self.figure)
        return self._width(line)

    def fill(self, box: Box, colour: str, **style: Any) -> None:
        """A filled rectangle."""
        left, bottom, width, height = self._place(box)
        self.figure.add_artist(
            Rectangle(
                (left, bottom),
                width,
                height,
                transform=self.figure.transFigure,
                facecolor=colour,
                **{"linewidth": 0, **style},
            )
        )

    def _fitted(self, line: Text, room: float | None) -> float:
        words = line.get_text()
        width = self._width(line)
        if room is None or width <= room:
            return width
        # The end of a long cloud name tells its machines apart as much as its beginning: keep both.
        low, high = 0, len(words)
        while low < high:
            keep = (low + high + 1) // 2
            line.set_text(shortened(words, keep))
            low, high = (keep, high) if self._width(line) <= room else (low, keep - 1)
        line.set_text(shortened(words, low))
        return self._width(line)

    def _width(self, line: Text) -> float:
        return float(line.get_window_extent(self._renderer).width)


def shortened(words: str, keep: int) -> str:
    """The text with at most `keep` of its letters, two thirds from its start; all if they fit."""
    if keep >= len(words):
        return words
    tail = keep // 3
    return words[: keep - tail].rstrip() + "\u2026" + (words[-tail:].lstrip() if tail else "")


def png(draw: Callable[[], Canvas]) -> bytes:
    """What `draw` draws, as PNG."""
    return _saved(draw, "png", {"Software": None})


def svg(draw: Callable[[], Canvas]) -> bytes:
    """What `draw` draws, as SVG."""
    return _saved(draw, "svg", {"Date": None, "Creator": None, "Format": None, "Type": None})


def _saved(draw: Callable[[], Canvas], kind: str, nameless: dict[str, None]) -> bytes:
    with mpl.rc_context(), warnings.catch_warnings():
        # A letter that no installed font has is drawn as a box naming its script: enough said.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": "sans-serif",
                "font.sans-serif": ["DejaVu Sans", *_installed(_FALLBACK_FONTS)],
                "svg.fonttype": "none",
                "svg.hashsalt": "costopt",
                "text.parse_math": False,
            }
        )
        out = io.BytesIO()
        draw().figure.savefig(out, format=kind, dpi=_DPI, metadata=nameless)
    return out.getvalue()


@cache
def _installed(names: Iterable[str]) -> tuple[str, ...]:
    known = set(font_manager.get_font_names())
    return tuple(name for name in names if name in known)

"""A page of terminal text: lines, wrapped paragraphs and columns, of a fixed width, made by rich.

All text that comes in is made safe here (safe.terminal), once, for every page that is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, Literal

from costopt.report.safe import terminal

if TYPE_CHECKING:  # rich is loaded when a page is drawn, not when formats are listed
    from rich.text import Text

NARROWEST: Final = 60
MARGIN: Final = 2
GAP: Final = 2
LABEL: Final = 14

PLAIN: Final = ""
STRONG: Final = "bold"
MONEY: Final = "bold green"
QUIET: Final = "bright_black"
HEAD: Final = "bold cyan"
COMMAND: Final = "cyan"
WARN: Final = "yellow"
GOOD: Final = "green"

Span = tuple[str, str]
"""Text and its style."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a grid: its width in character cells, and what becomes of its text."""

    width: int
    right: bool = False  # the text stands on the right
    cut_end: bool = False  # a sentence, cut at its end; names are cut in the middle


class Screen:
    """What is printed on it, as bytes; the same calls give the same bytes wherever it runs."""

    def __init__(
        self, width: int, *, colour: bool, depth: Literal["256", "truecolor"] = "256"
    ) -> None:
        from rich.console import Console

        self.width = max(width, NARROWEST)
        self._page = io.StringIO()
        # Everything that rich would ask the environment for is said here.
        self._console = Console(
            file=self._page,
            width=self.width,
            height=50,
            force_terminal=colour,
            color_system=depth if colour else None,
            no_color=not colour,
            force_jupyter=False,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def text(self) -> str:
        """What was printed so far."""
        return self._page.getvalue()

    def blank(self) -> None:
        """An empty line."""
        self._console.print()

    def line(self, *spans: Span, indent: int = MARGIN) -> None:
        """One line, cut at the edge."""
        self._put(_join((" " * indent, PLAIN), *((terminal(text), style) for text, style in spans)))

    def title(self, text: str) -> None:
        """A heading and a rule."""
        self.line((text, HEAD))
        self.rule()

    def rule(self) -> None:
        """A line across the page."""
        self.line(("─" * (self.width - 2 * MARGIN), QUIET))

    def paragraph(self, text: str, style: str = PLAIN, *, indent: int = MARGIN) -> None:
        """Text wrapped at words, indented on the left."""
        self._wrapped(_join((terminal(text), style)), " " * indent)

    def bullet(self, text: str, style: str = PLAIN, *, indent: int = MARGIN) -> None:
        """A list item, wrapped below itself."""
        self._wrapped(_join((terminal(text), style)), f"{' ' * indent}• ")

    def notes(self, notes: Sequence[str]) -> None:
        """A section of what is to be known beside the figures; none, and there is no section."""
        if not notes:
            return
        self.title("Please note")
        for note in notes:
            self.bullet(note)
        self.blank()

    def labelled(
        self,
        name: str,
        text: str,
        style: str = PLAIN,
        *,
        label: int = LABEL,
        indent: int = MARGIN,
    ) -> None:
        """A quiet name, `label` cells wide, and text wrapped beside it."""
        head = _fitted(terminal(name), Column(label, cut_end=True))
        left = indent + label + GAP
        lines = self._lines(_join((terminal(text), style)), left)
        for number, line in enumerate(lines or [_join()]):
            first = ((" " * indent, PLAIN), (head + " " * GAP, QUIET))
            self._put(_trimmed(_join(*(first if number == 0 else ((" " * left, PLAIN),)), line)))

    def command(self, text: str, style: str = COMMAND, *, indent: int = MARGIN + 2) -> None:
        """A command, or an id, whole: it may run over the edge, but pastes as one line."""
        self._console.print(
            _join((" " * indent + terminal(text), style)), soft_wrap=True, crop=False
        )

    def grid(
        self, columns: Sequence[Column], cells: Sequence[Sequence[Span]], *, indent: int = MARGIN
    ) -> None:
        """One row of cells side by side, each a stack of lines; long ones are cut."""
        for spans in zip_longest(*cells, fillvalue=("", PLAIN)):
            padded = [
                (_fitted(terminal(text), column), style)
                for column, (text, style) in zip(columns, spans, strict=True)
            ]
            self._put(_trimmed(_join((" " * indent, PLAIN), *_spaced(padded))))

    def table(
        self, rows: Sequence[Sequence[Span]], right: Sequence[bool], *, indent: int = MARGIN
    ) -> None:
        """Rows of one line each; columns are as wide as they need and may be."""
        widths = [max(cells_of(row[place][0]) for row in rows) for place in range(len(right))]
        columns = [
            Column(width, right=on_right, cut_end=True)
            for width, on_right in zip(_shared(widths, self.width - 2 * indent), right, strict=True)
        ]
        for row in rows:
            self.grid(columns, [(cell,) for cell in row], indent=indent)

    def wrapped(self, text: str, width: int) -> list[str]:
        """The text in lines of that many character cells, for a cell of a grid."""
        return [line.plain for line in _join((terminal(text), PLAIN)).wrap(self._console, width)]

    def _put(self, line: Text) -> None:
        self._console.print(line, no_wrap=True, overflow="ellipsis", crop=True)

    def _wrapped(self, text: Text, first: str) -> None:
        for number, line in enumerate(self._lines(text, len(first))):
            lead = first if number == 0 else " " * len(first)
            self._put(_trimmed(_join((lead, PLAIN), line)))

    def _lines(self, text: Text, left: int) -> Sequence[Text]:
        return list(text.wrap(self._console, max(self.width - left - MARGIN, 1)))


def _join(*parts: Span | Text) -> Text:
    from rich.text import Text

    return Text.assemble(*parts, end="")


def _trimmed(line: Text) -> Text:
    line.rstrip()
    return line


def _spaced(spans: Sequence[Span]) -> Iterator[Span]:
    for number, span in enumerate(spans):
        if number:
            yield " " * GAP, PLAIN
        yield span


def _shared(widths: Sequence[int], room: int) -> list[int]:
    """The widths, the widest made narrower until all stand in the room with gaps between."""
    fitted = list(widths)
    while sum(fitted) + GAP * (len(fitted) - 1) > room and max(fitted) > 1:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted


def _fitted(text: str, column: Column) -> str:
    short = shortened(text, column.width, tail=0.0 if column.cut_end else 0.4)
    pad = " " * (column.width - cells_of(short))
    return pad + short if column.right else short + pad


def cells_of(text: str) -> int:
    """How many character cells the text takes on a screen: none for combining marks, two for 日."""
    from rich.cells import cell_len

    return cell_len(terminal(text))


def shortened(text: str, width: int, *, tail: float = 0.4) -> str:
    """The text in at most `width` character cells, with an ellipsis where it was cut.

    `tail` is the share of the width that its end gets: names differ at the end (web-17) as often
    as at the start, so both ends are kept.
    """
    if cells_of(text) <= width:
        return text
    end = int((width - 1) * tail)
    return _head(text, width - 1 - end) + "…" + _head(text[::-1], end)[::-1]


def _head(text: str, width: int) -> str:
    """As much of the text's beginning as fits `width` cells; wide characters take two."""
    taken = 0
    for number, character in enumerate(text):
        taken += cells_of(character)
        if taken > width:
            return text[:number]
    return text

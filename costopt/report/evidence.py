"""A rule's evidence, drawn whatever the rule: figures line by line, lists of alike things as grids.

Evidence is JSON-ready (model.Recommendation.evidence) and its names belong to the rule, so this
knows no rule: names become words, and what a name ends in is the figure's unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from costopt.frame.subject import duration
from costopt.report import words
from costopt.report.document import plain
from costopt.report.screen import HEAD, PLAIN, QUIET, Screen
from costopt.units import counted

_ROWS: Final = 12  # of one list; the JSON holds all
_IN_A_LINE: Final = 2  # so many figures of one thing stand side by side
_A_BOUND: Final = re.compile(r"_(above|over|below|under)_[\d.]+_percent$")
"""The percent is the bound's, not the figure's: `refused_above_105_percent` counts samples."""
_UNITS: Final[Mapping[str, Callable[[float], str]]] = MappingProxyType(
    {
        "_percent": lambda value: f"{words.figure(value)} %",
        "_percent_a_day": lambda value: counted(value, "point", ".4g") + " a day",
        "_gib": lambda value: f"{words.figure(value)} GiB",
        "_gbps": lambda value: f"{words.figure(value)} Gbit/s",
        "_seconds": duration,
    }
)
"""What the end of a name says of its figure, which then stands beside it instead."""
_SHARES: Final = ("share", "coverage", "probability")  # 0 to 1, said in percent


def draw(screen: Screen, evidence: Mapping[str, Any], *, indent: int) -> None:
    """Every entry of the evidence, in its own order."""
    entries = {str(name): plain(value) for name, value in evidence.items()}
    single = {name: value for name, value in entries.items() if not _nested(value)}
    if single:
        lines = [labelled(name, value) for name, value in single.items()]
        label = min(max(len(name) for name, _ in lines), screen.width // 3)
        for name, text in lines:
            screen.labelled(name, text, label=label, indent=indent)
    for name, value in entries.items():
        if _nested(value):
            screen.line((f"{words.spoken(name)}:", QUIET), indent=indent)
            _draw_nested(screen, value, indent + 2)


def _nested(value: Any) -> bool:
    """Whether it takes lines of its own: a list, or more than a few names and single figures."""
    if isinstance(value, dict):
        deep = any(isinstance(item, dict) or _nested(item) for item in value.values())
        return deep or len(value) > _IN_A_LINE
    return bool(value) and isinstance(value, list)


def _draw_nested(screen: Screen, value: Any, indent: int) -> None:
    if isinstance(value, dict):
        draw(screen, value, indent=indent)
    elif all(isinstance(item, dict) for item in value):
        _draw_grid(screen, value, indent)
    else:
        for item in value[:_ROWS]:
            screen.bullet(say(item), indent=indent)
        _draw_rest(screen, value, indent)


def _draw_grid(screen: Screen, rows: Sequence[dict[str, Any]], indent: int) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = [[(words.spoken(name), HEAD) for name in names]]
    table += [[(say(row.get(name)), PLAIN) for name in names] for row in rows[:_ROWS]]
    numeric = [all(isinstance(row.get(name), (int, float)) for row in rows) for name in names]
    screen.table(table, numeric, indent=indent)
    _draw_rest(screen, rows, indent)


def _draw_rest(screen: Screen, items: Sequence[Any], indent: int) -> None:
    if len(items) > _ROWS:
        screen.line((f"and {len(items) - _ROWS:,} more", QUIET), indent=indent)


def labelled(name: str, value: Any) -> tuple[str, str]:
    """A field for people, its unit at the figure: `period_seconds`, 300 is `period`, `5 minutes`;
    `running_share`, 1 is `running share`, `100.0 %`."""
    if _A_BOUND.search(name):
        return words.spoken(name.removesuffix("_percent")) + " %", say(value)
    for ending, measured in _UNITS.items():
        if name.endswith(ending) and (value is None or _is_number(value)):
            text = say(value) if value is None else measured(value)
            return words.spoken(name.removesuffix(ending)), text
    if name.endswith(_SHARES) and _is_number(value):
        return words.spoken(name), words.percent(value)
    return words.spoken(name), say(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def say(value: Any) -> str:
    """A JSON value for people."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return words.figure(value)
    if isinstance(value, dict):
        return ", ".join(" ".join(labelled(name, item)) for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(say(item) for item in value) or "none"
    return str(value)

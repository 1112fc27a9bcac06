"""A rule's evidence, drawn whatever the rule: figures line by line, lists of alike things as grids.

Evidence is JSON-ready (model.Recommendation.evidence) and its names belong to the rule, so this
knows no rule: names become words, percents and numbers keep their figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costopt.report import words
from costopt.report.document import plain
from costopt.report.screen import HEAD, PLAIN, QUIET, Screen

_ROWS: Final = 12  # of one list; the JSON holds all


def draw(screen: Screen, evidence: Mapping[str, Any], *, indent: int) -> None:
    """Every entry of the evidence, in its own order."""
    entries = {str(name): plain(value) for name, value in evidence.items()}
    single = {name: value for name, value in entries.items() if not _nested(value)}
    if single:
        label = min(max(len(name) for name in single), screen.width // 3)
        for name, value in single.items():
            screen.labelled(words.spoken(name), say(value), label=label, indent=indent)
    for name, value in entries.items():
        if _nested(value):
            screen.line((f"{words.spoken(name)}:", QUIET), indent=indent)
            _draw_nested(screen, value, indent + 2)


def _nested(value: Any) -> bool:
    """Whether it takes lines of its own: a list, or more than names and their single figures."""
    if isinstance(value, dict):
        return any(isinstance(item, dict) or _nested(item) for item in value.values())
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


def say(value: Any) -> str:
    """A JSON value for people."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return words.figure(value)
    if isinstance(value, dict):
        return ", ".join(f"{words.spoken(name)} {say(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(say(item) for item in value) or "none"
    return str(value)

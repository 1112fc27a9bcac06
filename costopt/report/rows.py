"""A recommendation on a screen: columns as wide as the page, cells that are stacks of lines.

Wide screens get more columns; on narrow ones the same facts stand below the name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from costopt.model import Recommendation, Report
from costopt.report import words
from costopt.report.screen import GAP, MARGIN, MONEY, PLAIN, QUIET, STRONG, Column, Span, cells_of

_MEDIUM: Final = 96  # from here on the change stands beside the name, not below it
_WIDE: Final = 116  # from here on the place does, too
_OVER: Final = 10  # columns of the risk: "≤ 0.012 %"
WHO: Final = 2
"""Which column names the resource; those before it say what is saved and how."""


def columns(report: Report, width: int) -> tuple[list[str], list[Column]]:
    """Titles and widths, which fill the page: what is left over goes to the resource's name."""
    shown = report.recommendations
    money = _widest(shown, lambda one: f"≤ {words.amount(one.estimated_monthly_savings.high)}")
    titles = ["Saves/month", "Action", "Resource", "Over limit"]
    first = [Column(max(money, len(titles[0])), right=True), Column(_widest(shown, _action))]
    last = Column(_OVER, right=True)
    rest = width - 2 * MARGIN - sum(column.width + GAP for column in first) - GAP - last.width
    middle: list[Column] = []
    if width >= _WIDE:
        middle.append(Column(min(_widest(shown, words.places), rest // 4)))
        titles.insert(3, "Where")
    if width >= _MEDIUM:
        change = max(_widest(shown, words.change), _widest(shown, words.size_change))
        middle.append(Column(min(change, rest * 3 // 5)))
        titles.insert(-1, "From → to")
    resource = Column(rest - sum(column.width + GAP for column in middle))
    return titles, [*first, resource, *middle, last]


def _widest(rows: Sequence[Recommendation], say: Callable[[Recommendation], str]) -> int:
    return max(9, *(cells_of(say(one)) for one in rows))


def _action(one: Recommendation) -> str:
    return words.action(one.action_type)


def cells(one: Recommendation, width: int, room: int) -> list[Sequence[Span]]:
    """The stacks of one recommendation; `room` is the width of the resource's column."""
    who: list[Span] = [(words.name(one), STRONG)]
    resource_id = "" if one.resource_name in (None, one.resource_id) else one.resource_id
    where = words.places(one)
    change = ((words.change(one), STRONG), (words.size_change(one), QUIET))
    if width >= _WIDE:
        middle = [[*who, (resource_id, QUIET)], [(where, PLAIN)], change]
    else:
        both = " · ".join(part for part in (where, resource_id) if part)
        below = [both] if cells_of(both) <= room else [where, resource_id]
        who += [(text, QUIET) for text in below]
        middle = [who, change] if width >= _MEDIUM else [[*who, *change]]
    return [_saving(one), _what(one), *middle, _over(one)]


def _saving(one: Recommendation) -> Sequence[Span]:
    saving = one.estimated_monthly_savings
    amount = [(words.amount(saving.target), MONEY)]
    if saving.target < saving.high:
        amount.append((f"≤ {words.amount(saving.high)}", QUIET))
    if saving.basis == "list":
        amount.append(("list price", QUIET))
    return amount


def _what(one: Recommendation) -> Sequence[Span]:
    action = (_action(one), PLAIN)
    return (action, ("restart", QUIET)) if one.restart_needed else (action,)


def _over(one: Recommendation) -> Sequence[Span]:
    expected = (words.risk(one.risk), PLAIN)
    if one.risk is None:
        return (expected,)
    return (expected, (words.at_most(one.risk.upper_bound), QUIET))

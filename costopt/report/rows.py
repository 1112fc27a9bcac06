"""A recommendation on a screen: columns as wide as the page, cells that are stacks of lines.

Wide screens get more columns; on narrow ones the same facts stand below the name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from costopt.model import Recommendation
from costopt.report import risk, words
from costopt.report.screen import (
    GAP,
    MARGIN,
    MONEY,
    PLAIN,
    QUIET,
    STRONG,
    WARN,
    Column,
    Span,
    cells_of,
)

_MEDIUM: Final = 96  # from here on the change stands beside the name, not below it
_WIDE: Final = 116  # from here on the place does, too
WHO: Final = 2
"""Which column names the resource; those before it say what is saved and how."""


def columns(
    shown: Sequence[Recommendation], width: int, money: str
) -> tuple[list[str], list[Column]]:
    """Titles and widths, which fill the page: what is left over goes to the resource's name.

    Args:
        money: title of the first column.
    """
    titles = [money, "Action", "Resource"]
    sums = max(len(money), _widest(shown, lambda one: _most(one) or _sum(one)))
    if any(one.unreconciled for one in shown):
        sums = max(sums, len(words.UNRECONCILED))
    with_risk = any(risk.probability(one) is not None for one in shown)
    first = [Column(sums, right=True), Column(_widest(shown, _action))]
    last = [Column(len(_UNDO), right=True)] if with_risk else []
    rest = width - 2 * MARGIN - sum(column.width + GAP for column in [*first, *last])
    middle: list[Column] = []
    if width >= _WIDE:
        middle.append(Column(min(_widest(shown, words.places), rest // 4)))
        titles.append("Where")
    if width >= _MEDIUM:
        change = max(_widest(shown, words.change), _widest(shown, words.size_change))
        middle.append(Column(min(change, rest * 3 // 5)))
        titles.append("From → to")
    resource = Column(rest - sum(column.width + GAP for column in middle))
    return titles + [_UNDO] * len(last), [*first, resource, *middle, *last]


_UNDO: Final = "Undo risk"


def _widest(rows: Sequence[Recommendation], say: Callable[[Recommendation], str]) -> int:
    return max(9, *(cells_of(say(one)) for one in rows))


def _action(one: Recommendation) -> str:
    return words.action(one.action_type)


def cells(one: Recommendation, width: int, columns: Sequence[Column]) -> list[Sequence[Span]]:
    """The stacks of one recommendation, one for each of the columns."""
    who: list[Span] = [(words.name(one), STRONG)]
    resource_id = "" if one.resource_name in (None, one.resource_id) else one.resource_id
    where = words.places(one)
    change = ((words.change(one), STRONG), (words.size_change(one), QUIET))
    if width >= _WIDE:
        middle = [[*who, (resource_id, QUIET)], [(where, PLAIN)], change]
    else:
        both = " · ".join(part for part in (where, resource_id) if part)
        below = [both] if cells_of(both) <= columns[WHO].width else [where, resource_id]
        who += [(text, QUIET) for text in below]
        middle = [who, change] if width >= _MEDIUM else [[*who, *change]]
    stacks = [_money(one), _what(one), *middle, _undo(one)]
    return stacks[: len(columns)]


def _money(one: Recommendation) -> Sequence[Span]:
    amount = [(_sum(one), WARN if words.costs_more(one) else MONEY)]
    if most := _most(one):
        amount.append((most, QUIET))
    if one.estimated_monthly_savings.basis == "list":
        amount.append(("list price", QUIET))
    if one.unreconciled:
        amount.append((words.UNRECONCILED, WARN))
    return amount


def _sum(one: Recommendation) -> str:
    """What it saves: 468.66; or adds: +66.58."""
    target = one.estimated_monthly_savings.target
    return f"+{words.amount(-target)}" if words.costs_more(one) else words.amount(target)


def _most(one: Recommendation) -> str:
    saving = one.estimated_monthly_savings
    return f"≤ {words.amount(saving.high)}" if saving.target < saving.high else ""


def _what(one: Recommendation) -> Sequence[Span]:
    action = (_action(one), PLAIN)
    return (action, ("restart", QUIET)) if one.restart_needed else (action,)


def _undo(one: Recommendation) -> Sequence[Span]:
    return (risk.chance(one), risk.tone(one)), (risk.at_most(one), QUIET)

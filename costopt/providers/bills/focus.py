"""A bill that is FOCUS already: its columns' names in the specification's spelling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from costopt.frame import bill
from costopt.frame.focus_terms import COLUMNS
from costopt.frame.intake import Intake, Misread
from costopt.providers.bills.items import money, plain
from costopt.providers.bills.reading import Columns
from costopt.schema import CHARGES, COST

COSTS: Final = ("BilledCost", "EffectiveCost")
"""A file in which one of these cannot be read is of no use."""

_SPELLED: Final = {plain(name): name for name in COLUMNS}
_FIGURES: Final = tuple(field.name for field in CHARGES if field.type == COST)


def is_focus(names: Iterable[str]) -> bool:
    """Whether these columns are a FOCUS bill's."""
    return {_SPELLED.get(plain(name)) for name in names}.issuperset(bill.REQUIRED)


def spelled(columns: Columns) -> Columns:
    """The columns under FOCUS's names, where they have one."""
    return {_SPELLED.get(plain(name), name): column for name, column in columns.items()}


def normalised(columns: Columns) -> tuple[Intake, Sequence[Misread]]:
    """As charges, and the figures that cannot be read.

    Args:
        columns: as `spelled`.
    """
    read = {name: money(columns[name], name) for name in _FIGURES if name in columns}
    found = {name: values for name, (values, _) in read.items()}
    unread = [misread for _, misread in read.values() if misread is not None]
    return bill.normalise({**columns, **found}), unread

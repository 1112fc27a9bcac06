"""Azure's bill: Cost Management exports in blobs or on disk (docs/providers/azure.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from costopt.model import Window
from costopt.providers.azure.access import Access
from costopt.providers.azure.bill import preview
from costopt.providers.azure.bill.combine import MANNER, combined
from costopt.providers.azure.bill.focus import Focus
from costopt.providers.azure.bill.layout import parts
from costopt.providers.azure.bill.map import Costs
from costopt.providers.base import Problem
from costopt.providers.bills import focus
from costopt.providers.bills.months import Bill
from costopt.providers.bills.part import Layout, NoBill, Part
from costopt.providers.bills.whose import is_cost


def charges(
    access: Access,
    held: Mapping[str, str],
    window: Window | None,
    problems: list[Problem],
    notes: dict[str, str],
) -> Iterator[pa.Table]:
    """The bill in schema.CHARGES, month by month: new and restated months only.

    Args:
        held: notes of earlier collects, whose charges were kept.
        window: only months that touch it; None = all.
        problems: gets what could not be had; `fatal` where charges are missing.
        notes: gets what to be reminded of, once its tables were taken.
    """
    if not access.settings.export:
        return
    found = parts(access, access.settings.export, problems)
    bill = Bill(_layout, held, window, problems, notes, MANNER, combined)
    yield from bill.charges(found)


def to_read(access: Access, held: Mapping[str, str], problems: list[Problem]) -> list[str]:
    """For a dry run: what of the exports a collect would read, as the listing tells it; a line for
    each, for people."""
    found = parts(access, access.settings.export, problems)
    bill = Bill(_layout, held, None, problems, {}, MANNER, combined)
    return list(preview.lines(found, bill.unread(found)))


def _layout(part: Part, names: Sequence[str]) -> Layout:
    """How to read a file of those columns.

    Raises:
        NoBill: it is none.
    """
    if focus.is_focus(names):
        return Focus()
    if is_cost(names):
        return Costs(part.kind)
    raise NoBill

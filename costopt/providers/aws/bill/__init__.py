"""AWS's bill: FOCUS and CUR exports out of S3, or what Cost Explorer tells (docs/providers/aws.md).

A month comes whole or not at all, and only when it is new or restated: what was read whole is
noted by a digest of its listing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from costopt.model import Window
from costopt.providers.aws.access import Account
from costopt.providers.aws.bill import explorer
from costopt.providers.aws.bill.exports import Exports
from costopt.providers.aws.bill.layout import Month
from costopt.providers.base import Problem
from costopt.providers.bills import counts
from costopt.units import counted


def charges(
    home: Account,
    held: Mapping[str, str],
    window: Window | None,
    problems: list[Problem],
    notes: dict[str, str],
) -> Iterator[pa.Table]:
    """The bill in schema.CHARGES, month by month: new and restated months only.

    From the exports that its settings name; where they name none and allow it, from Cost Explorer.

    Args:
        held: notes of earlier collects, whose charges were kept.
        window: only months that touch it; None = all.
        problems: gets what could not be had; `fatal` where charges are missing.
        notes: gets a note for each month given whole, once its last table was taken.
    """
    settings = home.settings
    if settings.export:
        yield from Exports(home, held, window, problems, notes).charges(settings.export)
    elif settings.cost_explorer:
        yield from explorer.charges(home, held, window, problems, notes)


def to_read(home: Account, held: Mapping[str, str], problems: list[Problem]) -> list[str]:
    """For a dry run: what of the exports a collect would read, as the listing tells it; a line for
    each, for people."""
    found = Exports(home, held, None, problems, {}).listed(home.settings.export)
    exports: dict[str, list[Month]] = {}
    for one in found:
        month = one.month
        exports.setdefault(f"s3://{month.bucket}/{month.export}", []).append(month)
    return [_preview(export, months, held) for export, months in exports.items()]


def _preview(export: str, months: Sequence[Month], held: Mapping[str, str]) -> str:
    unread = [
        month for month in months if counts.noted(held.get(month.name)).digest != month.digest
    ]
    same = f"{counted(len(months) - len(unread), 'month')} unchanged"
    if not unread:
        return f"bill {export}: nothing to read, {same}"
    each = ", ".join(f"{month.start:%Y-%m} ({_size(month.size)})" for month in unread)
    whole = _size(sum(month.size for month in unread))
    rest = f"; {same}" if len(unread) < len(months) else ""
    return f"bill {export}: {counted(len(unread), 'month')} to read, {whole}: {each}{rest}"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1_000_000 else f"{math.ceil(count / 1e3)} kB"

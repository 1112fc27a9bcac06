"""What a collect would read of a bill, as the listing tells it; nothing of it is read."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence, Set

from costopt.providers.azure.bill.combine import MANNER
from costopt.providers.bills.part import Part
from costopt.units import counted

_Months = dict[str | None, list[Part]]


def lines(parts: Sequence[Part], unread: Collection[Part]) -> Iterator[str]:
    """A line for each export, for people.

    Args:
        parts: the bill's files.
        unread: those of them that are new or changed; the months that they belong to are read
            whole, and with one half of the costs the other.
    """
    exports: dict[str, _Months] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        exports[part.export][part.month].append(part)
    stale = {_whole(part) for part in unread}
    for export, months in sorted(exports.items()):
        yield f"bill {export}: {_told(months, stale, unread)}"


def _whole(part: Part) -> tuple[str | None, str]:
    """What the file is read together with."""
    return part.month, "halves" if part.kind in MANNER.halves else part.export


def _told(months: _Months, stale: Set[tuple[str | None, str]], unread: Collection[Part]) -> str:
    dated = {month: files for month, files in sorted(months.items(), key=str) if month}
    wanted = {
        month: files for month, files in dated.items() if not stale.isdisjoint(map(_whole, files))
    }
    undated = [part for part in months.get(None, ()) if part in unread]
    found = []
    if wanted:
        each = ", ".join(f"{month} ({_sized(files)})" for month, files in wanted.items())
        found.append(f"{counted(len(wanted), 'month')} to read: {each}")
    if undated:
        found.append(f"{_sized(undated)} to read, of months that only their rows tell")
    if same := len(dated) - len(wanted):
        found.append(f"{counted(same, 'month')} unchanged")
    if same := len(months.get(None, ())) - len(undated):
        found.append(f"{counted(same, 'file')} unchanged")
    return "; ".join(found if wanted or undated else ["nothing to read", *found])


def _sized(parts: Sequence[Part]) -> str:
    """Number and size of the files: 2 files, 12.3 MB."""
    count = sum(part.stored.size for part in parts)
    size = f"{count / 1e6:,.1f} MB" if count >= 1_000_000 else f"{math.ceil(count / 1e3)} kB"
    return f"{counted(len(parts), 'file')}, {size}"

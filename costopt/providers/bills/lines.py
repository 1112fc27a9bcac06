"""Which files of a bill have the same lines: a file saved twice or in two formats, snapshots.

Exports that are saved by hand have no manifest: a second download lies beside the first, and what
was exported on the 10th has all of its lines again in the export of the 20th.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

_COLUMNS: Final = (
    "BillingAccountId",
    "SubAccountId",
    "ResourceId",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "ChargeDescription",
    "SkuId",
    "PricingQuantity",
    "BilledCost",
    "EffectiveCost",
    "BillingCurrency",
)
"""What two lines that are one have in common, whichever format they were saved in."""
_HASHES: Final = f"select hash({', '.join(_COLUMNS)}) as line from told"  # noqa: S608
_AT_ONCE: Final = 1 << 22  # lines compared in memory; 32 MiB
_Hashes = npt.NDArray[np.uint64]


class Lines:
    """The lines of one file and month, as hashes on this machine's disk."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self._path = path
        self._connection = connection  # opening one takes longer than a small file's hashes
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        """Some more (schema.CHARGES)."""
        self._connection.register("told", table)
        with self._path.open("ab") as file:
            np.asarray(self._connection.execute(_HASHES).fetchnumpy()["line"]).tofile(file)
        self.rows += table.num_rows

    def part(self, number: int, of: int) -> _Hashes:
        """Every `of`-th of all possible hashes."""
        every: _Hashes = np.fromfile(self._path, np.uint64)
        return every if of == 1 else every[every % np.uint64(of) == number]


def shared(files: Sequence[Lines]) -> Counter[tuple[int, int]]:
    """How many lines each two files have in common, by their places; a line that one of them has
    twice counts twice only if the other has it twice. Pairs without any are left off."""
    found: Counter[tuple[int, int]] = Counter()
    parts = 1 + sum(one.rows for one in files) // _AT_ONCE
    for number in range(parts):
        for pair, count in _shared([one.part(number, parts) for one in files]):
            found[pair] += count
    return found


def _shared(files: Sequence[_Hashes]) -> Iterator[tuple[tuple[int, int], int]]:
    lines = np.concatenate(files)
    if not len(lines):
        return
    owners = np.repeat(np.arange(len(files)), [len(one) for one in files])
    order = np.lexsort((owners, lines))
    lines, owners = lines[order], owners[order]
    new = np.flatnonzero(np.r_[True, (lines[1:] != lines[:-1]) | (owners[1:] != owners[:-1])])
    counts = np.diff(np.r_[new, len(lines)])
    lines, owners = lines[new], owners[new]
    for step in range(1, len(files)):
        same = np.flatnonzero(lines[step:] == lines[:-step])
        if not len(same):
            return
        pairs, place = np.unique(
            owners[same] * len(files) + owners[same + step], return_inverse=True
        )
        common = np.minimum(counts[same], counts[same + step])
        sums = np.bincount(place, weights=common)
        for pair, total in zip(pairs.tolist(), sums.tolist(), strict=True):
            yield divmod(pair, len(files)), int(total)

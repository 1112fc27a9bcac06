"""One month of an export: downloaded, converted and found whole, before anything of it is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from costopt.errors import InputError
from costopt.frame import bill
from costopt.frame.focus_terms import COLUMNS
from costopt.frame.intake import Intake, Misread
from costopt.providers.aws.bill import cur, reading
from costopt.providers.aws.bill.costs import AMOUNTS
from costopt.providers.aws.bill.fetch import Bucket
from costopt.providers.aws.bill.items import money, plain
from costopt.providers.aws.bill.layout import Month, Stored
from costopt.providers.aws.bill.spool import Spool
from costopt.providers.base import Problem

_SPELLED: Final = {plain(name): name for name in COLUMNS}
_CENT: Final = Decimal("0.01")
_COSTS: Final = ("BilledCost", "EffectiveCost")
_Net = tuple[pa.Array, pa.Array] | None


class _Batch(NamedTuple):
    """Some rows of a file as charges."""

    intake: Intake
    net: _Net = None
    left: Decimal = Decimal(0)
    unread: Sequence[Misread] = ()  # amounts; those that costs are made of refuse the file


_Convert = Callable[[reading.Columns], _Batch]


class NoBill(Exception):
    """The export is of something else (recommendations, carbon)."""


@dataclass
class _Complaints:
    """What could not be used or does not add up, over a month's batches."""

    counts: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, bool], Misread] = field(default_factory=dict)
    left: Decimal = Decimal(0)

    def add(self, misread: Sequence[Misread]) -> None:
        for one in misread:
            key = (one.column, one.what, one.refused)
            self.counts[key] += one.count
            self.examples.setdefault(key, one)

    def said(self) -> str:
        """In one line: columns, rows and examples."""
        return ", ".join(
            f"{one.column} {one.what} in {_rows(self.counts[key])} ({one.example!r}, say)"
            for key, one in self.examples.items()
        )

    def problems(self, where: str) -> Iterator[Problem]:
        for key, one in self.examples.items():
            value = f" {one.example!r}" if one.example else ""
            cost = "row left out" if one.refused else "taken as missing"
            what = f"{one.column}{value} {one.what}: {cost}"
            yield Problem(where, what, self.counts[key], fatal=one.refused)
        if abs(self.left) >= _CENT:
            what = (
                f"usage under savings plans and its negations differ by {self.left:.2f}: are lines "
                "left out of the export? Billed costs are as if they did not"
            )
            yield Problem(where, what)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def spooled(
    bucket: Bucket, month: Month, files: Sequence[Stored], folder: Path, problems: list[Problem]
) -> Spool:
    """The month's charges, whole, on disk.

    Args:
        folder: for what is downloaded; each file is removed once it is read.
        problems: gets what could not be understood of single values and rows.
    Raises:
        Changed: a file was overwritten meanwhile.
        NoBill: the files are neither FOCUS nor CUR.
        InputError: a file is damaged, lacks columns, or has costs or tags that cannot be read.
        ClientError, BotoCoreError: S3 does not give a file.
    """
    complaints = _Complaints()
    with Spool(folder / "charges.arrow") as spool:
        for stored in files:
            path = folder / "download"
            bucket.download(stored, path)
            where = f"s3://{month.bucket}/{stored.key}"
            _read(path, where, spool, complaints)
            path.unlink()
    problems += complaints.problems(month.where)
    return spool


def _read(path: Path, where: str, spool: Spool, complaints: _Complaints) -> None:
    kind: list[_Convert] = []

    def choose(names: Sequence[str]) -> Sequence[str]:
        kind.append(_kind(names))
        try:
            return cur.chosen(names) if kind[0] is _of_cur else names
        except InputError as error:
            raise InputError(error.what, where=where, hint=error.hint) from None

    unread = _Complaints()
    for columns in reading.batches(path, where, choose):
        try:
            batch = kind[0](columns)
        except UnicodeEncodeError:  # JSON can spell what no text holds: "\\ud800"
            raise InputError("a tag or attribute is no Unicode text", where=where) from None
        unread.add([one for one in batch.unread if one.column in (*AMOUNTS, *_COSTS)])
        if unread.counts:
            continue  # only to count them
        complaints.add((*batch.intake.misread, *batch.unread))
        complaints.left += batch.left
        spool.add(batch.intake.table, batch.net)
    if unread.counts:
        raise InputError(unread.said(), where=where)


def _kind(names: Sequence[str]) -> _Convert:
    """How to read a file of those columns."""
    known = {_SPELLED.get(plain(name)) for name in names}
    if known.issuperset(bill.REQUIRED):
        return _of_focus
    if cur.is_cur(names):
        return _of_cur
    raise NoBill


def _of_focus(columns: reading.Columns) -> _Batch:
    spelled = {_SPELLED.get(plain(name), name): column for name, column in columns.items()}
    costs = [money(spelled[name], name)[1] for name in _COSTS if name in spelled]
    return _Batch(bill.normalise(spelled), unread=[one for one in costs if one is not None])


def _of_cur(columns: reading.Columns) -> _Batch:
    found = cur.converted(columns)
    intake = bill.normalise(found.columns)
    if found.net is None:
        return _Batch(intake, None, found.left, found.unread)
    kept = pa.array(intake.kept)
    net = (found.net[0].take(kept), found.net[1].take(kept))
    return _Batch(intake, net, found.left, found.unread)

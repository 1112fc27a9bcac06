"""One month of an export: downloaded, converted and found whole, before anything of it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from costopt.errors import InputError
from costopt.frame import bill
from costopt.frame.intake import Intake, Misread
from costopt.providers.aws.bill import cur
from costopt.providers.aws.bill.complaints import Complaints
from costopt.providers.aws.bill.costs import AMOUNTS
from costopt.providers.aws.bill.fetch import Bucket
from costopt.providers.aws.bill.layout import Month, Stored
from costopt.providers.aws.bill.spool import Spool
from costopt.providers.base import Problem
from costopt.providers.bills import focus, reading

FOCUS: Final = "focus"
CUR: Final = "cur"

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
        InputError: a file is damaged, lacks columns, or has costs that cannot be read.
        ClientError, BotoCoreError: S3 does not give a file.
    """
    complaints = Complaints()
    with Spool(folder / "charges.arrow") as spool:
        for stored in files:
            path = folder / "download"
            bucket.download(stored, path)
            where = f"s3://{month.bucket}/{stored.key}"
            _read(path, where, spool, complaints)
            path.unlink()
    problems += complaints.problems(month.where)
    return spool


def _read(path: Path, where: str, spool: Spool, complaints: Complaints) -> None:
    kind: list[_Convert] = []

    def choose(names: Sequence[str]) -> Sequence[str]:
        kind.append(_kind(names))
        spool.kind = FOCUS if kind[0] is _of_focus else CUR
        try:
            return cur.chosen(names) if kind[0] is _of_cur else names
        except InputError as error:
            raise InputError(error.what, where=where, hint=error.hint) from None

    unread = Complaints()
    for columns in reading.batches(path, where, choose):
        batch = kind[0](columns)
        unread.add([one for one in batch.unread if one.column in (*AMOUNTS, *focus.COSTS)])
        if unread.counts:
            continue  # only to count them
        complaints.add((*batch.intake.misread, *batch.unread))
        complaints.left += batch.left
        spool.add(batch.intake.table, batch.net)
    if unread.counts:
        raise InputError(unread.said(), where=where)


def _kind(names: Sequence[str]) -> _Convert:
    """How to read a file of those columns."""
    if focus.is_focus(names):
        return _of_focus
    if cur.is_cur(names):
        return _of_cur
    raise NoBill


def _of_focus(columns: reading.Columns) -> _Batch:
    intake, unread = focus.normalised(focus.spelled(columns))
    return _Batch(intake, unread=unread)


def _of_cur(columns: reading.Columns) -> _Batch:
    found = cur.converted(columns)
    intake = bill.normalise(found.columns)
    if found.net is None:
        return _Batch(intake, None, found.left, found.unread)
    kept = pa.array(intake.kept)
    net = (found.net[0].take(kept), found.net[1].take(kept))
    return _Batch(intake, net, found.left, found.unread)

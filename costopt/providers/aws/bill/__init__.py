"""AWS's bill: FOCUS and CUR exports out of S3, or what Cost Explorer tells (docs/providers/aws.md).

A month comes whole or not at all, and only when it is new or restated: what was read whole is
noted by a digest of its listing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from costopt.errors import InputError
from costopt.model import Window
from costopt.providers.aws.access import Account, told
from costopt.providers.aws.bill import explorer, once
from costopt.providers.aws.bill.export import NoBill, spooled
from costopt.providers.aws.bill.fetch import Bucket, Changed
from costopt.providers.aws.bill.layout import Month, months
from costopt.providers.aws.bill.spool import Spool
from costopt.providers.base import Problem
from costopt.providers.bills.spool import Scope
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
        yield from _Exports(home, held, window, problems, notes).charges(settings.export)
    elif settings.cost_explorer:
        yield from explorer.charges(home, held, window, problems, notes)


def to_read(home: Account, held: Mapping[str, str], problems: list[Problem]) -> list[str]:
    """For a dry run: what of the exports a collect would read, as the listing tells it; a line for
    each, for people."""
    found = _Exports(home, held, None, problems, {}).listed(home.settings.export)
    exports: dict[str, list[Month]] = {}
    for _, month, _ in found:
        exports.setdefault(f"s3://{month.bucket}/{month.export}", []).append(month)
    return [_preview(export, months, held) for export, months in exports.items()]


def _preview(export: str, months: Sequence[Month], held: Mapping[str, str]) -> str:
    unread = [month for month in months if not once.was_read(held, month)]
    same = f"{counted(len(months) - len(unread), 'month')} unchanged"
    if not unread:
        return f"bill {export}: nothing to read, {same}"
    each = ", ".join(f"{month.start:%Y-%m} ({_size(month.size)})" for month in unread)
    whole = _size(sum(month.size for month in unread))
    rest = f"; {same}" if len(unread) < len(months) else ""
    return f"bill {export}: {counted(len(unread), 'month')} to read, {whole}: {each}{rest}"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1_000_000 else f"{math.ceil(count / 1e3)} kB"


@dataclass
class _Exports:
    home: Account
    held: Mapping[str, str]
    window: Window | None
    problems: list[Problem]
    notes: dict[str, str]
    given: dict[tuple[str, Scope], Month] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def charges(self, addresses: tuple[str, ...]) -> Iterator[pa.Table]:
        for bucket, month, manifests in self.listed(addresses):
            yield from self._month(bucket, month, manifests=manifests)

    def listed(self, addresses: tuple[str, ...]) -> Iterator[tuple[Bucket, Month, bool]]:
        """Each month once, with where it is, and whether months of its export have manifests."""
        for address in addresses:
            bucket = Bucket(self.home.client("s3"), address)
            listed: list[Month] | None = None
            with told(self.problems, f"{address} s3:ListObjectsV2"):
                listed = months(bucket.name, bucket.objects())
            if listed is None:
                continue
            if not listed:
                self.problems.append(Problem(address, _NOTHING, fatal=True))
            with_manifest = Counter(month.export for month in listed if month.manifest)
            for month in listed:
                if month.touches(self.window) and month.name not in self.seen:
                    self.seen.add(month.name)
                    yield bucket, month, with_manifest[month.export] > 0

    def _month(self, bucket: Bucket, month: Month, *, manifests: bool) -> Iterator[pa.Table]:
        if once.was_read(self.held, month):
            return
        with TemporaryDirectory(prefix="costopt-bill-") as folder:
            spool = self._spool(bucket, month, Path(folder), manifests=manifests)
            if spool is None:
                return
            if not self._twice(month, spool):
                yield from self._given(month, spool)
            self.notes[month.name] = once.export_note(month, spool.scopes)

    def _given(self, month: Month, spool: Spool) -> Iterator[pa.Table]:
        """The month's charges, and in their front what Cost Explorer told of them taken back."""
        told = {**self.held, **self.notes}
        for number, table in enumerate(spool.tables()):
            if not number:
                for note, nothing in once.taken_back(told, month, spool.scopes, table):
                    yield nothing
                    self.notes[note] = f"told by {month.where}"
            yield table

    def _spool(
        self, bucket: Bucket, month: Month, folder: Path, *, manifests: bool
    ) -> Spool | None:
        try:
            with told(self.problems, f"{month.where} s3:GetObject"):
                files = bucket.files(month, manifests=manifests)
                return spooled(bucket, month, files, folder, self.problems)
        except Changed as change:
            what = f"is being delivered just now ({change}): left for the next collect"
            # The lake still has the month as it was, where it was read before.
            self._note(month.where, what, fatal=month.name not in self.held)
        except NoBill:
            what = "neither FOCUS nor a Cost and Usage Report: left out"
            self._note(month.where, what, fatal=False)
        except InputError as error:
            self._note(error.where, f"{error.what}: the month is left out", fatal=True)
        return None

    def _twice(self, month: Month, spool: Spool) -> bool:
        """Whether another export gave this bill already: one payer's account counts once."""
        keys = [(f"{month.start:%Y-%m}", scope) for scope in spool.scopes]
        other = next((self.given[key] for key in keys if key in self.given), None)
        if other is None:
            self.given |= dict.fromkeys(keys, month)
            return False
        what = f"the same bill as s3://{other.bucket}/{other.export}, which counts: name one export"
        self._note(month.where, what, fatal=False)
        return True

    def _note(self, where: str, what: str, *, fatal: bool) -> None:
        self.problems.append(Problem(where, what, fatal=fatal))


_NOTHING = (
    "no bill export below this address: check bucket and prefix with aws s3 ls --recursive; a new "
    "export takes up to a day to arrive (Billing and Cost Management, Data Exports)"
)

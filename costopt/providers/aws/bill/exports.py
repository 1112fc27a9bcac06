"""All exports that a collect is given, month by month: what is read, and whose charges count."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final

import pyarrow as pa

from costopt.errors import InputError
from costopt.model import Window
from costopt.providers.aws.access import Account, told
from costopt.providers.aws.bill import once
from costopt.providers.aws.bill.export import FOCUS, NoBill, spooled
from costopt.providers.aws.bill.fetch import Bucket, Changed
from costopt.providers.aws.bill.layout import Month, months
from costopt.providers.aws.bill.spool import Spool
from costopt.providers.base import Problem
from costopt.providers.bills import statements
from costopt.providers.bills.counts import Manner, Noted
from costopt.providers.bills.spool import Scope
from costopt.providers.bills.statements import Statement

MANNER: Final = Manner(best=FOCUS)


@dataclass(frozen=True, slots=True)
class Listed:
    """A month of an export, and where it is."""

    bucket: Bucket
    month: Month
    manifests: bool  # whether months of its export have one

    @property
    def delivered(self) -> date:
        """The day of its last delivery."""
        month = self.month
        files = [*(month.newest if month.runs else ()), *filter(None, (month.manifest,))]
        last: datetime = max(one.modified for one in files)
        return last.date()

    @property
    def statement(self) -> Statement:
        """As all clouds' bills have it."""
        month = self.month
        export = f"s3://{month.bucket}/{month.export}"
        return Statement(month.name, export, f"{month.start:%Y-%m}", month.digest, self.delivered)


@dataclass
class Exports:
    """One collect's look at the exports (costopt.providers.aws.bill.charges)."""

    home: Account
    held: Mapping[str, str]
    window: Window | None
    problems: list[Problem]
    notes: dict[str, str]

    def charges(self, addresses: tuple[str, ...]) -> Iterator[pa.Table]:
        """Charges of new and restated months (schema.CHARGES), month by month."""
        by_month: dict[datetime, list[Listed]] = defaultdict(list)
        for one in self.listed(addresses):
            by_month[one.month.start].append(one)
        for start in sorted(by_month):
            with TemporaryDirectory(prefix="costopt-bill-") as folder:
                yield from self._of_month(by_month[start], Path(folder))

    def _of_month(self, listed: Sequence[Listed], folder: Path) -> Iterator[pa.Table]:
        places = {one.month.name: one for one in listed}

        def read(statement: Statement) -> Spool | None:
            return self.spool(places[statement.name], Path(mkdtemp(dir=folder)))

        month = statements.Month(
            [one.statement for one in listed], read, self.held, self.problems, self.notes, MANNER
        )
        yield from month.charges()
        for name in month.given:
            yield from self._explored(places[name].month, month.known[name])

    def _explored(self, month: Month, known: Noted) -> Iterator[pa.Table]:
        """What takes back what Cost Explorer told of the same accounts."""
        accounts = once.taken_back({**self.held, **self.notes}, month, known.tells)
        if accounts and known.like:
            why = "Cost Explorer's sums, told by an export since"
            gone = [Scope("AWS", account, month.start, None) for account in accounts]
            yield statements.nothing(gone, known.like, why)
            for account in accounts:
                note = once.explorer_note(account, month.start)
                self.notes[note] = f"told by {month.where}"

    def listed(self, addresses: tuple[str, ...]) -> Iterator[Listed]:
        """Each month once."""
        seen: set[str] = set()
        for address in addresses:
            bucket = Bucket(self.home.client("s3"), address)
            found: list[Month] | None = None
            with told(self.problems, f"{address} s3:ListObjectsV2"):
                found = months(bucket.name, bucket.objects())
            if found is None:
                continue
            if not found:
                self.note(address, _NOTHING, fatal=True)
            with_manifest = Counter(month.export for month in found if month.manifest)
            for month in found:
                if month.touches(self.window) and month.name not in seen:
                    seen.add(month.name)
                    yield Listed(bucket, month, with_manifest[month.export] > 0)

    def spool(self, one: Listed, folder: Path) -> Spool | None:
        """The month's charges, whole, in the folder; None is told."""
        month = one.month
        try:
            with told(self.problems, f"{month.where} s3:GetObject"):
                files = one.bucket.files(month, manifests=one.manifests)
                return spooled(one.bucket, month, files, folder, self.problems)
        except Changed as change:
            what = f"is being delivered just now ({change}): left for the next collect"
            # The lake still has the month as it was, where it was read before.
            self.note(month.where, what, fatal=month.name not in self.held)
        except NoBill:
            what = "neither FOCUS nor a Cost and Usage Report: left out"
            self.note(month.where, what, fatal=False)
        except InputError as error:
            self.note(error.where, f"{error.what}: the month is left out", fatal=True)
        return None

    def note(self, where: str, what: str, *, fatal: bool) -> None:
        """Tell a problem."""
        self.problems.append(Problem(where, what, fatal=fatal))


_NOTHING: Final = (
    "no bill export below this address: check bucket and prefix with aws s3 ls --recursive; a new "
    "export takes up to a day to arrive (Billing and Cost Management, Data Exports)"
)

"""All exports that a collect is given, month by month: what is read, and whose charges count."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pyarrow as pa

from costopt.errors import InputError
from costopt.model import Window
from costopt.providers.aws.access import Account, told
from costopt.providers.aws.bill import counts, once
from costopt.providers.aws.bill.counts import Like, Noted
from costopt.providers.aws.bill.export import NoBill, spooled
from costopt.providers.aws.bill.fetch import Bucket, Changed
from costopt.providers.aws.bill.layout import Month, months
from costopt.providers.aws.bill.spool import Spool
from costopt.providers.base import Problem
from costopt.providers.bills.spool import Scope


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
                listed = {one.month.name: one for one in by_month[start]}
                yield from _Reading(self, start, listed, Path(folder)).charges()

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


@dataclass
class _Reading:
    """One month of all exports that have it."""

    exports: Exports
    start: datetime
    listed: Mapping[str, Listed]  # by the names of their notes
    folder: Path
    spools: dict[str, Spool] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)

    def charges(self) -> Iterator[pa.Table]:
        known = counts.of_month(self.exports.held, self.start)
        for name, one in self.listed.items():
            if known.get(name, _UNREAD).digest != one.month.digest:
                self._read(name, known)
        told = {name: known[name] for name in self.listed if name in known}
        delivered = {name: self.listed[name].delivered for name in told}
        owners = counts.owners(told, delivered)
        for name in sorted(told):
            if name not in self.tried and self._lacks(name, owners, known):
                self._read(name, known)
        for name in sorted(self.spools):
            yield from self._given(name, owners, known)
        self._tell_replaced(owners, known)

    def _read(self, name: str, known: dict[str, Noted]) -> None:
        """Put the month aside, and what it tells now among what is known."""
        self.tried.add(name)
        one = self.listed[name]
        place = self.folder / str(len(self.tried))
        place.mkdir()
        spool = self.exports.spool(one, place)
        if spool is None:
            return
        self.spools[name] = spool
        before = known.get(name, _UNREAD)
        known[name] = Noted(
            one.month.digest,
            counts.FOCUS if spool.focus else counts.CUR,
            frozenset(spool.scopes),
            before.counts,
            _like(spool) or before.like,
        )

    def _lacks(self, name: str, owners: Mapping[Scope, str], known: Mapping[str, Noted]) -> bool:
        """Whether the lake lacks what counts of an export that did not change. What an export that
        is not looked at told since, it may keep: either tells that bill."""
        elsewhere = [one.counts for other, one in known.items() if other not in self.listed]
        wanted = {scope for scope, owner in owners.items() if owner == name}
        return bool(wanted.difference(known[name].counts, *elsewhere))

    def _given(
        self, name: str, owners: Mapping[Scope, str], known: dict[str, Noted]
    ) -> Iterator[pa.Table]:
        """What counts of an export, and in its front what takes back what counted before."""
        mine = {scope for scope, owner in owners.items() if owner == name}
        month, spool, like = self.listed[name].month, self.spools[name], known[name].like
        gone = known[name].counts.difference(owners)
        notes = {**self.exports.held, **self.exports.notes}
        explored: list[str] = []
        if like:
            if gone:
                yield once.nothing(month, gone, like, f"no longer in {month.where}")
            explored = once.taken_back(notes, month, spool.scopes)
            if explored:
                why = "Cost Explorer's sums, told by an export since"
                yield once.nothing(month, [(account, None) for account in explored], like, why)
        for table in spool.tables():
            counting = table if mine == spool.scopes else table.filter(_of(table, mine))
            if counting.num_rows:
                yield counting
        if mine != spool.scopes:
            self._tell_dropped(name, mine, owners)
        self._keep(name, mine, gone, known)
        for account in explored:
            note = once.explorer_note(account, month.start)
            self.exports.notes[note] = f"told by {month.where}"

    def _keep(
        self, name: str, mine: set[Scope], gone: Collection[Scope], known: dict[str, Noted]
    ) -> None:
        """Note what the export tells, and that what is its is no other's."""
        before = known[name]
        now = replace(before, counts=before.counts.difference(gone) | mine)
        changed = {name: now} | {
            other: one.without(mine)
            for other, one in known.items()
            if other != name and one.counts & mine
        }
        known |= changed
        self.exports.notes |= {other: one.text for other, one in changed.items()}

    def _tell_dropped(self, name: str, mine: set[Scope], owners: Mapping[Scope, str]) -> None:
        spool = self.spools[name]
        by_owner: dict[str, list[str]] = defaultdict(list)
        for scope, amount in _amounts(spool, mine):
            by_owner[owners[scope]].append(f"{scope[1] or scope[0]} ({amount})")
        for owner, accounts in sorted(by_owner.items()):
            self._same_bill(name, accounts, owner, "counts")

    def _tell_replaced(self, owners: Mapping[Scope, str], known: Mapping[str, Noted]) -> None:
        """Exports that counted, did not change, and count no longer."""
        before = counts.of_month(self.exports.held, self.start)
        for name in sorted(set(self.listed).intersection(before).difference(self.spools)):
            by_owner: dict[str, list[str]] = defaultdict(list)
            for scope in before[name].counts - known[name].counts:
                by_owner[owners[scope]].append(scope[1] or scope[0] or "")
            for owner, accounts in sorted(by_owner.items()):
                self._same_bill(name, sorted(accounts), owner, "counts from now on")

    def _same_bill(self, name: str, accounts: Sequence[str], owner: str, counting: str) -> None:
        other = self.listed[owner].month
        what = (
            f"the same bill of {', '.join(accounts)} as s3://{other.bucket}/{other.export}, "
            f"which {counting}: name one export"
        )
        self.exports.note(self.listed[name].month.where, what, fatal=False)


def _of(table: pa.Table, scopes: Collection[Scope]) -> pa.Array:
    """Which rows are of these payers and accounts."""
    pairs = zip(*(table.column(name).to_pylist() for name in _SCOPE), strict=True)
    return pa.array([pair in scopes for pair in pairs], pa.bool_())


def _amounts(spool: Spool, without: Collection[Scope]) -> list[tuple[Scope, str]]:
    """What was billed to each payer and account but these, as text, by account."""
    billed: dict[tuple[Scope, str], Decimal] = defaultdict(Decimal)
    for table in spool.tables():
        summed = table.group_by([*_SCOPE, "BillingCurrency"]).aggregate([("BilledCost", "sum")])
        for row in summed.to_pylist():
            scope = (row["BillingAccountId"], row["SubAccountId"])
            if scope not in without:
                billed[scope, row["BillingCurrency"] or ""] += row["BilledCost_sum"] or 0
    by_scope: dict[Scope, list[str]] = defaultdict(list)
    for (scope, currency), amount in sorted(billed.items(), key=str):
        by_scope[scope].append(f"{amount:,.2f} {currency}".rstrip())
    return [(scope, ", ".join(amounts)) for scope, amounts in by_scope.items()]


def _like(spool: Spool) -> Like | None:
    """Its first charge; None = it has none."""
    for table in spool.tables():
        for row in table.slice(0, 1).to_pylist():
            return Like(row["BillingCurrency"], row["ChargePeriodStart"], row["ChargePeriodEnd"])
    return None


_SCOPE: Final = ("BillingAccountId", "SubAccountId")
_UNREAD: Final = Noted()
_NOTHING: Final = (
    "no bill export below this address: check bucket and prefix with aws s3 ls --recursive; a new "
    "export takes up to a day to arrive (Billing and Cost Management, Data Exports)"
)

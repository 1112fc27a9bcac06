"""One month of a bill in all exports that have it: what is read, and whose charges are given.

The lake replaces an account's billing period whole, and charges of no account (taxes, fees) are of
all accounts of their payer. So what belongs together is given together: both halves of an account
and all parts of it, and a payer's accounts where any charge of the payer names none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

import pyarrow as pa

from costopt import schema
from costopt.providers.base import Problem
from costopt.providers.bills import counts
from costopt.providers.bills import spool as spooling
from costopt.providers.bills.counts import Manner, Noted, Voice, Whose
from costopt.providers.bills.spool import Like, Scope, Spool


@dataclass(frozen=True, slots=True)
class Statement:
    """One month of one export."""

    name: str  # of its note
    export: str  # its address, for people
    month: str  # 2026-09
    digest: str  # changes when it is restated
    delivered: date  # the day of its last delivery

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.export}, {self.month}"


@dataclass(frozen=True, slots=True)
class Told:
    """What one export tells of the accounts for which it counts."""

    where: str
    kind: str
    spool: Spool
    mine: Collection[Scope]
    paired: bool  # whether the export counts together with another half, for whichever account

    def tables(self) -> Iterator[pa.Table]:
        """The charges of these accounts (schema.CHARGES)."""
        yield from self.spool.tables(self.mine)


Compose = Callable[[Sequence[Told], list[Problem]], Iterator[pa.Table]]
"""Charges of accounts out of the exports that count for them: one, or two halves."""


def as_they_are(told: Sequence[Told], problems: list[Problem]) -> Iterator[pa.Table]:
    """Where no export tells a half."""
    for one in told:
        yield from one.tables()


@dataclass
class Month:
    """One collect's look at a month.

    Args:
        statements: of all exports that are looked at.
        read: a statement's charges, whole; None = they are not to be had, which it tells.
        held: notes of earlier collects, whose charges were kept.
        problems: gets what counts elsewhere.
        notes: gets one for each statement that is new, restated or replaced.
    """

    statements: Sequence[Statement]
    read: Callable[[Statement], Spool | None]
    held: Mapping[str, str]
    problems: list[Problem]
    notes: dict[str, str]
    manner: Manner
    compose: Compose = as_they_are
    known: dict[str, Noted] = field(init=False)
    given: list[str] = field(default_factory=list)  # names of the statements that were
    _spools: dict[str, Spool] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)

    def charges(self) -> Iterator[pa.Table]:
        """What is new or restated (schema.CHARGES), and what takes back what counts no longer."""
        self._before = self._noted()
        self.known = dict(self._before)
        for name, one in sorted(self._listed.items()):
            if self.known.get(name, _UNREAD).digest != one.digest:
                self._read(name)
        for group in self._groups():
            if self._is_wanted(group) and self._is_readable(group):
                yield from self._given(group)
        self._tell_replaced()

    @cached_property
    def _listed(self) -> dict[str, Statement]:
        return {one.name: one for one in self.statements}

    @cached_property
    def _told(self) -> list[str]:
        return sorted(self._listed.keys() & self.known.keys())

    @cached_property
    def _voices(self) -> dict[Whose, tuple[Voice, ...]]:
        told = {name: self.known[name] for name in self._told}
        delivered = {name: self._listed[name].delivered for name in told}
        return counts.voices(told, delivered, self.manner)

    @cached_property
    def _owners(self) -> dict[Whose, tuple[str, ...]]:
        """Of each account the exports that count, whichever part of it they tell."""
        return {
            whose: tuple(name for voice in voices for name in voice)
            for whose, voices in self._voices.items()
        }

    def _noted(self) -> dict[str, Noted]:
        month = next((one.month for one in self.statements), "")
        return counts.of_month({**self.held, **self.notes}, month)

    def _read(self, name: str) -> None:
        """Put the month aside, and what it tells now among what is known."""
        self._tried.add(name)
        one = self._listed[name]
        spool = self.read(one)
        if spool is None:
            return
        self._spools[name] = spool
        before = self.known.get(name, _UNREAD)
        self.known[name] = Noted(
            one.digest,
            spool.kind or self.manner.otherwise,
            frozenset(spool.scopes),
            before.counts,
            spool.like or before.like,
            frozenset(self.manner.parts(spool).items()),
        )

    def _mine(self, name: str) -> set[Scope]:
        """The accounts for which the export counts, alone or as a half."""
        found = self.known[name].tells
        return {one for one in found if name in self._owners.get(self.manner.whose(one), ())}

    def _counted(self, names: Iterable[str]) -> set[Whose]:
        """Of whom the lake has what these told."""
        return {self.manner.whose(one) for name in names for one in self.known[name].counts}

    # -- what belongs together ---------------------------------------------------------------------

    def _groups(self) -> list[list[str]]:
        """The statements by what has to be given together; each stands in one group."""
        counted: dict[Whose, set[Scope]] = defaultdict(set)  # by the spelling of whichever export
        for one in self.known.values():
            for scope in one.counts:
                counted[self.manner.whose(scope)].add(scope)
        concerned: dict[str, set[Scope]] = {}  # what is given, or taken back
        for name in self._told:
            mine = self._mine(name)
            before = (counted[self.manner.whose(scope)] for scope in mine)
            concerned[name] = mine.union(self.known[name].counts, *before)
        of_nobody = {
            one.period for those in concerned.values() for one in those if one.account is None
        }
        payers: dict[object, set[str]] = defaultdict(set)
        for name, those in concerned.items():
            for period in {one.period for one in those} & of_nobody:
                payers[period].add(name)
        alone = [{name} for name in self._told]
        return _joined([*alone, *map(set, self._owners.values()), *payers.values()])

    def _is_wanted(self, group: Collection[str]) -> bool:
        """Whether the lake lacks anything of what counts of these, or has it from another one. What
        an export that is not looked at told since, it may keep: either tells that bill."""
        if not self._spools.keys().isdisjoint(group):
            return True
        counted = {name: self._counted([name]) for name in self._told}
        elsewhere = self._counted(self.known.keys() - self._listed.keys())
        for whose, names in self._owners.items():
            if not set(names) <= set(group):
                continue
            lacking = any(whose not in counted[name] for name in names)
            others = any(whose in counted[name] for name in self._told if name not in names)
            if (lacking and whose not in elsewhere) or others:
                return True
        return False

    def _is_readable(self, group: Collection[str]) -> bool:
        """Whether all that counts of these is there: read it, where it did not change."""
        needed = [name for name in group if self._mine(name)]
        for name in needed:
            if name not in self._tried:
                self._read(name)
        return all(name in self._spools for name in needed)

    # -- what is given -----------------------------------------------------------------------------

    def _given(self, group: Collection[str]) -> Iterator[pa.Table]:
        """What counts of these, and what takes back what counted before and does no longer."""
        written: set[Scope] = set()
        every = {voice for those in self._voices.values() for voice in those}
        for voice in sorted(voice for voice in every if set(voice) <= set(group)):
            for table in self.compose([self._share(name, voice) for name in voice], self.problems):
                written |= spooling.scopes(table)
                yield table
        gone = self._gone(group) - written
        like = next((like for name in group if (like := self.known[name].like)), None)
        if gone and like:
            where = ", ".join(self._listed[name].where for name in group)
            yield nothing(gone, like, f"no longer in {where}")
        for name in sorted(self._spools.keys() & set(group)):
            self._tell_dropped(name)
        self._keep(group, written | gone)
        self.given += group

    def _share(self, name: str, voice: Voice) -> Told:
        mine = {
            one
            for one in self.known[name].tells
            if voice in self._voices.get(self.manner.whose(one), ())
        }
        every = (other for those in self._voices.values() for other in those)
        paired = any(len(other) > 1 and name in other for other in every)
        return Told(
            self._listed[name].where, self.known[name].kind, self._spools[name], mine, paired
        )

    def _gone(self, group: Collection[str]) -> set[Scope]:
        """What counted before of whom is given now, or of whom nobody tells any more."""
        mine = {one for one, names in self._owners.items() if set(names) <= set(group)}
        return {
            one
            for name, known in self.known.items()
            for one in known.counts
            if (whose := self.manner.whose(one)) in mine
            or (name in group and whose not in self._owners)
        }

    def _keep(self, group: Collection[str], stated: set[Scope]) -> None:
        """Note what the exports tell, and that what is theirs is no other's."""
        changed: dict[str, Noted] = {}
        for name, one in self.known.items():
            if name in group:
                mine = one.counts.difference(stated) | self._mine(name)
                changed[name] = replace(one, counts=mine)
            elif lost := stated & one.counts | _swept(one.counts, stated):
                changed[name] = one.without(lost)
                self._tell_swept(name, lost - stated)
        self.known |= changed
        self.notes |= {name: one.text for name, one in changed.items()}

    # -- what is told ------------------------------------------------------------------------------

    def _tell_dropped(self, name: str) -> None:
        """What of an export that was read does not count."""
        mine = self._mine(name)
        by_owner: dict[str, list[str]] = defaultdict(list)
        for scope, amount in _amounts(self._spools[name], mine):
            by_owner[self._owners[self.manner.whose(scope)][0]].append(f"{scope.name} ({amount})")
        for owner, accounts in sorted(by_owner.items()):
            self._same_bill(name, accounts, owner, "counts")

    def _tell_replaced(self) -> None:
        """Exports that counted, did not change, and count no longer."""
        unchanged = self._listed.keys() & self._before.keys() - self._spools.keys()
        for name in sorted(unchanged):
            by_owner: dict[str, set[str]] = defaultdict(set)
            for scope in self._before[name].counts - self.known[name].counts:
                names = self._owners.get(self.manner.whose(scope), ())
                if names and name not in names:
                    by_owner[names[0]].add(scope.name)
            for owner, accounts in sorted(by_owner.items()):
                self._same_bill(name, sorted(accounts), owner, "counts from now on")

    def _same_bill(self, name: str, accounts: Sequence[str], owner: str, counting: str) -> None:
        what = (
            f"the same bill of {', '.join(accounts)} as {self._listed[owner].export}, "
            f"which {counting}: name one export"
        )
        self.problems.append(Problem(self._listed[name].where, what))

    def _tell_swept(self, name: str, lost: Collection[Scope]) -> None:
        if lost:
            what = (
                f"what it told of {', '.join(sorted({one.name for one in lost}))} is replaced by a "
                "bill of the same payer with charges of no account: collect both exports at once"
            )
            where = name.removeprefix(counts.MONTH_NOTE)
            self.problems.append(Problem(where, what, fatal=True))


def nothing(gone: Iterable[Scope], like: Like, why: str) -> pa.Table:
    """A charge of no cost for each account: it replaces what the lake has of its billing period."""
    rows = [
        {
            "BilledCost": Decimal(0),
            "EffectiveCost": Decimal(0),
            "BillingAccountId": scope.payer,
            "SubAccountId": scope.account,
            "BillingCurrency": like.currency,
            "BillingPeriodStart": scope.start,
            "BillingPeriodEnd": like.until,
            "ChargeCategory": "Adjustment",
            "ChargeDescription": why,
            "ChargePeriodStart": like.start,
            "ChargePeriodEnd": like.end,
            "ProviderName": scope.provider,
        }
        for scope in sorted(gone, key=str)
    ]
    return pa.Table.from_pylist(rows, schema=schema.CHARGES)


def _joined(sets: Iterable[set[str]]) -> list[list[str]]:
    """Sets that have something in common as one."""
    found: list[set[str]] = []
    for one in sets:
        mine = one.union(*(other for other in found if other & one))
        found = [*(other for other in found if not other & one), mine]
    return sorted(map(sorted, found))


def _swept(counted: Collection[Scope], stated: Collection[Scope]) -> set[Scope]:
    """Those that the lake replaces by what is stated of their payer: charges of no account replace
    all accounts, and any account replaces the charges of none."""
    whole = {one.period for one in stated if one.account is None}
    any_of = {one.period for one in stated}
    return {
        one
        for one in counted
        if one.period in whole or (one.account is None and one.period in any_of)
    }


def _amounts(spool: Spool, without: Collection[Scope]) -> list[tuple[Scope, str]]:
    """What was billed to each account but these, as text, by account."""
    rest = spool.scopes.difference(without)
    billed: dict[tuple[Scope, str], Decimal] = defaultdict(Decimal)
    for table in spool.tables(rest) if rest else ():
        for scope, currency, amount in spooling.billed(table):
            billed[scope, currency] += amount
    by_scope: dict[Scope, list[str]] = defaultdict(list)
    for (scope, currency), total in sorted(billed.items(), key=str):
        by_scope[scope].append(f"{total:,.2f} {currency}".rstrip())
    return [(scope, ", ".join(amounts)) for scope, amounts in by_scope.items()]


_UNREAD = Noted()

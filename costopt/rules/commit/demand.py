"""What a commitment could still cover: usage hour by hour, by what is sold and covered alike.

Of usage that is on demand today there is left out what may not last: spot, what the inventory calls
stopped, licences, which no commitment covers, and machines that are young or have ended. Nodes that
are replaced every few days are young or ended one by one, and run all the time together: of what
such machines of one family ran, as much counts as they usually ran lately, and did before.

A bill by the day tells no hours. What ran a part of the day is taken to have run in its first
hours, all of it in the same ones: the least even day that the bill allows, and so the one on which
a commitment is used least.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.model import is_billed
from costopt.model.bill import Amounts, Held, Metered, Usage
from costopt.pricing.commitments import Applied
from costopt.rules.commit.kinds import MEMORY_HOURS, WHOLE_HOURS, Kind, Names, meter_of
from costopt.rules.commit.settings import CommitSettings
from costopt.units import SECONDS_PER_DAY

Floats = npt.NDArray[np.float64]

_HOUR: Final = 3600
_DAY: Final = 24
_TINY: Final = 1e-9
LONGEST_PERIOD: Final = 24.0
"""Hours: a bill by the month hides every night and weekend."""


@dataclass(frozen=True, slots=True)
class Makeup:
    """What one kind's money on demand is made of, over the whole history."""

    accounts: Mapping[str, float]  # "" = the bill names none -> money
    vcpus: float = 0.0  # vCPU-hours a unit of money, where parts are metered apart
    memory_gib: float = 0.0  # GiB-hours likewise


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What is on demand and could be covered, hour by hour."""

    kinds: tuple[Kind, ...]  # sorted
    amounts: Floats  # (H, K) money per hour, as on demand; NaN = no bill of that hour
    rates: Floats  # (K,) of one unit on demand, mean over use
    reduced: Floats  # (K,) share of the contracted price that is off `rates` (model.bill.Usage)
    left_out: Mapping[str, float]  # why -> money per hour on demand that is not in `amounts`
    makeup: tuple[Makeup, ...] = ()  # (K,)

    @property
    def hours(self) -> int:
        """Of the history, missing ones included."""
        return len(self.amounts)

    @property
    def weeks(self) -> float:
        """How much history is there, missing hours left out."""
        return float((~np.isnan(self.amounts).any(axis=1)).sum()) / 168

    def hourly(self, kinds: Iterable[int] | None = None) -> Floats:
        """(K,) mean money per hour of each of these kinds, of all if none are given."""
        which = list(range(len(self.kinds)) if kinds is None else kinds)
        if not len(self.amounts):
            return np.zeros(len(which))
        found: Floats = np.nanmean(self.amounts[:, which], axis=0)
        return found


def left(bill: Metered, applied: Applied, names: Names, settings: CommitSettings) -> Left:
    """What is left on demand by kind, hour by hour.

    Args:
        bill: after all changes.
        applied: its commitments over its usage.
    """
    grid = Grid.of(bill)
    lasting: dict[Kind, _Sum] = {}
    passing: dict[tuple[Kind, str], _Sum] = {}
    left_out: dict[str, float] = {}
    uses = _uses(bill, names)
    hours = len(bill.starts) * bill.hours
    for usage in sorted(bill.usages, key=lambda one: one.key):
        open_ = applied.on_demand[usage.key]
        paid = float((open_ * usage.rate).sum())
        if paid <= _TINY:
            continue
        if reason := _unfit(usage, names):
            left_out[reason] = left_out.get(reason, 0.0) + paid / hours
            continue
        kind, reason = names.kind(usage), _passing(uses[_entity(usage, names)], bill, settings)
        if reason:
            mine = passing.setdefault((kind, reason), _Sum())
        else:
            mine = lasting.setdefault(kind, _Sum())
        mine.add(grid.hourly(open_, usage), grid.spread(usage.rate), usage)
    for pool in _pools(passing, bill.provider):
        share = _lasting_share(pool, grid, settings)
        for kind, reason, mine in pool:
            gone = mine.scaled(1 - share).money
            left_out[reason] = left_out.get(reason, 0.0) + float(gone.sum()) / hours
            lasting.setdefault(kind, _Sum()).merge(mine.scaled(share))
    return _table(lasting, left_out, grid)


def lasting(bill: Metered, names: Names, settings: CommitSettings) -> frozenset[str]:
    """Keys of the usage that is there to stay by itself, on demand or not."""
    uses = _uses(bill, names)
    return frozenset(
        usage.key
        for usage in bill.usages
        if usage.quantity.any()
        and not _unfit(usage, names)
        and not _passing(uses[_entity(usage, names)], bill, settings)
    )


@dataclass(slots=True, eq=False)
class _Sum:
    """Usage of one kind, added up."""

    money: Floats = field(default_factory=lambda: np.zeros(1))  # (hours of the periods,)
    units: Floats = field(default_factory=lambda: np.zeros(1))
    reduced: float = 0.0  # money
    accounts: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)  # vcpus, memory_gib -> hours of it

    def add(self, units: Floats, rate: Floats, usage: Usage) -> None:
        """One more meter: units in each hour, and what one costs."""
        money = units * rate
        paid, account = float(money.sum()), usage.account or ""
        part = "memory_gib" if MEMORY_HOURS.fullmatch(meter_of(usage).unit) else "vcpus"
        self.merge(
            _Sum(money, units, paid * usage.reduced, {account: paid}, {part: float(units.sum())})
        )

    def merge(self, other: _Sum) -> None:
        """Both together."""
        self.money, self.units = self.money + other.money, self.units + other.units
        self.reduced += other.reduced
        for mine, more in ((self.accounts, other.accounts), (self.parts, other.parts)):
            for name, amount in more.items():
                mine[name] = mine.get(name, 0.0) + amount

    def scaled(self, share: Floats) -> _Sum:
        """So much of it in each hour; of what it is made up the same on the whole."""
        kept = self.money * share
        whole = float(kept.sum() / self.money.sum()) if self.money.any() else 0.0
        return _Sum(
            kept,
            self.units * share,
            self.reduced * whole,
            {name: amount * whole for name, amount in self.accounts.items()},
            {name: amount * whole for name, amount in self.parts.items()},
        )


_Pool = list[tuple[Kind, str, _Sum]]


def _pools(passing: Mapping[tuple[Kind, str], _Sum], provider: str) -> Iterator[_Pool]:
    """What came and went, by what stands in for one another: sizes of a family that commitments
    cover alike, else machines of one type."""
    pools: dict[tuple[str, ...], _Pool] = {}
    for (kind, reason), mine in sorted(passing.items(), key=lambda one: one[0]):
        size = kind.instance_type if kind.one_size(provider) else ""
        key = (kind.region, kind.family, kind.system, size)
        pools.setdefault(key, []).append((kind, reason, mine))
    yield from pools.values()


def _lasting_share(pool: _Pool, grid: Grid, settings: CommitSettings) -> Floats:
    """How much of a pool is there to stay, by hour: no more than usually ran in the last days, and
    of late no more than usually ran before."""
    total = np.sum([mine.money for _, _, mine in pool], axis=0)
    age = (grid.end - np.repeat(grid.starts, grid.each)) / SECONDS_PER_DAY
    young = age <= settings.young_days
    if young.all():  # of a shorter history its first day is what was before
        young[:_DAY] = False
    recent = age <= max(settings.gone_days, age[-1])
    kept = np.minimum(total, np.median(total[recent]))
    kept = np.where(young, np.minimum(kept, np.median(total[~young])), kept)
    share: Floats = np.divide(kept, total, out=np.zeros(len(total)), where=total > 0)
    return share


def _table(lasting: Mapping[Kind, _Sum], left_out: Mapping[str, float], grid: Grid) -> Left:
    found = {kind: one for kind, one in lasting.items() if float(one.money.sum()) > _TINY}
    kinds = tuple(sorted(found))
    sums = [found[kind] for kind in kinds]
    table = np.stack([grid.placed(one.money) for one in sums], axis=1) if sums else _NONE
    totals = np.array([one.money.sum() for one in sums])
    each = np.array([one.units.sum() for one in sums])
    off = np.array([one.reduced for one in sums])
    makeup = tuple(
        _makeup(kind, one, total) for kind, one, total in zip(kinds, sums, totals, strict=True)
    )
    why = {reason: hourly for reason, hourly in sorted(left_out.items()) if hourly > _TINY}
    return Left(kinds, table, _ratio(totals, each), _ratio(off, totals), why, makeup)


def _makeup(kind: Kind, one: _Sum, money: float) -> Makeup:
    if kind.by_machine:
        return Makeup(one.accounts)
    parts = {name: one.parts.get(name, 0.0) / money for name in ("vcpus", "memory_gib")}
    return Makeup(one.accounts, **parts)


def _ratio(of: Floats, to: Floats) -> Floats:
    """Both above 0, or none at all."""
    return of / to if len(of) else of


_NONE: Final = np.zeros((0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The bill's periods as hours."""

    starts: npt.NDArray[np.int64]
    each: int  # hours of a period

    @classmethod
    def of(cls, bill: Metered) -> Grid:
        """Of a bill by the hour or by at most a day."""
        return cls(bill.starts, max(1, round(bill.hours)))

    @property
    def end(self) -> int:
        """Of the last period, POSIX seconds."""
        return int(self.starts[-1]) + self.each * _HOUR

    def hourly(self, quantity: Amounts, usage: Usage) -> Floats:
        """Units in each hour of the periods (periods * each,), the least even way."""
        if self.each == 1:
            return quantity
        top = float(usage.quantity.max()) / self.each
        if usage.resource_id and WHOLE_HOURS.fullmatch(meter_of(usage).unit):
            top = max(1.0, float(np.ceil(top - 1e-6)))  # one machine, when it runs, is one
        running = (quantity / top)[:, None] - np.arange(self.each)
        found: Floats = (np.clip(running, 0.0, 1.0) * top).ravel()
        return found

    def spread(self, values: Amounts) -> Floats:
        """A figure of each period in each of its hours."""
        found: Floats = np.repeat(values, self.each)
        return found

    def placed(self, hours: Floats) -> Floats:
        """On a clock without gaps: hours of which there is no bill are NaN."""
        at = (self.starts - self.starts[0]) // _HOUR
        place = (at[:, None] + np.arange(self.each)).ravel()
        found = np.full(int(place[-1]) + 1, np.nan)
        found[place] = hours
        return found


def _entity(usage: Usage, names: Names) -> tuple[str, ...]:
    """Whose use it is: members of a scaling group come and go, the group stays."""
    resource = names.resource(usage)
    group = resource.scaling_group if resource else None
    return ("group", group) if group else ("meter", usage.key)


class _Use(NamedTuple):
    """When something was first and last in use: places of periods."""

    first: int
    last: int


def _uses(bill: Metered, names: Names) -> dict[tuple[str, ...], _Use]:
    found: dict[tuple[str, ...], _Use] = {}
    for usage in bill.usages:
        used = np.flatnonzero(usage.quantity > 0)
        if len(used):
            entity = _entity(usage, names)
            first, last = int(used[0]), int(used[-1])
            before = found.get(entity, _Use(first, last))
            found[entity] = _Use(min(before.first, first), max(before.last, last))
    return found


def _unfit(usage: Usage, names: Names) -> str:
    """Why nothing should ever be committed to for it; "" = it may be."""
    meter, resource = meter_of(usage), names.resource(usage)
    if meter.pricing:
        return "spot"
    if not set(usage.uses) - usage.assumed and not _is_machine_time(usage):
        return "licences and other meters that no commitment covers"
    if resource is not None and not is_billed(resource):
        return "stopped now"
    return ""


def _passing(use: _Use, bill: Metered, settings: CommitSettings) -> str:
    """Why it may not last by itself; "" = it was there early and is there now."""
    end = int(bill.starts[-1]) + bill.hours * _HOUR
    idle = end - (bill.starts[use.last] + bill.hours * _HOUR)
    if idle > settings.gone_days * SECONDS_PER_DAY:
        return f"ended more than {settings.gone_days:g} days ago"
    young = end - bill.starts[use.first] < settings.young_days * SECONDS_PER_DAY
    if use.first > 0 and young:
        return f"first billed less than {settings.young_days:g} days ago"
    return ""


def _is_machine_time(usage: Usage) -> bool:
    """Whether it is a machine's time, or at Google that of its memory."""
    unit = meter_of(usage).unit
    whole = WHOLE_HOURS.fullmatch(unit)
    return bool(whole or (usage.provider == "gcp" and MEMORY_HOURS.fullmatch(unit)))


def unit_cost(one: Held) -> float:
    """What a unit of the commitment costs; of money, 1.

    By the period in which most of it shows: of a day on which it was short the bill tells no unused
    part, while its cost stays.
    """
    if one.by_spend:
        return 1.0
    there = one.amount > _TINY
    return float((one.cost[there] / one.amount[there]).min()) if there.any() else 0.0


def used_units(one: Held, bill: Metered, applied: Applied) -> float:
    """Units of it in use, all periods together."""
    return sum(
        float(applied.covered[key].sum()) * usage.uses[one.commitment_id]
        for usage in bill.usages
        if (key := (usage.key, one.commitment_id)) in applied.covered
    )


def paid_shares(bill: Metered, names: Names) -> dict[str, dict[Kind, float]]:
    """What the bill's own commitments cost of what the same costs on demand, by commitment and
    kind: only where they were seen to cover it. 0.63 = 37 % off."""
    money: dict[tuple[str, Kind], float] = {}
    paid: dict[tuple[str, Kind], float] = {}
    cost = {one.commitment_id: unit_cost(one) for one in bill.held}
    for usage in sorted(bill.usages, key=lambda one: one.key):
        spent = float((usage.quantity * usage.rate).sum())
        for name in sorted(set(usage.uses) - usage.assumed):
            if name in cost and spent > _TINY:
                key = name, names.kind(usage)
                money[key] = money.get(key, 0.0) + spent
                share = usage.uses[name] * cost[name] * float(usage.quantity.sum())
                paid[key] = paid.get(key, 0.0) + share
    found: dict[str, dict[Kind, float]] = {}
    for name, kind in sorted(money):
        found.setdefault(name, {})[kind] = paid[name, kind] / money[name, kind]
    return found

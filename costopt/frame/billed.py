"""A bill's rows, sorted: what can be reckoned anew, by meter, commitment and period; and what not.

Reckoned are machines' time and what commitments cover or leave. Periods are those of the length
that most of this costs: rows of shorter ones inside of them are added up, rows of longer ones tell
no hours and are left out. Sums are exact, so that the order of rows does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.bill_rows import Rows, joined
from costopt.frame.lasting import lasting, poured
from costopt.model.bill import LeftOut
from costopt.units import HOURS_PER_MONTH

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_LONGER: Final = "billed by a longer period than most of the bill"
_LEAST: Final = 1e-9
"""Of money: less is a matter of rounding."""
_MICROSECONDS: Final = 3_600_000_000  # of an hour


class Meter(NamedTuple):
    """What tells one meter of one resource from all others; "" = the bill does not say."""

    account: str
    region: str
    resource: str
    service: str
    sku: str
    unit: str
    pricing: str  # FOCUS PricingCategory, Committed and Standard alike: "" or Dynamic

    @property
    def key(self) -> str:
        """The same as one text."""
        return "\x1f".join(self)


class Commitment(NamedTuple):
    """What the bill says of a commitment; "" = nothing."""

    id: str
    name: str
    kind: str
    by_spend: bool
    accounts: frozenset[str]  # that pay for it, or for what of it nobody used
    zone: str = ""  # that its fees are for


@dataclass(frozen=True, slots=True, eq=False)
class Billed:
    """One provider's rows; all arrays but `starts` are (cells,), sorted by meter, commitment and
    period."""

    starts: Ints  # of the periods, POSIX seconds, ascending
    ends: Ints
    hours: float  # of each period: of a month 730, of a day 24
    meters: tuple[Meter, ...]  # sorted
    zones: tuple[str, ...]  # of each meter; "" = not told
    skus: tuple[str, ...]  # of each meter FOCUS SkuMeter; "" = not told
    commitments: tuple[Commitment, ...]  # by id
    meter: Ints  # place in `meters`; -1: unused commitment
    commitment: Ints  # place in `commitments`; -1: on demand
    period: Ints  # place in `starts`
    quantity: Floats
    effective: Floats
    contracted: Floats  # of `priced`
    priced: Floats  # of `quantity`: where the bill names a price
    amount: Floats  # of the commitment, as told: money, or units; NaN = not told
    left_out: tuple[LeftOut, ...]

    def dense(self, values: Floats, which: npt.NDArray[np.bool_], by: Ints, count: int) -> Floats:
        """Values of some cells by period, float64 (count, periods).

        Args:
            by: place of each cell in the first dimension.
        """
        periods = len(self.starts)
        places = by[which] * periods + self.period[which]
        found: Floats = np.bincount(places, values[which], count * periods).astype(np.float64)
        return found.reshape(count, periods)

    def covered_by(self, which: npt.NDArray[np.bool_]) -> Floats:
        """Quantities that these commitments cover, (meters, periods).

        Args:
            which: (commitments,)
        """
        mine = (self.meter >= 0) & np.append(which, False)[self.commitment]
        return self.dense(self.quantity, mine, self.meter, len(self.meters))


def billed(rows: Rows) -> Billed:
    """One provider's rows as cells of meter, commitment and period."""
    lengths = _lengths(rows)
    monthly = lasting(rows)
    hours = _usual(rows, lengths)
    starts = np.unique(rows.start[rows.reckoned & (lengths == hours)])
    ends = _ends(rows, starts, lengths == hours)
    period = np.searchsorted(starts, rows.start, "right") - 1
    inside = (period >= 0) & (rows.end <= ends[period]) if len(starts) else period >= 0
    monthly &= ~inside & bool(len(starts))
    taken = rows.reckoned & inside
    rows = rows.left(rows.reckoned & ~inside & ~monthly, _LONGER)
    meters, meter, on_demand = _meters(rows, taken)
    discounts, place = _of_a_meter(rows, meter, period, inside, taken & on_demand)
    cells = _cells(rows, taken | discounts, np.where(discounts, place, meter), period, len(starts))
    cells = poured(cells, rows, monthly, starts, ends)
    return Billed(
        starts=starts // 1_000_000,
        ends=ends // 1_000_000,
        hours=hours,
        meters=tuple(meters),
        zones=_told_of(rows, "AvailabilityZone", meter, len(meters)),
        skus=_told_of(rows, "SkuMeter", meter, len(meters)),
        commitments=_commitments(rows),
        left_out=tuple(_left_out(rows, ~(taken | discounts | monthly))),
        **cells,
    )


def _lengths(rows: Rows) -> Floats:
    """Hours of each row's period; months and days are of one length whatever their clock does."""
    hours = (rows.end - rows.start) / _MICROSECONDS
    hours = np.where((hours >= 28 * 24 - 1) & (hours <= 31 * 24 + 1), HOURS_PER_MONTH, hours)
    found: Floats = np.where((hours >= 23) & (hours <= 25), 24.0, hours)
    return found


def _usual(rows: Rows, lengths: Floats) -> float:
    """The length of period that most money of what can be reckoned is billed by."""
    which = rows.reckoned & ~rows.unused
    which = which if which.any() else rows.reckoned
    of_each, place = np.unique(lengths[which], return_inverse=True)
    if not len(of_each):
        return 1.0
    cost = np.bincount(place, np.abs(rows.floats("EffectiveCost")[which]))
    count = np.bincount(place)
    return float(min(zip(-cost.round(6), -count, of_each, strict=True))[2])


def _ends(rows: Rows, starts: Ints, usual: npt.NDArray[np.bool_]) -> Ints:
    """The latest end of those periods that start then (day and month overlap in no bill)."""
    which = rows.reckoned & usual
    ends = np.zeros(len(starts), np.int64)
    np.maximum.at(ends, np.searchsorted(starts, rows.start[which]), rows.end[which])
    return ends


def _meters(
    rows: Rows, taken: npt.NDArray[np.bool_]
) -> tuple[list[Meter], Ints, npt.NDArray[np.bool_]]:
    """The meters in use; of each row its meter, -1 for none; and whether it is on demand."""
    metered = taken & ~rows.unused
    key = joined([rows.codes[name] for name in Rows.METER])
    _, first, place = np.unique(key[metered], return_index=True, return_inverse=True)
    meter = np.full(len(key), -1, np.int64)
    meter[metered] = place
    at = np.flatnonzero(metered)[first]
    names = [[rows.names[name][code] for code in rows.codes[name][0][at]] for name in Rows.METER]
    return [Meter(*parts) for parts in zip(*names, strict=True)], meter, rows.commitment < 0


def _told_of(rows: Rows, column: str, meter: Ints, count: int) -> tuple[str, ...]:
    """What rows say of their meter in that column; where they say several things, the last by
    name, which is never "" then."""
    codes, _ = rows.codes[column]
    found = np.zeros(count, np.int64)
    names = rows.names[column]
    if not len(names):
        return ("",) * count
    mine = meter >= 0
    np.maximum.at(found, meter[mine], codes[mine])
    return tuple(names[code] for code in found.tolist())


def _of_a_meter(
    rows: Rows,
    meter: Ints,
    period: Ints,
    inside: npt.NDArray[np.bool_],
    on_demand: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Discounts that are rows of their own and come off a meter that was on demand in that very
    period: which rows, and of which meter each.

    AWS bills a contract's discount so (EdpDiscount). Where a resource has several such meters of
    one SKU, the first takes it. What would take off more than there is is no discount but a refund.
    """
    base = joined([rows.codes[name] for name in Rows.METER if name not in Rows.OF_METER_ALONE])
    cell = base * (int(period.max(initial=0)) + 1) + period
    known, first = np.unique(cell[on_demand], return_index=True)
    if not len(known) or not rows.discount.any():
        return np.zeros_like(inside), meter
    place = np.minimum(np.searchsorted(known, cell), len(known) - 1)
    of_meter = meter[on_demand][first][place]
    found = rows.discount & inside & (known[place] == cell)
    more = _beyond(rows, found, on_demand, np.where(found, of_meter, meter), period)
    return found & ~more, of_meter


def _beyond(
    rows: Rows,
    discounts: npt.NDArray[np.bool_],
    on_demand: npt.NDArray[np.bool_],
    meter: Ints,
    period: Ints,
) -> npt.NDArray[np.bool_]:
    """Rows of meters and periods whose discounts come to more than what they come off."""
    which = discounts | on_demand
    _, cell = np.unique(meter * (int(period.max(initial=0)) + 1) + period, return_inverse=True)
    left = np.bincount(cell[which], rows.floats("EffectiveCost")[which], cell.max(initial=0) + 1)
    found: npt.NDArray[np.bool_] = (left < -_LEAST)[cell]
    return found


def _cells(
    rows: Rows, which: npt.NDArray[np.bool_], meter: Ints, period: Ints, periods: int
) -> dict[str, Any]:
    """The rows added up, exactly."""
    count = len(rows.commitments) + 1
    key = ((meter + 1) * count + rows.commitment + 1) * periods + period
    taken = np.flatnonzero(which)
    order = taken[np.argsort(key[taken], kind="stable")]
    keys = key[order]
    table = pa.table({"key": keys, **{name: c.take(order) for name, c in rows.sums.items()}})
    if (np.diff(keys) == 0).any():
        found = table.group_by("key", use_threads=False)
        table = found.aggregate([(name, "sum") for name in rows.sums]).rename_columns(
            table.schema.names
        )
        keys = np.asarray(table.column("key"))
    pair, at = np.divmod(keys, max(periods, 1))
    of_meter, of_commitment = np.divmod(pair, count)
    return {
        "meter": of_meter - 1,
        "commitment": of_commitment - 1,
        "period": at,
        **{
            field: _floats(table.column(name), missing)
            for field, name, missing in (
                ("quantity", "PricingQuantity", 0.0),
                ("effective", "EffectiveCost", 0.0),
                ("contracted", "contracted", 0.0),
                ("priced", "priced", 0.0),
                ("amount", "amount", np.nan),
            )
        },
    }


def _floats(column: pa.ChunkedArray, missing: float) -> Floats:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), missing))


def _commitments(rows: Rows) -> tuple[Commitment, ...]:
    """What the bill says of each commitment; where it says several things, the first by name."""
    pays = rows.unused | rows.purchase
    found = []
    for place, name in enumerate(rows.commitments):
        mine = rows.commitment == place
        said = {of: min(_said(rows, of, mine) - {""}, default="") for of in ("name", "kind")}
        accounts = frozenset(_said(rows, "SubAccountId", mine & pays) - {""})
        zone = min(_said(rows, "AvailabilityZone", mine & pays) - {""}, default="")
        money = bool(rows.by_spend[mine].any())
        found.append(Commitment(name, **said, by_spend=money, accounts=accounts, zone=zone))
    return tuple(found)


def _said(rows: Rows, column: str, which: npt.NDArray[np.bool_]) -> set[str]:
    codes = np.unique(rows.codes[column][0][which])
    return {rows.names[column][code] for code in codes}


def _left_out(rows: Rows, which: npt.NDArray[np.bool_]) -> Iterator[LeftOut]:
    """What is left out by reason, the largest cost first."""
    found = []
    for place, reason in enumerate(rows.reasons):
        mine = which & (rows.reason == place)
        if mine.any():
            cost = pc.sum(rows.sums["EffectiveCost"].filter(mine)).as_py() or Decimal(0)
            found.append(LeftOut(reason, int(mine.sum()), cost))
    yield from sorted(found, key=lambda one: (-abs(one.cost), one.reason))

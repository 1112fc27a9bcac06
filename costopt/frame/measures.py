"""What a bill says of its rates, and of what commitments cover and leave, in one measure each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from costopt.frame.billed import Billed, Floats

_SAME_COST: Final = 1.01
"""Hours of one reservation cost the same but for rounding: 1 % more is another size."""


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Cells of the bill, by meter or by commitment and period."""

    quantity: Floats  # (meters, periods)
    free: Floats  # of it, on demand
    rate: Floats  # (meters, periods)
    reduced: Floats  # (meters,)
    left: Floats  # (commitments, periods): unused
    cost: Floats  # (commitments, periods)
    takes: Mapping[tuple[int, int], float]  # (meter, commitment): by a unit of the meter
    covered: Floats  # (commitments, periods): in the commitment's units


def comparable(bill: Billed, provider: str) -> Billed:
    """The bill with what is covered and what is not apart, and each commitment in one measure."""
    return _in_own_money(_split(bill) if provider == "gcp" else bill)


def _split(bill: Billed) -> Billed:
    """Google bills what a resource commitment covers and what it does not as one row, and takes the
    covered part's cost off: what is left of it is on demand, at the contracted price."""
    units = np.array([not one.by_spend for one in bill.commitments], bool)
    whole = (
        (bill.meter >= 0)
        & (bill.commitment >= 0)
        & (bill.effective > 0)
        & (bill.effective < bill.contracted)
        & np.append(units, False)[bill.commitment]
    )
    if not whole.any():
        return bill
    share = np.where(whole, bill.effective / np.where(whole, bill.contracted, 1), 0)
    parts: dict[str, Any] = {}
    for name in ("quantity", "contracted", "priced", "amount"):
        values = getattr(bill, name)
        parts[name] = np.append(values * (1 - share), (values * share)[whole])
    return replace(
        bill,
        meter=np.append(bill.meter, bill.meter[whole]),
        commitment=np.append(bill.commitment, np.full(whole.sum(), -1)),
        period=np.append(bill.period, bill.period[whole]),
        effective=np.append(np.where(whole, 0, bill.effective), bill.effective[whole]),
        **parts,
    )


def _in_own_money(bill: Billed) -> Billed:
    """The cells with reservations that cover several sizes measured by their cost, and with what is
    unused measured so where the bill tells no amount of it."""
    amount = bill.amount.copy()
    for place in range(len(bill.commitments)):
        mine = bill.commitment == place
        used, unused = mine & (bill.meter >= 0), mine & (bill.meter < 0)
        cost = np.bincount(bill.meter[used], bill.effective[used])
        units = np.bincount(bill.meter[used], bill.amount[used])
        each = cost[units > 0] / units[units > 0]
        if len(each) and each.min() > 0 and each.max() > each.min() * _SAME_COST:
            amount[mine] = bill.effective[mine]
            continue
        untold = unused & np.isnan(bill.amount)
        usual = float(np.median(each)) if len(each) else 0.0
        amount[untold] = bill.effective[untold] / usual if usual > 0 else 0.0
    return replace(bill, amount=amount)


def measured(bill: Billed) -> Measures:
    """Quantities, rates and commitments of a bill that is `comparable`."""
    meters, count = len(bill.meters), len(bill.commitments)
    used, on_demand = bill.meter >= 0, bill.commitment < 0
    free = bill.dense(bill.quantity, on_demand, bill.meter, meters)
    rate, reduced = _rates(bill, free)
    covering = used & ~on_demand
    pairs, pair = np.unique(
        bill.meter[covering] * max(count, 1) + bill.commitment[covering], return_inverse=True
    )
    each = np.bincount(pair, bill.amount[covering]) / np.bincount(pair, bill.quantity[covering])
    of_meter, of_commitment = np.divmod(pairs, max(count, 1))
    takes = zip(of_meter.tolist(), of_commitment.tolist(), each.tolist(), strict=True)
    # At the usual take, lest one that varies a little leaves hours uncovered that were not.
    at_usual = np.zeros(len(bill.meter))
    at_usual[covering] = bill.quantity[covering] * each[pair]
    return Measures(
        quantity=bill.dense(bill.quantity, used, bill.meter, meters),
        free=free,
        rate=rate,
        reduced=reduced,
        left=bill.dense(bill.amount, ~used, bill.commitment, count),
        cost=bill.dense(bill.effective, ~on_demand, bill.commitment, count),
        takes={(meter, commitment): take for meter, commitment, take in takes},
        covered=bill.dense(at_usual, covering, bill.commitment, count),
    )


def _rates(bill: Billed, free: Floats) -> tuple[Floats, Floats]:
    """Of one unit on demand, (meters, periods); and what came off the contract's price by itself.

    As billed where some of it was on demand then. Else as contracted (or listed) then, less what
    usually came off; else the meter's mean; else that of its SKU.
    """
    count = len(bill.meters)
    used, on_demand = bill.meter >= 0, bill.commitment < 0
    paid = bill.dense(bill.effective, on_demand, bill.meter, count)
    named = bill.dense(bill.contracted, used, bill.meter, count)
    priced = bill.dense(bill.priced, used, bill.meter, count)
    whole = bill.dense(bill.contracted, on_demand & (bill.priced > 0), bill.meter, count).sum(1)
    reduced = np.clip(1 - ratio(paid.sum(1), whole), 0, 1)
    reduced[whole <= 0] = 0.0
    usual = _means(bill, paid, free, named * (1 - reduced)[:, None], priced)
    rate = np.broadcast_to(usual[:, None], free.shape).copy()
    np.divide(named * (1 - reduced)[:, None], priced, out=rate, where=priced > 0)
    np.divide(paid, free, out=rate, where=free > 0)
    return rate, reduced


def _means(bill: Billed, paid: Floats, free: Floats, named: Floats, priced: Floats) -> Floats:
    """Each meter's usual rate: its own, or its SKU's where it never had one."""
    own = ratio(named.sum(1), priced.sum(1))
    billed_too = free.sum(1) > 0
    own[billed_too] = ratio(paid.sum(1), free.sum(1))[billed_too]
    known = billed_too | (priced.sum(1) > 0)
    by_sku: dict[tuple[str, ...], list[float]] = {}
    for place in np.flatnonzero(known):
        by_sku.setdefault(bill.meters[place][3:] + bill.meters[place][1:2], []).append(own[place])
    for place in np.flatnonzero(~known):
        own[place] = np.median(by_sku[bill.meters[place][3:] + bill.meters[place][1:2]])
    return own


def ratio(one: Floats, other: Floats) -> Floats:
    """One by the other; 0 where that is 0."""
    found: Floats = np.divide(one, other, out=np.zeros(len(one)), where=other > 0)
    return found

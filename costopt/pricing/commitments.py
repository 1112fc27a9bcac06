"""Commitments applied to usage as providers document it, so that a bill can be reckoned anew.

In each period, commitments apply in their `order`: what is tied to a machine type before what is
counted in money. Among those of one order, money goes where the discount is greatest, units to the
smallest machines first; AWS serves the owner's account before others. What is left of usage is on
demand, what is left of a commitment is paid for nothing.

Which of several equal machines a provider chose, it does not say where nothing depends on it: Azure
serves first what comes first, Google shares out by use. The bill's total is the same.

Sources (read 2026-11): AWS Savings Plans User Guide, "Understanding how Savings Plans apply to your
usage" (plans after reserved instances, instance before compute plans; the owner first, then the
greatest discount, then the lowest rate); EC2 User Guide, "How Reserved Instance discounts are
applied" (from the smallest to the largest size); Azure, "Reservation discounts" and "Savings plan
discounts" (reservations before plans); Google Cloud, "Committed use discounts" (resource-based
before flexible).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np

from costopt.model.bill import Amounts, Held, Metered, Usage

RECONCILED: Final = 0.01
"""Share of the bill up to which its replay may be off: savings on top of more are unreconciled."""


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """Who was covered by what; every array (periods,)."""

    covered: Mapping[tuple[str, str], Amounts]  # (usage key, commitment id) -> units of the usage
    on_demand: Mapping[str, Amounts]  # usage key -> its units that nothing covers
    unused: Mapping[str, Amounts]  # commitment id -> of its amount


def apply(usages: Sequence[Usage], held: Sequence[Held]) -> Applied:
    """Every commitment over the usage that it may cover, in the providers' order."""
    left = {usage.key: usage.quantity.copy() for usage in usages}
    spare = {one.commitment_id: one.amount.copy() for one in held}
    covered: dict[tuple[str, str], Amounts] = {}
    for usage, one in in_turn(usages, held):
        takes = usage.uses[one.commitment_id]
        amount = np.minimum(left[usage.key], spare[one.commitment_id] / takes)
        if amount.any():
            left[usage.key] = np.maximum(left[usage.key] - amount, 0.0)
            spare[one.commitment_id] = np.maximum(spare[one.commitment_id] - amount * takes, 0.0)
            covered[usage.key, one.commitment_id] = amount
    return Applied(covered, left, spare)


def replay(bill: Metered) -> Amounts:
    """What usage and commitments come to (periods,): these as paid, what they leave on demand."""
    applied = apply(bill.usages, bill.held)
    total = np.zeros(len(bill.starts))
    for usage in bill.usages:
        total += applied.on_demand[usage.key] * usage.rate
    for one in bill.held:
        total += one.cost
    return total


def residue(bill: Metered) -> float:
    """How far the replay of the bill as it was is from what was billed: the share of its cost that
    stands in a wrong period or nowhere, 0..; 0 where nothing was billed."""
    billed = float(np.abs(bill.actual).sum())
    return float(np.abs(replay(bill) - bill.actual).sum()) / billed if billed else 0.0


def reconciled(bill: Metered) -> bool:
    """Whether the replay comes to what was billed, but for `RECONCILED` of it."""
    return residue(bill) <= RECONCILED


def in_turn(usages: Sequence[Usage], held: Sequence[Held]) -> Iterator[tuple[Usage, Held]]:
    """What may be covered by what, first things first."""
    for _, alike in groupby(sorted(held, key=in_order), key=in_order):
        yield from _pairs(usages, list(alike))


def in_order(one: Held) -> int:
    """Those of a lower number apply before."""
    return one.order


def _pairs(usages: Sequence[Usage], held: Sequence[Held]) -> Iterator[tuple[Usage, Held]]:
    """What may be covered by commitments of one order."""
    ranked = [
        (_rank(usage, one), usage, one)
        for one in held
        for usage in usages
        if usage.uses.get(one.commitment_id, 0.0) > 0
    ]
    for _, usage, one in sorted(ranked, key=lambda ranked_pair: ranked_pair[0]):
        yield usage, one


def _rank(usage: Usage, one: Held) -> tuple[bool, bool, float, float, str, str]:
    takes = usage.uses[one.commitment_id]
    ran = usage.quantity > 0
    rate = float(usage.rate[ran].mean()) if ran.any() else 0.0
    left_to_pay = takes / rate if one.by_spend and rate else 0.0  # 0.6: a discount of 40 %
    return (
        one.commitment_id in usage.assumed,
        one.provider == "aws" and usage.account != one.account,
        _rounded(left_to_pay),
        _rounded(takes),
        usage.key,
        one.commitment_id,
    )


def _rounded(value: float) -> float:
    """Nine digits: what is read off a bill is the same but for its rounding."""
    return float(f"{value:.9g}")

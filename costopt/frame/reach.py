"""What commitments may cover that they were never seen to: as far as is known, and no further.

- What is bound to a machine type covers that type, in the regions where it was seen; a reservation
  of one zone only there. Where neither the bill nor the inventory tells whether it is bound to a
  zone, it covers the zones where it was seen.
- A reservation that is size-flexible covers all sizes of its family, by their weights.
- A plan of one family (an EC2 Instance Savings Plan) covers that family in the regions where it
  was seen. So does a plan of unknown type, unless it was seen to cover several.
- A plan of any family covers all machines of a service that it covered. At which discount is only
  known of families that it covered; others are taken to get none, so that what is freed is worth no
  less to them than is said. Google's flexible commitments give all the same.

Never spot; and never a machine that was on demand, or under a commitment that applies later, while
there was something left: it could have been covered, and was not.

Sources (read 2026-11): AWS, Savings Plans User Guide, "Savings Plans types"; EC2 User Guide, "How
Reserved Instance discounts are applied" (zonal: type, size and zone; regional: family, if Linux on
shared tenancy); CUR 2.0 table dictionary, savings_plan_offering_type; Microsoft, "Virtual machine
size flexibility with Azure Reserved VM Instances" and "Azure savings plan for compute"; Google
Cloud, "Committed use discounts" (resource-based: a region's vCPUs and memory of a series; flexible:
one discount for all).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from costopt.frame.billed import Billed, Commitment, Floats, Meter
from costopt.frame.cost import resource_key
from costopt.frame.measures import Measures, ratio
from costopt.model.bill import FAMILY, TYPE, Known, Sort

_TINY: Final = 1e-9
_ORDERS: Final = (
    # (word in the type, without blanks and digits; order): sources in pricing/commitments.py
    ("reserv", 0),
    ("resource", 0),
    ("instancesavings", 1),
    ("ecinstance", 1),
)
LAST: Final = 2
"""Order of compute savings plans and flexible commitments."""

_AWS_TYPE: Final = re.compile(r"Usage:(?P<family>[a-z][a-z0-9-]*)\.(?P<size>[a-z0-9-]+)$")
_WEIGHTS: Final[Mapping[str, float]] = {
    "nano": 0.25, "micro": 0.5, "small": 1.0, "medium": 2.0, "large": 4.0, "xlarge": 8.0,
}  # fmt: skip


def aws_weight(size: str) -> float:
    """AWS's normalization factor of a size: `2xlarge` is 16; 0 = it has none (bare metal).

    Source: EC2 User Guide, "Instance size flexibility".
    """
    found = re.fullmatch(r"(\d+)xlarge", size)
    return 8.0 * int(found[1]) if found else _WEIGHTS.get(size, 0.0)


def kind_of(told: Commitment, known: Known) -> str:
    """Its type in letters alone, by the bill and the inventory."""
    more = known.plans.get(resource_key(told.id), "")
    return re.sub("[^a-z]", "", f"{told.kind}{more}".lower())


def order_of(kind: str) -> int:
    """Those of a lower number apply before.

    Args:
        kind: of `kind_of`.
    """
    return next((order for word, order in _ORDERS if word in kind), LAST)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A bill, and what is known of its meters."""

    provider: str
    bill: Billed
    use: Measures
    sorts: Sequence[Sort]  # of each meter
    known: Known

    @classmethod
    def of(cls, provider: str, bill: Billed, use: Measures, known: Known) -> Seen:
        """The bill, with each meter's sort."""
        return cls(provider, bill, use, _sorts(bill, use, known), known)


def _sorts(bill: Billed, use: Measures, known: Known) -> list[Sort]:
    """What each meter is of. A machine that was resized has meters of two types, and the inventory
    names the newer one: only its newest meters are of that."""
    last = [max(np.flatnonzero(row > 0).tolist(), default=-1) for row in use.quantity]
    newest: dict[str, int] = {}
    for meter, end in zip(bill.meters, last, strict=True):
        newest[meter.resource] = max(newest.get(meter.resource, -1), end)
    found = []
    for place, meter in enumerate(bill.meters):
        told = known.sorts.get(resource_key(meter.resource), Sort()) if meter.resource else Sort()
        current = told if last[place] == newest[meter.resource] else Sort(zone=told.zone)
        found.append(_with_bill(current, bill.skus[place], bill.zones[place]))
    return found


def _with_bill(told: Sort, sku: str, zone: str) -> Sort:
    """The sort with what the bill itself says of it."""
    said = _AWS_TYPE.search(sku)
    if said is None or said["family"] == told.family:
        return Sort(told.family, told.size, told.flexible, zone or told.zone)
    return Sort(said["family"], aws_weight(said["size"]), zone=zone or told.zone)


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """One commitment: what it was seen to cover, and so what else it may."""

    told: Commitment
    order: int
    bound: str  # model.bill.Held.bound
    takes: Mapping[int, float]  # meter -> by a unit of it
    zones: frozenset[str]  # to which it is bound; empty = to none, or not known

    @classmethod
    def of(cls, place: int, seen: Seen) -> Reach:
        """Of one of the bill's commitments."""
        told, sorts = seen.bill.commitments[place], seen.sorts
        takes = {m: take for (m, one), take in sorted(seen.use.takes.items()) if one == place}
        by_zone = seen.provider == "aws" and not told.by_spend
        zonal = _zonal(told, takes, seen) if by_zone else False
        zones = frozenset({sorts[m].zone for m in takes} | {told.zone}) - {""}
        return cls(
            told=told,
            order=order_of(kind_of(told, seen.known)),
            bound=_bound(told, takes, seen, zonal=zonal),
            takes=takes,
            zones=frozenset() if zonal is False else zones,
        )


def _zonal(told: Commitment, takes: Collection[int], seen: Seen) -> bool | None:
    """Whether it is bound to a zone; None = nobody says."""
    if (said := seen.known.zonal.get(resource_key(told.id))) is not None:
        return said
    if told.zone:
        return True
    zones = {seen.sorts[m].zone for m in takes} - {""}
    return False if len(zones) > 1 or len(_sizes(takes, seen.sorts)) > 1 else None


def _sizes(takes: Collection[int], of: Sequence[Sort]) -> set[tuple[str, float]]:
    return {(of[m].family, of[m].size) for m in takes if of[m].size}


def _of_any_size(takes: Collection[int], of: Sequence[Sort]) -> bool:
    """Whether a regional reservation is size-flexible: by what it covers, or has covered."""
    return any(of[m].flexible for m in takes) or len(_sizes(takes, of)) > 1


def _bound(told: Commitment, takes: Collection[int], seen: Seen, *, zonal: bool | None) -> str:
    """To what it is bound, and so what a machine leaves that becomes another one."""
    aws, kind = seen.provider == "aws", kind_of(told, seen.known)
    if not told.by_spend:
        alike = aws and zonal is False and _of_any_size(takes, seen.sorts)
        return FAMILY if alike or seen.provider in ("azure", "gcp") else TYPE
    if order_of(kind) < LAST:
        return FAMILY
    if not aws or "compute" in kind or "flex" in kind:
        return ""
    sorts, meters = seen.sorts, seen.bill.meters
    families = {(meters[m].region, sorts[m].family) for m in takes if sorts[m].family}
    return "" if len(families) > 1 else FAMILY


def assumed(seen: Seen, reaches: Sequence[tuple[int, Reach]]) -> list[dict[str, float]]:
    """What else may cover each meter, and how much of it a unit takes.

    Args:
        reaches: places of commitments, and their reach.
    """
    bill, use = seen.bill, seen.use
    found: list[dict[str, float]] = [{} for _ in bill.meters]
    mean = ratio((use.rate * use.quantity).sum(1), use.quantity.sum(1))
    orders = np.full(len(bill.commitments), LAST)
    for place, one in reaches:
        orders[place] = one.order
    for place, one in reaches:
        guess = _Guess(seen, one, mean)
        spare = use.left[place] > _TINY
        open_ = use.free + bill.covered_by(orders > one.order)
        for at, meter in enumerate(bill.meters):
            if meter.pricing or at in one.takes:
                continue
            if (spare & (open_[at] > _TINY)).any():
                continue  # it could have, and did not
            if (take := guess.take(at)) > 0:
                found[at][one.told.id] = take
    return found


class _Guess:
    """How much of a commitment a unit of a meter takes that it never covered."""

    def __init__(self, seen: Seen, one: Reach, mean: Floats) -> None:
        self._meters, self._of, self._one, self._mean = seen.bill.meters, seen.sorts, one, mean
        self._per_sku: dict[tuple[str, str, str], list[float]] = {}
        self._per_family: dict[tuple[str, str, str], list[float]] = {}
        self._services = {self._meters[m].service for m in one.takes}
        for m, take in one.takes.items():
            if (each := self._weighed(m, take)) > 0:
                self._learn(m, each)
        self._elsewhere = self._lowest()

    def _learn(self, m: int, each: float) -> None:
        meter, sort = self._meters[m], self._of[m]
        if meter.sku:
            self._per_sku.setdefault(_place(meter, meter.sku), []).append(each)
        family = _place(meter, sort.family or f"SKU {meter.sku}")
        if self._one.told.by_spend:
            self._per_family.setdefault(family, []).append(each)
        elif sort.size:
            self._per_family.setdefault(family, []).append(each / sort.size)

    def _weighed(self, m: int, take: float) -> float:
        """Of a unit; of money, of each unit of money on demand."""
        if not self._one.told.by_spend:
            return take
        return take / self._mean[m] if self._mean[m] > 0 else 0.0

    def _lowest(self) -> float:
        """What a unit of money on demand takes in families that it never covered."""
        each = [float(np.median(found)) for found in self._per_family.values()]
        return max(each, default=1.0) if "flex" in self._one.told.kind.lower() else 1.0

    def take(self, at: int) -> float:
        """Of a unit of that meter; 0 = it does not cover it."""
        meter, sort, one = self._meters[at], self._of[at], self._one
        if one.zones and sort.zone and sort.zone not in one.zones:
            return 0.0
        scale = float(self._mean[at]) if one.told.by_spend else 1.0
        alike = self._per_sku.get(_place(meter, meter.sku)) if meter.sku else None
        if alike:
            return float(np.median(alike)) * scale
        family = self._per_family.get(_place(meter, sort.family)) if sort.family else None
        if one.told.by_spend:
            if family:
                return float(np.median(family)) * scale
            reaches = one.bound == "" and meter.service in self._services
            return self._elsewhere * scale if reaches else 0.0
        if family and one.bound == FAMILY and sort.flexible and sort.size:
            return float(np.median(family)) * sort.size
        return 0.0


def _place(meter: Meter, what: str) -> tuple[str, str, str]:
    return meter.service, meter.region, what

"""Reservations and spending commitments: what was bought, and what it covers hour by hour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Final

from costopt.model import Shape
from costopt.providers.demo import tariff
from costopt.providers.demo.machines import Machine
from costopt.providers.demo.truth import Wart

_MICRO: Final = Decimal("0.000001")
_BOUGHT: Final = timedelta(days=150)  # before the end of the fleet's data
_YEAR: Final = timedelta(days=365)
_NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """A commitment as sold: one year, nothing upfront."""

    key: str
    provider: str
    kind: str  # FOCUS CommitmentDiscountType
    discount: str  # on list price
    share: str  # of the eligible machines (by_spend: of their spend) that was committed
    types: tuple[str, ...]  # what machine types begin with
    region: str = ""  # "" = all
    by_spend: bool = False  # FOCUS category Spend, in USD an hour; else Usage, in machines
    monthly: bool = True  # paid on the month's first day for all of it; else day by day

    def eligible(self, region: str, shape: Shape) -> bool:
        """Whether it may cover such a machine."""
        return self.region in ("", region) and shape.instance_type.startswith(self.types)


TERMS: Final = (
    Terms(
        "ri-orders-db",
        "AWS",
        "Reserved Instance",
        discount="0.37",
        share="0.75",
        types=("r6i.xlarge",),
        region="us-east-1",
    ),
    # Bought for the type that catalog-api had before its resize: unused since.
    Terms(
        "ri-catalog",
        "AWS",
        "Reserved Instance",
        discount="0.37",
        share="1",
        types=("m6i.4xlarge",),
        region="us-east-1",
    ),
    # GPU machines could use it too, but AWS applies it to them last, when it is used up.
    Terms(
        "compute-plan",
        "AWS",
        "Compute Savings Plan",
        discount="0.28",
        share="0.45",
        types=("t3.", "m5.", "m6i.", "m7g.", "c6i.", "r6i.", "i4i."),
        by_spend=True,
        monthly=False,
    ),
    Terms(
        "flex-cud",
        "GCP",
        "Flexible Committed Use Discount",
        discount="0.28",
        share="0.5",
        types=("n2-", "e2-"),
        by_spend=True,
        monthly=False,
    ),
    # Sized while fileserver-old still ran.
    Terms(
        "res-d4s",
        "Azure",
        "Reservation",
        discount="0.36",
        share="0.86",
        types=("Standard_D4s_v5",),
        region="westeurope",
    ),
    Terms(
        "res-d8s",
        "Azure",
        "Reservation",
        discount="0.36",
        share="0.67",
        types=("Standard_D8s_v5",),
        region="westeurope",
    ),
)
"""In the order in which they apply: what is tied to a machine type first."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """One commitment that the company holds throughout."""

    terms: Terms
    quantity: Decimal  # machines, or USD an hour
    hourly_cost: Decimal  # of all of it


def attributes(terms: Terms, now: datetime) -> dict[str, str]:
    """What a real inventory says of a commitment, as AWS's spells it.

    Args:
        now: the end of the fleet's data.
    """
    told = {
        "end": (now - _BOUGHT + _YEAR).isoformat(),
        "term": "1yr",
        "payment_option": "No Upfront",
    }
    standard = terms.provider == "AWS" and not terms.by_spend
    return {**told, "offering_class": "standard"} if standard else told


def rate(terms: Terms, region: str, instance_type: str) -> Decimal:
    """USD that one covered machine-hour costs under the commitment, to the micro-dollar."""
    listed = tariff.hourly(terms.provider, region, instance_type)
    return (listed * (1 - Decimal(terms.discount))).quantize(_MICRO, ROUND_HALF_EVEN)


def held(fleet: Sequence[Machine]) -> tuple[Commitment, ...]:
    """What the company bought for the machines it had then; in order of application."""
    found = []
    for terms in TERMS:
        rates = [
            rate(terms, m.site.region, shape.instance_type)
            for m in fleet
            for shape in [m.old_shape or m.shape]
            if m.site.provider == terms.provider
            and not m.role.spot
            and m.role.wart is not Wart.NEW
            and terms.eligible(m.site.region, shape)
        ]
        if terms.by_spend:
            spend = (sum(rates) * Decimal(terms.share)).quantize(Decimal("0.01"))
            found.append(Commitment(terms, spend, spend))
        else:
            count = (len(rates) * Decimal(terms.share)).quantize(Decimal(1))
            found.append(Commitment(terms, count, count * rates[0] if rates else _NONE))
    return tuple(one for one in found if one.quantity)


@dataclass(frozen=True, slots=True)
class Use:
    """Hours that a machine ran, all under one commitment or under none."""

    machine: Machine
    shape: Shape
    commitment: Commitment | None
    hours: Decimal
    cost: Decimal  # of the commitment, amortised; 0 without one


@dataclass(frozen=True, slots=True)
class Unused:
    """What a commitment cost for nothing."""

    commitment: Commitment
    quantity: Decimal  # machine-hours or USD
    cost: Decimal


def apply(
    fleet: Iterable[Machine], commitments: Iterable[Commitment], day: date
) -> tuple[list[Use], list[Unused]]:
    """One provider's UTC day: who ran under which commitment, and what was left over.

    Commitments apply hour by hour, so the day is cut where any machine starts, stops or changes.
    """
    runs = [(m, run) for m in fleet for run in m.runs(day)]
    cuts = sorted({0, 24, *(hour for _, run in runs for hour in run[:2])})
    uses: dict[tuple[int, str, str], Use] = {}
    spare: dict[str, Unused] = {}
    for begin, end in pairwise(cuts):
        running = [(m, shape) for m, (first, last, shape) in runs if first <= begin < last]
        found, left = _hour(running, commitments)
        for use in found:
            key = (use.machine.number, use.shape.instance_type, _key(use.commitment))
            uses[key] = _longer(use, uses.get(key), end - begin)
        for unused in left:
            key_of = unused.commitment.terms.key
            spare[key_of] = _more(unused, spare.get(key_of), end - begin)
    return list(uses.values()), list(spare.values())


def _key(commitment: Commitment | None) -> str:
    return commitment.terms.key if commitment else ""


def _longer(use: Use, so_far: Use | None, hours: int) -> Use:
    before = (so_far.hours, so_far.cost) if so_far else (_NONE, _NONE)
    return Use(
        use.machine,
        use.shape,
        use.commitment,
        before[0] + use.hours * hours,
        before[1] + use.cost * hours,
    )


def _more(unused: Unused, so_far: Unused | None, hours: int) -> Unused:
    before = (so_far.quantity, so_far.cost) if so_far else (_NONE, _NONE)
    return Unused(
        unused.commitment,
        before[0] + unused.quantity * hours,
        before[1] + unused.cost * hours,
    )


def _hour(
    running: Sequence[tuple[Machine, Shape]], commitments: Iterable[Commitment]
) -> tuple[list[Use], list[Unused]]:
    """One hour: commitments in order, each over the machines by id, until it is used up."""
    open_ = sorted(running, key=lambda pair: pair[0].resource_id)
    uses: list[Use] = []
    left: list[Unused] = []
    for commitment in commitments:
        terms, budget = commitment.terms, commitment.hourly_cost
        still_open = []
        for machine, shape in open_:
            region = machine.site.region
            if machine.role.spot or not budget or not terms.eligible(region, shape):
                still_open.append((machine, shape))
                continue
            price = rate(terms, region, shape.instance_type)
            cost = min(price, budget)
            # A plan's last dollars cover a part of an hour; the rest runs on demand.
            hours = (cost / price).quantize(_MICRO, ROUND_FLOOR)
            uses.append(Use(machine, shape, commitment, hours, cost))
            budget -= cost
            if hours < 1:
                uses.append(Use(machine, shape, None, 1 - hours, _NONE))
        if budget:
            unit = 1 if terms.by_spend else commitment.quantity / commitment.hourly_cost
            left.append(Unused(commitment, (budget * unit).quantize(_MICRO), budget))
        open_ = still_open
    return uses + [Use(m, shape, None, Decimal(1), _NONE) for m, shape in open_], left

"""What can be bought ahead: sorts of commitments, the ways to buy them, and one deal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from costopt.model import ActionType
from costopt.model.bill import Held
from costopt.optimize.commitment import Offer, Term
from costopt.pricing.committed_terms import CommittedTerm, upfront_share
from costopt.rules.commit.demand import Left
from costopt.rules.commit.kinds import Kind

_HOURS_PER_YEAR: Final = 8760


class Sort(NamedTuple):
    """One sort of commitment that a provider sells."""

    code: str  # the end of a scope
    label: str
    rank: int  # the order of application
    action: ActionType
    local: bool  # tied to a family in a region


_PLANS, _RESERVED = ActionType.PURCHASE_SAVINGS_PLANS, ActionType.PURCHASE_RESERVED_INSTANCES
_RESERVATION: Final = Sort("reservation", "Reservation", 1, _RESERVED, local=True)
_SORTS: Final[Mapping[tuple[str, str], Sort]] = {
    ("aws", ""): Sort("reserved-instances", "Reserved Instances", 1, _RESERVED, local=True),
    ("aws", "instance-savings-plan"): Sort(
        "instance-savings-plan", "EC2 Instance Savings Plan", 2, _PLANS, local=True
    ),
    ("aws", "compute-savings-plan"): Sort(
        "compute-savings-plan", "Compute Savings Plan", 3, _PLANS, local=False
    ),
    ("azure", ""): _RESERVATION,
    ("azure", "compute-savings-plan"): Sort("savings-plan", "Savings plan", 3, _PLANS, local=False),
    ("gcp", ""): Sort("resource-cud", "Resource-based committed use", 1, _RESERVED, local=True),
    ("gcp", "flexible"): Sort("flexible-cud", "Flexible committed use", 3, _PLANS, local=False),
}
_CLOUDS: Final = frozenset(provider for provider, _ in _SORTS)


def sort_named(provider: str, what: str) -> Sort | None:
    """By the end of a price's x_Term; None = it is not offered.

    A convertible reserved instance costs more than a standard one and less than a plan saves: who
    wants to stay flexible takes a plan.
    """
    return _SORTS.get((provider, what)) if provider in _CLOUDS else _RESERVATION


def sort_of(one: Held, provider: str) -> Sort:
    """Of one that is held, by how it applies."""
    if provider not in _CLOUDS or one.order == 0:
        return _SORTS.get((provider, ""), _RESERVATION)
    if provider == "aws":
        name = "instance-savings-plan" if one.order == 1 else "compute-savings-plan"
        return _SORTS[provider, name]
    return _SORTS[provider, "compute-savings-plan" if provider == "azure" else "flexible"]


def scope_of(provider: str, sort: Sort, kind: Kind) -> str:
    """Where machines of that kind are covered: stable, aws/eu-west-1/m6i/reserved-instances."""
    if not sort.local:
        return f"{provider}/{sort.code}"
    fixed = sort.rank == 1 and kind.one_size(provider)
    what = f"{kind.instance_type}/{kind.system}" if fixed else kind.family
    return f"{provider}/{kind.region or 'global'}/{what}/{sort.code}"


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """One way to buy it."""

    term: CommittedTerm
    shares: Mapping[int, float]  # kind of `Left` -> price as a share of the one on demand, < 1
    source: str  # for people: who says so, and of when
    by_bill: bool = False  # as the bill's own commitment shows, not a list

    @property
    def name(self) -> str:
        """Of this way among others."""
        return self.term.name

    @property
    def says(self) -> str:
        """Who names it, and which term, for people."""
        who = "the bill's own commitment" if self.by_bill else "a list"
        if self.term.told:
            return f"{who} is of {self.name}"
        return f"how long {who} binds is not told, and it may be three years"

    @property
    def months(self) -> int:
        """That it binds."""
        return self.term.months

    @property
    def upfront(self) -> float:
        """Share of all that is paid at once; nothing where no payment is told."""
        return upfront_share(self.term.payment) or 0.0

    def at(self, rate: float) -> Term:
        """As the optimizer takes it, at that much a unit and hour on the mean."""
        hours = _HOURS_PER_YEAR * self.months / 12
        return Term(self.name, self.months, rate * (1 - self.upfront), rate * self.upfront * hours)


@dataclass(frozen=True, slots=True, eq=False)
class Deal:
    """Something that can be bought ahead; its unit is money an hour at its own first price."""

    scope: str  # stable: aws/compute-savings-plan, aws/eu-west-1/m6i/reserved-instances
    sort: Sort
    region: str  # "" = any
    family: str  # "" = any; of what is of one size the type, and its system
    only: str  # the kinds that it is priced for, where others have other terms; "" = all
    priced: tuple[Priced, ...]  # shortest term first, then by price; at least one
    step: float  # smallest increment sold, in its unit; 0 = any

    @property
    def first(self) -> Priced:
        """The shortest term at its best price: what quantities are measured in."""
        return self.priced[0]

    @property
    def by_machines(self) -> bool:
        """Whether it is bought as machines or their parts, not as money an hour."""
        return self.sort.action is _RESERVED

    @property
    def label(self) -> str:
        """What people call it."""
        what = f" {self.family}" if self.sort.local and self.family else ""
        where = f" in {self.region}" if self.sort.local and self.region else ""
        return f"{self.sort.label}{what}{where}{f' ({self.only})' if self.only else ''}"

    def priced_as(self, name: str) -> Priced:
        """The way of that name."""
        return next(one for one in self.priced if one.name == name)

    def in_order(self) -> tuple[int, ...]:
        """Its kinds as it is applied to them: the greatest discount first."""
        shares = self.first.shares
        return tuple(sorted(shares, key=lambda kind: (round(shares[kind], 9), kind)))

    def offer(self, cost_of_capital: float) -> Offer:
        """As the portfolio takes it, over kinds whose amounts are money on demand."""
        shares, first = self.first.shares, self.in_order()
        return Offer(
            name=self.scope,
            rate=self.first.at(1.0).rate(cost_of_capital),
            classes=first,
            units=tuple(shares[kind] for kind in first),
            rank=self.sort.rank,
            step=self.step,
        )


def mean_share(one: Priced, left: Left) -> float:
    """Its price as a share of that on demand, over what it could cover."""
    kinds = list(one.shares)
    weights = left.hourly(kinds)
    total = float(weights.sum())
    shares = [one.shares[kind] for kind in kinds]
    return float(weights @ shares) / total if total else sum(shares) / len(shares)


def vcpus(one: Priced, left: Left) -> float:
    """vCPUs that a unit of money on demand an hour is, over what it could cover; 0 = not by parts,
    or not by parts alone."""
    kinds = list(one.shares)
    each = [left.makeup[kind].vcpus for kind in kinds]
    if not all(each):
        return 0.0
    weights = left.hourly(kinds)
    total = float(weights.sum())
    return float(weights @ each) / total if total else 0.0


def relative(one: Priced, deal: Deal, left: Left) -> float:
    """What one way costs of what the first does, over what they could cover."""
    return mean_share(one, left) / mean_share(deal.first, left)

"""What could be bought ahead, and at which price: by the catalogue, else as the bill's own show.

A price is never made up. Where the catalogue has no committed price, the discount that a commitment
of the bill gives is taken to hold for more of the same: for reservations of that family in that
region, for plans and flexible commitments of the families that they were seen to cover.

Sources (read 2026-11): AWS, "Reserved Instances: instance size flexibility", "Savings Plans types";
Google Cloud, "Committed use discounts"; Azure, "Reservations: instance size flexibility", "Savings
plans: how it works".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from costopt.frame.cost import resource_key
from costopt.model import ActionType, Price
from costopt.model.bill import Held, Metered
from costopt.optimize.commitment import Offer, Term
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.layer import region_key, system_key
from costopt.rules.commit_demand import Kind, Known, Left, Names, paid_shares
from costopt.rules.commit_settings import CommitSettings

_TERM: Final = re.compile(r"(\d)yr(?: (no|partial|all)-upfront)?(?: (.+))?")
_HOURS_PER_YEAR: Final = 8760
_SAVED: Final = 1 - 1e-9
"""Of the price on demand: what costs as much saves nothing."""
_CENT: Final = 0.001
"""Commitments by money are sold in tenths of a cent an hour."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """One way to buy it."""

    name: str  # "1yr no-upfront"
    months: int
    upfront: float  # share of all that is paid at once
    shares: Mapping[int, float]  # kind of `Left` -> price as a share of the one on demand, < 1
    source: str  # for people: who says so, and of when

    def term(self, rate: float) -> Term:
        """As the optimizer takes it, at that much a unit and hour on the mean."""
        hours = _HOURS_PER_YEAR * self.months / 12
        return Term(self.name, self.months, rate * (1 - self.upfront), rate * self.upfront * hours)


@dataclass(frozen=True, slots=True, eq=False)
class Deal:
    """Something that can be bought ahead; its unit is money an hour at its own first price."""

    scope: str  # stable: aws/compute-savings-plan, aws/eu-west-1/m6i/reserved-instances
    sort: Sort
    region: str  # "" = any
    family: str  # "" = any
    priced: tuple[Priced, ...]  # shortest term first, then by price; at least one
    step: float  # smallest increment sold, in its unit; 0 = any

    @property
    def first(self) -> Priced:
        """The shortest term at its best price: what quantities are measured in."""
        return self.priced[0]

    @property
    def label(self) -> str:
        """What people call it."""
        what = self.family if self.sort.local else ""
        where = f" in {self.region}" if self.sort.local and self.region else ""
        return f"{self.sort.label}{f' {what}' if what else ''}{where}"

    def offer(self, cost_of_capital: float) -> Offer:
        """As the portfolio takes it, over kinds whose amounts are money on demand."""
        shares = self.first.shares
        first = sorted(shares, key=lambda kind: (round(shares[kind], 9), kind))
        return Offer(
            name=self.scope,
            rate=self.first.term(1.0).rate(cost_of_capital),
            classes=tuple(first),
            units=tuple(shares[kind] for kind in first),
            rank=self.sort.rank,
            step=self.step,
        )


def deals(bill: Metered, left: Left, names: Names, settings: CommitSettings) -> tuple[Deal, ...]:
    """Everything with a known price that covers some of what is left, by scope."""
    found: dict[str, tuple[Sort, list[Priced]]] = {}
    for scope, sort, priced in _listed(bill, left, names.catalogue):
        found.setdefault(scope, (sort, []))[1].append(priced)
    for scope, sort, priced in _as_held(bill, left, names):
        if scope not in found or found[scope][1][0].source.startswith(_BY_BILL):
            found.setdefault(scope, (sort, []))[1].append(priced)
    wanted = {
        scope: (sort, kept)
        for scope, (sort, all_) in found.items()
        if (kept := [one for one in all_ if _wanted(one, left, settings)])
    }
    return tuple(_deal(scope, *wanted[scope], left, settings) for scope in sorted(wanted))


_BY_BILL: Final = "the bill: "


def _wanted(one: Priced, left: Left, settings: CommitSettings) -> bool:
    long = one.months > 12
    years = settings.term in ("any", f"{one.months // 12}yr")
    paid = settings.payment == "any" or settings.payment in one.name or "upfront" not in one.name
    return (
        bool(one.shares)
        and years
        and paid
        and not (long and left.weeks < settings.least_weeks_long)
    )


def _deal(
    scope: str, sort: Sort, priced: Sequence[Priced], left: Left, settings: CommitSettings
) -> Deal:
    """Its ways in order. The same kinds must be in all of them, else prices do not compare."""
    common = set.intersection(*(set(one.shares) for one in priced))
    kept = (
        [
            Priced(one.name, one.months, one.upfront, _only(one.shares, common), one.source)
            for one in priced
        ]
        if common
        else list(priced[:1])
    )
    capital = settings.cost_of_capital
    kept.sort(
        key=lambda one: (one.months, _mean(one, left) * one.term(1.0).rate(capital), one.name)
    )
    kinds = [left.kinds[kind] for kind in kept[0].shares]
    step = _CENT if sort.action is _PLANS else 0.0
    if sort.action is _RESERVED and all(kind.by_machine for kind in kinds):
        # The smallest machine in use: what is flexible in size is sold in that size, too.
        step = min(share * float(left.rates[kind]) for kind, share in kept[0].shares.items())
    region, family = (kinds[0].region, kinds[0].family) if sort.local else ("", "")
    return Deal(scope, sort, region, family, tuple(kept), step)


def _only(shares: Mapping[int, float], kinds: Iterable[int]) -> dict[int, float]:
    return {kind: shares[kind] for kind in sorted(kinds)}


def _mean(one: Priced, left: Left) -> float:
    """Its price as a share of that on demand, over what it could cover."""
    kinds = list(one.shares)
    weights = left.hourly(kinds)
    total = float(weights.sum())
    shares = [one.shares[kind] for kind in kinds]
    return float(weights @ shares) / total if total else sum(shares) / len(shares)


def relative(one: Priced, deal: Deal, left: Left) -> float:
    """What one way costs of what the first does, over what they could cover."""
    return _mean(one, left) / _mean(deal.first, left)


# -- by the catalogue ----------------------------------------------------------------------------


def _listed(bill: Metered, left: Left, catalogue: Catalogue) -> list[tuple[str, Sort, Priced]]:
    """What the price lists name, by scope, term and payment."""
    found: dict[tuple[str, Sort, str], dict[int, tuple[float, Price]]] = {}
    for place, kind in enumerate(left.kinds):
        if not kind.instance_type:
            continue
        for price in catalogue.prices(bill.provider, kind.instance_type):
            named = _named(bill.provider, price)
            if named is None or not _holds(price, kind, bill.currency):
                continue
            sort, term = named
            share = _share(price, place, left, catalogue, bill.provider)
            if share is not None and share < _SAVED:
                key = _scope(bill.provider, sort, kind), sort, term
                mine = found.setdefault(key, {})
                if place not in mine or share < mine[place][0]:
                    mine[place] = share, price
    return [
        (scope, sort, _priced(term, {place: share for place, (share, _) in of_kinds.items()},
                              _source(price for _, price in of_kinds.values())))
        for (scope, sort, term), of_kinds in sorted(found.items(), key=lambda one: one[0][::2])
    ]  # fmt: skip


def _named(provider: str, price: Price) -> tuple[Sort, str] | None:
    """What a committed price is of, and its term and payment; None = nothing to be bought here.

    A convertible reserved instance costs more than a standard one and less than a plan saves: who
    wants to stay flexible takes a plan.
    """
    term = _TERM.fullmatch(price.term or "1yr")
    if price.pricing_category != "Committed" or term is None:
        return None
    paid = f"{term[1]}yr {term[2]}-upfront" if term[2] else f"{term[1]}yr"
    known = provider in ("aws", "azure", "gcp")
    sort = _SORTS.get((provider, term[3] or "")) if known else _RESERVATION
    return (sort, paid) if sort else None


def _holds(price: Price, kind: Kind, currency: str) -> bool:
    place = price.region_id is None or region_key(price.region_id) == kind.region
    system = price.operating_system is None or system_key(price.operating_system) == kind.system
    return place and system and price.currency == currency


def _share(
    price: Price, place: int, left: Left, catalogue: Catalogue, provider: str
) -> float | None:
    """The committed price of what this customer pays on demand; None = nothing to compare."""
    kind = left.kinds[place]
    if kind.by_machine:
        return float(price.list_unit_price) / float(left.rates[place])
    listed = catalogue.price(
        provider, kind.region, kind.instance_type, operating_system=kind.system,
        currency=price.currency,
    )  # fmt: skip
    if listed is None:
        return None
    # What is off the price for sustained use ends with a commitment, which is off the list.
    paid = float(listed.list_unit_price) * (1 - float(left.reduced[place]))
    return float(price.list_unit_price) / paid if paid > 0 else None


def _priced(term: str, shares: Mapping[int, float], source: str) -> Priced:
    upfront = 1.0 if "all-" in term else 0.5 if "partial-" in term else 0.0
    return Priced(term, 12 * int(term[0]), upfront, shares, source)


def _source(prices: Iterable[Price]) -> str:
    """Whose list, and of when: the oldest."""
    all_ = list(prices)
    names = sorted({one.source or "a price list" for one in all_})
    days = sorted(one.valid_from for one in all_ if one.valid_from)
    return ", ".join(names) + (f", of {days[0]}" if days else ", of a day not told")


def _scope(provider: str, sort: Sort, kind: Kind) -> str:
    if not sort.local:
        return f"{provider}/{sort.code}"
    # Reserved instances of licensed systems are of one size.
    fixed = provider == "aws" and sort.rank == 1 and kind.system != "linux"
    what = f"{kind.instance_type}/{kind.system}" if fixed else kind.family
    return f"{provider}/{kind.region or 'global'}/{what}/{sort.code}"


# -- as the bill's own show ----------------------------------------------------------------------


def _as_held(bill: Metered, left: Left, names: Names) -> list[tuple[str, Sort, Priced]]:
    """More of the same as is held."""
    found = []
    seen = paid_shares(bill, bill.held, names)
    for one in sorted(bill.held, key=lambda each: each.commitment_id):
        sort = _sort_of(one, bill.provider)
        covered = seen.get(one.commitment_id, {})
        groups: dict[str, dict[int, float]] = {}
        for place, kind in enumerate(left.kinds):
            share = _share_as_seen(kind, covered, local=sort.local)
            if share is not None and share < _SAVED:
                groups.setdefault(_scope(bill.provider, sort, kind), {})[place] = share
        term = _term_of(one, names.resources)
        for scope, shares in groups.items():
            off = 100 * (1 - sum(shares.values()) / len(shares))
            told = f"{_BY_BILL}{one.name} takes {off:.3g} % off there"
            found.append((scope, sort, _priced(term, shares, told)))
    return found


def _sort_of(one: Held, provider: str) -> Sort:
    """Which sort it is, by how it applies."""
    if provider not in ("aws", "azure", "gcp") or one.order == 0:
        return _SORTS.get((provider, ""), _RESERVATION)
    if provider == "aws":
        name = "instance-savings-plan" if one.order == 1 else "compute-savings-plan"
        return _SORTS[provider, name]
    return _SORTS[provider, "compute-savings-plan" if provider == "azure" else "flexible"]


def _share_as_seen(kind: Kind, covered: Mapping[Kind, float], *, local: bool) -> float | None:
    """As of the same kind, else the dearest of its family: there, or for a plan anywhere."""
    if kind in covered:
        return covered[kind]
    alike = [
        share
        for other, share in covered.items()
        if other.family == kind.family
        and other.system == kind.system
        and (not local or other.region == kind.region)
    ]
    return max(alike, default=None)


def _term_of(one: Held, resources: Known) -> str:
    """Its term and payment by the inventory; a year where that does not say."""
    told = resources.get(resource_key(one.commitment_id))
    attributes = told.attributes if told else {}
    years = re.match(r"([135])", attributes.get("term", "1")) or ["1"]
    paid = "-".join(attributes.get("payment_option", "").lower().split())
    known = paid in ("no-upfront", "partial-upfront", "all-upfront")
    return f"{years[0]}yr {paid}" if known else f"{years[0]}yr"


def held_scopes(bill: Metered, left: Left, names: Names) -> dict[str, dict[int, float]]:
    """Of each reservation the kinds of `left` that other sizes of it could cover, and its price
    there as a share of that on demand; without those that it covers as it is."""
    seen = paid_shares(bill, bill.held, names)
    found: dict[str, dict[int, float]] = {}
    for one in bill.held:
        sort = _sort_of(one, bill.provider)
        if sort.rank > 1:
            continue
        covered = seen.get(one.commitment_id, {})
        fits = {
            place: share
            for place, kind in enumerate(left.kinds)
            if kind not in covered
            and (share := _share_as_seen(kind, covered, local=True)) is not None
        }
        if fits:
            found[one.commitment_id] = fits
    return found

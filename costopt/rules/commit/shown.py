"""Committed prices as the bill's own commitments show, and what of these is spare.

The discount that a commitment gives is taken to hold for more of the same: for reservations of that
family in that region, for plans and flexible commitments of the families that they were seen to
cover. It is of the term of the one that is held: where no inventory tells that, of a term not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from costopt.model.bill import Held, Metered
from costopt.pricing.committed_terms import UNTOLD_MONTHS, CommittedTerm, payment_of, read_term
from costopt.rules.commit.demand import Left, paid_shares
from costopt.rules.commit.kinds import Kind, Names
from costopt.rules.commit.listed import Way
from costopt.rules.commit.sorts import Priced, scope_of, sort_of

_SAVED: Final = 1 - 1e-9
_PLANS: Final = 1  # ranks above are of money, below of machines


def shown(bill: Metered, left: Left, names: Names) -> list[Way]:
    """More of the same as is held, or was."""
    found = []
    seen = paid_shares(bill, names)
    for one in sorted(bill.held, key=lambda each: each.commitment_id):
        sort = sort_of(one, bill.provider)
        covered = seen.get(one.commitment_id, {})
        groups: dict[str, dict[int, float]] = {}
        for place, kind in enumerate(left.kinds):
            share = _share(kind, covered, local=sort.local)
            if share is not None and share < _SAVED:
                groups.setdefault(scope_of(bill.provider, sort, kind), {})[place] = share
        term = _term(names.attributes(one.commitment_id))
        for scope, shares in groups.items():
            off = 100 * (1 - sum(shares.values()) / len(shares))
            told = f"the bill: {one.name} takes {off:.3g} % off there"
            found.append(Way(scope, sort, Priced(term, shares, told, by_bill=True)))
    return found


def _share(kind: Kind, covered: Mapping[Kind, float], *, local: bool) -> float | None:
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


def _term(attributes: Mapping[str, str]) -> CommittedTerm:
    """Of one that is held, by the inventory."""
    told, paid = read_term(attributes.get("term")), payment_of(attributes.get("payment_option", ""))
    if told is None or not told.told:
        return CommittedTerm(UNTOLD_MONTHS, paid, told=False)
    return CommittedTerm(told.months, paid)


def spare_for(bill: Metered, left: Left, names: Names) -> dict[str, dict[int, float]]:
    """Of each commitment the kinds of `left` that what is unused of it could cover, and its price
    there as a share of that on demand.

    Of reservations other sizes of the family, where they are flexible. And of all commitments the
    kinds that they cover: what of those is on demand in an hour in which the commitment has room,
    it was never applied to. A bill by the day does not tell such hours.
    """
    seen = paid_shares(bill, names)
    found: dict[str, dict[int, float]] = {}
    for one in bill.held:
        covered = seen.get(one.commitment_id, {})
        fits = {}
        for place, kind in enumerate(left.kinds):
            if kind in covered:
                share = covered[kind] if bill.hours <= 1 else None
            else:
                share = _of_other_size(one, kind, covered, bill.provider)
            if share is not None:
                fits[place] = share
        if fits:
            found[one.commitment_id] = fits
    return found


def _of_other_size(
    one: Held, kind: Kind, covered: Mapping[Kind, float], provider: str
) -> float | None:
    if sort_of(one, provider).rank > _PLANS or kind.one_size(provider):
        return None
    return _share(kind, covered, local=True)

"""What to do with commitments that are held: those with unused parts, and those that end soon.

What is unused of a reservation is spare: it can be put to other sizes of its family (AWS modifies
reserved instances, Azure and Google apply theirs to any size), so nothing is bought for what that
would cover. The rest can be exchanged, sold or left to end, each with what it brings.

Sources (read 2026-11): AWS, "Modify Reserved Instances", "Exchange Convertible Reserved Instances",
"Reserved Instance Marketplace" (standard ones only; savings plans cannot be sold); Azure, "Self-
service exchanges and refunds for Azure Reservations"; Google Cloud, "Committed use discounts"
(commitments cannot be cancelled).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from costopt.frame.cost import resource_key
from costopt.model.bill import Held, Metered
from costopt.optimize.commitment import Action, Choice, Elsewhere, choices
from costopt.optimize.commitment import Held as Owned
from costopt.pricing.commitments import Applied
from costopt.rules.commit_deals import Deal
from costopt.rules.commit_demand import Floats, Grid, Known, Left, unit_cost
from costopt.rules.commit_settings import CommitSettings
from costopt.units import HOURS_PER_MONTH, SECONDS_PER_DAY

_TINY: Final = 1e-9
_RECENT: Final = 28 * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One held commitment that deserves a look. Money in the bill's currency."""

    commitment_id: str
    name: str
    provider: str
    kind: str
    utilisation: float  # over the last four weeks of bill, 0..1
    monthly_cost: float
    monthly_unused: float  # of it, paid for nothing
    ends: datetime | None  # None = the inventory does not say
    months_left: float | None
    spare: str  # scope of the reservations of other sizes that it could cover; "" = none
    choices: tuple[Choice, ...]  # most gained first; gains over what is left, or a month


def spared(
    bill: Metered, applied: Applied, left: Left, scopes: Mapping[str, Mapping[int, float]]
) -> Left:
    """What is left once unused parts of reservations cover other sizes of their family.

    Args:
        scopes: of each reservation the kinds of `left` that it could cover, and its price there as
            a share of that on demand (commit_deals.held_scopes).
    """
    if not left.kinds:
        return left
    grid, amounts = Grid.of(bill), left.amounts.copy()
    for one in sorted(bill.held, key=lambda each: each.commitment_id):
        unused = applied.unused[one.commitment_id] * unit_cost(one) / bill.hours
        spare = np.nan_to_num(grid.placed(grid.spread(unused)))
        for kind, share in sorted(scopes.get(one.commitment_id, {}).items()):
            taken = np.minimum(np.nan_to_num(amounts[:, kind]), spare / share)
            amounts[:, kind] -= taken
            spare = spare - taken * share
    amounts = np.maximum(amounts, 0.0)  # NaN stays
    return replace(left, amounts=amounts)


def recent(bill: Metered, applied: Applied) -> tuple[Metered, Applied]:
    """The last four weeks of a bill: what is unused now is what counts, whatever was before."""
    since = int(np.searchsorted(bill.starts, bill.starts[-1] + bill.hours * 3600 - _RECENT))
    return (
        replace(
            bill,
            starts=bill.starts[since:],
            usages=tuple(
                replace(one, quantity=one.quantity[since:], rate=one.rate[since:])
                for one in bill.usages
            ),
            held=tuple(
                replace(one, amount=one.amount[since:], cost=one.cost[since:]) for one in bill.held
            ),
            actual=bill.actual[since:],
        ),
        Applied(
            covered={key: units[since:] for key, units in applied.covered.items()},
            on_demand={key: units[since:] for key, units in applied.on_demand.items()},
            unused={key: units[since:] for key, units in applied.unused.items()},
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """All that is held of one provider, and what it stands beside, of late (`recent`)."""

    bill: Metered  # after all changes
    applied: Applied
    left: Left  # before `spared`
    scopes: Mapping[str, Mapping[int, float]]  # as there
    deals: Sequence[Deal]
    resources: Known

    def told(self, settings: CommitSettings, as_of: datetime) -> tuple[Told, ...]:
        """Those of low utilisation and those that end soon, the dearest waste first."""
        found = []
        for one in self.bill.held:
            used, ends = self._utilisation(one), _ends(self._attributes(one))
            soon = ends is not None and ends - as_of <= timedelta(days=settings.ending_days)
            if used is not None and (used < settings.low_utilisation or soon):
                found.append(self._told(one, used, ends, as_of))
        return tuple(sorted(found, key=lambda each: (-each.monthly_unused, each.commitment_id)))

    def _told(self, one: Held, used: float, ends: datetime | None, as_of: datetime) -> Told:
        hours = None if ends is None else max(0.0, (ends - as_of) / timedelta(hours=1))
        months = None if hours is None else hours / HOURS_PER_MONTH
        monthly = float(one.cost.sum()) / self._hours * HOURS_PER_MONTH
        return Told(
            commitment_id=one.commitment_id,
            name=one.name,
            provider=self.bill.provider,
            kind=one.kind,
            utilisation=used,
            monthly_cost=monthly,
            monthly_unused=monthly * (1 - used),
            ends=ends,
            months_left=months,
            spare=_named(self.scopes.get(one.commitment_id, {}), self.left),
            choices=self._choices(one, months),
        )

    @property
    def _hours(self) -> float:
        return len(self.bill.starts) * self.bill.hours

    def _attributes(self, one: Held) -> Mapping[str, str]:
        resource = self.resources.get(resource_key(one.commitment_id))
        return resource.attributes if resource else {}

    def _utilisation(self, one: Held) -> float | None:
        """Share of what is paid that is of use; None: nothing is paid."""
        cost, paid = unit_cost(one), float(one.cost.sum())
        if cost <= 0 or paid <= _TINY:
            return None
        return min(1.0, _used(one, self.bill, self.applied) * cost / paid)

    def _choices(self, one: Held, months: float | None) -> tuple[Choice, ...]:
        """What can be done with it; gains are over the months left, or one if none is known."""
        demand, price = _demand(one, self.bill, self.applied)
        cost, provider = unit_cost(one), self.bill.provider
        attributes = self._attributes(one)
        upfront = attributes.get("payment_option", "").casefold().startswith("all")
        convertible = "convert" in attributes.get("offering_class", "").casefold()
        reserved = one.order == 0
        owned = Owned(
            name=one.name,
            quantity=float(one.cost.sum()) / cost / self._hours,
            months_left=1.0 if months is None else months,
            rate=cost,
            hourly=0.0 if upfront else cost,
            # What buyers pay nobody knows; who takes over the payments pays nothing for it.
            resale=0.0 if provider == "aws" and reserved and not convertible else None,
            exchangeable=reserved and (provider == "azure" or (provider == "aws" and convertible)),
        )
        mine = set(self.scopes.get(one.commitment_id, {}))
        elsewhere = [
            _elsewhere(deal, self.left)
            for deal in self.deals
            if deal.sort.rank == 1 and mine.isdisjoint(deal.first.shares)
        ]
        found = choices([owned], demand, price or cost, cost, elsewhere=elsewhere)
        return tuple(one for one in found if one.quantity > _TINY * owned.quantity)


def _named(spare: Mapping[int, float], left: Left) -> str:
    """The machine types that are on demand and that it could cover."""
    types = sorted({left.kinds[kind].instance_type or left.kinds[kind].family for kind in spare})
    return ", ".join(types)


def _used(one: Held, bill: Metered, applied: Applied) -> float:
    """Units of it in use, all periods together."""
    return sum(
        float(applied.covered[key].sum()) * usage.uses[one.commitment_id]
        for usage in bill.usages
        if (key := (usage.key, one.commitment_id)) in applied.covered
    )


def _ends(attributes: Mapping[str, str]) -> datetime | None:
    """When it ends, by the inventory."""
    try:
        found = datetime.fromisoformat(attributes["end"])
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else None


def _elsewhere(deal: Deal, left: Left) -> Elsewhere:
    """The demand of another family, in money of its reservations."""
    kinds, shares = list(deal.first.shares), np.array(list(deal.first.shares.values()))
    money = left.amounts[:, kinds]
    units = money @ shares
    total = float(np.nansum(units))
    return Elsewhere(deal.label, units, float(np.nansum(money)) / total if total else 1.0, 1.0)


def _demand(one: Held, bill: Metered, applied: Applied) -> tuple[Floats, float]:
    """(H,) units that it covers or could, and what one costs on demand on the mean."""
    grid = Grid.of(bill)
    units = np.zeros(len(bill.starts) * grid.each)
    money = total = 0.0
    for usage in bill.usages:
        takes = usage.uses.get(one.commitment_id, 0.0)
        if takes <= 0:
            continue
        covered = applied.covered.get((usage.key, one.commitment_id))
        open_ = applied.on_demand[usage.key]
        mine = open_ if covered is None else open_ + covered
        units += grid.hourly(mine, usage) * takes
        money += float((mine * usage.rate).sum())
        total += float(mine.sum()) * takes
    return grid.placed(units), money / total if total else 0.0


def sentence(one: Told, currency: str) -> str:
    """What is unused and what can be done, for people."""
    parts = [
        f"{one.name} ({one.kind}): {100 * one.utilisation:.3g} % used in the last 4 weeks, "
        f"{one.monthly_unused:,.2f} of {one.monthly_cost:,.2f} {currency} a month for nothing"
    ]
    if one.spare and one.monthly_unused > 0:
        parts.append(f"put it to other sizes of its family first: {one.spare} run on demand")
    parts += [text for each in one.choices if (text := _said(one, each, currency))]
    if one.ends:
        parts.append(f"it ends on {one.ends:%Y-%m-%d}")
    return "; ".join(parts)


def _said(one: Told, choice: Choice, currency: str) -> str:
    """A choice that brings something; "" for the others."""
    if choice.gain <= 0:
        return ""
    whole = choice.quantity / max(sum(_units(one)), _TINY)
    part = "all of it" if whole > 1 - 1e-6 else f"{100 * whole:.0f} % of it"
    over = "a month" if one.months_left is None else f"in the {one.months_left:.1f} months left"
    gain = f"{choice.gain:,.0f} {currency}"
    match choice.action:
        case Action.SELL:
            return f"to pass on {part} to who takes over its payments brings {gain} {over}"
        case Action.EXCHANGE:
            return f"to exchange {part} for {choice.into} brings {gain} {over}"
        case Action.RENEW:
            return f"when it ends, renew {part}: {gain} a year"
        case Action.LAPSE:
            return f"when it ends, let {part} go: {gain} a year"
    return ""


def _units(one: Told) -> list[float]:
    """Of keeping: all of it."""
    return [each.quantity for each in one.choices if each.action is Action.KEEP]

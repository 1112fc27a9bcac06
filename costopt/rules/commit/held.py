"""What to do with commitments that are held: those with unused parts, and those that end soon.

What is unused is spare: of a flexible reservation for other sizes of its family (AWS modifies
reserved instances, Azure and Google apply theirs to any size), of any commitment for machines that
it covers elsewhere and never covered though it had room (sharing is off, or they are another
account's). So nothing is bought for what that would cover. The rest can be exchanged, sold or left
to end, each with what it brings.

Sources (read 2026-11): AWS, "Modify Reserved Instances", "Exchange Convertible Reserved Instances",
"Reserved Instance Marketplace" (standard ones only, with a month left at least; savings plans
cannot be sold), "Reserved Instances and savings plans discount sharing"; Azure, "Self-service
exchanges and refunds for Azure Reservations"; Google Cloud, "Committed use discounts" (commitments
cannot be cancelled).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from costopt.model.bill import Held, Metered
from costopt.optimize.commitment import Choice, Elsewhere, choices
from costopt.optimize.commitment import Held as Owned
from costopt.pricing.commitments import Applied
from costopt.pricing.committed_terms import payment_of, upfront_share
from costopt.rules.commit.demand import Floats, Grid, Left, unit_cost, used_units
from costopt.rules.commit.kinds import Kind, Names
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.commit.sorts import Deal
from costopt.rules.commit.standing import end_of
from costopt.rules.commit.told import Machines, Told
from costopt.units import HOURS_PER_MONTH, SECONDS_PER_DAY

_TINY: Final = 1e-9
_RECENT: Final = 28 * SECONDS_PER_DAY
_WHOLE: Final = 1 - 1e-6  # machines, at the least
_WHOLE_WITHIN: Final = 0.01
"""How far the count of machines may be from a whole one: a bill's costs are rounded."""
_SHOWN: Final = 5  # machines that a commitment had room for


def recent(bill: Metered, applied: Applied) -> tuple[Metered, Applied]:
    """The last four weeks of a bill: what is unused now is what counts, whatever was before."""
    since = int(np.searchsorted(bill.starts, bill.starts[-1] + bill.hours * 3600 - _RECENT))
    return (
        bill.during(slice(since, None)),
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
    names: Names
    as_of: datetime
    moved: frozenset[str]  # resources that are to be of another type
    renewed: Mapping[str, bool]  # commitments that end soon -> whether something is bought then

    @property
    def in_force(self) -> tuple[Held, ...]:
        """Those that are paid for."""
        return tuple(one for one in self.bill.held if self._utilisation(one) is not None)

    def told(self, settings: CommitSettings) -> tuple[Told, ...]:
        """Those of low utilisation and those that end soon, the dearest waste first."""
        found = []
        for one in self.in_force:
            ends = end_of(self._attributes(one))
            soon = ends is not None and ends - self.as_of <= timedelta(days=settings.ending_days)
            if soon or (self._utilisation(one) or 0.0) < settings.low_utilisation:
                found.append(self.told_of(one))
        return tuple(sorted(found, key=lambda each: (-each.monthly_unused, each.commitment_id)))

    def told_of(self, one: Held) -> Told:
        """What can be done with one that is in force."""
        used, ends = self._utilisation(one) or 0.0, end_of(self._attributes(one))
        hours = None if ends is None else max(0.0, (ends - self.as_of) / timedelta(hours=1))
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
            payment=payment_of(self._attributes(one).get("payment_option", "")),
            spare=self._other_sizes(one),
            machines=self._machines(one),
            beside=self._beside(one),
            bought_anew=self.renewed.get(one.commitment_id),
            choices=self._choices(one, months),
        )

    @property
    def _hours(self) -> float:
        return float(self.bill.lengths.sum())

    def _attributes(self, one: Held) -> Mapping[str, str]:
        return self.names.attributes(one.commitment_id)

    def _own(self, one: Held) -> set[Kind]:
        """The kinds that it was seen to cover."""
        return {
            self.names.kind(usage)
            for usage in self.bill.usages
            if one.commitment_id in set(usage.uses) - usage.assumed
        }

    def _machines(self, one: Held) -> Machines | None:
        """The smallest machine that it covers, if it counts machines and is so many whole ones."""
        takes = {
            (usage.uses[one.commitment_id], kind.name)
            for usage in self.bill.usages
            if one.commitment_id in set(usage.uses) - usage.assumed
            and (kind := self.names.kind(usage)).by_machine
        }
        if one.order > 0 or not takes:
            return None
        each, name = min(takes)
        count = self._units(one) / each
        whole = count >= _WHOLE and abs(count - round(count)) <= _WHOLE_WITHIN
        return Machines(name, each) if whole else None

    def _units(self, one: Held) -> float:
        """What is held of it in every hour."""
        return float(one.cost.sum()) / unit_cost(one) / self._hours

    def _other_sizes(self, one: Held) -> str:
        """The machine types on demand that its spare part could cover, but those of its own."""
        kinds = {self.left.kinds[kind] for kind in self.scopes.get(one.commitment_id, {})}
        return ", ".join(sorted({kind.name for kind in kinds - self._own(one)}))

    def _beside(self, one: Held) -> str:
        """Machines of its types that it never covered, in hours in which it had room."""
        own = self._own(one)
        room = self.applied.unused[one.commitment_id] > _TINY
        found = {
            f"{usage.resource_id} ({kind.name})"
            for usage in self.bill.usages
            if one.commitment_id not in usage.uses
            and usage.resource_id
            and usage.resource_id not in self.moved
            and (kind := self.names.kind(usage)) in own
            and (room & (self.applied.on_demand[usage.key] > _TINY)).any()
        }
        if self.bill.hours > 1 or not found:
            return ""
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return ", ".join(sorted(found)[:_SHOWN]) + more

    def _utilisation(self, one: Held) -> float | None:
        """Share of what is paid that is of use; None: nothing is paid."""
        cost, paid = unit_cost(one), float(one.cost.sum())
        if cost <= 0 or paid <= _TINY:
            return None
        return min(1.0, used_units(one, self.bill, self.applied) * cost / paid)

    def _choices(self, one: Held, months: float | None) -> tuple[Choice, ...]:
        """What can be done with it; gains are over the months left, or one if none is known."""
        demand, price = _demand(one, self.bill, self.applied)
        cost, provider = unit_cost(one), self.bill.provider
        attributes = self._attributes(one)
        paid = upfront_share(payment_of(attributes.get("payment_option", ""))) or 0.0
        convertible = "convert" in attributes.get("offering_class", "").casefold()
        reserved = one.order == 0
        sellable = provider == "aws" and reserved and (months is None or months >= 1)
        owned = Owned(
            name=one.name,
            quantity=self._units(one),
            months_left=1.0 if months is None else months,
            rate=cost,
            hourly=cost * (1 - paid),
            # What buyers pay nobody knows; who takes over the payments pays nothing for it.
            resale=0.0 if sellable and not convertible else None,
            exchangeable=reserved and (provider == "azure" or (provider == "aws" and convertible)),
        )
        mine = set(self.scopes.get(one.commitment_id, {}))
        elsewhere = [
            _elsewhere(deal, self.left)
            for deal in self.deals
            if deal.sort.rank == 1 and mine.isdisjoint(deal.first.shares)
        ]
        machines = self._machines(one)
        step = machines.units if machines else 0.0
        found = choices([owned], demand, price or cost, cost, elsewhere=elsewhere, step=step)
        return tuple(one for one in found if one.quantity > _TINY * owned.quantity)


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

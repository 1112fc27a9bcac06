"""The bills that a plan is priced on: every machine that costs something has a meter there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa

from costopt.frame import metered
from costopt.frame.cost import Bill, resource_key
from costopt.model import Cost, Reckoned, Window
from costopt.model.bill import Metered, Usage
from costopt.pricing.commitments import RECONCILED, residue
from costopt.rules.base import Case
from costopt.rules.sorts import known
from costopt.units import HOURS_PER_MONTH, counted, money, provider_key

_MONDAY: Final = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())
_WEEK: Final = 168
_LONGEST_DAY: Final = 25.0  # hours
_UNSPENT: Final = frozenset({"tax", "credits"})  # of what is left out (frame.bill_rows)


@dataclass(frozen=True, slots=True, eq=False)
class Billing:
    """A provider's bill, and what makes a month of it."""

    bill: Metered
    pace: Decimal  # 730 h over the hours of the bill's span

    @property
    def spend(self) -> float:
        """A month of all of it but tax and credits, in the bill's currency."""
        rest = sum(
            (one.cost for one in self.bill.left_out if one.reason not in _UNSPENT), Decimal(0)
        )
        return (float(self.bill.actual.sum()) + float(rest)) * float(self.pace)


def billings(
    charges: pa.Table, bill: Bill | None, cases: Iterable[Case], currency: str
) -> dict[str, Billing]:
    """Each provider's, by `provider_key`, over the span that `bill` takes its costs from.

    What several machines are billed as is shared out evenly, as their costs are. A machine that no
    meter names (at list price, or billed by something that is no time) has one of its own, at the
    part of its compute cost that no commitment covers.

    Args:
        charges: schema.CHARGES, at least metered.COLUMNS of it.
    """
    found, cases = {}, list(cases)
    inventory = known(cases, currency)
    for provider, span in bill.spans.items() if bill else ():
        of_it = metered.read(charges, span, currency, inventory).get(provider)
        if of_it and len(of_it.starts):
            hours = _hours(of_it, span) - (bill.missing.get(provider, 0.0) if bill else 0.0)
            found[provider] = Billing(of_it, Decimal(HOURS_PER_MONTH) / Decimal(repr(hours)))
    mine: dict[str, list[Case]] = {}
    for case in cases:
        if case.replicas is None and case.cost and case.cost.currency == currency:
            mine.setdefault(provider_key(case.resource.provider_name), []).append(case)
    for provider, of_it_ in sorted(mine.items()):
        found[provider] = _complete(found.get(provider) or _plain_week(provider, currency), of_it_)
    return found


def _hours(bill: Metered, span: Window) -> float:
    """Of the span; where the bill is by the month, of the months that lie in it as a whole."""
    if bill.hours <= _LONGEST_DAY:
        return (span.end - span.start).total_seconds() / 3600
    return float(bill.lengths.sum())


def unreconciled(bills: Iterable[Reckoned]) -> tuple[str, ...]:
    """Notes on bills whose replay is off by too much to vouch for savings on them."""
    return tuple(
        f"savings on {one.provider} are unreconciled: its bill reckoned anew is "
        f"{one.residue_percent:.1f} % off what was billed"
        for one in bills
        if not one.reconciled
    )


def reckoned(bills: Mapping[str, Billing]) -> tuple[Reckoned, ...]:
    """What of each provider's bill is reckoned anew, how well, and what is not."""
    return tuple(_reckoned(one) for _, one in sorted(bills.items()) if one.bill.actual.any())


def _reckoned(billing: Billing) -> Reckoned:
    bill, pace = billing.bill, billing.pace
    off = residue(bill)
    return Reckoned(
        provider=bill.provider,
        monthly_cost=money(Decimal(repr(float(bill.actual.sum()))) * pace),
        residue_percent=100 * off,
        reconciled=off <= RECONCILED,
        left_out=tuple((one.reason, money(one.cost * pace)) for one in bill.left_out),
    )


def overfull(bills: Mapping[str, Billing], cases: Iterable[Case]) -> tuple[str, ...]:
    """Notes on machines that are billed for more hours than there were: the replay takes each meter
    for a machine's time, and commitments would cover it twice over."""
    single = {
        _key(case)
        for case in cases
        if case.replicas is None and "billed_as" not in case.resource.attributes
    }
    found = []
    for provider, one in sorted(bills.items()):
        over = {name: of for name, of in one.bill.overfull.items() if name in single}
        if over:
            most = max(sorted(over), key=over.__getitem__)
            found.append(
                f"{provider}: {counted(len(over), 'machine')} billed for more hours than there "
                f"were, most {most} ({24 * over[most]:.3g} h a day): two meters of one machine, or "
                "rows that came twice? Spend and savings may be too high"
            )
    return tuple(found)


def _plain_week(provider: str, currency: str) -> Billing:
    """A bill without a row: a week of hours, for what has a price and no bill."""
    starts = _MONDAY + 3600 * np.arange(_WEEK, dtype=np.int64)
    bill = Metered(provider, currency, starts, 1.0, (), (), np.zeros(_WEEK), Decimal(0))
    return Billing(bill, Decimal(HOURS_PER_MONTH) / _WEEK)


def _complete(billing: Billing, cases: Iterable[Case]) -> Billing:
    """With a meter for each of these machines."""
    cases = sorted(cases, key=lambda case: case.resource.resource_id)
    bill = billing.bill
    shares: dict[str, list[str]] = {}
    for case in cases:
        if billed_as := case.resource.attributes.get("billed_as"):
            shares.setdefault(resource_key(billed_as), []).append(_key(case))
    parts = {usage.key: list(_parts(usage, shares)) for usage in bill.usages}
    usages = [part for of_it in parts.values() for part in of_it]
    covered = {
        (part.key, name): units / len(parts[key])
        for (key, name), units in (bill.covered or {}).items()
        for part in parts[key]
    }
    known = {usage.resource_id for usage in usages}
    more = [
        _estimated(case, case.cost, billing)
        for case in cases
        if case.cost and case.cost.compute > 0 and _key(case) not in known
    ]
    actual = bill.actual + sum((usage.quantity * usage.rate for usage in more), np.zeros(1))
    told = None if bill.covered is None else covered
    complete = replace(bill, usages=(*usages, *more), actual=actual, covered=told)
    return replace(billing, bill=complete)


def _key(case: Case) -> str:
    return resource_key(case.resource.resource_id)


def _parts(usage: Usage, shares: Mapping[str, list[str]]) -> Iterable[Usage]:
    """The meter, or one for each of the machines that share it."""
    members = shares.get(usage.resource_id or "")
    if not members:
        return (usage,)
    quantity = usage.quantity / len(members)
    return [
        replace(usage, key=f"{usage.key}\x1f{name}", resource_id=name, quantity=quantity)
        for name in members
    ]


def _estimated(case: Case, cost: Cost, billing: Billing) -> Usage:
    """A meter that comes to the uncovered part of its compute cost a month."""
    bill = billing.bill
    spent = max(Decimal(0), min(cost.compute, cost.monthly))  # credits may leave less than compute
    free = spent * (1 - Decimal(repr(cost.committed_share)))
    hours = Decimal(repr(float(bill.lengths.sum()))) * billing.pace  # a month's, as the bill has it
    return Usage(
        key=f"\x1f{_key(case)}",
        resource_id=_key(case),
        provider=bill.provider,
        account=case.resource.sub_account_id,
        region=case.resource.region_id,
        quantity=bill.lengths,
        rate=np.full(len(bill.starts), float(free / hours)),
    )

"""The bill: every machine, disk, address and commitment, day by day, at the tariff's prices.

Costs follow FOCUS 1.2. Usage on demand: contracted = list less the negotiated discount, billed =
effective = contracted. Usage under a commitment: billed 0, effective = the commitment amortised.
Its purchase: billed, effective 0. What it did not cover: a row of its own, effective only. So a
closed month's purchases equal its used and unused amortisation to the cent.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import pyarrow as pa

from costopt.providers.demo import focus
from costopt.providers.demo.clock import HOURS, midnight
from costopt.providers.demo.commitments import Commitment, Unused, apply, held
from costopt.providers.demo.focus import Amounts, Line, Row
from costopt.providers.demo.machines import Leftover, Machine
from costopt.providers.demo.usage import Usage, ways

SUPPORT: Final = Decimal("0.03")
"""AWS Developer Support: 3 % of the day's AWS charges."""
VAT: Final = Decimal("0.21")
"""Dutch VAT on what the reseller of Azure invoices; the other providers' is reverse-charged."""
CREDIT_DAY: Final = 5
CREDIT: Final = Decimal("0.5")
"""A migration credit worth half of that day's AWS charges, on the fifth of each month."""
CORRECTED_DAY: Final = 12
"""Google counted a web machine's egress twice on that day; corrected on the next month's bill."""

_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal(0)
_CHUNK: Final = 50_000
"""Rows from which on a table is handed out, always at the end of a day: some 30 MB."""


def charges(
    fleet: Sequence[Machine],
    loose: Sequence[Leftover],
    start: date,
    end: datetime,
    opened: date,
) -> Iterator[pa.Table]:
    """The charges from `start`, a month's first day, to `end`, in tables of whole days.

    All charges of one provider, billing period and day are in one table (schema.CHARGES).

    Args:
        opened: the first month that there is a bill of: it corrects nothing before it.
    """
    bill = _Bill(fleet, loose, opened)
    rows: list[Row] = []
    day = start
    while midnight(day) < end:
        rows += bill.day(day)
        following = day + timedelta(days=1)
        last = following.day == 1 or midnight(following) >= end
        if rows and (last or len(rows) >= _CHUNK):
            yield focus.table(rows, day.replace(day=1))
            rows = []
        day = following


class _Bill:
    def __init__(self, fleet: Sequence[Machine], loose: Sequence[Leftover], opened: date) -> None:
        self._opened = opened
        self._usage = Usage()
        self._held = held(fleet)
        self._fleet = {p: [m for m in fleet if m.site.provider == p] for p in focus.PROVIDERS}
        self._loose = {p: [o for o in loose if o.loose.site.provider == p] for p in focus.PROVIDERS}

    def day(self, day: date) -> list[Row]:
        """Every provider's rows of one UTC day."""
        rows: list[Row] = []
        for provider in focus.PROVIDERS:
            metered = list(self._metered(provider, day))
            rows += metered
            if provider == "AWS" and metered:
                rows += _support_and_credit(metered, day)
            elif provider == "Azure" and metered:
                rows += _tax(metered, day)
            elif provider == "GCP" and day.day == 1 and day > self._opened:
                rows += self._corrections(day)
        return rows

    def _metered(self, provider: str, day: date) -> Iterator[Row]:
        fleet, commitments = self._fleet[provider], self._commitments(provider)
        uses, unused = apply(fleet, commitments, day)
        for use in uses:
            yield from self._usage.compute(use, day)
        for machine in fleet:
            yield from self._usage.disk(machine, day)
            yield from self._usage.traffic(machine, day)
        for left in self._loose[provider]:
            yield self._usage.leftover(left, day)
        for commitment in commitments:
            yield from _purchase(commitment, day)
        for rest in unused:
            yield _unused(rest, day)

    def _commitments(self, provider: str) -> list[Commitment]:
        return [one for one in self._held if one.terms.provider == provider]

    def _corrections(self, first: date) -> Iterator[Row]:
        """A day's egress of the month before, taken back."""
        wrong = (first - timedelta(days=1)).replace(day=CORRECTED_DAY)
        for machine in [m for m in self._fleet["GCP"] if ways(m)][:1]:
            yield self._usage.correction(machine, wrong)


def _purchase(commitment: Commitment, day: date) -> Iterator[Row]:
    """The commitment's fee: for the month on its first day, or for the day."""
    terms = commitment.terms
    if terms.monthly and day.day != 1:
        return
    days = monthrange(day.year, day.month)[1] if terms.monthly else 1
    count = _ZERO + (1 if terms.by_spend else commitment.quantity)
    hours = days * HOURS * count
    price = commitment.hourly_cost / count
    cost = hours * price
    line = _commitment_line(commitment, "Purchase", price).but(
        ChargeDescription=f"{terms.kind}, 1 year, no upfront",
        ChargeFrequency="Recurring",
        PricingCategory="Standard",
        PricingUnit="Hours",
    )
    start = midnight(day)
    committed = cost if terms.by_spend else hours
    yield Row(
        line,
        start,
        start + timedelta(days=days),
        Amounts(cost, cost, _ZERO, cost),
        hours,
        committed,
    )


def _unused(rest: Unused, day: date) -> Row:
    """What was paid for and not used, at its amortised cost; nothing was sold, so list is 0."""
    by_spend = rest.commitment.terms.by_spend
    line = _commitment_line(rest.commitment, "Usage", _ZERO).but(
        ChargeDescription="Commitment not used",
        PricingCategory="Committed",
        PricingUnit="USD" if by_spend else "Hours",
        CommitmentDiscountStatus="Unused",
    )
    amounts = Amounts(_ZERO, _ZERO, rest.cost, _ZERO)
    return focus.daily(line, day, amounts, rest.quantity, rest.quantity)


def _commitment_line(commitment: Commitment, category: str, price: Decimal) -> Line:
    provider = commitment.terms.provider
    return Line(
        {
            **focus.party(provider, category, ""),
            **focus.commitment_columns(commitment),
            "ServiceCategory": focus.COMPUTE.category,
            "ServiceSubcategory": focus.COMPUTE.subcategory,
            "ServiceName": focus.COMPUTE.service(provider),
            "ListUnitPrice": price,
            "ContractedUnitPrice": price,
            "ResourceId": focus.commitment_id(commitment),
            "ResourceName": commitment.terms.key,
            "ResourceType": "Commitment",
            "RegionId": commitment.terms.region or None,
            "RegionName": focus.region_name(commitment.terms.region),
            **focus.sku_ids(provider, commitment.terms.key),
        }
    )


def _support_and_credit(rows: Iterable[Row], day: date) -> Iterator[Row]:
    total = _sum(rows)
    support = total.times(SUPPORT)
    line = _other("AWS", "Usage", "AWS Support (Developer)", "Management and Governance").but(
        ServiceSubcategory="Support",
        **focus.sku_ids("AWS", "support"),
        PricingCategory="Standard",
        PricingUnit="Days",
        ConsumedUnit="Days",
        ListUnitPrice=support.listed,
        ContractedUnitPrice=support.contracted,
    )
    yield focus.daily(line, day, support, Decimal(1))
    if day.day == CREDIT_DAY:
        granted = -(total.effective * CREDIT).quantize(_CENT, ROUND_HALF_EVEN)
        credit = _other("AWS", "Credit", "Migration credit", "Other").but(
            ChargeFrequency="One-Time", PricingCategory="Other"
        )
        yield focus.daily(credit, day, Amounts(_ZERO, _ZERO, granted, granted))


def _tax(rows: Iterable[Row], day: date) -> Iterator[Row]:
    line = _other("Azure", "Tax", "Value-added tax 21 %", "Other")
    yield focus.daily(line, day, _sum(rows).times(VAT))


def _other(provider: str, category: str, what: str, service_category: str) -> Line:
    """A line that no resource is to blame for."""
    columns: dict[str, Any] = focus.party(provider, category, what)
    return Line(
        {
            **columns,
            "ServiceName": what,
            "ServiceCategory": service_category,
            "ServiceSubcategory": f"Other ({service_category})",
        }
    )


def _sum(rows: Iterable[Row]) -> Amounts:
    totals = [_ZERO, _ZERO, _ZERO, _ZERO]
    for row in rows:
        a = row.amounts
        parts = (a.listed, a.contracted, a.effective, a.billed)
        totals = [total + part for total, part in zip(totals, parts, strict=True)]
    return Amounts(*totals)

"""Exports that lie in memory, collected into a lake as the pipeline does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from costopt import schema
from costopt.lake.store import Lake
from costopt.providers.base import Problem
from costopt.providers.bills.counts import Manner
from costopt.providers.bills.spool import Spool
from costopt.providers.bills.statements import Month, Statement

PAYER = "999900000000"
MONTHS = {"2026-09": datetime(2026, 9, 1, tzinfo=UTC), "2026-10": datetime(2026, 10, 1, tzinfo=UTC)}
Of = tuple[str, str]  # an export and a month
Costs = Mapping[str | None, int]  # by account, what it was charged


def charges(month: str, told: Costs, payer: str | None = PAYER) -> pa.Table:
    """Of each account one charge."""
    start = MONTHS[month]
    rows = [
        {
            "ProviderName": "AWS",
            "BillingAccountId": payer,
            "SubAccountId": account,
            "BillingCurrency": "USD",
            "BillingPeriodStart": start,
            "BillingPeriodEnd": start + timedelta(days=30),
            "ChargePeriodStart": start + timedelta(days=cost),
            "ChargePeriodEnd": start + timedelta(days=cost + 1),
            "BilledCost": Decimal(cost),
            "EffectiveCost": Decimal(cost),
        }
        for account, cost in sorted(told.items(), key=str)
    ]
    return pa.Table.from_pylist(rows, schema=schema.CHARGES)


@dataclass
class Collects:
    """Collects into one lake; what the exports state is changed between them."""

    root: Path
    states: dict[Of, Costs] = field(default_factory=dict)
    payers: dict[str, str | None] = field(default_factory=dict)  # by export
    unreadable: set[str] = field(default_factory=set)  # exports
    manner: Manner = field(default_factory=Manner)
    reads: int = 0

    def __post_init__(self) -> None:
        self.lake = Lake(self.root / "lake")

    def collect(self, *only: str) -> list[Problem]:
        """Look at all exports, or only at those named."""
        problems: list[Problem] = []
        notes: dict[str, str] = {}
        self.lake.append_charges(self._tables(only, problems, notes), whole_periods=True)
        self.lake.note("aws", notes)
        return problems

    def held(self, month: str = "2026-10") -> dict[str | None, Decimal]:
        """What the lake has of a month, by account."""
        sums: dict[str | None, Decimal] = defaultdict(Decimal)
        for row in self.lake.read_charges().to_pylist():
            if row["BillingPeriodStart"] == MONTHS[month]:
                sums[row["SubAccountId"]] += row["BilledCost"]
        return {account: cost for account, cost in sums.items() if cost}

    def _tables(
        self, only: Collection[str], problems: list[Problem], notes: dict[str, str]
    ) -> Iterator[pa.Table]:
        for month in MONTHS:
            listed = [
                Statement(f"bill {name} {month}", name, month, repr(told), date(2026, 11, 2))
                for (name, at), told in self.states.items()
                if at == month and (not only or name in only)
            ]
            held = self.lake.notes("aws")
            yield from Month(listed, self._read, held, problems, notes, self.manner).charges()

    def _read(self, one: Statement) -> Spool | None:
        if one.export in self.unreadable:
            return None
        self.reads += 1
        payer = self.payers.get(one.export, PAYER)
        with Spool(self.root / f"{self.reads}.arrow") as spool:
            spool.add(charges(one.month, self.states[one.export, one.month], payer))
        return spool

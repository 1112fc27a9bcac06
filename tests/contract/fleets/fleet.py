"""What a fleet is, and what several of them are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from costopt.model import Window
from costopt.providers.base import Provider
from costopt.providers.demo import DemoProvider
from tests.contract.truth import ALL, Machine


class Refusal(NamedTuple):
    """One part of several that is refused."""

    named: str  # what the problem has to name
    lost: Callable[[Mapping[str, Any]], bool]  # whether a packed row is of that part

    def kept(self, row: Mapping[str, Any]) -> bool:
        """Whether it is of another."""
        return not self.lost(row)


@dataclass(frozen=True)
class Fleet:
    """A provider's working cloud, and what a test may do to it."""

    build: Callable[..., Provider]
    """A provider that has read nothing yet, of a folder of its own, which may hold what an earlier
    one wrote there; further settings by name."""
    machines: Mapping[str, Machine] = field(default_factory=dict)
    """By ResourceId, what they are; none = the provider makes its fleet up."""
    told: frozenset[tuple[str, str]] = ALL
    """Metrics and statistics that are measured of each machine."""
    bill: pa.Table | None = None
    """The charges that the bill was written from; None = there is no bill beside."""
    change: Callable[[], Mapping[str, Machine]] | None = None
    """Has the fleet change as fleets do, and says what the machines are then; None = it never
    does."""
    empty: Callable[[Path], Provider] | None = None
    """One that is let in and finds nothing; None = there is no such thing."""
    throttle: Callable[[], None] | None = None
    """Refuses bursts of the next calls, each with a word on when to come again, and bursts of calls
    for metrics that are too long for the cloud's own library; None = no calls."""
    attempts: int = 8
    """So many tries of the cloud's own library, and the provider outlasts the bursts."""
    refuse: Callable[[], Refusal] | None = None
    """Refuses one part of several; None = there are none."""
    stumble: Callable[[], Window] | None = None
    """Has the requests for the first samples of a window fail, and answers those for the later
    ones; the window. None = all samples come in one go."""
    ahead: Callable[[], datetime] | None = None
    """Has it be `truth.ENDED`, and the cloud measure on and beyond; up to when samples are final
    then, in the cloud's own words. None = what there is does not change."""
    many: Callable[[Path, int], dict[str, Any]] | None = None
    """Settings (arguments, where it has none) of one that finds so many machines."""
    few: int = 6
    """How many are few; ten times as many are many."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """What one call may bring, by its name in the code, lowered so that few machines take many
    calls."""
    narrow: Window | None = None
    """Samples that many machines are asked for."""
    listing: int = 16_000
    """Bytes that a machine may take while it is listed, given back when it is."""
    lost_if_empty: bool = False
    """Whether finding nothing is an error."""
    mend: Callable[[], None] = lambda: None
    """All as it was."""


SOON: Final = {"Retry-After": "0"}


def bursts(now: int, length: int = 2) -> Callable[[int], bool]:
    """Whether the request of a number is turned away: the next ones, and as many a little later."""
    return lambda number: 0 <= number - now < 8 and (number - now) % 4 < length


def demo_bill(provider: str, **fleet: int) -> pa.Table:
    """The demo's charges of one cloud."""
    bill = pa.concat_tables(DemoProvider(**(fleet or {"instances": 20})).charges(None))
    return bill.filter(pc.equal(bill.column("ProviderName"), provider))


def by_month(bill: pa.Table) -> dict[str, pa.Table]:
    """Its charges by billing period, 2026-09."""
    months = pc.strftime(bill.column("BillingPeriodStart"), "%Y-%m")
    return {
        month: bill.filter(pc.equal(months, month)) for month in sorted(set(months.to_pylist()))
    }

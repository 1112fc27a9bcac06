"""What a machine needs, from what it used: CPU, memory and network, as figures to size by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from costopt.frame.corroboration import refused_is_busy
from costopt.model import Profile
from costopt.optimize.outlook import MemoryOutlook
from costopt.optimize.size import share_over, wilson_upper
from costopt.rules.base import Case
from costopt.schema import PERCENT_LIMIT

_SHARES: Final = (0.9, 0.95, 0.99, 0.995)
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU demand, percent of today's vCPUs, with refused samples counted as above everything."""

    profile: Profile
    refused: int  # samples refused as too high that were demand
    p99_5: float

    @property
    def samples(self) -> int:
        """Samples kept, and refused ones that were demand."""
        return self.profile.count + self.refused

    def share_over(self, percent: float) -> float:
        """Share of samples over that percentage of today's machine, never too low."""
        profile = self.profile
        known = (profile.p90, profile.p95, profile.p99, profile.p99_5, profile.max)
        quantiles = dict(zip((*_SHARES, 1.0), known, strict=True))
        over = share_over(percent, profile.histogram or (), quantiles) * profile.count
        return (over + self.refused) / self.samples if self.samples else 1.0

    def upper_bound(self, share: float) -> float:
        """Wilson's 95 % upper bound of a share, counting distinct hours as observations."""
        hours = min(self.profile.count, self.profile.count * self.profile.period_seconds / _HOUR)
        return wilson_upper(share, hours)


def cpu_demand(profile: Profile) -> Cpu:
    """The CPU demand.

    Samples above 105 % were refused as figures. Where the machine's other samples say that it was
    busy, they count as demand above everything, so that refusing never makes a machine look
    smaller; else they are a broken counter's.
    """
    refused = profile.refused_high if refused_is_busy(profile) else 0
    return Cpu(profile, refused, _p99_5(profile, refused))


def _p99_5(profile: Profile, refused: int) -> float:
    if not refused or profile.histogram is None:
        return profile.p99_5
    rank = _SHARES[-1] * (profile.count + refused)
    reached = enumerate(accumulate(profile.histogram), start=1)
    edge = next((float(upper) for upper, below in reached if below >= rank), PERCENT_LIMIT)
    return max(profile.p99_5, edge)


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory to provide for."""

    today_gib: float | None  # None = unknown
    outlook: MemoryOutlook | None  # None = not measured, or not trusted
    needed_gib: float | None  # None = unknown: nothing can be promised

    @property
    def measured(self) -> bool:
        return self.outlook is not None


def memory_demand(case: Case, trusted: bool) -> Memory:
    """The memory that a target must have: by its own rule where measured, else today's.

    Samples above 105 % were refused as figures. Where other samples confirm them it may want any
    amount more than it has, so it keeps that; else they are a broken counter's.

    Source: optimize/memory.py.
    """
    today = case.shape.memory_gib if case.shape else None
    found = case.outlook.memory if case.outlook and trusted else None
    if found is None or case.gate("memory_utilization"):
        return Memory(today, None, today)
    kept = found.headroom.headroom_percent is None  # no headroom was enough on the fleet's past
    needed = 100.0 if kept else found.needed_percent
    if _beyond_memory(case):
        needed = max(needed, 100.0)
    return Memory(today, found, None if today is None else needed / 100 * today)


def _beyond_memory(case: Case) -> bool:
    """Whether it was seen to use more than it has."""
    either = (case.profile("memory_utilization", statistic) for statistic in ("mean", "max"))
    return any(p.refused_high and refused_is_busy(p) for p in either if p)


@dataclass(frozen=True, slots=True)
class Network:
    """Measured traffic: P99.5 of what comes in and of what goes out, added."""

    gbps: float | None  # of the directions that are measured; None = neither is
    unmeasured: Sequence[str]  # of network_in, network_out


def network_demand(case: Case) -> Network:
    """Traffic to carry. The sum of the two P99.5 stands for the P99.5 of the sum; directions that
    providers count apart make that the stricter test."""
    ways = {name: case.profile(name) for name in ("network_in", "network_out")}
    measured = [p.p99_5 for p in ways.values() if p]
    return Network(
        gbps=sum(measured) * 8 / 1e9 if measured else None,
        unmeasured=tuple(name for name, p in ways.items() if p is None),
    )

"""What a machine needs, from what it used: CPU, memory and network, as figures to size by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Final, Literal

from costopt.model import Profile
from costopt.optimize.size import needed, share_over, wilson_upper
from costopt.rules.base import Case
from costopt.schema import PERCENT_LIMIT

Percentile = Literal["P90", "P95", "P99", "P99.5"]
_SHARES: Final[Mapping[Percentile, float]] = MappingProxyType(
    {"P90": 0.9, "P95": 0.95, "P99": 0.99, "P99.5": 0.995}
)
_HOUR: Final = 3600
BUDGET: Final = 0.005
"""Share of time that CPU may exceed the limit: b of the experiments (facts: decisions)."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU demand, percent of today's vCPUs, with refused samples counted as above everything."""

    profile: Profile
    sized_on: float  # the percentile that sizes
    p99_5: float

    @property
    def samples(self) -> int:
        """Samples kept and refused as too high."""
        return self.profile.count + self.profile.refused_high

    def share_over(self, percent: float) -> float:
        """Share of samples over that percentage of today's machine, never too low."""
        profile, refused = self.profile, self.profile.refused_high
        quantiles = {_SHARES[name]: value for name, value in _percentiles(profile).items()}
        quantiles[1.0] = profile.max
        over = share_over(percent, profile.histogram or (), quantiles) * profile.count
        return (over + refused) / self.samples if self.samples else 1.0

    def upper_bound(self, share: float) -> float:
        """Wilson's 95 % upper bound of a share, counting distinct hours as observations."""
        hours = min(self.profile.count, self.profile.count * self.profile.period_seconds / _HOUR)
        return wilson_upper(share, hours)


def cpu_demand(profile: Profile, percentile: Percentile) -> Cpu:
    """The CPU demand to size by.

    Samples above 105 % were refused as figures, but a machine that shows them was busy: they count
    as demand above everything, so that refusing never makes a machine look smaller.
    """
    return Cpu(profile, _percentile(profile, percentile), _percentile(profile, "P99.5"))


def _percentiles(profile: Profile) -> dict[Percentile, float]:
    return {"P90": profile.p90, "P95": profile.p95, "P99": profile.p99, "P99.5": profile.p99_5}


def _percentile(profile: Profile, name: Percentile) -> float:
    exact = _percentiles(profile)[name]
    if not profile.refused_high or profile.histogram is None:
        return exact
    rank = _SHARES[name] * (profile.count + profile.refused_high)
    reached = enumerate(accumulate(profile.histogram), start=1)
    edge = next((float(upper) for upper, below in reached if below >= rank), PERCENT_LIMIT)
    return max(exact, edge)


def vcpus_needed(cpu: Cpu, vcpus: float, headroom_percent: float, limit_percent: float) -> float:
    """vCPUs that keep the headroom free at the sizing percentile, and the limit at P99.5.

    The second part bounds the share of time over the limit by `BUDGET` exactly: at most 0.5 % of
    the samples lie above their P99.5 (nearest rank).
    """
    return max(
        needed(cpu.sized_on, vcpus, headroom_percent),
        needed(cpu.p99_5, vcpus, 100 - limit_percent),
    )


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory to provide for."""

    today_gib: float | None  # None = unknown
    peak_percent: float | None  # None = not measured
    needed_gib: float | None  # None = unknown: nothing can be promised

    @property
    def measured(self) -> bool:
        return self.peak_percent is not None


def memory_demand(case: Case, headroom_percent: float, trusted: bool) -> Memory:
    """The memory that a target must have: the peak and its headroom where measured, else today's.

    Memory is sized on the largest sample ever seen, of maxima where they are collected: a process
    that misses memory once is killed. A peak of zero is no measurement.
    """
    today = case.shape.memory_gib if case.shape else None
    profiles = (case.profile("memory_utilization", s) for s in ("mean", "max"))
    peak = max((p.max for p in profiles if p), default=0.0)
    if not trusted or peak <= 0:
        return Memory(today, None, today)
    return Memory(today, peak, None if today is None else needed(peak, today, headroom_percent))


@dataclass(frozen=True, slots=True)
class Network:
    """Measured traffic: P99.5 of what comes in and of what goes out, added."""

    gbps: float
    unmeasured: Sequence[str]  # of network_in, network_out


def network_demand(case: Case) -> Network:
    """Traffic to carry. The sum of the two P99.5 stands for the P99.5 of the sum; directions that
    providers count apart make that the stricter test."""
    ways = {name: case.profile(name) for name in ("network_in", "network_out")}
    return Network(
        gbps=sum(p.p99_5 for p in ways.values() if p) * 8 / 1e9,
        unmeasured=tuple(name for name, p in ways.items() if p is None),
    )

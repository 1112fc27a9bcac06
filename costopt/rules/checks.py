"""The tests of idleness: a machine's signals in, each figure against its limit out.

Definitions (rules/definitions.py) name and source them. A check is made of what is measured; what
is not is never taken for zero: the definition says whether it can do without.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from costopt.frame.scales import QUIET_IN, QUIET_OUT, QUIET_PEAK
from costopt.frame.use import ALONE_PERCENT, ALONE_VCPUS, CPU_PERCENT, CPU_VCPUS
from costopt.model import Profile
from costopt.schema import PERCENT_LIMIT


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of a machine's demand; None = not measured, which is never zero."""

    vcpus: float | None
    network_gbps: float | None
    cpu: Profile  # percent, means
    cpu_max: Profile | None  # percent, maxima within the period
    network_in: Profile | None  # B/s, means
    network_out: Profile | None

    @property
    def network_measured(self) -> bool:
        """Both directions: one alone may hide the other."""
        return self.network_in is not None and self.network_out is not None


_SIGNS: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)


@dataclass(frozen=True, slots=True)
class Check:
    """One figure against its limit."""

    what: str
    value: float
    sign: Literal["<", "<=", ">", ">="]
    limit: float
    unit: str = ""

    @property
    def passed(self) -> bool:
        """Whether the figure is on the idle side of its limit; NaN never is."""
        return _SIGNS[self.sign](self.value, self.limit)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.what} {_figure(self.value)}{unit} (idle {self.sign} {self.limit:g}{unit})"


@dataclass(frozen=True, slots=True)
class GpuSignals:
    """What is known of a machine's accelerators: one profile a card, or one of all of them."""

    utilization: tuple[Profile, ...]
    memory: tuple[Profile, ...]
    sm_active: tuple[Profile, ...]  # may be empty
    power: tuple[Profile, ...]  # may be empty


def costopt(signals: Signals) -> tuple[Check, ...]:
    """Ours. AWS's peak of CPU, GCP's rates of traffic, and bounds of our own so that a rare burst
    (max, P99.5) or a large machine's few busy cores (vCPUs) are seen.

    Without network figures CPU alone decides, by a stricter test: P99.5 below 2 % and GCP's
    0.03 vCPU, which on large machines only a truly empty system stays under.
    """
    cpu = signals.cpu
    checks = [
        Check("CPU peak", _top(cpu), "<", CPU_PERCENT, "%"),
        Check("CPU P99.5", _vcpus(cpu.p99_5, signals), "<", CPU_VCPUS, "vCPU"),
    ]
    checks += _quiet_network(signals)
    for way, profile in (("in", signals.network_in), ("out", signals.network_out)):
        if profile is not None:
            checks.append(Check(f"network {way} P99.5", profile.p99_5, "<", QUIET_PEAK, "B/s"))
    if not signals.network_measured:
        checks.append(Check("CPU P99.5", cpu.p99_5, "<", ALONE_PERCENT, "%"))
        checks.append(Check("CPU P95", _vcpus(cpu.p95, signals), "<", ALONE_VCPUS, "vCPU"))
    return tuple(checks)


def aws_co_idle(signals: Signals) -> tuple[Check, ...]:
    """AWS Compute Optimizer: peak CPU < 5 % and network < 5 MB a day."""
    checks = [Check("CPU peak", _peak(signals), "<", 5, "%")]
    if signals.network_in is not None and signals.network_out is not None:
        busiest = max(_daily_megabytes(signals.network_in, signals.network_out))
        checks.append(Check("network of the busiest weekday", busiest, "<", 5, "MB/day"))
    return tuple(checks)


def aws_ta_low(signals: Signals) -> tuple[Check, ...]:
    """AWS Trusted Advisor: CPU <= 10 % and network <= 5 MB on 4 of 14 days, 2 of 7 weekdays."""
    cpu = _weekday_means(signals.cpu)
    quiet = [mean <= 10 for mean in cpu]
    what = "weekdays with CPU <= 10 %"
    if signals.network_in is not None and signals.network_out is not None:
        megabytes = _daily_megabytes(signals.network_in, signals.network_out)
        quiet = [q and m <= 5 for q, m in zip(quiet, megabytes, strict=True)]
        what += " and network <= 5 MB"
    return (Check(what, sum(quiet), ">=", 2, "of 7"),)


def aws_ce(signals: Signals) -> tuple[Check, ...]:
    """AWS Cost Explorer: maximum CPU <= 1 %."""
    return (Check("CPU peak", _peak(signals), "<=", 1, "%"),)


def azure_shutdown(signals: Signals) -> tuple[Check, ...]:
    """Azure Advisor: P95 of CPU < 3 %, largest average <= 2 %, outbound network < 2 %."""
    checks = [
        Check("CPU P99.5", signals.cpu.p99_5, "<", 3, "%"),
        Check("CPU peak of means", _top(signals.cpu), "<=", 2, "%"),
    ]
    if signals.network_out is not None and signals.network_gbps:
        used = signals.network_out.p99_5 * 8 / 1e9 / signals.network_gbps * 100
        checks.append(Check("network out P99.5", used, "<", 2, "% of capacity"))
    return tuple(checks)


def gcp_idle(signals: Signals) -> tuple[Check, ...]:
    """GCP: < 0.03 vCPU for 97 % of the time, little traffic for 95 %."""
    share = 100 * _share_under(signals.cpu, 3 / signals.vcpus) if signals.vcpus else math.nan
    below = Check("time below 0.03 vCPU, at least", share, ">=", 97, "%")
    return (below, *_quiet_network(signals))


def optscale(signals: Signals) -> tuple[Check, ...]:
    """OptScale: average CPU <= 5 %, average network <= 1000 B/s each way."""
    checks = [Check("CPU mean", _mean(signals.cpu), "<=", 5, "%")]
    if signals.network_in is not None:
        checks.append(Check("network in mean", signals.network_in.mean, "<=", 1000, "B/s"))
    if signals.network_out is not None:
        checks.append(Check("network out mean", signals.network_out.mean, "<=", 1000, "B/s"))
    return tuple(checks)


def gpu_checks(signals: Signals, gpu: GpuSignals, aws_network: bool) -> tuple[Check, ...]:
    """Whether a GPU machine is idle: AWS's numbers on its busiest card, and on its host.

    Where they are measured, SM activity (P99 below 1 %) and power that stays flat (P99 at most 1.5
    times the median), as an idle card's does, must agree: GPU utilization alone only says that some
    kernel ran (facts: decisions, "GPU mismatch"). GCP's rates for the network are the alternative
    to AWS's 5 MB a day, which a monitored machine exceeds.
    """
    inactive = 100 * min((_inactive(p) for p in gpu.utilization), default=math.nan)
    memory = max((_top(p) for p in gpu.memory), default=math.nan)
    checks = [
        Check("GPU inactive time", inactive, ">", 99, "%"),
        Check("GPU memory peak", memory, "<", 5, "%"),
    ]
    if gpu.sm_active:
        checks.append(Check("SM active P99", max(p.p99 for p in gpu.sm_active), "<", 1, "%"))
    if gpu.power:
        swing = max(p.p99 / p.p50 if p.p50 > 0 else math.inf for p in gpu.power)
        checks.append(Check("GPU power P99 over its median", swing, "<=", 1.5, "times"))
    if aws_network:
        return (*checks, *aws_co_idle(signals))
    return (*checks, Check("CPU peak", _top(signals.cpu), "<", 5, "%"), *_quiet_network(signals))


def _inactive(card: Profile) -> float:
    """Share of samples below 1 %; those refused as too high are not."""
    return (card.share_under_1 or 0.0) * _share_kept(card)


def _quiet_network(signals: Signals) -> list[Check]:
    """GCP's rates, of what is measured: an agent's chatter stays under them, users do not."""
    checks = []
    if signals.network_in is not None:
        checks.append(Check("network in P95", signals.network_in.p95, "<", QUIET_IN, "B/s"))
    if signals.network_out is not None:
        checks.append(Check("network out P95", signals.network_out.p95, "<", QUIET_OUT, "B/s"))
    return checks


def _top(profile: Profile) -> float:
    """The largest sample; one refused as above 105 % of capacity counts as that."""
    return PERCENT_LIMIT if profile.refused_high else profile.max


def _mean(profile: Profile) -> float:
    """The mean with those refused as too high, which count as that."""
    kept = _share_kept(profile)
    return kept * profile.mean + (1 - kept) * PERCENT_LIMIT


def _peak(signals: Signals) -> float:
    return max(_top(signals.cpu), _top(signals.cpu_max) if signals.cpu_max else 0.0)


def _vcpus(percent: float, signals: Signals) -> float:
    """Percent of the machine as vCPUs; NaN (never idle) where its size is unknown."""
    return percent / 100 * signals.vcpus if signals.vcpus else math.nan


def _weekday_means(profile: Profile) -> tuple[float, ...]:
    """The mean of each weekday, Monday first; infinite where a weekday has no sample.

    On which day samples were refused as too high is not known: each day's mean has them all.
    """
    refused = profile.refused_high
    means = []
    for day in range(7):
        slots = range(24 * day, 24 * day + 24)
        weights = [profile.week_count[s] for s in slots]
        sums = [
            profile.week_mean[s] * profile.week_count[s] for s in slots if weights[s - 24 * day]
        ]
        total = sum(sums) + PERCENT_LIMIT * refused
        means.append(total / (sum(weights) + refused) if sums else math.inf)
    return tuple(means)


def _daily_megabytes(inward: Profile, outward: Profile) -> tuple[float, ...]:
    """MB a day in and out together, per weekday."""
    both = zip(_weekday_means(inward), _weekday_means(outward), strict=True)
    return tuple((a + b) * 86_400 / 1e6 for a, b in both)


def _share_under(profile: Profile, percent: float) -> float:
    """Share of samples surely below `percent`, never too high: refused high ones are not."""
    known = ((1.0, profile.max), (0.995, profile.p99_5), (0.99, profile.p99), (0.95, profile.p95))
    ranked = max((share for share, value in known if value < percent), default=0.0)
    bins = (profile.histogram or ())[: int(percent)]
    below = max(ranked, sum(bins) / profile.count if profile.count else 0.0)
    return below * _share_kept(profile)


def _share_kept(profile: Profile) -> float:
    """Of the samples kept, and those refused as too high."""
    return profile.count / max(1, profile.count + profile.refused_high)


def _figure(value: float) -> str:
    """A figure for people: at most three significant digits below 100, whole above."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

"""Microsoft's rules: Azure Advisor, and the optimization engine of the FinOps toolkit above it.

Advisor samples every 30 seconds, averages to one minute and keeps the largest of 30 minutes: here
the largest in 30 minutes of the period's maxima where these are collected (on Azure they are of one
minute), else of its means, which are below it. How it takes percentiles is not published: nearest
rank. Network counts as a share of the machine's bandwidth.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from costopt.backtest.base import STAY, STOP, Baseline, Floats, Need, Past
from costopt.backtest.baselines.samples import (
    coarse,
    largest,
    nearest_rank,
    ordered,
    reaches_back,
    recent,
    without_gaps,
)

LOOKBACK_DAYS: Final = 7
HALF_HOUR: Final = 1800
SILENT: Final = Need(np.nan)


def advisor_shutdown(past: Past) -> Need:
    """Azure Advisor, shut down: over 7 days P95 of CPU below 3 % and outbound network below 2 %,
    and in the last 3 days no mean CPU above 2 %.

    "Summed across all cores" is read as of the whole machine. Outbound network: no period's mean at
    2 % of the bandwidth or above. Azure has network for every machine; where it was not collected,
    or the bandwidth is unknown, CPU alone decides, which stops more machines than Advisor would.

    Returns:
        STOP, or nothing; nothing for machines not seen for 7 days.
    Source:
        Azure Advisor, "Reduce service costs by using Azure Advisor", shutdown recommendations.
    """
    if not reaches_back(past, LOOKBACK_DAYS):
        return SILENT
    quiet = (
        _cpu_p95(past) < 3
        and largest(ordered(past, "cpu", 3)) <= 2
        and not (largest(_outbound_percent(past)) >= 2)
    )
    return Need(STOP) if quiet else SILENT


def advisor_resize(past: Past, *, cpu: float = 40, memory: float = 60) -> Need:
    """Azure Advisor, resize: on the new machine P95 of CPU and of outbound network at most 40 % and
    memory's peak at most 60 % (user-facing work), or 80/80 (other work), over 7 days.

    Advisor tells user-facing work by itself, in a way it does not publish: both are offered for all
    machines. Bandwidth is taken to shrink with the machine. It only ever recommends cheaper ones,
    so that a need above today's size is "stay". What is not collected does not count.

    Args:
        cpu: percent of the new machine, of CPU and network.
        memory: percent of the new machine.
    Returns:
        Says nothing for machines not seen for 7 days.
    Source:
        Azure Advisor, "Reduce service costs by using Azure Advisor", resize SKU recommendations.
    """
    if not reaches_back(past, LOOKBACK_DAYS):
        return SILENT
    network = nearest_rank(_outbound_percent(past), 95)
    return Need.sized(
        min(float(np.fmax(_cpu_p95(past), network)) / cpu, STAY),
        min(largest(ordered(past, "memory_peaks", LOOKBACK_DAYS)) / memory, STAY),
    )


def toolkit_fit(past: Past) -> Need:
    """FinOps toolkit, Azure Optimization Engine: Advisor's advice, where its fit score stays at 5.

    The score starts at 5 and loses 0.5 where P99 of CPU over 7 days is at or over 30 %, 0.5 where
    that of memory is at or over 50 %, 0.1 where that of network, in and out, is at or over 750 Mbit
    a second (5 %, 100 % and 10 Mbit where the advice is to shut down), and as much for each that is
    unknown. The engine's own remediation acts at 5.0 and above. So it says nothing where memory or
    network is not collected.

    Advisor is read as for user-facing work. Disks and interfaces are taken to fit; the weeks in a
    row that remediation waits for are left out.

    Source:
        microsoft/finops-toolkit, src/optimization-engine/runbooks:
        Recommend-AdvisorCostAugmentedToBlobStorage.ps1, Remediate-AdvisorRightSizeFiltered.ps1.
    """
    advice = advisor_shutdown(past)
    limits = (5.0, 100.0, 10.0)
    if advice.cpu != STOP:
        advice, limits = advisor_resize(past), (30.0, 50.0, 750.0)
    metrics = (
        nearest_rank(ordered(past, "cpu", LOOKBACK_DAYS), 99),
        nearest_rank(ordered(past, "memory", LOOKBACK_DAYS), 99),
        _network_p99_mbit(past),
    )
    # An unknown is NaN, and is not below any limit: it costs the score what a breach does.
    return advice if all(m < limit for m, limit in zip(metrics, limits, strict=True)) else SILENT


def _cpu_p95(past: Past) -> float:
    key = "azure cpu"
    if key not in past.kept:
        past.kept[key] = without_gaps(coarse(past, "cpu_peaks", HALF_HOUR, "max", LOOKBACK_DAYS))
    return nearest_rank(past.kept[key], 95)


def _outbound_percent(past: Past) -> Floats:
    """Sorted half-hourly peaks of outbound network in percent of bandwidth; none where unknown."""
    if past.network_out is None or not past.network_gbps:
        return np.empty(0)
    peaks = coarse(past, "network_out", HALF_HOUR, "max", LOOKBACK_DAYS)
    return without_gaps(peaks) * 8 / (past.network_gbps * 1e9) * 100


def _network_p99_mbit(past: Past) -> float:
    if past.network_in is None or past.network_out is None:
        return float("nan")
    both = recent(past, "network_in", LOOKBACK_DAYS) + recent(past, "network_out", LOOKBACK_DAYS)
    return nearest_rank(without_gaps(both), 99) * 8 / 1e6


_ADVISOR: Final = "Azure Advisor: Reduce service costs by using Azure Advisor"
_OUTBOUND: Final = ("network_out", "network_gbps")

BASELINES: Final = (
    Baseline("azure-shutdown", "Azure Advisor, shut down", _ADVISOR, advisor_shutdown, _OUTBOUND),
    Baseline(
        "azure-resize",
        "Azure Advisor, resize (user-facing)",
        _ADVISOR,
        advisor_resize,
        _OUTBOUND,
    ),
    Baseline(
        "azure-resize-batch",
        "Azure Advisor, resize (not user-facing)",
        _ADVISOR,
        partial(advisor_resize, cpu=80, memory=80),
        _OUTBOUND,
    ),
    Baseline(
        "aoe-fit",
        "FinOps toolkit, Azure Optimization Engine",
        "microsoft/finops-toolkit: src/optimization-engine/runbooks",
        toolkit_fit,
    ),
)

"""Robusta KRR and Kruize: percentiles of what containers use. Here the machine is the container."""

from __future__ import annotations

from functools import partial
from math import floor
from typing import Final

import numpy as np

from costopt.backtest.base import Baseline, Floats, Need, Past
from costopt.backtest.baselines.samples import (
    Metric,
    between_ranks,
    coarse,
    cores,
    largest,
    memory_bytes,
    ordered,
    without_gaps,
)
from costopt.units import SECONDS_PER_DAY

KRR_DAYS: Final = 14
KRR_POINTS: Final = 100
KRR_MIN_CORES: Final = 0.01
KRR_MIN_BYTES: Final = 100e6


def krr(past: Past, *, percentile: float = 95, cpu_margin: float = 1.0) -> Need:
    """Robusta KRR, strategy "simple": over 14 days CPU P95, memory's peak x 1.15.

    P95 is Prometheus's quantile_over_time, linear between ranks. At least 100 points of a metric;
    theirs are of 75 seconds, ours of a period. At least 10 millicores and 100 MB (of a machine of
    unknown size: of 16 vCPUs, 64 GiB); rounding up to a millicore and a megabyte is left out.

    Args:
        percentile: of CPU.
        cpu_margin: factor on CPU; KRR has none, `krr-p99` adds 15 %.
    Source:
        robusta-dev/krr, robusta_krr/strategies/simple.py, core/models/config.py,
        core/integrations/prometheus/metrics/cpu.py.
    """
    cpu, memory = ordered(past, "cpu", KRR_DAYS), ordered(past, "memory_peaks", KRR_DAYS)
    need, need_memory = between_ranks(cpu, percentile) * cpu_margin, largest(memory) * 1.15
    return Need(
        max(need / 100, KRR_MIN_CORES / cores(past)) if len(cpu) >= KRR_POINTS else np.nan,
        max(need_memory / 100, KRR_MIN_BYTES / memory_bytes(past))
        if len(memory) >= KRR_POINTS
        else np.nan,
    )


INTERVAL: Final = 900
KRUIZE_TERMS: Final = ((15, 8 * SECONDS_PER_DAY), (7, 2 * SECONDS_PER_DAY), (1, 2 * INTERVAL))
"""Days looked at, and the seconds of data needed for it."""


def kruize(past: Past, *, percentile: float) -> Need:
    """Kruize: P60 (cost) or P98 (performance) of the CPU maxima of 15-minute intervals; memory's
    peak plus the lesser of 20 % and 1.05 times its largest rise within an interval.

    Kruize answers for 15, 7 and 1 days; here for the longest of them with enough data (8 days, 2
    days, 30 minutes). A machine that never uses a whole core gets its CPU maximum instead; one
    whose answer is a millicore or less, or that uses no memory, none. The percentile is the sample
    nearest to rank p(n-1). A rise is from the lowest mean to the highest value in the interval;
    with one sample an interval, and no maxima, it is not seen. vCPUs unknown: 16.

    Args:
        percentile: 60 or 98.
    Source:
        kruize/autotune, analyzer/recommendations: RecommendationConstants.java,
        model/GenericRecommendationModel.java; common/utils/CommonUtils.java (percentile).
    """
    return Need(_kruize_cpu(past, percentile), _kruize_memory(past))


def _kruize_cpu(past: Past, percentile: float) -> float:
    maxima = without_gaps(_intervals(past, "cpu_peaks"))
    if not len(maxima):
        return float("nan")
    all_of_it, a_core = largest(maxima), 100 / cores(past)
    rank = floor(percentile / 100 * (len(maxima) - 1) + 0.5)
    demand = all_of_it if all_of_it < a_core else float(maxima[rank])
    return demand / 100 if demand > a_core / 1000 else float("nan")


def _kruize_memory(past: Past) -> float:
    highest = _intervals(past, "memory_peaks")
    if not len(highest):
        return float("nan")
    peak = largest(without_gaps(highest))
    lowest = highest
    if past.memory is not None:
        lowest = coarse(past, "memory", INTERVAL, "min")[-len(highest) :]
    rise = float(np.fmax.reduce(highest - lowest))
    return min(peak * 1.2, peak + 1.05 * rise) / 100 if peak > 0 else float("nan")


def _intervals(past: Past, metric: Metric) -> Floats:
    """The maxima of each interval of the longest term with enough data, oldest first, NaN where
    missing; empty where no term has."""
    maxima = coarse(past, metric, INTERVAL, "max")
    step = max(INTERVAL, past.period_seconds)
    for days, enough_seconds in KRUIZE_TERMS:
        term = maxima[-days * SECONDS_PER_DAY // step :]
        if np.isfinite(term).sum() * step >= enough_seconds:
            return term
    return maxima[:0]


_KRR: Final = "robusta-dev/krr: robusta_krr/strategies/simple.py"
_KRUIZE: Final = "kruize/autotune: analyzer/recommendations/model"

BASELINES: Final = (
    Baseline("krr-simple", "Robusta KRR, simple (P95)", _KRR, krr),
    Baseline(
        "krr-p99",
        "Robusta KRR, P99 with 15 % on top",
        _KRR,
        partial(krr, percentile=99, cpu_margin=1.15),
    ),
    Baseline("kruize-cost", "Kruize, cost", _KRUIZE, partial(kruize, percentile=60)),
    Baseline("kruize-perf", "Kruize, performance", _KRUIZE, partial(kruize, percentile=98)),
)

"""Amazon's rules: Compute Optimizer, Trusted Advisor, Cost Explorer.

What AWS leaves unsaid: how it takes percentiles (here nearest rank, which "ignores the top 0.5 %"
to the letter), which machines exactly it offers, and its "machine learning engine", which may
adjust all of this to a workload. What these rules do with a fleet is therefore an approximation.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from costopt.backtest.base import STOP, Baseline, Need, Past
from costopt.backtest.baselines.samples import (
    Metric,
    coarse,
    daily_bytes,
    hours,
    largest,
    nearest_rank,
    ordered,
)
from costopt.units import SECONDS_PER_DAY

LOOKBACK_DAYS: Final = 14
MIN_HOURS: Final = 30
"""Compute Optimizer needs "at least 30 hours of CloudWatch metric data in the past 14 days"."""

IDLE_BYTES_A_DAY: Final = 5e6
SILENT: Final = Need(np.nan)


def compute_optimizer(
    past: Past,
    *,
    percentile: float = 99.5,
    headroom: float = 20,
    memory_headroom: float = 20,
    multiply: bool = False,
    cpu: Metric = "cpu_peaks",
) -> Need:
    """AWS Compute Optimizer, 14 days: CPU P99.5 with 20 % headroom, memory's peak with 20 %.

    It "uses the maximum utilization point within each five-minute time interval": the largest value
    of each period where maxima are collected, else the means (where the period's mean is all there
    is, it is the same rule as `aws-co-mean`). Headroom divides: the defaults "aim to ensure that
    CPU utilization remains below 80 % for more than 99.5 % of the time". Memory has no threshold,
    and its maximum is the statistic shown; without memory it says nothing about memory.

    Args:
        percentile: 90, 95 or 99.5 of CPU.
        headroom: of CPU, percent: 0, 20 or 30.
        memory_headroom: percent: 10, 20 or 30.
        multiply: the other reading of headroom, demand x (1 + headroom).
        cpu: `cpu` for the means even where maxima are collected.
    Returns:
        Says nothing below 30 hours of data.
    Source:
        AWS Compute Optimizer user guide: "Metrics analyzed", "Rightsizing recommendation
        preferences" (presets), "Resource requirements".
    """
    if hours(past, cpu, LOOKBACK_DAYS) < MIN_HOURS:
        return SILENT
    demand = nearest_rank(ordered(past, cpu, LOOKBACK_DAYS), percentile)
    memory = largest(ordered(past, "memory_peaks", LOOKBACK_DAYS))
    if multiply:
        return Need.sized(
            demand * (1 + headroom / 100) / 100, memory * (1 + memory_headroom / 100) / 100
        )
    return Need.sized(demand / (100 - headroom), memory / (100 - memory_headroom))


def compute_optimizer_idle(past: Past) -> Need:
    """AWS Compute Optimizer, idle: peak CPU below 5 % and network below 5 MB a day, over 14 days.

    Read as: on every day whose traffic is known (5 MB = 5,000,000 bytes, in and out together).
    CloudWatch has network for every instance, so that AWS would decide by both: where it was not
    collected CPU alone decides, which stops more machines than AWS would.

    Returns:
        STOP, or nothing; nothing below 30 hours of data.
    Source:
        AWS Compute Optimizer user guide, "Viewing idle resource recommendations".
    """
    if hours(past, "cpu_peaks", LOOKBACK_DAYS) < MIN_HOURS:
        return SILENT
    quiet = largest(ordered(past, "cpu_peaks", LOOKBACK_DAYS)) < 5
    busy = daily_bytes(past)[-LOOKBACK_DAYS:] >= IDLE_BYTES_A_DAY
    return Need(STOP) if quiet and not busy.any() else SILENT


def trusted_advisor_low(past: Past) -> Need:
    """AWS Trusted Advisor, low utilization: mean CPU at most 10 % and network at most 5 MB, on at
    least 4 of the last 14 days.

    Days are of 24 hours back from now. A day counts only if its CPU is known, and its traffic where
    network is collected at all; where it is not, CPU alone decides (CloudWatch would have had it).

    Returns:
        STOP ("consider stopping or terminating"), or nothing.
    Source:
        AWS Trusted Advisor check reference, "Low Utilization Amazon EC2 Instances" (Qch7DwouX1).
    """
    low = coarse(past, "cpu", SECONDS_PER_DAY, "mean", LOOKBACK_DAYS) <= 10
    traffic = daily_bytes(past)[-LOOKBACK_DAYS:]
    if np.isfinite(traffic).any():
        low &= traffic <= IDLE_BYTES_A_DAY
    return Need(STOP) if low.sum() >= 4 else SILENT


def cost_explorer_idle(past: Past) -> Need:
    """AWS Cost Explorer rightsizing, idle: maximum CPU at or below 1 % over 14 days.

    Its advice for busier machines comes from Compute Optimizer's engine: see `aws-co`.

    Returns:
        STOP, or nothing; nothing without a sample.
    Source:
        AWS Cost Management user guide, "Understanding rightsizing recommendations calculations".
    """
    return Need(STOP) if largest(ordered(past, "cpu_peaks", LOOKBACK_DAYS)) <= 1 else SILENT


_CO: Final = "AWS Compute Optimizer user guide: Metrics analyzed; Rightsizing preferences"

BASELINES: Final = (
    Baseline("aws-co", "AWS Compute Optimizer, defaults", _CO, compute_optimizer),
    Baseline(
        "aws-co-mean",
        "AWS Compute Optimizer, defaults on means",
        _CO,
        partial(compute_optimizer, cpu="cpu"),
    ),
    Baseline(
        "aws-co-multiply",
        "AWS Compute Optimizer, headroom as a factor",
        _CO,
        partial(compute_optimizer, multiply=True),
    ),
    Baseline(
        "aws-co-max-savings",
        "AWS Compute Optimizer, maximum savings",
        _CO,
        partial(compute_optimizer, percentile=90, headroom=0, memory_headroom=10),
    ),
    Baseline(
        "aws-co-balanced",
        "AWS Compute Optimizer, balanced",
        _CO,
        partial(compute_optimizer, percentile=95, headroom=30, memory_headroom=30),
    ),
    Baseline(
        "aws-co-max-performance",
        "AWS Compute Optimizer, maximum performance",
        _CO,
        partial(compute_optimizer, headroom=30, memory_headroom=30),
    ),
    Baseline(
        "aws-co-idle",
        "AWS Compute Optimizer, idle machines",
        "AWS Compute Optimizer user guide: Viewing idle resource recommendations",
        compute_optimizer_idle,
        also=("network_in", "network_out"),
    ),
    Baseline(
        "aws-ta-low",
        "AWS Trusted Advisor, low utilization",
        "AWS Trusted Advisor check reference: Low Utilization Amazon EC2 Instances",
        trusted_advisor_low,
        also=("network_in", "network_out"),
    ),
    Baseline(
        "aws-ce",
        "AWS Cost Explorer, idle machines",
        "AWS Cost Management user guide: Understanding rightsizing recommendations calculations",
        cost_explorer_idle,
    ),
)

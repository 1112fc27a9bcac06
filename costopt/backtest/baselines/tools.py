"""OptScale and Flexera: tools that read the clouds' own metrics."""

from __future__ import annotations

from math import ceil
from typing import Final

import numpy as np

from costopt.backtest.base import STAY, STOP, Baseline, Floats, Need, Past
from costopt.backtest.baselines.samples import (
    between_ranks,
    coarse,
    cores,
    present,
    reaches_back,
    without_gaps,
)

INTERVAL: Final = 900
SILENT: Final = Need(np.nan)


def optscale_rightsize(past: Past) -> Need:
    """OptScale, rightsizing: vCPUs = ceil(vCPUs x P99 / 80) over 3 days of 15-minute means.

    P99 is ClickHouse's, linear between ranks. What it offers has one vCPU or an even number, and
    fewer than today; where that is nothing the machine stays, as one whose P99 is zero does. It
    looks at CPU only, and takes machines first seen before those 3 days. vCPUs unknown: 16.

    Source:
        hystax/optscale, bumiworker/bumiworker/modules: rightsizing_base.py,
        recommendations/rightsizing_instances.py; metroculus (15-minute means, quantiles).
    """
    p99 = between_ranks(without_gaps(coarse(past, "cpu", INTERVAL, "mean", 3)), 99)
    if np.isnan(p99) or not reaches_back(past, 3):
        return SILENT
    vcpus = cores(past)
    least = ceil(vcpus / 80 * p99)
    if not least:
        return Need(STAY)
    offered = least if least == 1 else least + least % 2
    return Need(offered / vcpus if offered < vcpus else STAY)


def optscale_abandoned(past: Past) -> Need:
    """OptScale, abandoned instances: over 7 days mean CPU at most 5 %, and mean traffic in and out
    together at most 1,000 bytes a second.

    OptScale says nothing where a metric is missing; its clouds have network for every machine, so
    that where it was not collected here CPU alone decides, which stops more machines than OptScale
    would. It takes machines first seen before those 7 days. (For AWS it divides a period's bytes by
    60, a scale of its own that is not repeated here.)

    Returns:
        STOP, or nothing.
    Source:
        hystax/optscale, bumiworker/bumiworker/modules/recommendations/abandoned_instances.py.
    """
    if not reaches_back(past, 7):
        return SILENT
    traffic = sum(
        _mean(present(past, metric, 7))
        for metric in ("network_in", "network_out")
        if getattr(past, metric) is not None
    )
    idle = _mean(present(past, "cpu", 7)) <= 5 and traffic <= 1000
    return Need(STOP) if idle else SILENT


def flexera(past: Past) -> Need:
    """Flexera, rightsize instances: mean CPU or memory below 5 % is idle, below 40 % under-used.

    Its defaults: the average of 30 days (here of what there is, at most the past), either metric is
    enough, idle means terminate, under-used means the next smaller size, which has half of both.
    Known to be unsafe: a machine with full memory and a quiet CPU is terminated. No minimum of
    data.

    Source:
        flexera-public/policy_templates, cost/aws/rightsize_ec2_instances, parameters' defaults.
    """
    means = [_mean(present(past, metric)) for metric in ("cpu", "memory")]
    if all(np.isnan(means)):
        return SILENT
    lowest = float(np.nanmin(means))
    size = STOP if lowest < 5 else 0.5 if lowest < 40 else STAY
    return Need(size, size)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


BASELINES: Final = (
    Baseline(
        "optscale-rightsize",
        "OptScale, rightsizing",
        "hystax/optscale: bumiworker/modules/rightsizing_base.py",
        optscale_rightsize,
    ),
    Baseline(
        "optscale-abandoned",
        "OptScale, abandoned machines",
        "hystax/optscale: bumiworker/modules/recommendations/abandoned_instances.py",
        optscale_abandoned,
        also=("network_in", "network_out"),
    ),
    Baseline(
        "flexera",
        "Flexera, rightsize instances",
        "flexera-public/policy_templates: cost/aws/rightsize_ec2_instances",
        flexera,
    ),
)

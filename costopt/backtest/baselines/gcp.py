"""Google's published rule for machines: idle VMs.

The machine type recommender's rule (8 days of one-minute averages) is not published.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from costopt.backtest.base import STOP, Baseline, Need, Past
from costopt.backtest.baselines.samples import Metric, hours, ordered

LOOKBACK_DAYS: Final = 14
MIN_HOURS: Final = 24
SILENT: Final = Need(np.nan)


def idle_vm(past: Past) -> Need:
    """Google Cloud, idle VMs: over 14 days less than 0.03 vCPU for 97 % of the time it ran, less
    than 2,000 bytes a second received and less than 1,000 sent, each for 95 % of it.

    The time it ran is that with samples. Cloud Monitoring has network for every VM; a direction
    that was not collected does not count, which stops more machines than Google would. The vendor
    looks at one-minute averages, finer than most samples here. VMs with a GPU, a local SSD or in
    GKE are not told apart here; Google leaves them out.

    Returns:
        STOP, or nothing; nothing where the vCPUs are unknown (0.03 of them is no share of anything)
        and below one day of data.
    Source:
        Google Cloud, Compute Engine, "Idle VM recommendations".
    """
    if past.vcpus is None or hours(past, "cpu", LOOKBACK_DAYS) < MIN_HOURS:
        return SILENT
    idle = (
        _below(past, "cpu", 0.03 / past.vcpus * 100, share=0.97)
        and _below(past, "network_in", 2000, share=0.95)
        and _below(past, "network_out", 1000, share=0.95)
    )
    return Need(STOP) if idle else SILENT


def _below(past: Past, metric: Metric, limit: float, *, share: float) -> bool:
    """Whether at least that share of the samples there are is below the limit; true of none."""
    samples = ordered(past, metric, LOOKBACK_DAYS)
    return bool(np.searchsorted(samples, limit) >= share * len(samples))


BASELINES: Final = (
    Baseline(
        "gcp-idle",
        "Google Cloud, idle VMs",
        "Google Cloud, Compute Engine: Idle VM recommendations",
        idle_vm,
        also=("network_in", "network_out"),
    ),
)

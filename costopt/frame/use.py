"""Whether a machine was in use in a span of time: the idle rule's bounds, applied to each span.

The idle rule asks of a whole lookback and forgives rare samples by percentiles (rules/checks.py);
a span of minutes holds few samples, so the highest counts where that has a percentile near the top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.frame.scales import QUIET_IN, QUIET_OUT, QUIET_PEAK

CPU_PERCENT: Final = 5.0
CPU_VCPUS: Final = 0.5
"""CPU from which on somebody works: AWS Compute Optimizer's peak, and a bound of ours for a large
machine's few busy cores."""
ALONE_PERCENT: Final = 2.0
ALONE_VCPUS: Final = 0.03
"""The same where the network is not measured, stricter: ours, and GCP's idle recommender."""
GPU_PERCENT: Final = 1.0
GPU_MEMORY_PERCENT: Final = 5.0
"""AWS Compute Optimizer's idle GPU: inactive below 1 %, its memory below 5 %."""

Samples = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """A machine's samples, (spans, samples of a span) each; NaN = missing, None = not collected."""

    cpu: Samples  # percent
    network_in: Samples | None = None  # B/s
    network_out: Samples | None = None
    gpu: Samples | None = None  # percent, of the busiest card
    gpu_memory: Samples | None = None

    @property
    def network_measured(self) -> bool:
        """Both ways: one alone may hide the other."""
        return self.network_in is not None and self.network_out is not None


def in_use(of: Spans, vcpus: float | None) -> npt.NDArray[np.float32]:
    """(spans, samples of a span): 1 = in use, 0 = not, NaN = no CPU sample, so not known.

    Traffic above an agent's counts where the span's mean is above it, too.

    Args:
        vcpus: None = unknown: then nothing can be called unused.
    """
    busy = of.cpu >= CPU_PERCENT
    whole = np.zeros(len(of.cpu), np.bool_)
    if vcpus is None:
        whole[:] = True
    else:
        busy |= of.cpu * vcpus >= 100 * CPU_VCPUS
        if not of.network_measured:
            busy |= of.cpu >= ALONE_PERCENT
            whole |= _mean(of.cpu) * vcpus >= 100 * ALONE_VCPUS
    for way, quiet in ((of.network_in, QUIET_IN), (of.network_out, QUIET_OUT)):
        if way is not None:
            talks = _mean(way) >= quiet  # a single sample above it is an agent's chatter
            busy |= (way >= QUIET_PEAK) | (talks[:, None] & (way >= quiet))
    for card, least in ((of.gpu, GPU_PERCENT), (of.gpu_memory, GPU_MEMORY_PERCENT)):
        if card is not None:
            busy |= card >= least
    used = (busy | whole[:, None]).astype(np.float32)
    used[np.isnan(of.cpu)] = np.nan
    return used


def _mean(samples: Samples) -> Samples:
    """Of each span; minus infinity where it has no sample."""
    there = ~np.isnan(samples)
    ones = np.ones(samples.shape[1])  # a product adds few columns faster than a sum does
    counts = there.astype(np.float64) @ ones
    sums = np.where(there, samples, 0.0) @ ones
    return np.where(counts > 0, sums / np.maximum(counts, 1), -np.inf)

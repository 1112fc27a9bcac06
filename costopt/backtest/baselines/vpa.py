"""Kubernetes' VerticalPodAutoscaler and Crane, which builds on its histograms.

Both size containers; here the machine is the container. Their buckets are cores and bytes: a
machine whose vCPUs or memory are unknown is read as one of 16 vCPUs and 64 GiB, on which the
buckets' widths matter little. They see samples of a minute; ours, of a period, are flatter.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from costopt.backtest.base import Baseline, Floats, Need, Past
from costopt.backtest.baselines.histogram import Buckets, decay
from costopt.backtest.baselines.samples import cores, memory_bytes, ordered, recent

MARGIN: Final = 1.15
VPA_CORES: Final = Buckets(first=0.01, growth=1.05, maximum=1000)
VPA_BYTES: Final = Buckets(first=1e7, growth=1.05, maximum=1e12)
VPA_MIN_CORES: Final = 0.025
VPA_MIN_BYTES: Final = 250 * 1024**2


def vpa(past: Past) -> Need:
    """VPA, target: P90 x 1.15 of histograms in which a sample's weight halves every 24 hours.

    CPU: every sample, in buckets of 0.01 core growing by 5 %. Memory: the peak of each 24 hours,
    counted from the first sample, dated to their end, in buckets of 10 MB growing by 5 %. A
    percentile is the end of its bucket. At least 25 millicores and 250 MiB. There is no minimum of
    data. A running recommender never cuts its histograms (a restart reads back 8 days): all of the
    past counts, of which all beyond 8 days weighs 0.4 %.

    Source:
        kubernetes/autoscaler, vertical-pod-autoscaler/pkg/recommender: logic/recommender.go,
        logic/estimator.go, model/aggregations_config.go, model/container.go, util/.
    """
    return _vpa(past, 0.9, 1.0)


def vpa_upper(past: Past) -> Need:
    """VPA, upper bound: P95 x 1.15 x (1 + 1/c), above which a running pod is shrunk at once.

    The confidence c is the lesser of the days between first and last CPU sample and the samples
    over 1,440, which is days at VPA's one sample a minute: a period of ours stands for its minutes.
    Otherwise as the target. Infinite confidence is wanted of one sample: then it says nothing. (The
    lower bound is P50 x 1.15 x (1 + 0.001/c)^-2.)

    Source:
        As `vpa`; logic/estimator.go for the confidence.
    """
    seen = np.flatnonzero(~np.isnan(past.cpu))
    if len(seen) < 2:
        return Need(np.nan)
    lifespan = (seen[-1] - seen[0]) / past.slots_a_day
    confidence = min(lifespan, len(seen) / past.slots_a_day)
    return _vpa(past, 0.95, 1 + 1 / confidence)


def _vpa(past: Past, share: float, multiplier: float) -> Need:
    cpu = VPA_CORES.percentile(_cpu_weights(past), share) * MARGIN * multiplier
    memory = VPA_BYTES.percentile(_memory_weights(past), share) * MARGIN * multiplier
    # Of nothing the percentile is NaN, which maximum keeps: no floor where there is no answer.
    return Need(
        float(np.maximum(cpu, VPA_MIN_CORES)) / cores(past),
        float(np.maximum(memory, VPA_MIN_BYTES)) / memory_bytes(past),
    )


def _cpu_weights(past: Past) -> Floats:
    key = "vpa cpu"
    if key not in past.kept:
        there = ~np.isnan(past.cpu)
        weights = decay(len(past.cpu), past.slots_a_day)[there]
        past.kept[key] = VPA_CORES.weigh(past.cpu[there] * (cores(past) / 100), weights)
    return past.kept[key]


def _memory_weights(past: Past) -> Floats:
    key = "vpa memory"
    if key not in past.kept:
        peaks = _daily_peaks(recent(past, "memory_peaks"), past.slots_a_day)
        there = ~np.isnan(peaks)
        weights = decay(len(peaks), 1)[there]
        past.kept[key] = VPA_BYTES.weigh(peaks[there] * (memory_bytes(past) / 100), weights)
    return past.kept[key]


def _daily_peaks(series: Floats, slots_a_day: int) -> Floats:
    """The peak of each 24 hours from the first sample on; NaN where none is in them."""
    there = np.flatnonzero(~np.isnan(series))
    if not len(there):
        return series[:0]
    since = series[there[0] :]
    return np.fmax.reduceat(since, np.arange(0, len(since), slots_a_day))


CRANE_DAYS: Final = 7
CRANE_CORES: Final = Buckets(first=0.1, growth=1, maximum=100)
CRANE_BYTES: Final = Buckets(first=104_857_600, growth=1, maximum=104_857_600_000)
CRANE_MIN_WEIGHT: Final = 1e-5


def crane(past: Past) -> Need:
    """Crane, resource recommendation: P99 x 1.15 over 7 days, CPU and memory.

    Its histograms do not decay (a half-life is configured but not used); a sample weighs as much as
    its value (at least 0.00001), so that P99 is that of the *work*, above P99 of the time. Buckets
    are 0.1 core wide up to 100 cores and 100 MiB up to 97.7 GiB; a percentile is the end of its
    bucket, and machines larger than that are cut to it. There is no minimum of data.

    Source:
        gocrane/crane, pkg/recommendation/recommender/resource/ (registry.go, recommend.go),
        pkg/prediction/percentile/ (aggregate_signal.go, config.go, estimator.go).
    """
    cpu = ordered(past, "cpu", CRANE_DAYS) * (cores(past) / 100)
    memory = ordered(past, "memory", CRANE_DAYS) * (memory_bytes(past) / 100)
    return Need(
        _crane(cpu, CRANE_CORES) / cores(past), _crane(memory, CRANE_BYTES) / memory_bytes(past)
    )


def _crane(values: Floats, buckets: Buckets) -> float:
    weight = buckets.weigh(values, np.maximum(values, CRANE_MIN_WEIGHT))
    return buckets.percentile(weight, 0.99) * MARGIN


_VPA: Final = "kubernetes/autoscaler: vertical-pod-autoscaler/pkg/recommender"

BASELINES: Final = (
    Baseline("vpa", "Kubernetes VPA, target", _VPA, vpa),
    Baseline("vpa-upper", "Kubernetes VPA, upper bound", _VPA, vpa_upper),
    Baseline("crane", "Crane", "gocrane/crane: pkg/recommendation, pkg/prediction", crane),
)

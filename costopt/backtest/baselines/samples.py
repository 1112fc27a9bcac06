"""What the rules look at: samples of the last days, sorted, per day, or on a coarser grid.

Missing samples are left out everywhere and never counted as zero. What is derived is kept with the
past (`Past.kept`), so that two dozen rules sort a machine's fortnight once.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Final, Literal

import numpy as np

from costopt.backtest.base import Floats, Past
from costopt.units import GIB, SECONDS_PER_DAY

Metric = Literal["cpu", "cpu_peaks", "memory", "memory_peaks", "network_in", "network_out"]
Reduction = Literal["mean", "max", "min"]

SECONDS_PER_HOUR: Final = 3600
_NONE: Final = np.empty(0)


def recent(past: Past, metric: Metric, days: int | None = None) -> Floats:
    """The last `days` days of a metric (None = all), oldest first, NaN where missing; empty where
    it is not collected.

    `cpu_peaks` and `memory_peaks` are the largest value within each period where maxima are
    collected, and the means where not: then a peak shorter than a period is not seen.
    """
    whole = _whole(past, metric)
    return whole if days is None else whole[-days * past.slots_a_day :]


def _whole(past: Past, metric: Metric) -> Floats:
    match metric:
        case "cpu_peaks":
            return _peaks(past, metric, past.cpu, past.cpu_max)
        case "memory_peaks":
            return _peaks(past, metric, past.memory, past.memory_max)
        case _:
            series: Floats | None = getattr(past, metric)
            return _NONE if series is None else series


def _peaks(past: Past, metric: Metric, means: Floats | None, maxima: Floats | None) -> Floats:
    if means is None or maxima is None:
        return means if means is not None else maxima if maxima is not None else _NONE
    if metric not in past.kept:
        past.kept[metric] = np.fmax(means, maxima)
    return past.kept[metric]


def present(past: Past, metric: Metric, days: int | None = None) -> Floats:
    """The samples there are, oldest first."""
    series = recent(past, metric, days)
    return series[~np.isnan(series)]


def ordered(past: Past, metric: Metric, days: int | None = None) -> Floats:
    """The samples there are, smallest first."""
    key = ("ordered", metric, _span(past, days))
    if key not in past.kept:
        past.kept[key] = np.sort(present(past, metric, days))
    return past.kept[key]


def coarse(
    past: Past, metric: Metric, seconds: int, how: Reduction, days: int | None = None
) -> Floats:
    """The metric on a grid of `seconds`, oldest first, as vendors keep it; NaN where a step has no
    sample. A grid finer than the samples is theirs."""
    key = ("coarse", metric, seconds, how, _span(past, days))
    if key not in past.kept:
        group = max(1, seconds // past.period_seconds)
        series = recent(past, metric, days)
        past.kept[key] = _reduced(series[len(series) % group :].reshape(-1, group), how)
    return past.kept[key]


def _reduced(steps: Floats, how: Reduction) -> Floats:
    # Column by column: reducing short rows costs numpy several times as much.
    if how != "mean":
        merge = np.fmax if how == "max" else np.fmin
        out = steps[:, 0]
        for column in steps.T[1:]:
            out = merge(out, column)
        return out
    missing = np.isnan(steps)
    count = steps.shape[1] - missing.sum(axis=1)
    total = np.where(missing, 0.0, steps).sum(axis=1)
    means = np.full(len(steps), np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means


def _span(past: Past, days: int | None) -> int | None:
    """None where that is all there is, so that it is derived once."""
    return None if days is None or days >= past.days else days


def without_gaps(series: Floats) -> Floats:
    """The values there are, smallest first."""
    return np.sort(series[~np.isnan(series)])


def daily_bytes(past: Past) -> Floats:
    """Bytes in and out on each day, oldest first; NaN where unknown.

    A day's traffic is its mean rate over the samples there are, for 24 hours. Where only one
    direction is collected, that one counts; a day on which a collected one is silent is unknown.
    """
    rates = [
        coarse(past, metric, SECONDS_PER_DAY, "mean")
        for metric in ("network_in", "network_out")
        if getattr(past, metric) is not None
    ]
    if not rates:
        return np.full(past.days, np.nan)
    return np.asarray(sum(rates) * SECONDS_PER_DAY)


def hours(past: Past, metric: Metric, days: int | None = None) -> float:
    """How many hours the samples there are stand for."""
    return len(ordered(past, metric, days)) * past.period_seconds / SECONDS_PER_HOUR


def reaches_back(past: Past, days: int) -> bool:
    """Whether the machine was seen in the first of the last `days` days, or before."""
    if past.days < days:
        return False
    first_day_over = len(past.cpu) - (days - 1) * past.slots_a_day
    return bool(np.isfinite(past.cpu[:first_day_over]).any())


def nearest_rank(values: Floats, percent: float) -> float:
    """The smallest of sorted values with at least `percent` of them at or below it; NaN of none.

    For vendors who do not say how they take percentiles: it "ignores the top 0.5 %" to the letter.
    """
    if not len(values):
        return float("nan")
    return float(values[max(0, ceil(round(percent * len(values) / 100, 9)) - 1)])


def between_ranks(values: Floats, percent: float) -> float:
    """The percentile of sorted values, linear between the two nearest ranks; NaN of none.

    As Prometheus (`quantile_over_time`) and ClickHouse (`quantiles`) take it.
    """
    if not len(values):
        return float("nan")
    rank = percent / 100 * (len(values) - 1)
    below, above = values[floor(rank)], values[ceil(rank)]
    return float(below + (above - below) * (rank - floor(rank)))


def largest(values: Floats) -> float:
    """The last of sorted values; NaN of none."""
    return float(values[-1]) if len(values) else float("nan")


def cores(past: Past) -> float:
    """The machine's vCPUs for rules that reckon in cores; 16 where unknown, on which the widths of
    their steps matter little."""
    return past.vcpus or 16.0


def memory_bytes(past: Past) -> float:
    """The machine's memory for rules that reckon in bytes; 64 GiB where unknown."""
    return (past.memory_gib or 64.0) * GIB

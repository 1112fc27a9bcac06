"""The profiles table by its definitions, one series and one sample at a time: slow and plain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from costopt import schema
from costopt.model import Window

NAN = float("nan")


class Sample(NamedTuple):
    """One sample as a provider gives it."""

    resource_id: str
    metric_name: str
    statistic: str
    device: str
    period: int
    time: datetime  # any moment within its period
    value: float


def profiles(
    samples: Iterable[Sample],
    window: Window,
    *,
    clocks: dict[str, str],
    since: dict[str, datetime],
    default_clock: str = "UTC",
) -> list[dict[str, Any]]:
    """The rows of schema.PROFILES, sorted by key; samples that share a slot: the first one wins."""
    series: dict[tuple[Any, ...], dict[datetime, float]] = {}
    for sample in samples:
        value = _packed(sample)
        if value is not None:
            series.setdefault(sample[:5], {}).setdefault(_floor(sample.time, sample.period), value)
    rows = []
    for key in sorted(series):
        start = max(window.start, since.get(key[0], window.start))
        inside = {t: v for t, v in series[key].items() if start <= t < window.end}
        if inside:
            zone = clocks.get(key[0], default_clock)
            rows.append(_row(key, dict(sorted(inside.items())), window.end, zone))
    return rows


def _packed(sample: Sample) -> float | None:
    value = float(np.float32(sample.value))
    if not np.isfinite(value) or value < 0:
        return None
    if not schema.is_percent(sample.metric_name):
        return value
    return None if value > 105 else float(np.floor(value * 100 + 0.5)) / 100


def _floor(time: datetime, period: int) -> datetime:
    midnight = time.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (time - midnight) // timedelta(seconds=period) * timedelta(seconds=period)


def _row(
    key: tuple[Any, ...], samples: dict[datetime, float], end: datetime, zone: str
) -> dict[str, Any]:
    period, percent = key[4], schema.is_percent(key[1])
    step = timedelta(seconds=period)
    times, values = list(samples), np.array(list(samples.values()))
    slots = []
    while not slots or slots[-1] + step < end:
        slots.append(slots[-1] + step if slots else times[0])
    on_grid = [samples.get(t) for t in slots]
    hours: dict[int, list[float]] = {}
    for time, value in samples.items():
        local = time.astimezone(ZoneInfo(zone))
        hours.setdefault(local.weekday() * 24 + local.hour, []).append(value)
    week = [hours.get(hour, []) for hour in range(168)]
    return dict(zip(schema.PROFILES.names[:5], key, strict=True)) | {
        "x_TimeZone": zone,
        "count": len(values),
        "expected": len(slots),
        "coverage": len(values) / len(slots),
        "first": times[0],
        "last": times[-1],
        "mean": values.mean(),
        "std": values.std(),
        "min": values.min(),
        "max": values.max(),
        "p50": _nearest_rank(values, 0.5),
        "p90": _nearest_rank(values, 0.9),
        "p95": _nearest_rank(values, 0.95),
        "p99": _nearest_rank(values, 0.99),
        "p99_5": _nearest_rank(values, 0.995),
        "share_under_1": (values < 1).mean() if percent else None,
        "share_under_5": (values < 5).mean() if percent else None,
        "longest_idle_seconds": (
            period * _longest(v is not None and v < 5 for v in on_grid) if percent else None
        ),
        "longest_gap_seconds": period * _longest(v is None for v in on_grid),
        "longest_flat_seconds": period * _longest_repeat(on_grid),
        "days": len({t.date() for t in times}),
        "histogram": _histogram(values) if percent else None,
        "week_mean": [float(np.mean(v)) if v else NAN for v in week],
        "week_p95": [_nearest_rank(np.array(v), 0.95) if v else NAN for v in week],
        "week_count": [len(v) for v in week],
    }


def _nearest_rank(values: Any, quantile: float) -> float:
    return float(np.quantile(values, quantile, method="inverted_cdf"))


def _longest(flags: Iterable[bool]) -> int:
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


def _longest_repeat(values: Iterable[float | None]) -> int:
    longest = run = 0
    before: float | None = None
    for value in values:
        run = (run + 1 if value == before else 1) if value else 0
        before = value
        longest = max(longest, run)
    return longest


def _histogram(values: Any) -> list[int]:
    counted = Counter(int(v) for v in values)
    return [counted[i] for i in range(106)]


def utc(*args: int) -> datetime:
    """A UTC moment."""
    return datetime(*args, tzinfo=UTC)  # type: ignore[arg-type,misc]

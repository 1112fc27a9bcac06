"""Packed rows and profiles made by hand, so that the gate is tested without lake or kernel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt import schema
from costopt.config import QualitySettings
from costopt.frame.quality import assess
from costopt.frame.series import chosen
from costopt.frame.signals import Signals, read
from costopt.model import Finding, Profile, Resource, Window
from costopt.profile import kernel

Row = dict[str, Any]
Rows = list[Row]

T0 = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
DAYS = 28
END = T0 + timedelta(days=DAYS)
WINDOW = Window(T0, END)
A_DAY = 288  # five-minute samples

HEALTHY = Profile(
    resource_id="m-1",
    metric_name="cpu_utilization",
    statistic="mean",
    device="",
    period_seconds=300,
    time_zone="UTC",
    count=DAYS * A_DAY,
    expected=DAYS * A_DAY,
    coverage=1.0,
    first=T0,
    last=END - timedelta(minutes=5),
    mean=22.37,
    std=9.1,
    min=3.12,
    max=71.24,
    p50=21.05,
    p90=33.33,
    p95=39.9,
    p99=52.17,
    p99_5=58.42,
    share_under_1=0.0,
    share_under_5=0.01,
    longest_idle_seconds=600,
    longest_gap_seconds=0,
    longest_flat_seconds=300,
    days=DAYS,
    duplicates=0,
    conflicts=0,
    refused_low=0,
    refused_high=0,
    not_finite=0,
    off_grid=0,
    histogram=(0, 0, 0, *[112] * 72, *[0] * 31),
    week_mean=(22.0,) * schema.WEEK_SLOTS,
    week_p95=(40.0,) * schema.WEEK_SLOTS,
    week_count=(DAYS // 7 * 12,) * schema.WEEK_SLOTS,
)


def profile(**changes: Any) -> Profile:
    """A healthy machine's CPU over four weeks, but for these columns."""
    return replace(HEALTHY, **changes)


def resource(resource_id: str = "m-1", **changes: Any) -> Resource:
    return replace(Resource(resource_id, "AWS", vcpus=4.0, memory_gib=16.0), **changes)


def pack(
    resource_id: str,
    metric_name: str,
    values: npt.ArrayLike,
    *,
    start: datetime = T0,
    period_seconds: int = 300,
    **columns: Any,
) -> Rows:
    """Packed rows of samples from midnight `start` on; NaN is missing."""
    slots = 86_400 // period_seconds
    samples = np.asarray(values, np.float64)
    samples = np.concatenate([samples, np.full(-len(samples) % slots, np.nan)]).reshape(-1, slots)
    first = start.date()
    return [
        {
            "ResourceId": resource_id,
            "MetricName": metric_name,
            "Statistic": "mean",
            "x_Device": "",
            "PeriodSeconds": period_seconds,
            "Day": date.fromordinal(first.toordinal() + number),
            "Samples": _bytes(metric_name, day),
        }
        | dict.fromkeys(_COUNTERS, 0)
        | columns
        for number, day in enumerate(samples)
    ]


_COUNTERS = ("Duplicates", "Conflicts", "RefusedLow", "RefusedHigh", "NotFinite", "OffGrid")


def _bytes(metric_name: str, day: npt.NDArray[np.float64]) -> bytes:
    if not schema.is_percent(metric_name):
        return day.astype("<f4").tobytes()
    missing = np.isnan(day)
    packed = np.rint(np.where(missing, 0.0, day) * schema.PERCENT_SCALE).astype("<u2")
    packed[missing] = schema.MISSING_U16
    return packed.tobytes()


def shard(*rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist([row for part in rows for row in part], schema=schema.PACKED)


def noise(level: float, *, seed: int = 0, days: int = DAYS) -> npt.NDArray[np.float64]:
    """Five-minute samples around a level, in hundredths."""
    values = np.random.default_rng(seed).gamma(20, level / 20, days * A_DAY)
    return np.round(np.clip(values, 0.01, 100), 2)


def codes(findings: Iterable[Finding]) -> dict[tuple[str, str], str]:
    """(check, metric) -> level."""
    return {(f.check, f.metric_name): f.level.value for f in findings}


@dataclass(frozen=True)
class Gated:
    """What the gate makes of packed rows."""

    profiles: dict[str, tuple[Profile, ...]]
    signals: Signals
    findings: dict[str, tuple[Finding, ...]]

    def codes(self, resource_id: str = "m-1") -> dict[tuple[str, str], str]:
        return codes(self.findings[resource_id])


def gate(
    *shards: pa.Table,
    resources: dict[str, Resource] | None = None,
    window: Window = WINDOW,
    settings: QualitySettings | None = None,
) -> Gated:
    """Packed rows through kernel, signals and gate, as the pipeline sends them."""
    rules = settings or QualitySettings()
    known = {"m-1": resource()} if resources is None else resources
    table = kernel.profile(
        shards,
        window,
        clocks={r.resource_id: r.time_zone for r in known.values()},
        since={r.resource_id: r.resized_at for r in known.values() if r.resized_at},
    )
    profiles = {name: chosen(seen, rules) for name, seen in kernel.profiles_of(table).items()}
    told = read(shards, known, profiles, window, rules)
    return Gated(profiles, told, assess(known, profiles, window.end, rules, told))

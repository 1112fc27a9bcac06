"""Profiles made by hand, and a small believable fleet of them, for tests of the heatmaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from costopt.model import Profile, Resource
from costopt.profile.week import expected_hours

START = datetime(2026, 8, 31, tzinfo=UTC)  # a Monday
Array = npt.NDArray[np.float64]


def profile_of(
    resource_id: str,
    values: Sequence[float] | Array,
    *,
    present: float | Array = 1.0,
    zone: str = "UTC",
    days: int = 28,
    period_seconds: int = 300,
    metric_name: str = "cpu_utilization",
    statistic: str = "mean",
    device: str = "",
    first: datetime = START,
) -> Profile:
    """A profile with those 168 hour-of-week means.

    Args:
        present: share of the expected samples that are there, for all slots or each.
    """
    periods = days * 86_400 // period_seconds
    expected = expected_hours(zone, round(first.timestamp()), period_seconds, periods)
    count = np.round(expected * 3600 / period_seconds * present).astype(int)
    week = np.where(count > 0, np.asarray(values, np.float64), np.nan)
    mean = float(np.nansum(week * count) / max(count.sum(), 1))
    return Profile(
        resource_id=resource_id,
        metric_name=metric_name,
        statistic=statistic,
        device=device,
        period_seconds=period_seconds,
        time_zone=zone,
        count=int(count.sum()),
        expected=periods,
        coverage=float(count.sum() / periods),
        first=first,
        last=first + timedelta(days=days) - timedelta(seconds=period_seconds),
        mean=mean,
        std=0.0,
        min=mean,
        max=mean,
        p50=mean,
        p90=mean,
        p95=mean,
        p99=mean,
        p99_5=mean,
        share_under_1=None,
        share_under_5=None,
        longest_idle_seconds=None,
        longest_gap_seconds=0,
        longest_flat_seconds=0,
        days=days,
        duplicates=0,
        conflicts=0,
        refused_low=0,
        refused_high=0,
        not_finite=0,
        off_grid=0,
        histogram=None,
        week_mean=tuple(week.tolist()),
        week_p95=tuple((week * 1.3).tolist()),
        week_count=tuple(count.tolist()),
    )


def office(peak: float = 60.0, base: float = 6.0, *, weekend: float = 0.25) -> Array:
    """Web demand of working days: two humps, a lunch dip, quiet weekends."""
    hour = np.arange(24)
    day = np.exp(-(((hour - 10.5) / 2.2) ** 2)) + 0.95 * np.exp(-(((hour - 15.5) / 3.0) ** 2))
    day /= day.max()
    days = np.array([0.97, 1.0, 1.0, 0.98, 0.86, weekend, weekend * 0.8])
    return (base + (peak - base) * days[:, None] * day).ravel()


def nightly(peak: float = 85.0, base: float = 3.0, *, start: int = 1, hours: int = 4) -> Array:
    """A batch job every night."""
    day = np.full(24, base)
    day[np.arange(start, start + hours) % 24] = peak
    return np.tile(day, 7)


def evening(peak: float = 70.0, base: float = 12.0) -> Array:
    """A consumer site: evenings, more so at the weekend."""
    hour = np.arange(24)
    day = np.exp(-(((hour - 20.5) / 3.2) ** 2)) + 0.45 * np.exp(-(((hour - 13) / 3.5) ** 2))
    days = np.array([0.75, 0.76, 0.78, 0.8, 0.95, 1.0, 0.98])
    return np.asarray(base + (peak - base) * days[:, None] * day / day.max()).ravel().clip(0, 100)


def flat(level: float) -> Array:
    """The same all week."""
    return np.full(168, level)


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")
_KINDS = ("web", "shop", "batch", "database", "dev", "forgotten")


def fleet(
    machines: int, seed: int = 7
) -> tuple[dict[str, Resource], dict[str, tuple[Profile, ...]]]:
    """A seeded fleet of several clouds, teams and rhythms, with gaps; resources and profiles."""
    rng = np.random.default_rng(seed)
    resources, profiles = {}, {}
    for number in range(machines):
        kind = _KINDS[int(rng.choice(len(_KINDS), p=[0.26, 0.16, 0.14, 0.16, 0.16, 0.12]))]
        provider = ("AWS", "GCP", "Azure", "OnPrem")[int(rng.choice(4, p=[0.45, 0.25, 0.18, 0.12]))]
        zone = ZONES[int(rng.integers(len(ZONES)))]
        resource_id = f"i-{number:05d}"
        values, present = _demand(kind, rng)
        team = {"web": "storefront", "shop": "storefront", "batch": "data", "database": "platform"}
        resources[resource_id] = Resource(
            resource_id=resource_id,
            provider_name=provider,
            resource_name=f"{kind}-{['eu', 'us', 'in', 'core'][number % 4]}-{number:02d}",
            region_id=f"{provider.lower()}-region-{number % 3}",
            instance_type=f"type-{number % 5}",
            vcpus=float(2 ** rng.integers(1, 6)),
            memory_gib=float(2 ** rng.integers(2, 8)),
            time_zone=zone,
            tags={"team": team[kind]} if kind in team else {},
        )
        profiles[resource_id] = (profile_of(resource_id, values, present=present, zone=zone),)
    return resources, profiles


def _demand(kind: str, rng: np.random.Generator) -> tuple[Array, Array]:
    present = np.clip(rng.normal(0.985, 0.01, 168), 0, 1)
    level = float(rng.uniform(0.5, 1.1))
    if kind == "web":
        values = office(70 * level, 8)
    elif kind == "shop":
        values = evening(65 * level)
    elif kind == "batch":
        values = nightly(88 * level, start=int(rng.integers(0, 4)), hours=int(rng.integers(2, 6)))
    elif kind == "database":
        values = flat(55 * level)
    elif kind == "dev":
        values = office(30 * level, 1, weekend=0.0)
        off = np.add.outer(np.arange(7) * 24, np.r_[0:7, 20:24]).ravel()
        if level > 0.8:  # stopped by night and at the weekend: no samples, which is not zero
            present[off] = 0.0
            present[120:] = 0.0
    else:
        values = flat(1.5 * level)
    if level > 1.02:  # a collector that lost an evening or two
        present[40:46] = 0.3
    return np.clip(values + rng.normal(0, 1.2, 168), 0, 100), present

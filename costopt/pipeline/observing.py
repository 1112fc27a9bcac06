"""Observe: profiles of the fleet, and how far its data can be relied on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from costopt.config import Settings
from costopt.errors import InsufficientData
from costopt.frame import quality, signals
from costopt.frame.inventory import present
from costopt.frame.series import chosen
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.model import Disputed, Finding, Profile, Resource, Window
from costopt.pipeline.progress import Progress
from costopt.profile import kernel


@dataclass(frozen=True, slots=True)
class Observed:
    """What was collected of the fleet, and how far one can rely on it."""

    window: Window
    resources: Mapping[str, Resource]
    profiles: Mapping[str, tuple[Profile, ...]]  # the series to judge by
    findings: Mapping[str, tuple[Finding, ...]]
    disputed: Mapping[str, Disputed]


def moment(lake: Lake, as_of: datetime | None) -> datetime:
    """`as_of`, or how far the lake's newest final data reach, a few clocks ahead left aside.

    Raises:
        InsufficientData: nothing was collected yet.
    """
    packed.compact(lake)  # what a killed collect left uncompacted
    reach = packed.reach(lake)
    if reach is None:
        raise InsufficientData(
            "the lake holds no metrics",
            where=str(lake.root),
            hint="costopt collect aws, gcp, azure, prometheus or files; or costopt demo",
        )
    ends = [end for metrics in lake.watermarks().values() for end in metrics.values()]
    return as_of or min(reach, max(ends, default=reach))


def lookback(lake: Lake, settings: Settings, as_of: datetime | None) -> Window:
    """The window that is judged: `lookback_days` up to `as_of`."""
    end = moment(lake, as_of)
    return Window(end - timedelta(days=settings.lookback_days), end)


def resources(lake: Lake, settings: Settings, as_of: datetime | None) -> dict[str, Resource]:
    """Every resource as it was at `as_of`, by id."""
    return present(lake.read("resources"), moment(lake, as_of), settings.time_zone)


def profiles(lake: Lake, settings: Settings, as_of: datetime | None) -> pa.Table:
    """The profiles table over the lookback (schema.PROFILES)."""
    window = lookback(lake, settings, as_of)
    known = resources(lake, settings, as_of)
    return kernel.profile(
        packed.scan(lake, window),
        window,
        clocks={r.resource_id: r.time_zone for r in known.values()},
        since={r.resource_id: r.resized_at for r in known.values() if r.resized_at},
        default_clock=settings.time_zone,
        threads=settings.workers,
    )


def observe(
    lake: Lake,
    settings: Settings,
    as_of: datetime | None,
    progress: Progress = lambda step: None,
) -> Observed:
    """Profile the fleet and look through its data, however good or bad they are.

    Raises:
        InsufficientData: nothing was collected yet.
    """
    window = lookback(lake, settings, as_of)
    progress("profiles")
    known = resources(lake, settings, as_of)
    seen = {
        resource_id: chosen(rows, settings.quality)
        for resource_id, rows in kernel.profiles_of(profiles(lake, settings, as_of)).items()
    }
    progress("quality")
    shards = packed.scan(lake, window)
    told = signals.read(shards, known, seen, window, settings.quality)
    findings = quality.assess(known, seen, window.end, settings.quality, told)
    return Observed(window, known, seen, findings, told.disputed)

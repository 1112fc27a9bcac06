"""Which of a resource's series speak for a metric: one a metric, statistic and device."""

from __future__ import annotations

from collections.abc import Iterable

from costopt.config import QualitySettings
from costopt.model import Profile


def chosen(profiles: Iterable[Profile], settings: QualitySettings) -> tuple[Profile, ...]:
    """Of series of one thing sampled at several periods, the one to judge by; sorted.

    The one that covers the most time, of those sampled finely enough where there are any: sixty
    days of hourly averages do not outvote fourteen of five-minute ones.
    """
    best: dict[tuple[str, str, str], Profile] = {}
    for profile in profiles:
        key = (profile.metric_name, profile.statistic, profile.device)
        if key not in best or _rank(profile, settings) > _rank(best[key], settings):
            best[key] = profile
    return tuple(best[key] for key in sorted(best))


def _rank(profile: Profile, settings: QualitySettings) -> tuple[bool, int, int]:
    fine = profile.period_seconds <= settings.max_period_seconds
    return fine, profile.count * profile.period_seconds, -profile.period_seconds


def speaking(profiles: Iterable[Profile]) -> tuple[Profile, ...]:
    """Those whose quality decides whether their metric can be used.

    The whole resource's mean; where there is none, every device's mean; else the maxima.
    """
    ranked: dict[str, list[tuple[tuple[bool, bool], Profile]]] = {}
    for profile in profiles:
        rank = (profile.statistic != "mean", profile.device != "")
        ranked.setdefault(profile.metric_name, []).append((rank, profile))
    return tuple(
        profile
        for series in ranked.values()
        for rank, profile in series
        if rank == min(other for other, _ in series)
    )

"""Which of a resource's series speak for a metric: one a metric, statistic and device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from costopt.config import QualitySettings
from costopt.model import Profile


def chosen(profiles: Iterable[Profile], settings: QualitySettings) -> tuple[Profile, ...]:
    """Of series of one thing sampled at several periods, the one to judge by; sorted.

    One that goes on where another has ended, as when a collector's period was changed. Of those the
    one that covers the most time, of those sampled finely enough where there are any: sixty days of
    hourly averages do not outvote fourteen of five-minute ones.
    """
    things: dict[tuple[str, str, str], list[Profile]] = {}
    for profile in profiles:
        key = (profile.metric_name, profile.statistic, profile.device)
        things.setdefault(key, []).append(profile)
    return tuple(_best(things[key], settings) for key in sorted(things))


def _best(series: Sequence[Profile], settings: QualitySettings) -> Profile:
    ended = max(one.last for one in series) - timedelta(days=settings.max_age_days)

    def rank(one: Profile) -> tuple[bool, bool, int, int]:
        fine = one.period_seconds <= settings.max_period_seconds
        goes_on = one.last >= ended
        return fine, goes_on, one.count * one.period_seconds, -one.period_seconds

    return max(series, key=rank)


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

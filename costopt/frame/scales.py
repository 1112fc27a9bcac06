"""Checks of the values themselves: the wrong unit, a stuck sensor, zeros in place of nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from costopt import schema
from costopt.frame.subject import Seen, Subject, duration, gate, note, percent
from costopt.model import Profile
from costopt.units import counted

FLEET_SERIES: Final = 5
FLEET_SHARE: Final = 0.95
"""Of 300 Bitbrains VMs 3 % (60 days) to 8 % (14 days) never exceed 1 % CPU: a fleet in which 95 %
do not, while one at least comes past 0.5, is not idle: it is sent as fractions of 1."""
MAX_BYTES_PER_SECOND: Final = 1e12
"""8 Tbit/s: more than any one machine moves."""
MAX_STUCK_SHARE: Final = 0.25
"""A sensor stuck for less, and mended since, is a gap: 10 of 300 Bitbrains VMs stood still for 4
to 8 of 60 days."""
ZEROS_SHARE: Final = 0.005
"""One sample in 200: a reboot or two a month stay below."""
QUIET_IN: Final = 2000.0
QUIET_OUT: Final = 1000.0
"""P95 of traffic, B/s: GCP's idle recommender; an agent's chatter stays below, users do not."""
QUIET_PEAK: Final = 1e5
"""P99.5 of traffic each way, B/s, ours: a nightly transfer comes past it."""
_CPU: Final = "cpu_utilization"
_DCGM_FRACTIONS: Final = frozenset({"gpu_sm_active", "gpu_tensor_active", "gpu_memory_bandwidth"})
_MEMORY: Final = "memory_utilization"
_ZEROS: Final = frozenset({_CPU, _MEMORY})


def sent_as_fractions(profiles: Iterable[Profile]) -> frozenset[str]:
    """The utilizations that a whole fleet (a provider's, say) sends as 0..1 instead of percent."""
    maxima: dict[str, list[float]] = {}
    for profile in profiles:
        if schema.is_percent(profile.metric_name) and profile.metric_name != _MEMORY:
            maxima.setdefault(profile.metric_name, []).append(profile.max)
    return frozenset(
        metric
        for metric, highest in maxima.items()
        if len(highest) >= FLEET_SERIES
        and sum(value <= 1.0 for value in highest) >= FLEET_SHARE * len(highest)
        and any(0.5 < value <= 1.0 for value in highest)
    )


def unit(subject: Subject) -> Seen | None:
    """A fraction of 1 where a percentage belongs, or a rate that no machine reaches."""
    profile = subject.profile
    if schema.metric_unit(profile.metric_name) == "B/s":
        return _impossible_rate(profile)
    if not schema.is_percent(profile.metric_name) or not 0 < profile.max <= 1.0:
        return None
    if unit_doubtful(subject):
        return None  # that one says more
    example = f"never above {profile.max:g} %"
    reason = _fraction(subject)
    if reason:
        return gate(
            profile.count, example, f"{reason}: sent as fractions of 1; multiply them by 100"
        )
    return note(
        profile.count, example, "never above 1 %: idle, or sent as fractions of 1 (then times 100)"
    )


def like_fractions(cpu: Profile) -> bool:
    """Whether percent of an idle machine and fractions of a busy one look the same: never above
    1 %, and yet it moves."""
    return cpu.min < cpu.max <= 1.0


def unit_doubtful(subject: Subject) -> Seen | None:
    """CPU that may be a fraction of 1, on a machine whose traffic says that somebody uses it."""
    cpu = subject.profile
    if cpu.metric_name != _CPU or not like_fractions(cpu) or _fraction(subject):
        return None
    busy = [name for name, way in subject.siblings.items() if _is_busy(way)]
    if not busy:
        return None
    return gate(
        cpu.count,
        f"never above {cpu.max:g} %",
        f"CPU never exceeds 1 % while {' and '.join(sorted(busy))} is busy: a fraction sent as "
        "percent looks the same; check the unit (then times 100)",
    )


def _is_busy(way: Profile) -> bool:
    quiet = {"network_in": QUIET_IN, "network_out": QUIET_OUT}.get(way.metric_name)
    return quiet is not None and (way.p95 >= quiet or way.p99_5 >= QUIET_PEAK)


def _impossible_rate(profile: Profile) -> Seen | None:
    if profile.max <= MAX_BYTES_PER_SECOND:
        return None
    return gate(
        1,
        f"{profile.max:.3g} B/s",
        f"{profile.max:.3g} bytes a second is beyond any machine: a total sent as a rate, "
        "or a counter that was reset",
    )


def _fraction(subject: Subject) -> str:
    """Why values up to 1 cannot be percentages here; "" where they can."""
    metric = subject.profile.metric_name
    if metric == _MEMORY:
        return "a running machine uses more than 1 % of its memory"
    memory, gpu = subject.siblings.get(_MEMORY), subject.siblings.get("gpu_utilization")
    if metric in subject.fractions:
        return "no machine of this provider ever exceeds 1 %"
    if memory is not None and memory.max <= 1.0:
        return "neither this nor memory ever exceeds 1 %"
    if metric in _DCGM_FRACTIONS and gpu is not None and gpu.max > 5.0:
        return "GPU utilization shows work, and DCGM's profiling fields run from 0 to 1"
    return ""


def stuck(subject: Subject) -> Seen | None:
    """One same value for days, other than zero.

    An idle machine below 1 %, one at its limit, and whole percents may stand still.
    """
    profile = subject.profile
    if profile.longest_flat_seconds < subject.settings.stuck_hours * 3600:
        return None
    run = profile.longest_flat_seconds // profile.period_seconds
    if _may_stand_still(profile, run):
        return None
    length = duration(profile.longest_flat_seconds)
    if _whole_numbers(profile):
        return note(run, length, f"the same whole number for {length}: steady, or a stuck sensor")
    if _stuck_now(subject):
        return gate(run, length, f"the same value for {length}, up to now: a stuck sensor")
    detail = f"the same value for {length}, to the last digit: the sensor was stuck"
    return (gate if run > MAX_STUCK_SHARE * profile.count else note)(run, length, detail)


def _stuck_now(subject: Subject) -> bool:
    """Whether the newest samples are of such a run: then the newest true one is stale."""
    since = subject.flat_since
    stuck = subject.settings.stuck_hours * 3600
    return since is not None and (subject.end - since).total_seconds() >= stuck


def _may_stand_still(profile: Profile, run: int) -> bool:
    """Whether so long a run may be of values below 1 % or at the limit, rather than in between."""
    bins = profile.histogram
    return bins is not None and (bins[0] >= run or sum(bins[100:]) >= run)


def _whole_numbers(profile: Profile) -> bool:
    """Whether the source rounds: then even a working sensor repeats itself."""
    figures = (profile.min, profile.p50, profile.p90, profile.p95, profile.p99, profile.max)
    return all(float(figure).is_integer() for figure in figures)


def zeros(subject: Subject) -> Seen | None:
    """Zeros apart from everything else: missing samples that somebody filled in, or a machine off.

    Busy machines do not touch zero: of 32 Bitbrains VMs with a median above 3 % CPU, 30 never do.
    Where most samples are 0, that is what the machine does.
    """
    profile = subject.profile
    if profile.metric_name not in _ZEROS or profile.histogram is None or profile.min > 0:
        return None
    low, rest = profile.histogram[0], profile.histogram[1:]
    apart = 10 * sum(rest[:2]) <= low and 2 * sum(rest[:4]) < sum(rest)
    if not ZEROS_SHARE * profile.count <= low <= profile.count / 2 or not apart:
        return None
    share = percent(low / profile.count)
    return note(
        low,
        f"{counted(low, 'sample')} below 1 %",
        f"{share} of the samples are about 0, the others stand well apart: the machine was off, "
        "or somebody sends 0 where a sample is missing",
    )

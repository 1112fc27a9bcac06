"""The findings of one resource: as a whole, and metric by metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from costopt import schema
from costopt.config import QualitySettings
from costopt.frame.checks import CHECKS
from costopt.frame.days import key_of
from costopt.frame.drift import Shift
from costopt.frame.series import speaking
from costopt.frame.signals import Ahead, Signals
from costopt.frame.subject import Seen, Subject, gate, note
from costopt.frame.witness import CPU
from costopt.model import Disputed, Finding, FindingLevel, Profile, Resource, is_machine
from costopt.units import counted

OF_METRICS: Final = ("contradiction", *CHECKS)
"""What one metric may have, the gravest first."""
CODES: Final = (
    "no-metrics",
    "unknown-resource",
    *OF_METRICS,
    "disputed-spikes",
    "clock-shift",
    "future",
)
"""Every check, the gravest first."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One resource under examination."""

    resource_id: str
    resource: Resource | None  # None: not in the inventory
    series: tuple[Profile, ...]
    fractions: Set[str]  # see Subject


def examine(
    patient: Patient, as_of: datetime, settings: QualitySettings, signals: Signals
) -> Iterator[Finding]:
    """First what concerns the resource as a whole, then metric by metric, the gravest first."""
    refused = signals.refused.get(patient.resource_id, {})
    of_metrics = [
        *_of_periods(patient, signals),
        *_of_series(patient, as_of, settings, signals),
        *_of_refused(patient, refused),
    ]
    whole = _of_whole(patient, of_metrics)
    if whole is not None:
        yield whole
        if whole.check in OF_METRICS and _shared(whole.check, patient, of_metrics):
            of_metrics = [finding for finding in of_metrics if finding.check != whole.check]
    yield from _of_signals(patient, signals)
    yield from of_metrics


def _finding(patient: Patient, metric_name: str, check: str, seen: Seen) -> Finding:
    return Finding(
        patient.resource_id, metric_name, check, seen.level, seen.count, seen.example, seen.detail
    )


def _of_periods(patient: Patient, signals: Signals) -> Iterator[Finding]:
    """Metrics whose series of several periods contradict each other."""
    of_metrics = signals.contradictions.get(patient.resource_id, {})
    for metric_name, contradiction in sorted(of_metrics.items()):
        yield _finding(patient, metric_name, "contradiction", contradiction.seen())


def _of_series(
    patient: Patient, as_of: datetime, settings: QualitySettings, signals: Signals
) -> Iterator[Finding]:
    speakers = speaking(patient.series)
    siblings = {profile.metric_name: profile for profile in speakers}
    for profile in patient.series:
        subject = Subject(
            profile=profile,
            resource=patient.resource,
            siblings=siblings,
            fractions=patient.fractions,
            flat_since=signals.flat_since.get(key_of(profile)),
            as_of=as_of,
            settings=settings,
        )
        speaks = profile in speakers
        for code, check in CHECKS.items():
            seen = check(subject)
            if seen is not None and (speaks or seen.level is FindingLevel.GATE):
                level = seen.level if speaks else FindingLevel.NOTE
                named = replace(seen, level=level, example=_of(profile) + seen.example)
                yield _finding(patient, profile.metric_name, code, named)


def _of(profile: Profile) -> str:
    """Which series of its metric, where that is not plain."""
    parts = [f"device {profile.device}"] if profile.device else []
    parts += ["maxima"] if profile.statistic != "mean" else []
    return f"{', '.join(parts)}: " if parts else ""


def _of_refused(patient: Patient, refused: Mapping[str, int]) -> Iterator[Finding]:
    """Metrics of which every sample was refused: they have no profile at all."""
    measured = {profile.metric_name for profile in patient.series}
    for metric_name, count in sorted(refused.items()):
        if metric_name not in measured:
            detail = (
                f"every sample was refused, {count:,} in all: below 0, above 105 % or not a number"
            )
            seen = gate(count, counted(count, "sample"), detail)
            yield _finding(patient, metric_name, "out-of-range", seen)


def _of_whole(patient: Patient, of_metrics: Sequence[Finding]) -> Finding | None:
    """What keeps every rule from this resource."""
    if patient.resource is None:
        samples = sum(profile.count for profile in patient.series)
        detail = "samples of something that is not in the inventory: its size is unknown"
        seen = gate(samples, counted(samples, "sample"), detail)
        return _finding(patient, "", "unknown-resource", seen)
    if not patient.series:
        return _without_samples(patient) if is_machine(patient.resource) else None
    gates = _gates(patient, of_metrics)
    if any(gate_ is None for gate_ in gates.values()):
        return None
    found = [gate_ for gate_ in gates.values() if gate_ is not None]
    gravest = min(found, key=_gravity)
    if len(found) > 1 and not _shared(gravest.check, patient, of_metrics):
        listed = ", ".join(f"{name} ({g.check})" for name, g in gates.items() if g is not None)
        return replace(gravest, metric_name="", detail=f"no utilization is usable: {listed}")
    return replace(gravest, metric_name="")


def _without_samples(patient: Patient) -> Finding:
    state = patient.resource.state if patient.resource else None
    because = f"; it is {state}" if state and state != "running" else ""
    seen = gate(0, "0 samples", f"no usable sample in the window{because}")
    return _finding(patient, "", "no-metrics", seen)


def _gates(patient: Patient, of_metrics: Sequence[Finding]) -> dict[str, Finding | None]:
    """Per metric that demand is judged by, its gravest gate: utilizations, else all there is."""
    names = sorted({profile.metric_name for profile in patient.series})
    demand = [name for name in names if schema.is_percent(name)] or names
    gates: dict[str, Finding | None] = dict.fromkeys(demand)
    for finding in sorted(of_metrics, key=_gravity, reverse=True):
        if finding.level is FindingLevel.GATE and finding.metric_name in gates:
            gates[finding.metric_name] = finding
    return gates


def _gravity(finding: Finding) -> int:
    return CODES.index(finding.check)


def _shared(check: str, patient: Patient, of_metrics: Sequence[Finding]) -> bool:
    """Whether all metrics that demand is judged by have this same gate."""
    having = {f.metric_name for f in of_metrics if f.check == check}
    return _gates(patient, of_metrics).keys() <= having


def _of_signals(patient: Patient, signals: Signals) -> Iterator[Finding]:
    spikes = signals.disputed.get(patient.resource_id)
    if spikes is not None:
        yield _finding(patient, CPU, "disputed-spikes", _of_spikes(patient, spikes))
    shift = signals.shifts.get(patient.resource_id)
    if shift is not None:
        yield _finding(patient, CPU, "clock-shift", _of_shift(shift))
    ahead = signals.ahead.get(patient.resource_id)
    if ahead is not None:
        yield _finding(patient, "", "future", _of_ahead(ahead))


def _of_spikes(patient: Patient, spikes: Disputed) -> Seen:
    cpu = next((profile.p99_5 for profile in patient.series if _is_cpu(profile)), None)
    instead = f" instead of {cpu:g} %" if cpu is not None else ""
    return note(
        spikes.samples,
        f"{spikes.example_value:g} % at {spikes.example_at:%Y-%m-%d %H:%M} UTC",
        f"{counted(spikes.samples, 'sample')} of brief CPU spikes that no disk, network or "
        f"memory metric confirms; without them P99.5 is {spikes.p99_5:g} %{instead}",
    )


def _of_shift(shift: Shift) -> Seen:
    return note(
        abs(shift.hours),
        f"{counted(shift.hours, 'hour', '+d')} around {shift.middle:%Y-%m-%d}",
        f"the daily rhythm moves by {counted(shift.hours, 'hour', '+d')} within the window: a "
        "clock that was set, a time zone that is not named, or a job that was moved",
    )


def _of_ahead(ahead: Ahead) -> Seen:
    return note(
        ahead.samples,
        f"{ahead.first:%Y-%m-%d %H:%M} UTC",
        "samples from after the moment of judgement, which nearly all other resources end before: "
        "a clock that is fast, or local time sent as UTC",
    )


def _is_cpu(profile: Profile) -> bool:
    return (profile.metric_name, profile.statistic, profile.device) == (CPU, "mean", "")

"""The quality gate: what is wrong with the data, and which of them advice may not rest on.

Missing is never zero: where data are missing, too few, too old or in the wrong unit the gate says
so and the rules abstain. docs/quality.md lists every check with its threshold and evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from costopt.config import QualitySettings
from costopt.errors import InsufficientData
from costopt.frame.examination import CODES, Patient, examine
from costopt.frame.scales import sent_as_fractions
from costopt.frame.series import speaking
from costopt.frame.signals import Signals
from costopt.model import Finding, FindingLevel, Profile, Resource, Skip, is_machine
from costopt.units import counted, provider_key

Findings = Mapping[str, tuple[Finding, ...]]


def assess(
    resources: Mapping[str, Resource],
    profiles: Mapping[str, tuple[Profile, ...]],
    as_of: datetime,
    settings: QualitySettings,
    signals: Signals | None = None,
) -> dict[str, tuple[Finding, ...]]:
    """What the gate sees in each resource's data; every resource and every profiled id is a key.

    Args:
        profiles: the series to judge by (`series.chosen`), over the window that ends at `as_of`.
        signals: what `signals.read` found in the same window; None = only profiles are looked at.
    """
    told = _with_odd_ones_ahead(signals or Signals(), len(resources))
    fleets = _fleets(resources, profiles)
    found = {}
    for resource_id in sorted(resources.keys() | profiles.keys()):
        resource = resources.get(resource_id)
        fractions = fleets[provider_key(resource.provider_name)] if resource else frozenset()
        patient = Patient(resource_id, resource, profiles.get(resource_id, ()), fractions)
        found[resource_id] = tuple(examine(patient, as_of, settings, told))
    return found


def gate_skips(findings: Findings) -> tuple[Skip, ...]:
    """One skip for each resource that the gate keeps from every rule, with the check as reason."""
    return tuple(
        Skip(resource_id, "", finding.check, finding.detail)
        for resource_id in sorted(findings)
        if (finding := barred(findings[resource_id])) is not None
    )


def barred(findings: Sequence[Finding]) -> Finding | None:
    """The finding that makes the resource as a whole unusable, if any."""
    for finding in findings:
        if finding.level is FindingLevel.GATE and not finding.metric_name:
            return finding
    return None


def require_usable(resources: Mapping[str, Resource], findings: Findings) -> None:
    """Refuse to go on where the gate left no machine at all.

    Raises:
        InsufficientData: no machine is usable; why, by count, and what to do about the first.
    """
    machines = [name for name, resource in resources.items() if is_machine(resource)]
    reasons = [barred(findings.get(name, ())) for name in machines]
    if any(reason is None for reason in reasons):
        return
    counts = Counter(reason.check for reason in reasons if reason is not None)
    if not counts:
        raise InsufficientData(
            "the inventory holds no machine",
            hint="give x_InstanceType or x_vCPUs in the resources table",
        )
    ranked = sorted(counts, key=lambda check: (-counts[check], CODES.index(check)))
    told = ", ".join(f"{counts[check]} {check}" for check in ranked)
    raise InsufficientData(
        f"none of {counted(len(machines), 'machine')} has usable data: {told}",
        where="quality gate",
        hint=f"{REMEDIES[ranked[0]]}; costopt doctor shows every finding",
    )


REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no-metrics": "check that ResourceId is spelled alike in resources and metrics",
        "unknown-resource": "add these ids to the resources table",
        "contradiction": "find out which source is true, and collect it alone into another --home",
        "stale": "collect newer data, or judge with --as-of the day the data end",
        "short-history": "collect more days, or lower quality.min_days",
        "hourly-only": "collect five-minute samples, or raise quality.max_period_seconds",
        "coverage": "mend the collector, or lower quality.min_coverage",
        "week-coverage": "collect at all hours, or lower quality.min_week_coverage",
        "memory-hours": "collect memory at all hours at which CPU is collected",
        "stuck": "mend the sensor, or raise quality.stuck_hours",
        "unit": "send percent of the whole machine, 0 to 100, and bytes per second",
        "unit-doubtful": "send percent of the whole machine, 0 to 100, and collect its network",
        "out-of-range": "send percent of the whole machine, 0 to 100",
    }
)
"""What to do about each check that can keep a whole resource from the rules."""


def _with_odd_ones_ahead(signals: Signals, resources: int) -> Signals:
    """The signals, without samples after `as_of` where many have them: then it is a replay."""
    odd = resources >= 3 and len(signals.ahead) <= max(1, resources // 10)
    return signals if odd else replace(signals, ahead={})


def _fleets(
    resources: Mapping[str, Resource], profiles: Mapping[str, tuple[Profile, ...]]
) -> dict[str, frozenset[str]]:
    """Per provider: the utilizations that its whole fleet sends as fractions of 1."""
    fleets: dict[str, list[Profile]] = {}
    for resource_id, resource in resources.items():
        fleet = fleets.setdefault(provider_key(resource.provider_name), [])
        fleet.extend(speaking(profiles.get(resource_id, ())))
    return {provider: sent_as_fractions(fleet) for provider, fleet in fleets.items()}

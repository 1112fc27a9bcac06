"""Findings of a whole fleet, counted by check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from costopt.frame.examination import CODES
from costopt.frame.quality import barred
from costopt.model import Finding, FindingLevel, Resource, is_machine


@dataclass(frozen=True, slots=True)
class Tally:
    """One check over the fleet; the numbers are of resources."""

    check: str
    seen: int  # with a finding of any level
    gated: int  # with a metric, or all of it, made unusable
    barred: int  # kept from every rule by this check
    count: int  # over all findings; what is counted depends on the check
    metrics: tuple[str, ...]
    example: Finding  # the gravest, of them the one with the highest count


def tally(findings: Mapping[str, tuple[Finding, ...]]) -> tuple[Tally, ...]:
    """The checks that found something, the gravest first."""
    by_check: dict[str, list[Finding]] = {}
    for resource_id in sorted(findings):
        for finding in findings[resource_id]:
            by_check.setdefault(finding.check, []).append(finding)
    barring = {name: barred(found) for name, found in findings.items()}
    return tuple(
        Tally(
            check=check,
            seen=_resources(found),
            gated=_resources(f for f in found if f.level is FindingLevel.GATE),
            barred=sum(bar is not None and bar.check == check for bar in barring.values()),
            count=sum(finding.count for finding in found),
            metrics=tuple(sorted({f.metric_name for f in found if f.metric_name})),
            example=max(found, key=lambda f: (f.level is FindingLevel.GATE, f.count)),
        )
        for check, found in sorted(by_check.items(), key=lambda item: CODES.index(item[0]))
    )


def usable(
    resources: Mapping[str, Resource], findings: Mapping[str, tuple[Finding, ...]]
) -> tuple[int, int]:
    """How many machines the gate lets through, of how many."""
    machines = [name for name, resource in resources.items() if is_machine(resource)]
    passed = sum(barred(findings.get(name, ())) is None for name in machines)
    return passed, len(machines)


def _resources(findings: Iterable[Finding]) -> int:
    return len({finding.resource_id for finding in findings})

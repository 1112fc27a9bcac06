"""A machine that is off at fixed hours already: somebody's schedule, seen in samples and bill."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from costopt.model import Profile, Skip
from costopt.rules.base import Case

ALREADY: Final = "already-scheduled"
_GAPS: Final = frozenset({"coverage", "week-coverage"})
_HOURS: Final = 24
"""Of the week's 168: a night or two, or a day of the weekend."""
_SELDOM: Final = 0.1
_RUNS: Final = 0.85
"""Of the bill's hours: 143 a week."""


def already_scheduled(case: Case) -> tuple[str, str] | None:
    """Reason code and detail, where the same hours of the week lack samples and the bill has fewer
    hours, too: an agent that is off at night leaves gaps, but the bill goes on."""
    cost, cpu = case.cost, _cpu(case)
    if cost is None or cpu is None or cost.basis != "charges" or cost.running_share >= _RUNS:
        return None
    off = sum(count < _SELDOM * max(cpu.week_count) for count in cpu.week_count)
    if off < _HOURS:
        return None
    return (
        ALREADY,
        f"{off} of the week's 168 hours have no samples, and the bill has "
        f"{100 * cost.running_share:.0f} % of all hours: it is off at fixed times already",
    )


def named(case: Case, barred: Skip | None) -> Skip | None:
    """What the quality gate says of a machine; of gaps that are a schedule, that they are one."""
    if barred is None or barred.reason not in _GAPS:
        return barred
    already = already_scheduled(case)
    return replace(barred, reason=already[0], detail=already[1]) if already else barred


def _cpu(case: Case) -> Profile | None:
    """Its CPU, whatever the quality gate says of the gaps."""
    found = (p for p in case.profiles if p.metric_name == "cpu_utilization" and not p.device)
    return max(found, key=lambda p: p.count * p.period_seconds, default=None)

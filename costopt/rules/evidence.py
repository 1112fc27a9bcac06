"""The figures that a rightsizing rests on, ready for JSON, and what to look at before changing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from costopt.model import Guard, Shape
from costopt.optimize.memory import GROWTH, HEADROOM, TREND
from costopt.optimize.outlook import Chances
from costopt.optimize.smt import SMT_SPEEDUP, smt_percent
from costopt.rules.grounds import guards, p99_5_decided_on
from costopt.rules.prices import list_price
from costopt.rules.rightsize_settings import with_smt
from costopt.rules.sizing import Sizing
from costopt.rules.threads import whole_cores

_DECIDED_BY: Final[Mapping[int, str]] = MappingProxyType(
    {HEADROOM: "headroom", GROWTH: "growth", TREND: "trend"}
)


def evidence(sizing: Sizing, chosen: int | None) -> dict[str, Any]:
    """The figures the decision rests on, ready for JSON."""
    case, need = sizing.case, sizing.need
    found: dict[str, Any] = {
        "cpu": _cpu(sizing, chosen),
        "memory": _memory(sizing),
        "network": {
            "p99_5_gbps": None if need.network.gbps is None else round(need.network.gbps, 6),
            "unmeasured": list(need.network.unmeasured),
        },
        "rollback_cost": _rollback_cost(sizing, chosen),
        "price_of_today": "list" if list_price(case) else "billed",
        "candidates": int(sizing.offers.feasible.sum()),
        "running_share": round(sizing.cost.running_share, 4),
        "committed_share": round(sizing.cost.committed_share, 4),
    }
    if chosen is not None and sizing.is_smaller(chosen):
        found |= _record(sizing, chosen)
    if case.disputed and sizing.outlook.with_disputed:
        found["disputed"] = _disputed(sizing, sizing.outlook.with_disputed, chosen)
    if chosen is not None and (told := warnings(sizing, chosen)):
        found["warnings"] = told
    return found


def _record(sizing: Sizing, chosen: int) -> dict[str, Any]:
    """What the chance of a rollback is made of: the model's, and the machine's own record."""
    outlook = sizing.outlook
    place = int(outlook.now.places(float(sizing.capacities[chosen])))
    if place >= len(outlook.now.sizes):  # smaller than all that were looked at
        return {}
    record = outlook.record
    return {
        "model_probability": round(float(outlook.of_model[place]), 6),
        "record": {
            "windows": record.windows,
            "over": int(record.over[place]),
            "windows_before": record.windows_before,
            "over_before": int(record.over_before[place]),
        },
    }


def warnings(sizing: Sizing, chosen: int) -> list[str]:
    """What to look at before changing."""
    current, target, told = sizing.current, sizing.market.shapes[chosen], []
    if sizing.is_smaller(chosen):
        told += [] if sizing.settings.smt_speedup else _smt_warning(sizing, chosen)
        told += _guard_warning(guards(sizing, chosen)[0])
    if current.local_disk_gib:
        told.append(f"its local disk ({current.local_disk_gib:g} GiB) is emptied by the change")
    if target.network_gbps is None and sizing.need.network.gbps:
        told.append(f"the network bandwidth of {target.instance_type} is not known")
    return told


def _guard_warning(cpu: Guard) -> list[str]:
    """That an alarm, which cannot tell disputed spikes from demand, waits the longer for them."""
    spikes = cpu.allowed_disputed
    if not spikes:
        return []
    hours, bare = (n * cpu.period_seconds / 3600 for n in (cpu.samples, cpu.samples - spikes))
    return [
        f"an alarm cannot tell disputed spikes from demand, so the guard allows for {spikes} of "
        f"them in {cpu.horizon_days:g} days, as in the past: it speaks after {hours:.3g} hours "
        f"over the limit, not {bare:.3g}; find out where they come from"
    ]


def _smt_warning(sizing: Sizing, chosen: int) -> list[str]:
    careful = replace(sizing, settings=with_smt(sizing.settings))
    if careful.choice == chosen:
        return []
    known = "vCPUs are hyper-threads: if"
    if whole_cores(sizing.current) is None:
        known = "how many cores it has is not known: if its vCPUs are hyper-threads and"
    return [
        f"{known} the load gains as little from them as compiling does (smt_speedup "
        f"{SMT_SPEEDUP:g}), the answer is {_named(careful, careful.choice)}"
    ]


def _rollback_cost(sizing: Sizing, chosen: int | None) -> dict[str, Any]:
    """kappa, and from which one on the answer is another."""
    found: dict[str, Any] = {
        "windows": None if math.isinf(sizing.rollback_cost) else round(sizing.rollback_cost, 3),
        "safe_hourly_price": round(sizing.offers.safe, 6),
    }
    if sizing.settings.risk_budget is not None:
        found["risk_budget_percent"] = sizing.settings.risk_budget_percent
    if chosen is not None and sizing.is_smaller(chosen) and (flip := sizing.flip(chosen)):
        found["flips_at"], position = round(flip[0], 3), flip[1]
        found["flips_to"] = _named(sizing, position)
    return found


def _named(sizing: Sizing, position: int | None) -> str:
    if position is None:
        return sizing.current.instance_type or "today's machine"
    return sizing.market.shapes[position].instance_type


def _cpu(sizing: Sizing, chosen: int | None) -> dict[str, Any]:
    cpu = sizing.need.cpu
    profile = cpu.profile
    maxima = sizing.case.profile("cpu_utilization", "max")
    figures: dict[str, Any] = {
        "samples": profile.count,
        "period_seconds": profile.period_seconds,
        "coverage": round(profile.coverage, 4),
        "days": profile.days,
        "mean_percent": round(profile.mean, 3),
        "p95_percent": round(profile.p95, 3),
        "p99_5_percent": round(cpu.p99_5, 3),
        "max_percent": round(profile.max, 3),
        "largest_maximum_percent": round(maxima.max, 3) if maxima else None,
        "refused_above_105_percent": profile.refused_high,
        "limit_percent": sizing.settings.limit_percent,
    }
    if chosen is not None:
        target = sizing.market.shapes[chosen]
        ratio = sizing.current.vcpus / target.vcpus
        figures["p99_5_on_target_percent"] = round(p99_5_decided_on(sizing) * ratio, 2)
        if (percent := _smt_percent(sizing, target)) is not None:
            figures["p99_5_on_target_smt_percent"] = round(percent, 2)
    figures["risk_of_sizes"] = _risk_of_sizes(sizing)
    return figures


def _risk_of_sizes(sizing: Sizing) -> dict[str, float]:
    """The risk of each smaller size of the market, by its vCPUs."""
    vcpus, risk = sizing.offers.vcpus, sizing.offers.risk
    smaller = np.flatnonzero(sizing.offers.feasible & (vcpus < sizing.current.vcpus))
    found = {float(vcpus[i]): round(float(risk[i]), 4) for i in smaller}
    return {f"{count:g}": found[count] for count in sorted(found, reverse=True)}


def _memory(sizing: Sizing) -> dict[str, Any]:
    memory = sizing.need.memory
    figures: dict[str, Any] = {"measured": memory.measured, "today_gib": memory.today_gib}
    if outlook := memory.outlook:
        figures["peak_percent"] = round(outlook.peak_percent, 3)
        figures["headroom_percent"] = outlook.headroom.headroom_percent
        figures["headroom_basis"] = outlook.headroom.words
        figures["growth"] = round(outlook.growth, 4)
        figures["trend_percent_a_day"] = round(outlook.trend, 4)
        figures["decided_by"] = _DECIDED_BY[outlook.binding]
    if memory.needed_gib is not None:
        figures["needed_gib"] = round(memory.needed_gib, 3)
    return figures


def _disputed(sizing: Sizing, counted: Chances, chosen: int | None) -> dict[str, Any]:
    """What the size would be if the CPU spikes that other figures speak against were real, and what
    the chance of having to undo the one chosen."""
    disputed = sizing.case.disputed
    assert disputed is not None  # asked only where some are
    told: dict[str, Any] = {
        "samples": disputed.samples,
        "example_at": disputed.example_at.isoformat(),
        "example_percent": round(disputed.example_value, 3),
        "p99_5_without_percent": round(disputed.p99_5, 3),
        "instance_type_with": _named(sizing, replace(sizing, chances=counted).choice),
    }
    if chosen is not None and sizing.is_smaller(chosen):
        chance = counted.at(sizing.capacities[[chosen]])[0]
        told["rollback_probability_with"] = round(float(chance), 4)
    return told


def _smt_percent(sizing: Sizing, target: Shape) -> float | None:
    """P99.5 on the target if a core's second hardware thread adds little; None = no such threads,
    or not known."""
    if whole_cores(sizing.current) is not False or whole_cores(target):
        return None
    return smt_percent(p99_5_decided_on(sizing), sizing.current.vcpus / target.vcpus)

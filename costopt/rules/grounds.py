"""What a rightsizing rests on: the sentence a person can check, the figures, and the risk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from costopt.model import Profile, Risk, Shape
from costopt.optimize.smt import smt_percent
from costopt.rules.base import span
from costopt.rules.sizing import Sizing, list_price, need_of
from costopt.rules.threads import whole_cores
from costopt.units import cents, per_month


def demand(sizing: Sizing) -> str:
    """What it uses and needs: "CPU P99.5 is 17.2 % of 16 vCPUs over 42 days; ..."."""
    settings, need, vcpus = sizing.settings, sizing.need, sizing.current.vcpus
    days = span(need.cpu.profile).days
    return (
        f"CPU {settings.cpu_percentile} is {need.cpu.sized_on:.3g} % of {_vcpus(vcpus)} over "
        f"{days:.0f} days; with {settings.cpu_headroom_percent:g} % headroom it needs "
        f"{_vcpus(need.vcpus)}"
    )


def reason(sizing: Sizing, chosen: int) -> str:
    """The advice in one sentence with its figures."""
    target, price = sizing.offer(chosen), sizing.market.prices[chosen].list_unit_price
    memory = f", {target.memory_gib:g} GiB" if target.memory_gib is not None else ""
    parts = [
        demand(sizing),
        f"{target.instance_type} ({_vcpus(target.vcpus or 0)}{memory}) costs "
        f"{price.normalize():f} instead of {sizing.hourly.normalize():f} "
        f"{sizing.currency} an hour",
        _memory_words(sizing),
    ]
    if missing := sizing.need.network.unmeasured:
        which = "the network" if len(missing) > 1 else missing[0].replace("_", " ")
        parts.append(f"{which} is not measured")
    today = list_price(sizing.case)
    if today and not sizing.current.instance_type:
        parts.append(f"it names no type and is priced as {today.instance_type}, of its size")
    if not today:
        parts.append("today's price is the billed one, as no list price is known")
    then = sizing.market.shapes[chosen].architecture
    if then and sizing.current.architecture and then != sizing.current.architecture:
        parts.append(f"software must be built for {then}")
    return "; ".join(parts)


def undersized(sizing: Sizing) -> str:
    """Why nothing smaller is looked for, and which type would do."""
    share = sizing.need.cpu.share_over(90)
    text = f"CPU is over 90 % for {share:.1%} of the time, so it wants more than it gets"
    position = sizing.next_larger()
    if position is None:
        return f"{text}; no larger type here holds its demand"
    larger, price = sizing.market.shapes[position], sizing.market.prices[position]
    more = cents(per_month(price.list_unit_price) - per_month(sizing.hourly))
    return (
        f"{text}; {larger.instance_type} ({_vcpus(larger.vcpus)}) would hold what is seen, for "
        f"{more} {sizing.currency} a month more at list"
    )


def risk(sizing: Sizing, chosen: int) -> Risk:
    """Share of time over the limit on the target, as the past would have had it."""
    cpu, limit = sizing.need.cpu, sizing.settings.limit_percent
    share = cpu.share_over(limit * sizing.market.shapes[chosen].vcpus / sizing.current.vcpus)
    return Risk(
        limit_percent=limit,
        expected_share=share,
        upper_bound=cpu.upper_bound(share),
        method="share of past samples over the limit of the recommended vCPUs, never too low; "
        "upper bound: Wilson 95 %, distinct hours counted as observations",
    )


def evidence(sizing: Sizing, chosen: int | None) -> dict[str, Any]:
    """The figures the decision rests on, ready for JSON."""
    case, need = sizing.case, sizing.need
    found: dict[str, Any] = {
        "cpu": _cpu(sizing, chosen),
        "memory": _memory(sizing),
        "network": {
            "p99_5_gbps": round(need.network.gbps, 6),
            "unmeasured": list(need.network.unmeasured),
        },
        "price_of_today": "list" if list_price(case) else "billed",
        "candidates": int(sizing.offers.feasible.sum()),
        "running_share": round(sizing.cost.running_share, 4),
        "committed_share": round(sizing.cost.committed_share, 4),
    }
    if case.disputed:
        found["disputed"] = _disputed(sizing)
    if chosen is not None and (told := warnings(sizing, sizing.market.shapes[chosen])):
        found["warnings"] = told
    return found


def warnings(sizing: Sizing, target: Shape) -> list[str]:
    """What to look at before changing."""
    current, told = sizing.current, []
    if (percent := _smt_percent(sizing, target)) is not None and percent > 90:
        told.append(
            "vCPUs are hyperthreads: if the load gains little from them, P99.5 would be "
            + (f"{percent:.0f} %" if percent <= 100 else "more than the smaller machine can do")
        )
    if current.local_disk_gib:
        told.append(f"its local disk ({current.local_disk_gib:g} GiB) is emptied by the change")
    if target.network_gbps is None and sizing.need.network.gbps:
        told.append(f"the network bandwidth of {target.instance_type} is not known")
    return told


def _cpu(sizing: Sizing, chosen: int | None) -> dict[str, Any]:
    cpu, settings = sizing.need.cpu, sizing.settings
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
        "percentile": settings.cpu_percentile,
        "headroom_percent": settings.cpu_headroom_percent,
        "limit_percent": settings.limit_percent,
        "needed_vcpus": round(sizing.need.vcpus, 3),
    }
    if chosen is not None:
        target = sizing.market.shapes[chosen]
        ratio = sizing.current.vcpus / target.vcpus
        figures["p99_5_on_target_percent"] = round(cpu.p99_5 * ratio, 2)
        if (percent := _smt_percent(sizing, target)) is not None:
            figures["p99_5_on_target_smt_percent"] = round(percent, 2)
    return figures


def _memory(sizing: Sizing) -> dict[str, Any]:
    memory = sizing.need.memory
    figures: dict[str, Any] = {"measured": memory.measured, "today_gib": memory.today_gib}
    if memory.peak_percent is not None:
        figures["peak_percent"] = round(memory.peak_percent, 3)
        figures["headroom_percent"] = sizing.settings.memory_headroom_percent
    if memory.needed_gib is not None:
        figures["needed_gib"] = round(memory.needed_gib, 3)
    return figures


def _memory_words(sizing: Sizing) -> str:
    memory = sizing.need.memory
    if memory.measured and memory.needed_gib is not None and not sizing.memory_is_settled:
        return (
            f"memory peaks at {memory.peak_percent:.3g} % of {memory.today_gib:g} GiB and needs "
            f"{memory.needed_gib:.3g} GiB with {sizing.settings.memory_headroom_percent:g} % "
            "headroom"
        )
    known = "memory" if memory.measured else "memory is not measured and"
    if sizing.memory_is_settled:
        return f"{known} stays as it is, as it does not depend on the type here"
    if memory.today_gib is None:
        return "how much memory it has is not known"
    return f"memory is not measured, so at least {memory.today_gib:g} GiB are kept"


def _disputed(sizing: Sizing) -> dict[str, Any]:
    """What the size would be without the CPU spikes that no witness metric confirms."""
    disputed = sizing.case.disputed
    assert disputed is not None  # asked only where some are
    without = _resized(sizing, disputed.corroborated(sizing.need.cpu.profile))
    chosen = without.choice
    return {
        "samples": disputed.samples,
        "example_at": disputed.example_at.isoformat(),
        "example_percent": round(disputed.example_value, 3),
        "p99_5_without_percent": round(without.need.cpu.p99_5, 3),
        "needed_vcpus_without": round(without.need.vcpus, 3),
        "instance_type_without": (
            sizing.current.instance_type
            if chosen is None
            else sizing.market.shapes[chosen].instance_type
        ),
    }


def _resized(sizing: Sizing, profile: Profile) -> Sizing:
    need = need_of(sizing.case, sizing.current, profile, sizing.settings)
    return replace(sizing, need=need)


def _smt_percent(sizing: Sizing, target: Shape) -> float | None:
    """P99.5 on the target if a core's second hardware thread adds little; None = no such threads,
    or not known."""
    if whole_cores(sizing.current) is not False or whole_cores(target):
        return None
    return smt_percent(sizing.need.cpu.p99_5, sizing.current.vcpus / target.vcpus)


def _vcpus(count: float) -> str:
    return f"{count:.3g} vCPU{'' if count == 1 else 's'}"

"""What a rightsizing rests on: the sentence a person can check, the risk, and when to undo it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from costopt.model import Guard, Risk
from costopt.optimize.guard import allowance, samples_to_revert
from costopt.optimize.memory import GROWTH, TREND
from costopt.optimize.outlook import Chances, MemoryOutlook
from costopt.rules.base import span
from costopt.rules.prices import list_price
from costopt.rules.sizing import GAMBLE, Sizing
from costopt.units import SECONDS_PER_DAY, cents, counted, per_month

_MEMORY_LIMIT_PERCENT: Final = 95.0
"""Out of memory a process is killed, so the guard speaks before."""

_BOUND: Final = "upper bound: Wilson 95 %, distinct hours counted as observations"
_OF_SMALLER: Final = (
    f"share of past samples over the limit of the recommended size, never too low; {_BOUND}; "
    "rollback: logistic model of this fleet's own past and a prior of other fleets', and the "
    "machine's own record; its upper bound: one-sided 95 %"
)
_OF_LARGER: Final = (
    f"share of past samples over the limit of the recommended size; {_BOUND}; what demand would "
    "have been above today's size was cut off, and is in neither"
)
_NOT_ASKED: Final = "not applicable: a larger machine"


def demand(sizing: Sizing) -> str:
    """What it uses: "CPU P99.5 is 17.2 % of 16 vCPUs over 42 days"; disputed spikes do not size,
    so they are left out of the figure, and the figure with them is told beside it."""
    cpu = sizing.need.cpu
    days = counted(span(cpu.profile).days, "day", ".0f")
    told = f"CPU P99.5 is {p99_5_decided_on(sizing):.3g} % of {_vcpus(sizing.current.vcpus)}"
    if not _is_disputed(sizing):
        return f"{told} over {days}"
    return f"{told} over {days} without disputed spikes ({cpu.p99_5:.3g} % with them)"


def p99_5_decided_on(sizing: Sizing) -> float:
    """Percent of today's machine; without its disputed spikes, as they do not size."""
    disputed = sizing.case.disputed
    return disputed.p99_5 if disputed and _is_disputed(sizing) else sizing.need.cpu.p99_5


def _is_disputed(sizing: Sizing) -> bool:
    return sizing.case.disputed is not None and sizing.outlook.with_disputed is not None


def reason(sizing: Sizing, chosen: int) -> str:
    """The advice in one sentence with its figures, but for the chance of having to undo it: that
    is `risk`'s, and every report shows it beside."""
    target, price = sizing.offer(chosen), sizing.price(chosen)
    memory = f", {figure(target.memory_gib)} GiB" if target.memory_gib is not None else ""
    parts = [
        demand(sizing),
        f"{target.instance_type} ({_vcpus(target.vcpus or 0)}{memory}) costs "
        f"{figure(price)} instead of {figure(sizing.hourly)} "
        f"{sizing.currency} an hour{_discounted(sizing)}",
        memory_words(sizing),
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
    limit = sizing.settings.limit_percent
    percent = 100 * sizing.need.cpu.share_over(limit)
    text = f"CPU is over {limit:g} % for {percent:.1f} % of the time, so it wants more than it gets"
    position = sizing.next_larger
    if position is None:
        return f"{text}; no larger type here holds its demand"
    larger = sizing.market.shapes[position]
    more = cents(per_month(sizing.price(position)) - per_month(sizing.hourly))
    return (
        f"{text}; {larger.instance_type} ({_vcpus(larger.vcpus)}) would hold what is seen, for "
        f"{more} {sizing.currency} a month more {sizing.price_basis}"
    )


def _discounted(sizing: Sizing) -> str:
    basis = sizing.price_basis
    return "" if basis == "at list" else f" {basis}"


def risk(sizing: Sizing, chosen: int) -> Risk:
    """Share of time over the limit on the target, as the past would have had it, and the chance
    that the change must be undone: of a larger machine it has none, as demand was cut off."""
    cpu, limit, outlook = sizing.need.cpu, sizing.settings.limit_percent, sizing.outlook
    capacity = float(sizing.capacities[chosen])
    share = cpu.share_over(limit * capacity)
    if not sizing.is_smaller(chosen):
        return Risk(limit, share, cpu.upper_bound(share), _OF_LARGER, confidence=_NOT_ASKED)
    chance = float(sizing.offers.risk[chosen])
    upper = Chances(outlook.now.sizes, outlook.upper, outlook.now.peak_percent)
    return Risk(
        limit_percent=limit,
        expected_share=share,
        upper_bound=cpu.upper_bound(share),
        method=_OF_SMALLER,
        rollback_probability=chance,
        rollback_probability_upper=max(chance, float(upper.at(np.array([capacity]))[0])),
        horizon_days=outlook.horizon_days,
        confidence=confidence(chance, len(outlook.replays)) + _if_no_work(sizing, capacity),
    )


def _if_no_work(sizing: Sizing, capacity: float) -> str:
    """What the words of confidence rest on, where disputed spikes would turn them round."""
    real = sizing.outlook.with_disputed
    if real is None or float(real.at(np.array([capacity]))[0]) < GAMBLE:
        return ""
    return ", if its disputed CPU spikes are no work"


def confidence(chance: float, origins: int) -> str:
    """How sure the advice is, in words people understand."""
    limits = ((0.02, "very likely safe"), (0.1, "likely safe"), (GAMBLE, "worth trying, watched"))
    words = next((said for limit, said in limits if chance < limit), "a gamble")
    return words if origins else f"{words}, judged by other machines' past only"


def guards(sizing: Sizing, chosen: int) -> tuple[Guard, ...]:
    """When to undo the change: the budget of CPU violations used up, or memory nearly full.

    An alarm counts every sample over the limit: also those that today's machine would be over its
    own limit in, and disputed ones. Both are allowed on top, as many as the past had.
    """
    profile, outlook, case = sizing.need.cpu.profile, sizing.outlook, sizing.case
    slots = outlook.horizon_days * SECONDS_PER_DAY // profile.period_seconds
    as_today = allowance(slots, float(outlook.over[0]))
    disputed = allowance(slots, outlook.disputed_share(float(sizing.capacities[chosen])))
    cpu = Guard(
        metric_name="cpu_utilization",
        limit_percent=sizing.settings.limit_percent,
        samples=samples_to_revert(slots, outlook.budget) + as_today + disputed,
        period_seconds=profile.period_seconds,
        horizon_days=outlook.horizon_days,
        until=case.as_of + timedelta(days=outlook.horizon_days),
        allowed_today=as_today,
        allowed_disputed=disputed,
    )
    target, today = sizing.offer(chosen).memory_gib, sizing.current.memory_gib
    if not sizing.need.memory.measured or None in (target, today) or target == today:
        return (cpu,)
    memory = replace(
        cpu,
        metric_name="memory_utilization",
        limit_percent=_MEMORY_LIMIT_PERCENT,
        samples=1,
        allowed_today=0,
        allowed_disputed=0,
    )
    return cpu, memory


def memory_words(sizing: Sizing) -> str:
    """What is known of its memory, and what a target must have."""
    memory = sizing.need.memory
    outlook, today, needed = memory.outlook, memory.today_gib, memory.needed_gib
    if outlook and today is not None and needed is not None and not sizing.memory_is_settled:
        return (
            f"memory peaks at {outlook.peak_percent:.3g} % of {figure(today)} GiB and needs "
            f"{figure(needed, 3)} GiB {_kept_for(outlook)}"
        )
    known = "memory" if memory.measured else f"{_unmeasured(sizing)} and"
    if sizing.memory_is_settled:
        return f"{known} stays as it is, as it does not depend on the type here"
    if memory.today_gib is None:
        return "how much memory it has is not known"
    return f"{_unmeasured(sizing)}, so at least {figure(memory.today_gib)} GiB are kept"


def _unmeasured(sizing: Sizing) -> str:
    """In which way no size can be read from its memory."""
    case = sizing.case
    if gate := case.gate("memory_utilization"):
        return f"memory is not usable ({gate.check})"
    if not any(case.profile("memory_utilization", of) for of in ("mean", "max")):
        return "memory is not measured"
    if not sizing.settings.size_memory:
        return "memory is not trusted (size_memory)"
    return "memory is measured on too few days, or only as 0,"


def _kept_for(outlook: MemoryOutlook) -> str:
    if outlook.headroom.headroom_percent is None:
        return f"as it has today: {outlook.headroom.words}"
    if outlook.binding == GROWTH:
        return f"as its peak has grown by {100 * (outlook.growth - 1):.0f} % in a fortnight before"
    if outlook.binding == TREND:
        return f"as its peaks rise by {counted(outlook.trend, 'point', '.2g')} a day"
    return f"with {outlook.headroom.headroom_percent:g} % headroom"


def figure(value: float | Decimal, digits: int = 4) -> str:
    """With so many significant digits, whole from a thousand on: 0.1069, 8.41, 12,288."""
    plain = float(value)
    return f"{plain:,.{digits}g}" if plain < 1000 else f"{plain:,.0f}"


def _vcpus(count: float) -> str:
    return counted(count, "vCPU", ".3g")

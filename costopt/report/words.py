"""How a report's values are said to people: amounts, shares, machines, places, changes.

Nothing here is escaped; each format does that for its own medium (see safe.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from costopt.model import PURCHASES, ActionType, Offer, Recommendation, Report, WeekPlan
from costopt.units import cents, counted

_GONE: Final = {ActionType.STOP: "stopped", ActionType.DELETE: "deleted"}
_INITIALS: Final = {
    **{part: part.upper() for part in ("cpu", "gpu", "sm", "smt")},
    **{part: part.upper() for part in ("p50", "p90", "p95", "p99", "p99.5")},
}


def amount(value: Decimal) -> str:
    """To the cent, with thousands separators: 1,234.50."""
    return f"{cents(value):,.2f}"


def less(before: Decimal, saved: Decimal) -> str:
    """What is left after a saving, so that the three amounts add up as they are written."""
    return amount(cents(before) - cents(saved))


def price(value: Decimal | None) -> str:
    """An hourly price with the decimals it has, at least two: 0.768, 1.20, 0.0052; "?" unknown."""
    if value is None:
        return "?"
    exact = value.normalize()
    decimals = max(2, -int(exact.as_tuple().exponent))
    return f"{exact:,.{decimals}f}"


def rate(value: Decimal | None) -> str:
    """An hourly price to four significant digits, to be compared and not reckoned with: 0.4277."""
    return price(None if value is None else Decimal(f"{value:.4g}"))


def figure(value: float) -> str:
    """A count or size without needless decimals: 4, 0.5, 1.75."""
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def spoken(field_name: str) -> str:
    """A field's name as words: `cpu_p99_5` is `CPU P99.5`."""
    parts = re.sub(r"(?<=p\d\d)_(?=\d)", ".", field_name).split("_")
    return " ".join(_INITIALS.get(part, part) for part in parts)


def measure(value: float, unit: str) -> str:
    """A measured value with its unit: `12.4 %`, `1.3 MB/s`, `71 W`."""
    if unit == "B/s":
        steps = ("", "k", "M", "G")
        # 999.5 and more would be told as 1e+03
        step = next((n for n in range(3) if value / 1000**n < _THREE_DIGITS), 3)
        value, unit = value / 1000**step, f"{steps[step]}B/s"
    return f"{_three_digits(value)} {unit}".rstrip()


_THREE_DIGITS: Final = 999.5


def _three_digits(value: float) -> str:
    if 0 < value < 0.001:
        return "<0.001"
    return f"{value:.3g}" if abs(value) < _THREE_DIGITS else f"{value:,.0f}"


def metric(metric_name: str) -> str:
    """A metric's name as words: `cpu_utilization` is `CPU utilization`."""
    parts = [_INITIALS.get(part, part) for part in metric_name.removeprefix("x_").split("_")]
    text = " ".join(parts)
    return text[:1].upper() + text[1:]


def percent(share: float) -> str:
    """A share (0 to 1) as a percentage; what is more than nothing never reads as nothing."""
    if 0 < share < 0.0001:
        return "<0.01 %"
    if share < 0.01:
        return f"{share * 100:.2g} %"
    return f"{share * 100:.1f} %"


def at_most(share: float) -> str:
    """A share as an upper bound in percent, rounded up: `≤ 1.3 %`."""
    step = 10_000 if share < 0.01 else 1_000  # hundredths of a percent, then tenths
    up = max(1, math.ceil(share * step - 1e-9)) * 100 / step
    return f"≤ {up:.2f} %" if share < 0.01 else f"≤ {up:.1f} %"


def chance(share: float) -> str:
    """A chance in percent, to the tenth below 10 % and whole above, as it is known no better; never
    "0 %" or "100 %"."""
    if share < 0.0005:
        return "<0.1 %"
    if share < 0.0995:
        return f"{100 * share:.1f} %"
    return f"{100 * share:.0f} %" if share < 0.995 else ">99 %"


def chance_at_most(share: float) -> str:
    """The upper bound of a chance, rounded up in the same steps: `≤ 8.5 %`, `≤ 13 %`."""
    tenths = math.ceil(1000 * share - 1e-9)
    if tenths < 100:
        return f"≤ {max(1, tenths) / 10:.1f} %"
    return f"≤ {math.ceil(100 * share - 1e-9)} %"


_STEPS: Final = {
    "stop": "stop",
    "schedule": "schedule",
    "size": "make smaller",
    "grow": "make larger",
    "spot": "run on spot",
    "move": "run elsewhere",
    "commit": "buy ahead",
}


def steps(report: Report) -> str:
    """How the savings come about, one after the other; "" where there is one kind of change."""
    if len(report.steps) < 2:
        return ""
    told = (f"{_STEPS[step.kind]} {amount(step.monthly_savings)}" for step in report.steps)
    return "step by step, each on what is left by those before: " + ", ".join(told)


def saved(report: Report) -> Decimal:
    """What the recommendations save that save anything, a month."""
    return report.summary.monthly_savings + report.summary.monthly_extra_cost


def saved_share(report: Report) -> float:
    """Which share of the spend that is; 0 where nothing is spent."""
    spend = report.summary.monthly_spend
    return float(saved(report) / spend) if spend else 0.0


def remaining(report: Report) -> str:
    """What would be spent after all changes, so that the amounts add up as they are written."""
    summary = report.summary
    left = cents(summary.monthly_spend) - cents(saved(report))
    return amount(left + cents(summary.monthly_extra_cost))


def cost_today(one: Recommendation) -> Decimal:
    """What the resource costs a month as it is."""
    known = one.current_monthly_cost
    if known is not None:
        return known
    return one.estimated_monthly_cost + one.estimated_monthly_savings.target


INDEPENDENT: Final = "Each change as if it stood alone: they do not add up. Totals are the plan's."

UNRECONCILED: Final = "unreconciled"
"""Beside a saving that the bill reckoned anew cannot vouch for."""


def costs_more(one: Recommendation) -> bool:
    """Whether it is advice to pay more: for a machine that is too small for its demand."""
    return one.estimated_monthly_savings.target < 0


def parted(
    advice: Sequence[Recommendation],
) -> tuple[list[Recommendation], list[Recommendation]]:
    """Those that save, and those that cost more; each list is shortened by itself, for the one
    is about money and the other about machines that are too small today."""
    saving = [one for one in advice if not costs_more(one)]
    return saving, [one for one in advice if costs_more(one)]


LATER: Final = "Once the commitment ends or is used elsewhere"


def by_when(
    saving: Sequence[Recommendation],
) -> tuple[list[Recommendation], list[Recommendation]]:
    """Those that take something off the bill at once, and those that do only once the commitment
    that covers the machine ends or is used elsewhere, the largest such saving first."""
    later = [one for one in saving if _saves_later(one)]
    return (
        [one for one in saving if not _saves_later(one)],
        sorted(later, key=lambda one: -one.estimated_monthly_savings.high),
    )


def _saves_later(one: Recommendation) -> bool:
    amounts = one.estimated_monthly_savings
    return not cents(amounts.target) and cents(amounts.high) > 0


_WORDS: Final = re.compile("[A-Z][a-z]*")
_NAMES: Final = frozenset({"Graviton", "Savings", "Plans", "Reserved", "Instances"})
"""That providers write with a capital."""


def action(kind: ActionType) -> str:
    """The action in words: `Rightsize`, `Move region`, `Migrate to Graviton`."""
    first, *rest = _WORDS.findall(kind.value.removeprefix("x_"))
    return " ".join((first, *(one if one in _NAMES else one.lower() for one in rest)))


def reasons(shown: Iterable[Recommendation]) -> list[str]:
    """Why, of each; what is said of a whole group is said of its first machine."""
    first: dict[tuple[object, str], str] = {}
    found = []
    for one in shown:
        key = one.evidence.get("group_name"), one.reason
        if key[0] and key in first:
            found.append(f"with {first[key]}, as told there")
        else:
            first[key] = name(one)
            found.append(one.reason)
    return found


def machine(offer: Offer) -> str:
    """The machine type, or its size where it has no type."""
    return offer.instance_type or size(offer) or "unknown"


def size(offer: Offer) -> str:
    """What is in the machine: `4 vCPUs, 16 GiB, 1 x A100`; "" where nothing is known."""
    parts = []
    if offer.vcpus is not None:
        parts.append(counted(offer.vcpus, "vCPU", ",.4g"))
    if offer.memory_gib is not None:
        parts.append(f"{figure(offer.memory_gib)} GiB")
    if offer.gpu_count:
        parts.append(f"{offer.gpu_count} x {offer.gpu_model or 'GPU'}")
    return ", ".join(parts)


def change(one: Recommendation) -> str:
    """From which machine to which: `m5.4xlarge → m5.xlarge`, `m5.large → stopped`,
    `m5.large → 68 of 168 h a week`, `4 x m5.large → 2 to 4`, `on demand → 2.66 USD an hour`."""
    if one.schedule:
        return _in_time(one, one.schedule)
    if one.action_type in PURCHASES and one.recommended:
        return f"on demand → {rate(one.recommended.hourly_price)} {one.currency} an hour"
    gone = _GONE.get(one.action_type, "nothing")
    return f"{machine(one.current)} → {machine(one.recommended) if one.recommended else gone}"


def _in_time(one: Recommendation, plan: WeekPlan) -> str:
    if one.replicas is not None:
        return f"{one.replicas} x {machine(one.current)} → {min(plan.levels)} to {max(plan.levels)}"
    hours = sum(plan.levels) * plan.slot_minutes / 60
    return f"{machine(one.current)} → {hours:g} of 168 h a week"


def size_change(one: Recommendation) -> str:
    """What the change takes away or adds, sizes side by side: `16 → 4 vCPUs, 64 → 16 GiB`."""
    before, after = one.current, one.recommended
    if after is None:
        return size(before)
    parts = [
        _pair(before.vcpus, after.vcpus, "vCPU", "vCPUs"),
        _pair(before.memory_gib, after.memory_gib, "GiB", "GiB"),
    ]
    if before.gpu_count or after.gpu_count:
        parts.append(_pair(before.gpu_count, after.gpu_count, "GPU", "GPUs"))
    return ", ".join(part for part in parts if part)


def _pair(before: float | None, after: float | None, unit: str, units: str) -> str:
    if before is None and after is None:
        return ""
    if before == after and before is not None:
        return f"{figure(before)} {unit if before == 1 else units}"
    first, then = ("?" if value is None else figure(value) for value in (before, after))
    return f"{first} → {then} {unit if after == 1 else units}"


def place(offer: Offer) -> str:
    """Whose and where: `AWS eu-west-1`."""
    return f"{offer.provider_name} {offer.region_id}" if offer.region_id else offer.provider_name


def places(one: Recommendation) -> str:
    """Where it is, and where it goes if it moves."""
    here = place(one.current)
    there = place(one.recommended) if one.recommended else here
    return here if here == there else f"{here} → {there}"


def name(one: Recommendation) -> str:
    """What people call it: its name, else its id."""
    return one.resource_name or one.resource_id


def short_id(resource_id: str) -> str:
    """The end of a long path or ARN, which is what tells resources apart."""
    return resource_id.rstrip("/").rsplit("/", 1)[-1]


def nothing(report: Report) -> str:
    """What an empty list of advice means: all is well, or nothing could be judged."""
    if report.summary.well_sized or not report.summary.skips:
        return "Nothing to change."
    return "No advice: nothing could be judged, for the reasons below."

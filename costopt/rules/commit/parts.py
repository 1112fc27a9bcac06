"""What to order, part by part: on which day, for how long, paid how, and as what.

Reservations are ordered as machines of one type, Google's as vCPUs and memory, plans as money an
hour; and in an account: shared or not, that account's usage is served first.
"""

from __future__ import annotations

import math
from calendar import monthrange
from datetime import date
from typing import Any, Final

from costopt.optimize.commitment import Tranche
from costopt.rules.commit.demand import Left
from costopt.rules.commit.outcome import Bought
from costopt.rules.commit.sorts import Deal, vcpus
from costopt.units import cents, money

_HOURS_PER_YEAR: Final = 8760
_MEMORY_STEP: Final = 0.25  # GiB: what Google sells memory in


def tranche(one: Bought, part: Tranche, begins: date, left: Left) -> dict[str, Any]:
    """One part of a purchase, as it is ordered."""
    priced, hourly = one.deal.priced_as(part.term), one.planned.cost(part)
    years = priced.months // 12
    unknown = "as the one that is held" if priced.by_bill else "not told"
    return {
        "buy_on": months_after(begins, part.month),
        "ends_on": months_after(begins, part.ends),
        "term": f"{years}yr" if priced.term.told else f"not told, taken for {years}yr",
        "payment": priced.term.payment or unknown,
        "hourly_commitment": money(round(hourly, 6)),
        "upfront": cents(money(hourly * priced.upfront * years * _HOURS_PER_YEAR)),
        "hourly_after_upfront": money(round(hourly * (1 - priced.upfront), 6)),
        **bought_as(one, part.quantity, left),
    }


def bought_as(one: Bought, quantity: float, left: Left) -> dict[str, Any]:
    """Of so many units of a reservation what is ordered: machines, or vCPUs and memory."""
    deal = one.deal
    if not deal.by_machines or not deal.step:
        return {}
    count = round(quantity / deal.step, 2)
    if not vcpus(deal.first, left):
        return {"reserved": {"instance_type": _smallest(deal, left), "count": count}}
    gib = count * _memory(deal, left) / vcpus(deal.first, left)
    return {
        "reserved": {
            "vcpus": count,
            "memory_gib": math.floor(gib / _MEMORY_STEP + 1e-6) * _MEMORY_STEP,
        }
    }


def _smallest(deal: Deal, left: Left) -> str:
    """The smallest type in use, the rest being flexible."""
    kind = left.kinds[min(deal.first.shares, key=lambda kind: (left.rates[kind], kind))]
    return kind.name


def _memory(deal: Deal, left: Left) -> float:
    """GiB that a unit of money on demand an hour is, over what the deal could cover."""
    kinds = list(deal.first.shares)
    weights = left.hourly(kinds)
    each = [left.makeup[kind].memory_gib for kind in kinds]
    return float(weights @ each) / (float(weights.sum()) or 1.0)


def account(deal: Deal, left: Left) -> tuple[str, float]:
    """The account with most of the demand that the deal could cover, and its share of it; "" where
    the bill names none."""
    money_of: dict[str, float] = {}
    for kind in deal.first.shares:
        for name, amount in left.makeup[kind].accounts.items():
            money_of[name] = money_of.get(name, 0.0) + amount
    name = min(money_of, key=lambda each: (-money_of[each], each), default="")
    total = sum(money_of.values())
    return name, round(money_of[name] / total, 4) if name and total else 0.0


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last."""
    year, month = divmod(day.month - 1 + months, 12)
    last = monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))

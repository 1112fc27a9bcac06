"""The sizes beside the chosen one, drawn: what each costs, what it risks, and what that comes to.

Only today's and the recommended family, and the alternatives: what else there is, the rule chose
from but a person need not read. Reads `cpu.risk_of_sizes`, `memory.needed_gib` and `rollback_cost`
of a rule's evidence (rules/evidence.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from costopt.model import Offer, Recommendation
from costopt.optimize.cost import expected
from costopt.optimize.size import large_enough
from costopt.report import words
from costopt.report.screen import HEAD, MONEY, PLAIN, QUIET, Screen
from costopt.rules.base import Case
from costopt.rules.prices import as_billed, sustained_month
from costopt.units import counted

_BELOW: Final = 4  # cheaper sizes shown
_ABOVE: Final = 2  # dearer ones
_RECOMMENDED: Final = "recommended"
_NO_MEMORY: Final = "too little memory"


@dataclass(frozen=True, slots=True)
class _Size:
    """One row: a type at its price."""

    name: str
    vcpus: float
    memory_gib: float | None
    price: Decimal  # of an hour, as it would be billed


def draw(
    screen: Screen, case: Case, evidence: Mapping[str, Any], advice: Recommendation | None
) -> bool:
    """A table around the recommended machine, or today's where nothing is advised.

    Returns:
        Whether it was drawn: nothing is where the market lacks the machine.
    """
    sizes = _sizes(case, advice)
    if not sizes:
        return False
    with_risk = advice is None or not words.costs_more(advice)
    risks = _Risks(case, evidence) if with_risk else None
    titles = ["", "vCPUs", "GiB", "an hour", *(("undo risk", "expected") if risks else ()), ""]
    table = [[(title, HEAD) for title in titles]]
    for size in sizes:
        verdict = _verdict(case, size, evidence, advice)
        texts = [
            size.name,
            words.figure(size.vcpus),
            "?" if size.memory_gib is None else words.figure(size.memory_gib),
            words.rate(size.price),
            *(risks.of(size, verdict != _NO_MEMORY) if risks else ()),
            verdict,
        ]
        style = MONEY if verdict == _RECOMMENDED else PLAIN
        table.append([(text, style) for text in texts])
    screen.table(table, [False, *(True for _ in titles[1:-1]), False])
    if risks and (basis := risks.basis):
        screen.paragraph(basis, QUIET)
    return True


def break_even(case: Case, evidence: Mapping[str, Any]) -> tuple[float, str] | None:
    """The rollback cost, in windows, below which a smaller size of today's family costs less to
    expect than today's machine, and that size; None where no rollback cost makes it so, or a
    figure is missing. Other families are not looked at: those must be clearly cheaper."""
    risks, sizes = _Risks(case, evidence), _sizes(case, None)
    need, memory = evidence.get("memory", {}).get("needed_gib"), case.current.memory_gib
    found = [
        (windows, size.name)
        for today in sizes
        if _same(today.name, case.current.instance_type)
        for size in sizes
        if _holds(need, memory, size) and (windows := risks.break_even(size, today)) > 0
    ]
    return max(found, default=None)


# -- which -----------------------------------------------------------------------------------


def _sizes(case: Case, advice: Recommendation | None) -> list[_Size]:
    """The neighbours, today's and the alternatives, cheapest first; none where it is not found."""
    chosen = advice.recommended if advice and advice.recommended else case.current
    kin = _kin(case, chosen) if case.shape else []
    place = next((n for n, size in enumerate(kin) if _same(size.name, chosen.instance_type)), None)
    if place is None:
        return []
    shown = kin[max(0, place - _BELOW) : place + _ABOVE + 1]
    shown += [size for size in kin if _same(size.name, case.current.instance_type)]
    offers = advice.alternatives if advice else ()
    shown += [_alternative(offer, _month(case)) for offer in offers if _whole(offer)]
    named = {_key(size.name): size for size in reversed(shown)}
    return sorted(named.values(), key=lambda size: (size.price, size.vcpus, size.name))


def _kin(case: Case, chosen: Offer) -> list[_Size]:
    """Today's and the chosen family where the machine stands, cheapest first."""
    resource, current = case.resource, case.current
    market = case.catalogue.market(
        resource.provider_name,
        resource.region_id,
        operating_system=resource.operating_system,
        pricing_category="Dynamic" if chosen.pricing_category == "Dynamic" else "Standard",
        currency=chosen.currency or (case.cost.currency if case.cost else "USD"),
    )
    named = {_key(current.instance_type), _key(chosen.instance_type)}
    families = {shape.family for shape in market.shapes if _key(shape.instance_type) in named}
    month = _month(case)
    return [
        _Size(
            shape.instance_type,
            shape.vcpus,
            shape.memory_gib,
            as_billed(price.list_unit_price, shape.instance_type, month),
        )
        for shape, price in zip(market.shapes, market.prices, strict=True)
        if shape.family in families
    ]


def _month(case: Case) -> Decimal:
    return sustained_month(case.resource, case.cost) if case.cost else Decimal(0)


def _whole(offer: Offer) -> bool:
    return None not in (offer.instance_type, offer.vcpus, offer.hourly_price)


def _alternative(offer: Offer, month: Decimal) -> _Size:
    assert offer.vcpus is not None  # `_whole` asked
    assert offer.hourly_price is not None
    price = as_billed(offer.hourly_price, offer.instance_type or "", month)
    return _Size(words.machine(offer), offer.vcpus, offer.memory_gib, price)


# -- what of each ----------------------------------------------------------------------------


class _Risks:
    """The chance of having to undo each size, and what it costs to expect."""

    def __init__(self, case: Case, evidence: Mapping[str, Any]) -> None:
        cost = evidence.get("rollback_cost", {})
        self._of_sizes = evidence.get("cpu", {}).get("risk_of_sizes", {})
        self._windows, self._safe = cost.get("windows"), cost.get("safe_hourly_price")
        self._today = case.current.vcpus or 0.0

    def of(self, size: _Size, to_be_had: bool) -> tuple[str, str]:
        """Both, as words; "" where they are not known. What is not to be had costs nothing."""
        chance = 0.0 if size.vcpus >= self._today else self._of_sizes.get(f"{size.vcpus:g}")
        if chance is None:
            return "", ""
        told = words.chance(chance) if chance else "none"
        return told, self._expected(size, chance) if to_be_had else ""

    def _expected(self, size: _Size, chance: float) -> str:
        if self._windows is None or self._safe is None:
            return ""
        price, risk = np.array([float(size.price)]), np.array([chance])
        return words.figure(float(expected(price, risk, self._safe, self._windows)[0]))

    def break_even(self, size: _Size, today: _Size) -> float:
        """The rollback cost at which to expect the size costs as much as today's machine does; at
        most 0 where it is never less, or that is not known."""
        chance = self._of_sizes.get(f"{size.vcpus:g}")
        if not chance or self._safe is None or size.vcpus >= self._today:
            return 0.0
        price, risk = np.array([float(size.price)]), np.array([chance])
        free, one = (float(expected(price, risk, self._safe, n)[0]) for n in (0.0, 1.0))
        return (float(today.price) - free) / (one - free)

    @property
    def basis(self) -> str:
        """What "expected" means, with its figures; "" where it is not known."""
        if self._windows is None or self._safe is None:
            return ""
        return (
            "expected: the price an hour, plus the chance of an undo times what that costs: the "
            "rest up to the price of the cheapest machine that holds the highest demand seen "
            f"({words.figure(self._safe)} an hour), and "
            f"{counted(self._windows, 'window', ',.4g')} of it for the trouble. That machine is "
            "a yardstick, the same whatever runs today; who undoes a change goes back to the "
            "former size. The least is taken; another family only where it is clearly less."
        )


def _verdict(
    case: Case, size: _Size, evidence: Mapping[str, Any], advice: Recommendation | None
) -> str:
    if advice and advice.recommended and _same(size.name, advice.recommended.instance_type):
        return _RECOMMENDED
    if _same(size.name, case.current.instance_type):
        return "today's"
    if not _holds(evidence.get("memory", {}).get("needed_gib"), case.current.memory_gib, size):
        return _NO_MEMORY
    others = advice.alternatives if advice else ()
    return "alternative" if any(_same(size.name, one.instance_type) for one in others) else ""


def _holds(need: float | None, today: float | None, size: _Size) -> bool:
    """Whether its memory is enough, as far as that is known."""
    if need is None or today is None or size.memory_gib is None:
        return True
    return bool(large_enough(need, today, np.array([size.memory_gib]))[0])


def _same(name: str, other: str | None) -> bool:
    return _key(name) == _key(other)


def _key(instance_type: str | None) -> str:
    return (instance_type or "").casefold()

"""The sizes beside the chosen one, drawn: which cheaper ones would not do, and which would.

Only the families of today's and of the recommended machine: what else there is, the rule chose from
but a person need not read. Reads `cpu.needed_vcpus` and `memory.needed_gib` of a rule's evidence;
without them nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from costopt.model import Offer, Price, Shape
from costopt.optimize.size import large_enough
from costopt.report import words
from costopt.report.screen import HEAD, PLAIN, QUIET, STRONG, Screen
from costopt.rules.base import Case

_BELOW: Final = 4  # cheaper sizes shown
_ABOVE: Final = 2  # dearer ones
_TITLES: Final = ("", "vCPUs", "GiB", "an hour", "")


def draw(screen: Screen, case: Case, evidence: Mapping[str, Any], chosen: Offer | None) -> None:
    """A table around `chosen`, or around today's machine where nothing was chosen."""
    needs = tuple(evidence.get(part, {}).get(name) for part, name in _NEEDS)
    kin = _kin(case, chosen) if case.shape and needs[0] is not None else []
    middle = _name((chosen or case.current).instance_type)
    place = next((n for n, (s, _) in enumerate(kin) if _name(s.instance_type) == middle), None)
    if place is None:
        return
    screen.blank()
    vcpus, memory = (None if need is None else words.figure(need) for need in needs)
    wanted = f"needs {vcpus} vCPUs" + (f" and {memory} GiB" if memory else "")
    screen.line(("Sizes beside it", STRONG), (f"  {wanted}", QUIET))
    table = [[(title, HEAD) for title in _TITLES]]
    for shape, price in kin[max(0, place - _BELOW) : place + _ABOVE + 1]:
        texts = (
            shape.instance_type,
            words.figure(shape.vcpus),
            "?" if shape.memory_gib is None else words.figure(shape.memory_gib),
            words.price(price.list_unit_price),
            _verdict(case, shape, needs, chosen),
        )
        table.append([(text, PLAIN) for text in texts])
    screen.table(table, [False, True, True, True, False])


_NEEDS: Final = (("cpu", "needed_vcpus"), ("memory", "needed_gib"))


def _kin(case: Case, chosen: Offer | None) -> list[tuple[Shape, Price]]:
    """Today's and the chosen family where the machine stands, cheapest first."""
    resource, current = case.resource, case.current
    category = (chosen or current).pricing_category
    market = case.catalogue.market(
        resource.provider_name,
        resource.region_id,
        operating_system=resource.operating_system,
        pricing_category="Dynamic" if category == "Dynamic" else "Standard",
        currency=case.cost.currency if case.cost else "USD",
    )
    named = {_name(offer.instance_type) for offer in (current, chosen) if offer}
    families = {s.family for s in market.shapes if _name(s.instance_type) in named}
    both = zip(market.shapes, market.prices, strict=True)
    return [(shape, price) for shape, price in both if shape.family in families]


def _verdict(
    case: Case, shape: Shape, needs: tuple[float | None, float | None], chosen: Offer | None
) -> str:
    assert case.shape is not None  # `draw` asked
    if chosen and _name(shape.instance_type) == _name(chosen.instance_type):
        return "recommended"
    if _name(shape.instance_type) == _name(case.shape.instance_type):
        return "today's"
    figures = (
        ("too few vCPUs", needs[0], case.shape.vcpus, shape.vcpus),
        ("too little memory", needs[1], case.shape.memory_gib, shape.memory_gib),
    )
    for word, need, today, offered in figures:
        if need is None or today is None or offered is None:
            continue
        if not large_enough(need, today, np.array([offered]))[0]:
            return word
    return "holds both"


def _name(instance_type: str | None) -> str:
    return (instance_type or "").casefold()

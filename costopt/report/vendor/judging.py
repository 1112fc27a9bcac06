"""The type that a vendor recommends, judged as costopt judges its own (rules/sizing.py): whether it
could take the machine's place, its risk, what it costs to expect, and what it would save."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import numpy as np

from costopt.pricing.catalogue import Market
from costopt.pricing.layer import type_key
from costopt.report import words
from costopt.rules.candidates import CONSTRAINTS, distance, feasible
from costopt.rules.rightsize import estimate_of
from costopt.rules.sizing import Sizing


@dataclass(frozen=True, slots=True)
class Judged:
    """One type in a machine's place."""

    name: str
    obstacles: tuple[str, ...]  # what but for CPU demand speaks against it, in words
    hourly: Decimal
    undo_risk: float | None  # None: not less capacity than today's, so nothing to undo
    expected_hourly: float  # what it costs to expect; inf = the risk budget forbids a change
    today_hourly: Decimal
    currency: str  # of the prices above
    monthly_savings: Decimal  # what leaves the bill, after commitments; below 0: it costs more

    @property
    def is_better(self) -> bool:
        """Whether it costs less to expect than today's machine."""
        return self.expected_hourly < float(self.today_hourly)

    @property
    def holds(self) -> bool:
        """Whether it could take the machine's place, and is better."""
        return not self.obstacles and self.is_better


def judged(sizing: Sizing, name: str) -> Judged | None:
    """That type in the machine's place; None where it has no price here, so it is not judged."""
    place = position(sizing, name)
    if place is None:
        return None
    smaller = float(sizing.capacities[place]) < 1 - 1e-9
    estimated, _ = estimate_of(sizing, place)
    return Judged(
        name=sizing.market.shapes[place].instance_type,
        obstacles=tuple(_obstacles(sizing, place)),
        hourly=sizing.price(place),
        undo_risk=float(sizing.offers.risk[place]) if smaller else None,
        expected_hourly=float(sizing.offers.expected[place]),
        today_hourly=sizing.hourly,
        currency=sizing.currency,
        monthly_savings=estimated.savings.target,
    )


def position(sizing: Sizing, name: str) -> int | None:
    """Where the market has that type."""
    return _places(sizing.market).get(type_key(name))


@lru_cache(maxsize=256)
def _places(market: Market) -> Mapping[str, int]:
    """By type; of several spellings of one the cheapest."""
    keys = [type_key(shape.instance_type) for shape in market.shapes]
    return {key: place for place, key in reversed([*enumerate(keys)])}


def cost_words(one: Judged) -> str:
    """What it costs to expect, beside today's machine."""
    expected = one.expected_hourly
    if math.isinf(expected):
        return "the fleet's risk budget forbids any smaller size"
    today = f"where today's machine costs {words.rate(one.today_hourly)}"
    costs = f"{words.figure(expected)} {one.currency} an hour"
    if one.undo_risk is None:
        return f"{one.name} costs {costs}, {today}"
    return (
        f"undo risk {words.chance(one.undo_risk)} on {one.name}: with that it is expected to cost "
        f"{costs}, {today}"
    )


# -- what speaks against it ------------------------------------------------------------------


def _obstacles(sizing: Sizing, place: int) -> Iterator[str]:
    name = sizing.market.shapes[place].instance_type
    if sizing.market.gpu_count[place]:
        yield f"{name} has a GPU, which it does not need"
    if distance(sizing.ladder, sizing.current)[place] < 0:
        yield f"{name} is of older, or of extraordinary, hardware"
    for constraint in CONSTRAINTS:
        lifted = frozenset(CONSTRAINTS) - {constraint}
        if sizing.market.gpu_count[place] or sizing.market.hourly[place] <= 0:
            return
        if not feasible(sizing.ladder, sizing.current, sizing.need, lifted)[place]:
            yield _words(constraint, sizing, place)


def _words(constraint: str, sizing: Sizing, place: int) -> str:
    shape, current = sizing.market.shapes[place], sizing.current
    match constraint:
        case "memory":
            return _of_memory(sizing, place)
        case "network":
            carried = sizing.need.network.gbps or 0.0
            return (
                f"its network carries {carried:.3g} Gbit/s (P99.5 in and out), and "
                f"{shape.instance_type} has {shape.network_gbps or 0:.3g}"
            )
        case "architecture":
            now = current.architecture or "an architecture that is not known"
            return (
                f"software would have to move from {now} to {shape.architecture} "
                "(allow_architecture_change)"
            )
        case "bursts" if shape.burstable_baseline_percent is not None:
            base = f"{shape.instance_type} sustains {shape.burstable_baseline_percent:g} %"
            if current.burstable_baseline_percent is None and not sizing.need.allow_burstable:
                return f"{base} of itself only, and burstable types are not wanted"
            return f"{base} of itself only, less than its mean or half its P95"
    disk = f"its local disk of {current.local_disk_gib:g} GiB would be lost"
    return f"{disk} (allow_local_disk_loss)"


def _of_memory(sizing: Sizing, place: int) -> str:
    memory, shape = sizing.need.memory, sizing.market.shapes[place]
    has = "none that is known" if np.isnan(sizing.market.memory_gib[place]) else (
        f"{words.figure(float(sizing.market.memory_gib[place]))} GiB"
    )  # fmt: skip
    if memory.needed_gib is None:
        return "how much memory it needs is not known"
    needed = f"{words.figure(memory.needed_gib)} GiB"
    why = f"it needs {needed} of memory" if memory.measured else (
        f"memory is not measured, so its {needed} are kept"
    )  # fmt: skip
    return f"{why}, and {shape.instance_type} has {has}"

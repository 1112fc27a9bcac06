"""What keeps a machine as it is, where it is not its CPU demand: the least that would have to be
otherwise for a smaller machine to be chosen. A machine is called well sized only for what is true.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from costopt.rules.candidates import ARCHITECTURE, BURSTS, CONSTRAINTS, DISK, MEMORY, NETWORK
from costopt.rules.grounds import demand, memory_words
from costopt.rules.sizing import BUDGET, Sizing
from costopt.units import cents, counted, per_month

_ORDER: Final = (DISK, BURSTS, ARCHITECTURE, NETWORK, MEMORY, BUDGET)
"""Where one of two would do, the one that stands later is named."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is in the way, and of what."""

    names: frozenset[str]  # none of them can be left out
    without: Sizing
    chosen: int  # market position of the machine that it would be without them

    @property
    def type_name(self) -> str:
        """Of that machine."""
        return self.without.market.shapes[self.chosen].instance_type


def obstacle(sizing: Sizing) -> Obstacle | None:
    """What but for CPU demand and prices keeps a machine without advice; None: nothing."""
    names = frozenset((*CONSTRAINTS, BUDGET))
    without = replace(sizing, lifted=names)
    if without.choice is None:
        return None
    for name in _ORDER:
        fewer = replace(sizing, lifted=names - {name})
        if fewer.choice is not None:
            names, without = fewer.lifted, fewer
    assert without.choice is not None  # as of the first, and of each that followed it
    return Obstacle(names, without, without.choice)


def missed(found: Obstacle) -> str:
    """What is in the way, and what it costs: of a machine that evidence or a budget holds back."""
    sizing = found.without
    less = cents(per_month(sizing.hourly) - per_month(sizing.price(found.chosen)))
    lifted = {MEMORY: "by its CPU alone", BUDGET: "without the budget"}
    then = " and ".join(words for name, words in lifted.items() if name in found.names)
    return (
        f"{_words(found)}; {then} {found.type_name} would do, for {less} {sizing.currency} a "
        f"month less {sizing.price_basis}"
    )


def fit(sizing: Sizing, found: Obstacle | None) -> str:
    """Why a machine stays as it is."""
    if found:
        return f"{_words(found)}; but for that {found.type_name} would do"
    return f"{demand(sizing)}; {_nothing(sizing)}"


def _nothing(sizing: Sizing) -> str:
    """Of the machines that could take its place, why none is taken; the budget is not why."""
    free = replace(sizing, lifted=frozenset((BUDGET,)))
    cheaper = free.smaller & (free.offers.hourly < float(free.hourly))
    if not free.smaller.any():
        return "nothing smaller is sold here that could take its place"
    if not cheaper.any():
        return "nothing smaller is cheaper"
    if np.any(free.offers.expected[cheaper] < float(free.hourly)):
        margin = sizing.settings.family_savings_percent
        return (
            "nothing smaller of its family is cheaper once its risk is counted, and no other "
            f"family by {margin:g} %"
        )
    return "nothing smaller is cheaper once its risk is counted"


def _words(found: Obstacle) -> str:
    sizing = found.without
    said = {
        BUDGET: _of_budget,
        MEMORY: memory_words,
        NETWORK: _of_network,
        ARCHITECTURE: _of_architecture,
        BURSTS: _of_bursts,
        DISK: _of_disk,
    }
    told = (words(sizing) for name, words in said.items() if name in found.names)
    return "; ".join((demand(sizing), *told))


def _of_budget(sizing: Sizing) -> str:
    budget = f"the risk budget of {sizing.settings.risk_budget_percent:g} %"
    cost = sizing.outlook.least_rollback_cost
    if math.isinf(cost):
        return (
            f"the fleet's past cannot show that {budget} would be kept, so nothing is made smaller"
        )
    return f"{budget} makes a rollback as dear as {counted(cost, 'window', '.3g')}"


def _of_network(sizing: Sizing) -> str:
    return f"its network carries {sizing.need.network.gbps or 0:.3g} Gbit/s (P99.5 in and out)"


def _of_architecture(sizing: Sizing) -> str:
    known = sizing.current.architecture or "its architecture, which is not known,"
    return f"software stays on {known} (allow_architecture_change)"


def _of_bursts(sizing: Sizing) -> str:
    if sizing.current.burstable_baseline_percent is None and not sizing.settings.allow_burstable:
        return "burstable types are not wanted (allow_burstable)"
    return "what a burstable type sustains is less than its mean, or half its P95"


def _of_disk(sizing: Sizing) -> str:
    return (
        f"its local disk of {sizing.current.local_disk_gib:g} GiB is kept (allow_local_disk_loss)"
    )

"""The master programme of a portfolio: quantities under planes that bound what they replace.

Kelley's cutting planes, solved by HiGHS. Groups of hours alike each have planes of their own, which
tell more than one plane for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import highspy
import numpy as np

from costopt.optimize.commitment.application import (
    Offer,
    Order,
    bound,
    order_of,
    replaced_by,
)
from costopt.optimize.commitment.history import Floats
from costopt.optimize.highs import Quiet

GROUPS: Final = 8
"""Of hours, by what they cost on demand: a third of the rounds that one group takes, and a master
programme that is still solved in milliseconds (21 offers, 50 classes, 8760 hours)."""

BRANCHED: Final = 1000
"""Offers of which more steps than this may be bought are rounded, not branched on: half a step is
then less than a thousandth of them."""

NODES: Final = 500
"""Of a branch and bound; it is a bound wherever it stops, and a count, unlike seconds, stops it
alike on every machine."""


class Best(NamedTuple):
    """What the planes allow at most."""

    quantities: Floats  # (O,) in units, held ones included
    saving: float  # per hour: no quantities save more


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """The usage in groups, and the offers in their order."""

    groups: tuple[Floats, ...]  # each (some hours, U)
    count: int
    prices: Floats
    offers: tuple[Offer, ...]
    order: Order

    @classmethod
    def of(cls, amounts: Floats, prices: Floats, offers: Sequence[Offer]) -> Hours:
        """Grouped by what they cost on demand."""
        ranked = np.argsort(amounts @ prices, kind="stable")
        parts = np.array_split(ranked, min(GROUPS, len(ranked)))
        groups = tuple(np.ascontiguousarray(amounts[np.sort(part)]) for part in parts)
        return cls(groups, len(amounts), prices, tuple(offers), order_of(offers))


class Planes:
    """The planes so far, and the quantities that look best under them."""

    def __init__(self, hours: Hours) -> None:
        """None yet, but that no more can be replaced than there is."""
        self.hours = hours
        self.held = np.array([offer.held for offer in hours.offers])
        self.rates = np.array([offer.rate for offer in hours.offers])
        self.steps = np.array([offer.step or 1.0 for offer in hours.offers])
        most = np.array([_most(offer, hours.groups) for offer in hours.offers])
        self.stepped = np.array([offer.step > 0 for offer in hours.offers])
        self.limits = np.where(self.stepped, np.floor(most / self.steps + 1e-9), most)
        self.branching = False
        self.model = Quiet()  # type: ignore[no-untyped-call]
        for rate, limit in zip(self.rates * self.steps, self.limits, strict=True):
            self.model.addCol(rate, 0.0, limit, 0, [], [])
        for group in hours.groups:
            all_of_it = float((group @ hours.prices).sum()) / hours.count
            self.model.addCol(-1.0, -highspy.kHighsInf, all_of_it, 0, [], [])

    def cut(self, quantities: Floats) -> float:
        """The saving per hour of these quantities as they are applied; its planes are kept."""
        offers, total = len(self.held), 0.0
        for g, group in enumerate(self.hours.groups):
            found = bound(group, self.hours.prices, self.hours.order, quantities)
            replaced, slope, constant = (value / self.hours.count for value in found)
            total += replaced
            places = np.array([*range(offers), offers + g], np.int32)
            values = np.append(-slope * self.steps, 1.0)
            most = constant + float(slope @ self.held)
            self.model.addRow(-highspy.kHighsInf, most, len(places), places, values)
        return total - float(self.rates @ (quantities - self.held))

    def saving(self, quantities: Floats) -> float:
        """The same without the planes, in half the time."""
        hours = self.hours
        total = sum(
            replaced_by(group, hours.prices, hours.order, quantities) for group in hours.groups
        )
        return total / hours.count - float(self.rates @ (quantities - self.held))

    def best(self) -> Best:
        """The quantities of the greatest saving that the planes allow."""
        self.model.run()
        info, solution = self.model.getInfo(), self.model.getSolution()
        # Of a branch and bound, a bound wherever it stopped.
        least = info.mip_dual_bound if self.branching else info.objective_function_value
        if not solution.value_valid or not (self.branching or self._optimal()):
            return Best(self.held, float("inf"))  # which tells nothing, and promises nothing
        steps = np.array(solution.col_value[: len(self.held)])
        return Best(self.held + self.steps * np.clip(steps, 0.0, self.limits), -float(least))

    def sold(self, quantities: Floats) -> Floats:
        """The nearest quantities that are for sale."""
        steps = (quantities - self.held) / self.steps
        near = np.where(self.stepped, np.round(steps), steps)
        return np.asarray(self.held + self.steps * np.clip(near, 0.0, self.limits))

    def branch(self, tolerance: float) -> bool:
        """From now on whole steps; False where no offer is sold in steps that matter."""
        places = np.flatnonzero(self.stepped & (self.limits <= BRANCHED)).astype(np.int32)
        if not len(places):
            return False
        integer = np.full(len(places), highspy.HighsVarType.kInteger)
        self.model.changeColsIntegrality(len(places), places, integer)
        self.model.setOptionValue("mip_rel_gap", 0.0)
        self.model.setOptionValue("mip_abs_gap", tolerance)
        self.model.setOptionValue("mip_max_nodes", NODES)
        self.branching = True
        return True

    def _optimal(self) -> bool:
        status = self.model.getModelStatus()
        return bool(status == highspy.HighsModelStatus.kOptimal)


def _most(offer: Offer, groups: Sequence[Floats]) -> float:
    """Units beyond which none would ever be used, and what may be bought."""
    units, classes = np.array(offer.units), np.array(offer.classes, np.int64)
    peak = max(float((group[:, classes] @ units).max()) for group in groups)
    return min(offer.most, max(0.0, peak - offer.held) + offer.step)

"""One class of own machines against the fleet: what is bought, for what, and when it has paid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np

from costopt.optimize.own import Own, Swing
from costopt.optimize.packing import Packed
from costopt.pricing.onprem import Site
from costopt.rules.move.bounds import Board
from costopt.rules.move.own_fit import Kind
from costopt.rules.move.own_purchase import Chosen, Purchase
from costopt.rules.move.own_sums import Candidate, Costs, Rack
from costopt.rules.own_machines import in_currency, swings
from costopt.rules.scope import Refusal
from costopt.units import HOURS_PER_MONTH, counted

_BUSY: Final = ("gpu_sm_active", "gpu_utilization", "cpu_utilization")
"""What tells how busy a machine is, the best first."""


@dataclass(frozen=True, eq=False)
class Answer:
    """One class against the fleet. Money in the bill's currency."""

    kind: Kind
    site: Site
    board: Board
    as_of: date
    costs: Costs
    chosen: Chosen
    packed: Packed
    refused: Mapping[str, Refusal]  # machines that it could be asked for, and why it will not do

    @property
    def bought(self) -> Purchase:
        """What is to be bought; of no machine where none pays."""
        return self.chosen.bought

    @property
    def taken(self) -> tuple[Rack, ...]:
        """Machines of the class to be bought, with what they take the place of."""
        return self.bought.racks

    @property
    def left(self) -> tuple[Rack, ...]:
        """What could be on machines of the class, and costs less in the cloud."""
        return self.chosen.left

    @cached_property
    def shown(self) -> Purchase | None:
        """Whose figures stand for the class: what is bought, else the machine nearest to paying;
        None where nothing of the fleet could run on it."""
        if self.taken or not self.left:
            return self.bought if self.taken else None
        settings, horizon = self.board.settings, self.board.horizon
        return Purchase.of(self.left[:1], self.costs, self.kind.told, settings, horizon)

    @property
    def price(self) -> float | None:
        """Paid in the cloud for an hour of what a machine of the class takes the place of."""
        return self.shown.price if self.shown else None

    @property
    def listed(self) -> float | None:
        """The same on demand by the list; None = not known of all."""
        return self._mean(lambda one: one.listed)

    @property
    def committed(self) -> float | None:
        """The same by the cheapest committed prices; None = not known of all."""
        return self._mean(lambda one: one.committed.hourly if one.committed else None)

    @property
    def terms(self) -> str:
        """For how long that is bought ahead: `3yr no-upfront`."""
        members = self.shown.members if self.shown else []
        return " and ".join(sorted({one.committed.term for one in members if one.committed}))

    def _mean(self, price: Callable[[Candidate], float | None]) -> float | None:
        if self.shown is None:
            return None
        each = [price(one) for one in self.shown.members]
        known = [one for one in each if one is not None]
        return sum(known) / self.shown.count if known and len(known) == len(each) else None

    @property
    def used(self) -> float | None:
        """Share of the hours for which that is paid."""
        return self.shown.used if self.shown else None

    def swings(self) -> tuple[Swing, ...]:
        """What the break-even hangs on, in the file's currency; none without a price beside."""
        if self.shown is None:
            return ()
        return swings(
            self.site,
            self.kind.name,
            self.shown.price / self.costs.factor,
            machines=self.shown.count,
            other_yearly=self.shown.other_yearly / self.costs.factor,
        )

    @property
    def month(self) -> float:
        """The first by which all that is shown has paid, with what going takes; inf = never."""
        return self.shown.month if self.shown else math.inf

    @property
    def paid_by(self) -> str | None:
        """The day of that; None = never."""
        return _day(self.as_of, self.month)

    @property
    def own_in_file(self) -> Own:
        """What one costs, in the file's currency, with its part of spares and traffic."""
        own = self.shown.own(self.costs.told) if self.shown else self.costs.told
        return in_currency(own, 1 / self.costs.factor)

    @property
    def going_in_file(self) -> float:
        """What going takes for each that is shown, in the file's currency."""
        return self.shown.once / self.shown.count / self.costs.factor if self.shown else 0.0

    @property
    def busy(self) -> float | None:
        """Mean percent at which its work keeps cards or vCPUs busy; None = not measured."""
        told = [busy(one) for one in self.shown.members] if self.shown else []
        found = [one["mean_percent"] for one in told if one]
        return sum(found) / len(found) if found else None

    @property
    def why(self) -> str:
        """Why none is to be bought."""
        if self.shown is None:
            said = "nothing of the fleet could run on it"
        elif self.shown.ahead >= self.shown.saved.target > 0:
            said = "buying ahead in the cloud saves more"
        else:
            said = "none pays, by the lower bound of what it saves"
        return f"{said}{_why_not(self)}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What one should know of the class, in sentences."""
        return tuple(_notes(self))


def busy(one: Candidate) -> dict[str, Any] | None:
    """How busy it is while it is paid for: no part of the sums."""
    for name in _BUSY:
        if found := one.subject.case.profile(name):
            return {"metric": name, "mean_percent": round(found.mean, 1)}
    return None


# -- of the class --------------------------------------------------------------------------------


def _notes(answer: Answer) -> Iterator[str]:
    name, taken = answer.kind.name, answer.taken
    if taken:
        machines = sum(len(one.members) for one in taken)
        bought = answer.bought
        spares = f" and {counted(bought.spares, 'spare')}" if bought.spares else ""
        yield (
            f"{name}: {counted(len(taken), 'machine')}{spares} take the place of "
            f"{counted(machines, 'machine')} in the cloud; over {answer.board.horizon.months:g} "
            f"months that saves {bought.present:,.0f} {answer.board.world.currency} in "
            f"today's money, at least {bought.present_low:,.0f}; {_packing(answer.packed)}"
        )
    else:
        yield f"{name}: {answer.why}"


def _packing(packed: Packed) -> str:
    if packed.exact:
        return "no fewer would hold what could run there"
    return (
        f"what could run there is packed first fit on {len(packed.machines)}, "
        f"and {packed.least} might do"
    )


def _why_not(answer: Answer) -> str:
    codes = [code for code, _ in answer.refused.values()]
    if not codes:
        return ""
    code = max(sorted(set(codes)), key=codes.count)
    example = next(detail for found, detail in answer.refused.values() if found == code)
    return f"; of {counted(len(codes), 'machine')} most because {example} ({code})"


def _day(today: date, months: float) -> str | None:
    if not np.isfinite(months):
        return None
    return (today + timedelta(days=float(np.ceil(months * HOURS_PER_MONTH / 24)))).isoformat()

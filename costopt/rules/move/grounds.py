"""One group, and everything that was reckoned of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from costopt.model import (
    Offer,
    Place,
    Shape,
)
from costopt.optimize.placement import NONE, Worth
from costopt.optimize.placement.dominance import Floats
from costopt.rules.move.bounds import Board, Bounds
from costopt.rules.move.groups import Bound, Group
from costopt.rules.move.market import Sold
from costopt.rules.move.subjects import Subject
from costopt.rules.move.sums import Sums, Taken, here
from costopt.rules.move.talks import Peers
from costopt.rules.move.ties import Shared, too_far
from costopt.units import HOURS_PER_MONTH

_DAYS_A_MONTH: Final = HOURS_PER_MONTH / 24
_SHOWN: Final = 3  # other places


@dataclass(frozen=True, eq=False)
class Ground:
    """One group, and everything that was reckoned of it. Money in the bill's currency."""

    number: int
    board: Board
    market: Sold
    taken: Taken
    sums: Sums
    worth: Worth
    bounds: Bounds
    chosen: int  # position of the place it is to be at
    bound: Bound
    peers: Peers = ()  # what it talks to, each where it is to be
    company: tuple[Group, ...] = ()  # what it talks to, and goes as well
    shared: Shared | None = None  # None = it is looked at by itself

    @property
    def group(self) -> Group:
        """Which it is."""
        return self.board.groups[self.number]

    @property
    def home(self) -> int:
        """Position of the place where it is."""
        return int(self.board.home[self.number])

    @property
    def moves(self) -> bool:
        """Whether it goes elsewhere."""
        return self.chosen != self.home

    @property
    def target(self) -> Place:
        """Where it is to be."""
        return self.board.places[self.chosen]

    def monthly(self, place: int) -> float:
        """What all of it costs a month there, once it has settled."""
        if place == self.home:
            staying = self.sums.staying
            return float(staying.run[self.number] + staying.storage[self.number]
                         + staying.egress[self.number])  # fmt: skip
        at, moving = (self.number, place), self.sums.moving
        return float(moving.run[at] + moving.storage[at] + moving.egress[at])

    @property
    def once(self) -> float:
        """What going there costs once: data, people's time, both places at once."""
        at, parts = (self.number, self.chosen), self.worth.parts
        return float(parts.leaving[at] + parts.labour[at] + parts.dual_run[at])

    @property
    def net_present_saving(self) -> float:
        """Over the horizon."""
        return float(self.worth.saving[self.number, self.chosen])

    @cached_property
    def here(self) -> float:
        """Present cost of staying on the machines that would cost least there."""
        return float(here(self.board, self.sums)[self.number])

    @property
    def net_present_low(self) -> float:
        """The same with every price at its unfavourable end."""
        at = self.number, self.chosen
        return float(self.worth.stay[self.number] - self.worth.move_high[at])

    @property
    def break_even(self) -> float:
        """Months from which on it has cost less; inf = never."""
        return float(self.worth.break_even[self.number, self.chosen])

    @cached_property
    def possible(self) -> Floats:
        """(P,) present saving there as expected; -inf where no machine of that place will do."""
        found: Floats = self.worth.saving[self.number].copy()
        found[self.home] = 0.0
        return found

    def limits(self, place: int) -> list[str]:
        """Of what it shares with others, what keeps it from going there."""
        found = self.shared.keep(self.number, place) if self.shared else []
        return found + too_far(self.peers, self.board.places[place])

    def called(self, place: int) -> str:
        """Whose and where: `AWS us-west-2`."""
        one = self.board.places[place]
        return f"{self.market.name(one)} {one.region_id}"

    def members(self) -> Iterator[tuple[int, Subject]]:
        """Its machines with their rows in `taken`."""
        return enumerate(self.group.members, start=int(self.taken.first[self.number]))

    def offer(self, row: int, place: int) -> Offer | None:
        """What that machine would run on there."""
        position = int(self.taken.offer[row, place])
        if position == NONE:
            return None
        shape, price = self.market.shape(position), self.market.price(position)
        return Offer(
            provider_name=shape.provider_name,
            region_id=self.board.places[place].region_id,
            instance_type=shape.instance_type,
            vcpus=shape.vcpus,
            memory_gib=shape.memory_gib,
            gpu_model=shape.gpu_model,
            gpu_count=shape.gpu_count,
            hourly_price=price.list_unit_price,
            currency=price.currency,
        )

    def machines(self, place: int) -> Iterator[tuple[Subject, Shape]]:
        """Its machines and what each would run on there, of those for which there is something."""
        for row, one in self.members():
            position = int(self.taken.offer[row, place])
            if position != NONE:
                yield one, self.market.shape(position)

    def price_dates(self, place: int) -> list[date]:
        """Of the prices of its machines there, oldest first."""
        rows = [int(self.taken.offer[row, place]) for row, _ in self.members()]
        days = (self.market.day(one) for one in rows if one != NONE)
        return sorted(day for day in days if day is not None)

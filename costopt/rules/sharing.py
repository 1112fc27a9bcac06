"""Savings shared out among the changes that bring them, so that the parts add up to the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from costopt.units import cents_down

CENT: Final = Decimal("0.01")

Item = tuple[str, str]
"""Kind of change, resource id."""
Key = TypeVar("Key", str, Item)


@dataclass(frozen=True, slots=True)
class Lets:
    """A change that saves nothing in its own step, and lets others save."""

    worth: Decimal  # what all save less without it
    lost: Mapping[Item, Decimal]  # of that, what each does

    def shares(self) -> dict[Item, Decimal]:
        """Whose savings it is part of, and of its worth how much, 0..1."""
        whole = sum(self.lost.values(), Decimal(0))
        return {key: amount / whole for key, amount in self.lost.items()}


def shared_evenly(has: Mapping[Item, Decimal], lets: Mapping[Item, Lets]) -> dict[Item, Decimal]:
    """Savings in equal parts between a change and those that let it save: of what it saves only by
    two others, each has a third.

    Args:
        has: what each saves in its step; the sum stays.
        lets: changes that save nothing there.
    """
    now = dict(has)
    shares = {one: of_it.shares() for one, of_it in lets.items()}
    for one, of_it in shares.items():  # first what it costs by itself
        cost = max(Decimal(0), -has[one]) if of_it else Decimal(0)
        now[one] += cost
        for key, share in of_it.items():
            now[key] -= cost * share
    for key in sorted(set().union(*shares.values())):
        room = max(Decimal(0), now[key])
        mine = {one: lets[one].worth * of_it[key] for one, of_it in shares.items() if key in of_it}
        sharing = sorted((min(room, part), one) for one, part in mine.items())
        below = Decimal(0)
        for at, (amount, _) in enumerate(sharing):
            part = (amount - below) / (len(sharing) - at + 1)
            for _, one in sharing[at:]:
                now[one] += part
                now[key] -= part
            below = amount
    return now


def shared_cents(amounts: Mapping[Key, Decimal]) -> dict[Key, Decimal]:
    """Amounts in whole cents that add up to the whole cents of their sum, never more.

    Each is rounded down; the cents that are left go to those that lost most by it, then by name.
    """
    down = {key: cents_down(amount) for key, amount in amounts.items()}
    left = cents_down(sum(amounts.values(), Decimal(0))) - sum(down.values(), Decimal(0))
    by_loss = sorted(amounts, key=lambda key: (down[key] - amounts[key], key))
    for key in by_loss[: int(left / CENT)]:
        down[key] += CENT
    return down

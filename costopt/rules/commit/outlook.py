"""What is open in months to come if demand falls: what is held is used first, while it is held.

A fall of demand meets what was bought last. Of twenty machines of which nineteen are covered, a
fall by a twentieth leaves nothing to a commitment for the twentieth. So demand falls as a whole,
what covers it goes on with as much as before, and only the rest is open to what is to be bought.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from costopt.optimize.commitment import Offer, Usage, apply
from costopt.rules.commit.demand import Floats

_YEAR: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Something that covers demand before what is to be bought. Money an hour at its own price."""

    until: float  # months from now; inf = throughout, as far as anybody says
    has: Floats  # (H,) what of it is at hand
    used: Floats  # (H,) of that, in use by demand that is not open today
    shares: tuple[tuple[int, float], ...]
    """Kinds that it could cover, each with its price there as a share of that on demand, in the
    order in which it is applied to them."""
    leaves: Mapping[int, Floats] = field(default_factory=dict)
    """Kind -> (H,) what it covers today and is open once it has ended, as on demand."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What is open now, and what stands before it."""

    now: Floats  # (H, K) open today, money an hour as on demand; NaN = no bill of that hour
    covers: tuple[Cover, ...] = ()  # in their order
    since: float = 0.0  # months from now until the first purchase
    limit: Floats | None = None  # (H, K) no more is to be bought for

    @property
    def today(self) -> Floats:
        """(H, K) what is to be bought for, as history has it."""
        return self.now if self.limit is None else self.limit

    def open(self, months: float, decline: float) -> Floats:
        """(H, K) money an hour so many months after the first purchase, as on demand.

        Args:
            decline: share of all demand lost in each year.
        """
        at = self.since + months
        left = (1 - decline) ** (at / _YEAR)
        found: Floats = self.now * left
        for one in self.covers:
            if one.until <= at:
                for kind, amount in one.leaves.items():
                    found[:, kind] += amount * left
        for one in self.covers:
            if one.until > at:
                take(found, one.has - one.used * left, one.shares)
        return found if self.limit is None else np.minimum(found, self.limit)

    def whole(self, kinds: Iterable[int]) -> Floats:
        """(H,) all demand of these kinds today, open or covered."""
        which = sorted(kinds)
        found: Floats = self.now[:, which].sum(axis=1)
        for one in self.covers:
            for kind in which:
                found = found + one.leaves.get(kind, 0.0)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Months:
    """What offers bought together find in each month to come, each behind those before it."""

    outlook: Outlook
    offers: Sequence[Offer]
    quantities: Sequence[float]  # of each, in units
    count: int  # months
    found: dict[float, Floats] = field(default_factory=dict)  # by the yearly decline

    def units(self, name: str, decline: float) -> Floats:
        """(months, H) units of that offer that demand would use, had there been no end of it."""
        if decline not in self.found:
            self.found[decline] = np.stack([self._reached(n, decline) for n in range(self.count)])
        place = [offer.name for offer in self.offers].index(name)
        return np.asarray(self.found[decline][:, :, place])

    def _reached(self, month: int, decline: float) -> Floats:
        amounts = self.outlook.open(month + 0.5, decline)
        usage = Usage(amounts, np.ones(amounts.shape[1]))
        return apply(usage, self.offers, self.quantities).reached


def take(open_: Floats, spare: Floats, shares: Iterable[tuple[int, float]]) -> dict[int, Floats]:
    """Lets so much of a commitment cover what is open, in place, and says what it took.

    Args:
        open_: (H, K) money an hour as on demand; NaN stays.
        spare: (H,) money an hour at the commitment's own price.
        shares: as of `Cover`.
    """
    taken: dict[int, Floats] = {}
    if not (spare > 0).any():
        return taken
    spare = np.maximum(spare, 0.0)
    for kind, share in shares:
        amount = np.minimum(np.nan_to_num(open_[:, kind]), spare / share)
        if amount.any():
            # Rounding leaves no demand below nothing; NaN stays.
            open_[:, kind] = np.maximum(open_[:, kind] - amount, 0.0)
            spare = np.maximum(spare - amount * share, 0.0)
            taken[kind] = amount
    return taken

"""What is held today, as if it had been held throughout; and what of it ends soon.

A commitment bought last week covers last week only, on the bill. Whoever buys by that history buys
the same again. So every commitment stands at its level of today over all of the history, and one
that has ended at none: what it covered is on demand. What ends soon is held until then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from costopt.model.bill import Held, Metered
from costopt.rules.commit.demand import unit_cost

_LOOKED: Final = 48
"""Hours of bill that show what is held today: the last day's may have come in part only."""
_TINY: Final = 1e-9
_AMORTISED: Final = 0.12
"""What is paid by the month costs up to so much more an hour in a month of 28 days than in one of
31: no other commitment."""


class Ended(NamedTuple):
    """A commitment that is no more."""

    commitment_id: str
    name: str
    end: datetime | None  # None = nobody says


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A bill with its commitments as they stand today."""

    bill: Metered
    ends: Mapping[str, datetime]  # of each that is in force and whose end is known
    ended: tuple[Ended, ...]  # what the bill has and is no more

    def ending(self, as_of: datetime, days: float) -> list[tuple[datetime, frozenset[str]]]:
        """The ids of those in force that end within so many days, by when, the next first."""
        soon: dict[datetime, set[str]] = {}
        for commitment_id, end in self.ends.items():
            if end <= as_of + timedelta(days=days):
                soon.setdefault(end, set()).add(commitment_id)
        return [(end, frozenset(ids)) for end, ids in sorted(soon.items())]

    def without(self, commitment_ids: frozenset[str]) -> Metered:
        """The bill once these have ended."""
        held = tuple(
            _none_of(one) if one.commitment_id in commitment_ids else one for one in self.bill.held
        )
        return replace(self.bill, held=held)


def standing(bill: Metered, ends: Mapping[str, datetime], as_of: datetime) -> Standing:
    """Each commitment as it was at the bill's end, over the whole history.

    Args:
        ends: by commitment id, what the inventory says.
        as_of: what ends by then has ended (UTC).
    """
    over = {name: end for name, end in ends.items() if end <= as_of}
    held, ended = [], []
    for one in bill.held:
        today = 0.0 if one.commitment_id in over else _today(one, bill)
        held.append(_at(one, today) if today > _TINY else _none_of(one))
        if today <= _TINY:
            ended.append(Ended(one.commitment_id, one.name, over.get(one.commitment_id)))
    there = {one.commitment_id for one in held if one.cost.any()}
    kept = {name: end for name, end in sorted(ends.items()) if name in there and end > as_of}
    return Standing(replace(bill, held=tuple(held)), kept, tuple(ended))


def _today(one: Held, bill: Metered) -> float:
    """What all of it costs in one of the bill's last periods."""
    periods = max(1, round(_LOOKED / bill.hours))
    return float(one.cost[-periods:].max(initial=0.0))


def _at(one: Held, today: float) -> Held:
    """At that cost a period; periods that were at it stay as they are, their short days, too."""
    same = np.abs(one.cost - today) <= _AMORTISED * today
    unit = unit_cost(one)
    level = today / unit if unit > 0 else 0.0
    return replace(
        one, amount=np.where(same, one.amount, level), cost=np.where(same, one.cost, today)
    )


def _none_of(one: Held) -> Held:
    return replace(one, amount=np.zeros_like(one.amount), cost=np.zeros_like(one.cost))


def end_of(attributes: Mapping[str, str]) -> datetime | None:
    """When a commitment ends, by the inventory."""
    try:
        found = datetime.fromisoformat(attributes["end"])
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else None

"""A bill's days or months as hours: how many there are, and what stands in which.

A period has as many slots as hours, months 730 of a little more or less than an hour, days 24 also
where clocks change: what ran all of it did, however long it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.model.bill import Amounts, Held, Metered, Usage
from costopt.pricing.pools import pools

Hours = npt.NDArray[np.float64]
"""(periods, slots of one)"""
Bools = npt.NDArray[np.bool_]

TINY: Final = 1e-9
_ALL_DAY: Final = 0.999
"""Share of a day's hours from which on a machine ran all day: bills round."""
_WHOLE: Final = re.compile(r"(1 )?((instance|vm|machine|node)[- ])?(h|hrs?|hours?)", re.I)


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The hours of a bill's periods."""

    slots: int  # of a period
    length: Amounts  # (periods,) hours of a slot
    even: Mapping[str, Bools]
    """Usage or commitment -> (periods,) whether all its hours were alike: all that was seen under
    the same commitments ran all day, or not at all."""

    @classmethod
    def of(cls, bill: Metered) -> Clock:
        """Of a bill as it was billed."""
        slots = max(1, round(bill.hours))
        length = bill.lengths / slots
        seen = {usage.key: usage.uses.keys() - usage.assumed for usage in bill.usages}
        linked = [(f"={key}", *sorted(names)) for key, names in seen.items()]
        of_pool = pools([*linked, *((one.commitment_id,) for one in bill.held)])
        even: dict[str, Bools] = {}
        for usage in bill.usages:
            pool = of_pool[f"={usage.key}"]
            steady = _steady(usage, slots * length)
            even[pool] = even[pool] & steady if pool in even else steady
        always = np.ones(len(length), bool)
        found = {usage.key: even[of_pool[f"={usage.key}"]] for usage in bill.usages}
        found |= {
            one.commitment_id: even.get(of_pool[one.commitment_id], always) for one in bill.held
        }
        return cls(slots, length, found)

    def evenly(self, amount: Amounts) -> Hours:
        """The same in every slot."""
        return np.repeat((amount / self.slots)[:, None], self.slots, axis=1)

    def first(self, amount: Amounts, peak: float) -> Hours:
        """The amount in the first hours of each period, `peak` in each."""
        each = peak * self.length[:, None]
        found: Hours = np.clip(amount[:, None] / each - np.arange(self.slots), 0.0, 1.0) * each
        return found

    def last(self, amount: Amounts, after: Amounts, peak: float) -> Hours:
        """The amount in the last hours of each period but for those that come after it."""
        found: Hours = (self.first(amount + after, peak) - self.first(after, peak))[:, ::-1]
        return found

    def peak(self, usage: Usage) -> float:
        """Units of it in an hour in which it runs."""
        return _peak(usage, self.slots * self.length)

    def level(self, one: Held) -> float:
        """How much of a commitment there is in an hour."""
        hours = self.slots * self.length
        return max(float((one.amount / hours).max(initial=0.0)), TINY)


def _steady(usage: Usage, hours: Amounts) -> Bools:
    """Periods in which it ran all day, or not at all."""
    top = _peak(usage, hours) * hours
    found: Bools = (usage.quantity <= TINY) | (usage.quantity >= top * _ALL_DAY)
    return found


def _peak(usage: Usage, hours: Amounts) -> float:
    """Of a machine one, of its parts as many as there are on its longest day."""
    top = float((usage.quantity / hours).max(initial=0.0))
    whole = not usage.unit or _WHOLE.fullmatch(usage.unit)
    return max(1.0, float(np.ceil(top - 1e-6))) if whole else max(top, TINY)

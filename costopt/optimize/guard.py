"""The guard's stop rule: how many violations use up a budget."""

from __future__ import annotations

from math import ceil, floor
from typing import Final

BUDGET: Final = 0.005
"""Share of a window's samples that may be added over the limit: b of the experiments."""

HORIZON_DAYS: Final = 14
"""The window that a budget is for, and a guard watches over."""


def samples_to_revert(slots: int, budget: float = BUDGET, over_today: float = 0.0) -> int:
    """The number of violations that uses up the budget of a window: floor(budget * slots) + 1.

    Reverting `lead` slots after it, the share of added violations is at most
    budget + (1 + lead) / slots, whatever the demand. A billionth is allowed for products such as
    0.29 * 100, just below the whole number they mean.

    Args:
        over_today: share of samples over the limit of today's machine: those are no fault of the
            new one, and allowed on top.
    """
    return floor(budget * slots + 1e-9) + 1 + ceil(over_today * slots - 1e-9)

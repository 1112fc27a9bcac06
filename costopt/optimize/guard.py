"""The guard's stop rule: how many violations use up a budget."""

from __future__ import annotations

from math import ceil, floor
from typing import Final

BUDGET: Final = 0.005
"""Share of a window's samples that may be added over the limit: b of the experiments."""

HORIZON_DAYS: Final = 14
"""The window that a budget is for, and a guard watches over."""


def samples_to_revert(slots: int, budget: float = BUDGET) -> int:
    """The number of violations that uses up the budget of a window: floor(budget * slots) + 1.

    Reverting `lead` slots after it, the share of added violations is at most
    budget + (1 + lead) / slots, whatever the demand. A billionth is allowed for products such as
    0.29 * 100, just below the whole number they mean.
    """
    return floor(budget * slots + 1e-9) + 1


def allowance(slots: int, share: float) -> int:
    """The number of samples that such a share of a window comes to, never too few.

    What is over the limit through no fault of the change, and no alarm can tell apart, is allowed
    on top of `samples_to_revert` at its share of the past: samples that today's machine was over
    its own limit in, and disputed ones. The bound above grows by that share, and by no more: an
    allowance is a number of samples, whatever the ones that come turn out to be.
    """
    return ceil(share * slots - 1e-9)

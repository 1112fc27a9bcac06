"""What a size costs, counting what may go wrong with it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.optimize.features import Floats

ROLLBACK_COSTS: Final = {"cautious": 2.0, "default": 0.5, "bold": 0.2}
"""kappa by name: the price of one rollback, in windows of the safe machine."""

_TIE: Final = 1e-9


def expected(price: Floats, risk: Floats, safe: float, rollback_cost: float) -> Floats:
    """The cost to expect of each machine over the next window, in the prices' unit.

    With the chance `risk` its budget is used up: then the safe machine is paid for instead, and
    `rollback_cost` times as much for the trouble:

        price + risk * (max(0, safe - price) + rollback_cost * safe)

    The safe machine is the one that holds the highest demand seen, whatever runs today. So the
    answer does not depend on today's size: asked again after the change, at the same demand, it is
    the same. (Priced in today's machine, a quarter of Bitbrains' machines would be made smaller
    once more: docs/method.md.) It is a yardstick, not where the alarm sends a machine, which is
    back to its former size; and it may cost less than a machine of this list, of another family:
    then only the trouble is counted.

    Args:
        price: (n,) of each machine.
        risk: (n,) 0..1.
        safe: price of the safe machine, above 0.
        rollback_cost: kappa; infinite: whatever may go wrong is too dear, and the rest its price.
    """
    undone = np.maximum(0.0, safe - price) + rollback_cost * safe
    lost = np.multiply(risk, undone, out=np.zeros_like(undone), where=risk > 0)  # not 0 * infinity
    return np.asarray(price + lost)


def flip(
    price: Floats, risk: Floats, safe: float, chosen: int, rollback_cost: float
) -> tuple[float, int] | None:
    """The next dearer rollback cost at which another machine becomes the answer, and which.

    Costs are straight lines in the rollback cost, and only a machine of less risk can overtake.
    None: the answer stays the same, however dear.
    """
    fixed, slope = expected(price, risk, safe, 0.0), risk * safe
    flatter = np.flatnonzero(slope < slope[chosen])
    if not flatter.size:
        return None
    at = (fixed[flatter] - fixed[chosen]) / (slope[chosen] - slope[flatter])
    ahead = at >= rollback_cost - _TIE * (1 + rollback_cost)  # a tie is the next to overtake
    if not ahead.any():
        return None
    first = int(np.argmin(np.where(ahead, at, np.inf)))
    return max(rollback_cost, float(at[first])), int(flatter[first])


def on_ladder(
    ladder: Floats, risk: Floats, peak: Floats, rollback_cost: float, limit_percent: float
) -> npt.NDArray[np.int64]:
    """(windows,) the place on a ladder of relative sizes that costs least to expect.

    Args:
        ladder: (S,) shares of today's size, descending from 1; a size's price is its share.
        risk: (windows, S).
        peak: (windows,) highest demand seen, percent of today's machine.
    """
    costs = [
        expected(ladder, of_window, float(safe), rollback_cost)
        for of_window, safe in zip(risk, safe_size(ladder, peak, limit_percent), strict=True)
    ]
    return np.asarray(np.argmin(np.stack(costs), axis=1), np.int64)


def safe_size(ladder: Floats, peak: Floats, limit_percent: float) -> Floats:
    """(windows,) the smallest size on the ladder that holds the peak under the limit; else 1."""
    need = np.asarray(peak)[:, None] / limit_percent
    return np.asarray(np.where(ladder >= need, ladder, 1.0).min(axis=1))

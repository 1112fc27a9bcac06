"""Which of many choices could ever be the cheapest that will do."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Kept(NamedTuple):
    """The choices left, by set, of each the cheapest first (of equal prices the lower index)."""

    choices: Ints  # (K,) indices
    starts: Ints  # (sets + 1,) where each set's choices begin


def undominated(sets: Ints, count: int, price: Floats, good: Floats, bad: Ints) -> Kept:
    """Every choice but those that another of its set makes needless.

    One is needless where another comes before it (costs less, or the same with a lower index), is
    as good in every respect and has none but its bad traits. Whoever could take the one could take
    the other, so the cheapest that will do is the same without it.

    Args:
        sets: (N,) in 0 .. count - 1.
        price: (N,) no NaN.
        good: (N, M) more is better; no NaN.
        bad: (N,) bits, each of which may be refused.
    """
    order = np.lexsort((price, sets))  # stable: ties stay in the order of indices
    starts = np.searchsorted(sets[order], np.arange(count + 1)).astype(np.int64)
    choices, starts = _undominated(order, starts, np.ascontiguousarray(good), bad)
    return Kept(choices, starts)


@compiled
def _undominated(order: Any, starts: Any, good: Any, bad: Any) -> Any:
    kept, begins = np.empty_like(order), np.zeros_like(starts)
    count = 0
    for s in range(len(starts) - 1):
        for place in range(starts[s], starts[s + 1]):
            needless = False
            for k in range(begins[s], count):
                if _makes_needless(kept[k], order[place], good, bad):
                    needless = True
                    break
            if not needless:
                kept[count] = order[place]
                count += 1
        begins[s + 1] = count
    return kept[:count].copy(), begins


@compiled
def _makes_needless(one: int, other: int, good: Any, bad: Any) -> bool:
    enough: bool = (bad[one] & ~bad[other]) == 0
    for m in range(good.shape[1]):
        if not enough:
            break
        enough = good[one, m] >= good[other, m]
    return enough

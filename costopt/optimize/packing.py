"""Several needs on machines of one kind: which stand together. Arrays in, arrays out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_EXACT: Final = 1e-9
"""How far a sum of shares may miss the whole that it is: three thirds fill a machine."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Which needs stand together, by position, and how far from the best that may be."""

    machines: tuple[tuple[int, ...], ...]
    least: int  # no way of packing takes fewer

    @property
    def exact(self) -> bool:
        """Whether no fewer machines would do, for sure."""
        return len(self.machines) == self.least


def pack(shares: npt.ArrayLike, steadiness: npt.ArrayLike) -> Packed:
    """First fit, the steadiest first and of these the largest: machines that are used all the time
    fill up before others.

    First fit is not exact (of one measure, largest first, it takes at most 11/9 of the fewest and
    a little; Johnson 1973); `Packed.exact` says where it is shown to be.

    Args:
        shares: (needs, measures) of what one machine has, 0..1 each.
        steadiness: (needs,) needs as steady as one another are sorted by size.
    Raises:
        ValueError: a need that one machine cannot hold.
    """
    needs = np.asarray(shares, np.float64)
    if not needs.size:
        return Packed((), 0)
    if not (needs <= 1 + _EXACT).all():
        raise ValueError("a need is larger than a machine")
    largest = needs.max(axis=1)
    order = np.lexsort((np.arange(len(needs)), -largest, -np.asarray(steadiness, np.float64)))
    filled: list[Floats] = []
    machines: list[list[int]] = []
    for need in order.tolist():
        place = _first(filled, needs[need])
        if place == len(filled):
            filled.append(np.zeros(needs.shape[1]))
            machines.append([])
        filled[place] += needs[need]
        machines[place].append(need)
    return Packed(tuple(tuple(sorted(one)) for one in machines), _least(needs))


def _first(filled: Sequence[Floats], need: Floats) -> int:
    """The first machine with room; one beyond the last where none has."""
    return next(
        (place for place, used in enumerate(filled) if (used + need <= 1 + _EXACT).all()),
        len(filled),
    )


def _least(needs: Floats) -> int:
    """By what they need in all; and no two of those above half a machine stand together."""
    in_all = math.ceil(float(needs.sum(axis=0).max()) - _EXACT)
    return max(1, in_all, int((needs > 0.5 + _EXACT).sum(axis=0).max()))

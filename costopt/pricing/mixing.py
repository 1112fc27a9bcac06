"""Bills between two bills: what is billed as before, and what already as it shall be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from costopt.model.bill import Usage

THEN: Final = "\x1e"
"""Ends the key of what is billed as it shall be, beside the same as before."""

_WORK: Final = 4_000_000
_FEWEST, _MOST = 4, 32


def points(cells: int) -> list[float]:
    """Points on the way from one bill to another, 0..1: the middles of equal parts, the more of
    them the smaller the bill.

    Args:
        cells: of the bill: what is asked of how many hours.
    """
    count = min(_MOST, max(_FEWEST, _WORK // max(1, cells)))
    return [(at + 0.5) / count for at in range(count)]


def same_price(one: Usage, other: Usage) -> bool:
    """Whether a unit of both costs the same, and is covered alike."""
    return one.uses == other.uses and np.array_equal(one.rate, other.rate)


def mixed(before: Sequence[Usage], then: Sequence[Usage], part: float) -> Iterator[Usage]:
    """So far on the way: of what changes, the part that has and the part that has not."""
    for old, new in zip(before, then, strict=True):
        if old is new:
            yield old
        elif same_price(old, new):
            yield replace(old, quantity=(1 - part) * old.quantity + part * new.quantity)
        else:
            yield replace(old, quantity=(1 - part) * old.quantity)
            yield replace(new, key=new.key + THEN, quantity=part * new.quantity)

"""What one unit of usage less takes off a bill, through all that it frees: by the hour.

A reservation that a machine leaves covers another one, which leaves the savings plan that it ran
under, which covers a third: what an hour less is worth is what the last of them paid on demand. It
is found from the end: commitments are given out in their order (commitments.py), and then each
step, from the last back to the first, tells what one unit more of it would have done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from costopt.model.bill import Amounts, Held, Usage
from costopt.pricing.commitments import in_turn
from costopt.pricing.mixing import THEN, mixed, same_price

_TINY: Final = 1e-9


def worth(usages: Sequence[Usage], held: Sequence[Held]) -> Mapping[str, Amounts]:
    """What the bill falls by with one unit less of each usage, by its key."""
    left = {usage.key: usage.quantity for usage in usages}
    spare = {one.commitment_id: one.amount for one in held}
    given = []
    for usage, one in in_turn(usages, held):
        key, name, takes = usage.key, one.commitment_id, usage.uses[one.commitment_id]
        mine, room = left[key], spare[name] / takes
        # Some of the usage is left, so nothing of the commitment is.
        used_up = (mine > room + _TINY) | ((mine <= _TINY) & (room <= _TINY))
        amount = np.minimum(mine, room)
        left[key] = np.maximum(mine - amount, 0.0)
        spare[name] = np.maximum(spare[name] - amount * takes, 0.0)
        given.append((key, name, takes, used_up))
    of_usage = {usage.key: usage.rate for usage in usages}
    of_more = {one.commitment_id: np.zeros(len(one.amount)) for one in held}
    for key, name, takes, used_up in reversed(given):
        mine, more = of_usage[key], of_more[name]
        of_usage[key] = np.where(used_up, mine, takes * more)
        of_more[name] = np.where(used_up, mine / takes, more)
    return of_usage


def gains(
    before: Sequence[Usage], then: Sequence[Usage], held: Sequence[Held], points: Sequence[float]
) -> dict[str, Amounts]:
    """What each usage's change is worth at points of the way from one bill to another, (points,)
    by its key.

    Args:
        before: `then`: the same usages, changed, in that order.
        points: of the way, 0..1.
    """
    changed = [(old, new) for old, new in zip(before, then, strict=True) if old is not new]
    found = {old.key: np.zeros(len(points)) for old, _ in changed}
    for at, part in enumerate(points):
        units = worth(tuple(mixed(before, then, part)), held)
        for old, new in changed:
            apart = "" if same_price(old, new) else THEN
            one, other = units[old.key], units[new.key + apart]
            found[old.key][at] = old.quantity @ one - new.quantity @ other
    return found

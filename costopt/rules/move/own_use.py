"""For which share of the hours each machine is paid for: what machines of one's own would be used.

On the longest bill there is, as for commitments: what a machine was not there for counts as not
used. Members of a scaling group come and go for one another, so that of them the n-th counts as
used wherever n or more run, whichever they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.frame.cost import resource_key
from costopt.model.bill import Metered, Usage
from costopt.pricing.scenario import Change
from costopt.rules.groups import group_of
from costopt.rules.move.subjects import Subject
from costopt.units import HOURS_PER_MONTH, provider_key

Floats = npt.NDArray[np.float64]

_WHOLE: Final = re.compile(r"(1 )?((instance|vm|machine|node)[- ])?(h|hrs?|hours?)", re.I)
_BLOCK: Final = 4 * 168
"""Hours in which the least use is looked for: four weeks, of which none has more weekends."""


@dataclass(frozen=True, slots=True)
class Use:
    """Of the hours ahead, as those behind tell them; 0..1."""

    expected: float
    low: float  # in the four weeks that were used least
    hours: float  # of bill that it rests on; 0 = only what its cost tells
    weeks: tuple[float, ...] = ()  # in each four weeks of that, oldest first


def least_together(every: Sequence[Use], weights: Sequence[float]) -> float:
    """The weighed use of several in the four weeks that all of them together were used least; over
    those that all have."""
    shared = min((len(one.weeks) for one in every if one.weeks), default=0)
    together = np.zeros(max(shared, 1))
    for one, weight in zip(every, weights, strict=True):
        known = one.weeks[len(one.weeks) - shared :] if one.weeks else ()
        together += weight * (np.array(known) if known else one.low)
    return float(together.min() / sum(weights))


@dataclass(frozen=True, slots=True, eq=False)
class Paid:
    """Of one provider's bill: the share of each period that each machine is paid for."""

    hours: float  # of a period
    shares: Mapping[str, Floats]  # by `resource_key`: (periods,), 0..1, as the plan leaves it

    @classmethod
    def of(cls, bill: Metered, changes: Mapping[str, Change]) -> Paid:
        """From what meters say.

        Args:
            changes: by `resource_key`, what the plan does.
        """
        mine: dict[str, list[Usage]] = {}
        for usage in bill.usages:
            if usage.resource_id:
                mine.setdefault(usage.resource_id, []).append(usage)
        told = {key: _share(usages, bill) for key, usages in mine.items()}
        return cls(
            bill.hours,
            {
                key: np.clip(share * changes.get(key, Change()).keep, 0.0, 1.0)
                for key, share in told.items()
                if share is not None
            },
        )


def _share(usages: Sequence[Usage], bill: Metered) -> Floats | None:
    """By meters of whole machines; by parts of them only where each period is an hour at most:
    there they tell whether it ran."""
    whole = [one for one in usages if not one.unit or _WHOLE.fullmatch(one.unit)]
    if whole:
        total = np.sum([one.quantity for one in whole], axis=0)
        return np.asarray(np.clip(total / bill.lengths, 0.0, 1.0))
    if bill.hours > 1:
        return None
    return np.asarray(np.any([one.quantity > 0 for one in usages], axis=0).astype(np.float64))


def uses(members: Sequence[Subject], paid: Mapping[str, Paid]) -> list[Use]:
    """How much each is used; never more than its cost tells.

    Args:
        paid: by `provider_key`.
    """
    found: list[Use | None] = [None] * len(members)
    pools: dict[tuple[str, ...], list[int]] = {}
    for number, one in enumerate(members):
        alone = one.resource.resource_id
        pool = group_of(one.resource)
        key = (one.resource.provider_name, pool, one.shape.instance_type) if pool else (alone,)
        pools.setdefault(key, []).append(number)
    for rows in pools.values():
        mine = [members[row] for row in rows]
        of_it = paid.get(provider_key(mine[0].resource.provider_name))
        names = [resource_key(one.resource.resource_id) for one in mine]
        shares = [of_it.shares.get(name) if of_it else None for name in names]
        for row, use in zip(rows, _levels(mine, shares, of_it), strict=True):
            found[row] = use
    return [one for one in found if one is not None]


def _levels(
    members: Sequence[Subject], shares: Sequence[Floats | None], paid: Paid | None
) -> list[Use]:
    """The n-th where n or more run; the most used member is the first."""
    series = {place: share for place, share in enumerate(shares) if share is not None}
    order = sorted(series, key=lambda p: (-series[p].mean(), members[p].resource.resource_id))
    level: dict[int, Floats] = {}
    if order:
        stacked = np.array([series[place] for place in order])
        level = dict(zip(order, -np.sort(-stacked, axis=0), strict=True))
    return [_use(one, level.get(place), paid) for place, one in enumerate(members)]


def _use(one: Subject, share: Floats | None, paid: Paid | None) -> Use:
    most = min(1.0, one.hours / HOURS_PER_MONTH)
    if share is None or paid is None or not len(share):
        return Use(most, most, 0.0)
    block = max(1, round(_BLOCK / paid.hours))
    whole = len(share) // block
    blocks = share[len(share) - whole * block :].reshape(whole, block).mean(axis=1)
    mean = float(share.mean())
    low = min(mean, float(blocks.min(initial=1.0)))
    weeks = tuple(np.minimum(blocks, most).tolist())
    return Use(min(mean, most), min(low, most), len(share) * paid.hours, weeks)

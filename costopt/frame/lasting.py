"""What of a commitment nobody used, where the bill tells it by the month: hour by hour.

AWS bills what is left of a reservation once a month (CUR: the RIFee line, with
reservation/UnusedQuantity, UnusedRecurringFee and UnusedAmortizedUpfrontFeeForBillingPeriod), and
what it covered by the hour. A reservation is as large in every hour, so that what was left is what
it did not cover then: the month's sum is poured over the hours up to one level.

Of a month under way the line tells what there was of it so far. Of one that begins before the bill
does, it counts for the part that lies inside.

Source: AWS, CUR user guide, "Understanding unused reservation costs", "Reservation details".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from costopt.frame.bill_rows import Bools, Ints, Rows

Floats = npt.NDArray[np.float64]

_DAY: Final = 25 * 3_600_000_000
"""Microseconds of the longest day: what is longer is told by the month."""


def lasting(rows: Rows) -> Bools:
    """Unused parts of commitments that are told by the month or so."""
    found: Bools = rows.reckoned & rows.unused & (rows.end - rows.start > _DAY)
    return found


def poured(
    cells: Mapping[str, Any], rows: Rows, which: Bools, starts: Ints, ends: Ints
) -> dict[str, Any]:
    """The cells with these rows in each period that they are of.

    Args:
        cells: of the rows that tell periods, as `Billed` has them.
        starts: of the periods, ascending, and their ends; POSIX microseconds.
    """
    found = dict(cells)
    cost, told = rows.floats("EffectiveCost"), rows.sums["amount"].is_valid()
    amount = rows.floats("amount")
    for at in np.flatnonzero(which):
        first, last = rows.start[at], min(rows.end[at], ends.max(initial=0))
        inside = np.flatnonzero((starts >= first) & (ends <= last))
        if not len(inside) or cost[at] <= 0:
            continue
        commitment = int(rows.commitment[at])
        mine = (found["commitment"] == commitment) & (found["meter"] >= 0)
        cost_of = found["effective"][mine]
        used = np.bincount(found["period"][mine], cost_of, len(starts)).astype(np.float64)
        length = float(np.median(ends[inside] - starts[inside]))
        count = max(len(inside), round((last - starts[inside[0]]) / length))
        left = _to_a_level(used[inside], cost[at] * _inside(first, last, starts), count)
        more = {
            "meter": np.full(len(inside), -1),
            "commitment": np.full(len(inside), commitment),
            "period": inside,
            "effective": left,
            "amount": left * (amount[at] / cost[at] if told[at].as_py() else np.nan),
        }
        blank = np.zeros(len(inside))
        found = {name: np.append(one, more.get(name, blank)) for name, one in found.items()}
    return found


def _inside(first: int, last: int, starts: Ints) -> float:
    """The share of a span that lies in the bill."""
    return float((last - max(first, starts[0])) / (last - first))


def _to_a_level(used: Floats, cost: float, count: int) -> Floats:
    """The cost over periods, so that with what is used they come to one level as far as it goes.

    Args:
        count: of all periods, also those of which there is no bill: they have their part of it.
    """
    left = np.maximum((float(used.sum()) + cost) / count - used, 0.0)
    found: Floats = left * min(1.0, cost / float(left.sum())) if left.any() else left
    return found

"""Cases with past weeks drawn by hand, as the pass over packed samples would leave them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from costopt.model import Cost
from costopt.optimize.weekly import Weekly
from costopt.rules.base import Case
from tests.rules.builders import END, case, samples

WEEKS = 6
FIRST = END.date() - timedelta(weeks=WEEKS)  # a Monday
Array = npt.NDArray[np.float64]


def office(weeks: int = WEEKS, begin: int = 8, end: int = 18) -> Array:
    """(weeks, 336) in use from one hour to another, Monday to Friday, in half hours."""
    hours = np.arange(336) / 2
    used = (hours < 120) & (hours % 24 >= begin) & (hours % 24 < end)
    return np.tile(used.astype(np.float64), (weeks, 1))


def machine(
    used: Array,
    *,
    time_zone: str = "UTC",
    network: bool = True,
    monday: date = FIRST,
    **more: Any,
) -> Case:
    """A machine of 16 vCPUs that was in use so; NaN = missing. Six samples a slot."""
    there = ~np.isnan(used)
    packed = np.stack([6 * (there & (used > 0)), 6 * there], axis=2).astype(np.uint8)
    weekly = Weekly(time_zone, monday, packed, network_measured=network)
    return replace(case("g16", samples(28, 1.0), time_zone=time_zone, **more), weekly=weekly)


def group(vcpus: Array, counts: Array, replicas: int, cost: Cost | None = None) -> Case:
    """A scaling group of machines of 16 vCPUs: (weeks, 336) vCPUs in use, and members that ran."""
    weekly = Weekly("UTC", FIRST, vcpus[:, :, None].astype(np.float32), counts.astype(np.float32))
    one = case("g16", samples(28, 20.0))
    assert one.cost is not None
    whole = replace(
        one.cost,
        monthly=one.cost.monthly * replicas,
        compute=one.cost.compute * replicas,
        compute_list=one.cost.compute_list * replicas,
    )
    return replace(
        one,
        resource=replace(
            one.resource, resource_id="asg-web", instance_type=None, scaling_group="asg-web"
        ),
        profiles=(),
        weekly=weekly,
        replica=one.current,
        replicas=replicas,
        cost=cost or whole,
    )


MONTHLY = Decimal("584.00")
"""16 vCPUs at 0.05 an hour, 730 hours."""

"""What the lake holds and Azure no longer lists: it is gone, and costs and does nothing any more."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from costopt.providers.azure.inventory.place import Row
from costopt.providers.base import Problem

GONE: Final = "terminated"

_LISTED: Final = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/"
    r"(microsoft\.compute/(virtualmachines|disks|snapshots|virtualmachinescalesets)/[^/]+"
    r"|microsoft\.compute/virtualmachinescalesets/[^/]+/virtualmachines/[^/]+"
    r"|microsoft\.network/(publicipaddresses|natgateways|loadbalancers)/[^/]+)"
)
"""Ids of the kinds that the inventory lists: of others it cannot say that they are gone."""


def gone(
    known: Sequence[Mapping[str, Any]],
    listed: Collection[str],
    subscriptions: Collection[str],
    regions: Collection[str],
    problems: Sequence[Problem],
) -> Iterator[Row]:
    """The rows of what is known and not there, with their state.

    Args:
        known: the lake's present rows (schema.RESOURCES).
        listed: ids that Azure has just listed.
        subscriptions: ids of those that were looked into.
        regions: to which that was confined; none = it was not.
        problems: of this collect; a subscription in which anything was refused tells of nothing.
    """
    doubtful = {problem.where.split()[0] for problem in problems if problem.fatal and problem.where}
    sure = set(subscriptions) - doubtful
    for row in known:
        if (
            row["SubAccountId"] in sure
            and (not regions or row["RegionId"] in regions)
            and row["ResourceId"] not in listed
            and row["x_State"] != GONE
            and _LISTED.fullmatch(row["ResourceId"])
        ):
            yield dict(row) | {"x_State": GONE, "x_ObservedAt": None}

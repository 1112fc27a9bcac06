"""What the lake holds and Azure no longer lists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from costopt.providers import gone as clouds
from costopt.providers.base import Problem
from costopt.providers.rows import Row

_LISTED: Final = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/"
    r"(microsoft\.compute/(virtualmachines|disks|snapshots|virtualmachinescalesets)/[^/]+"
    r"|microsoft\.compute/virtualmachinescalesets/[^/]+/virtualmachines/[^/]+"
    r"|microsoft\.network/(publicipaddresses|natgateways|loadbalancers)/[^/]+)"
)


def gone(
    known: Sequence[Mapping[str, Any]],
    listed: Collection[str],
    subscriptions: Collection[str],
    regions: Collection[str],
    problems: Sequence[Problem],
) -> Iterator[Row]:
    """As of any cloud, where what is listed is a subscription rather than a region of one.

    Args:
        subscriptions: ids of those that were looked into.
        regions: to which that was confined; none = it was not.
        problems: of this collect; a subscription in which anything was refused tells of nothing.
    """
    doubtful = {problem.where.partition(" ")[0] for problem in problems if problem.fatal}
    places = {
        (row["SubAccountId"], row["RegionId"])
        for row in known
        if row["SubAccountId"] in subscriptions
        and row["SubAccountId"] not in doubtful
        and (not regions or row["RegionId"] in regions)
    }
    return clouds.gone(known, listed, places, (), _LISTED)

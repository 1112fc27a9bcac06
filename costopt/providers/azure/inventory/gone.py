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
    *,
    unseen: Collection[str] = (),
) -> Iterator[Row]:
    """As of any cloud, where what is listed is a subscription rather than a region of one.

    Args:
        unseen: ids of subscriptions that show nothing any more: what is in them is `UNSEEN`.
        subscriptions: ids of those that were looked into.
        regions: to which that was confined; none = it was not.
        problems: of this collect; a subscription in which anything was refused tells of nothing.
    """
    yield from clouds.departed(known, dict.fromkeys(unseen, clouds.UNSEEN), _LISTED)
    doubtful = {problem.where.partition(" ")[0] for problem in problems if problem.fatal}
    places = {
        (row["SubAccountId"], row["RegionId"])
        for row in known
        if row["SubAccountId"] in subscriptions
        and row["SubAccountId"] not in doubtful
        and (not regions or row["RegionId"] in regions)
    }
    yield from clouds.gone(known, listed, places, (), _LISTED)


def is_there(row: Mapping[str, Any]) -> bool:
    """Whether that is a thing of Azure's, as far as the lake knows."""
    return clouds.is_there(row, _LISTED)

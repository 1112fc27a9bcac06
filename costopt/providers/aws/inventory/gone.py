"""What the lake holds and AWS no longer lists: it is gone, and costs and does nothing any more."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from costopt.providers.aws.inventory.place import Row
from costopt.providers.base import Problem

GONE: Final = "terminated"

_LISTED: Final = re.compile(
    r"(?:i|vol|snap|eipalloc|nat)-[0-9a-f]+"
    r"|arn:[^:]*:elasticloadbalancing:.*:loadbalancer/.+|arn:[^:]*:rds:[^:]*:\d*:db:.+"
)
"""Ids of the kinds that the inventory lists: of others it cannot say that they are gone."""


def gone(
    known: Sequence[Mapping[str, Any]],
    listed: Collection[str],
    places: Collection[tuple[str, str]],
    problems: Sequence[Problem],
) -> Iterator[Row]:
    """The rows of what is known and not there, with their state.

    Args:
        known: the lake's present rows (schema.RESOURCES).
        listed: ids that AWS has just listed.
        places: (account, region) that were looked into.
        problems: of this collect; a place in which anything was refused tells of nothing.
    """
    doubtful = {tuple(problem.where.split()[:2]) for problem in problems if problem.fatal}
    sure = set(places) - doubtful
    for row in known:
        if (
            (row["SubAccountId"], row["RegionId"]) in sure
            and row["ResourceId"] not in listed
            and row["x_State"] != GONE
            and _LISTED.fullmatch(row["ResourceId"])
        ):
            yield dict(row) | {"x_State": GONE, "x_ObservedAt": None}

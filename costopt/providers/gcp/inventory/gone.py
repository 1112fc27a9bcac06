"""What the lake holds and Compute Engine no longer lists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from costopt.providers import gone as clouds
from costopt.providers.base import Problem
from costopt.providers.rows import Row

LISTED: Final = re.compile(
    r"//compute\.googleapis\.com/projects/[^/]+/.+/(?:instances|disks|snapshots|addresses"
    r"|forwardingRules|routers/[^/]+/nats|commitments|reservations)/[^/]+"
)
"""Ids of what the inventory lists."""


def gone(
    known: Sequence[Mapping[str, Any]],
    listed: Collection[str],
    projects: Collection[str],
    regions: Collection[str],
    problems: Sequence[Problem],
    *,
    departed: Mapping[str, str],
) -> Iterator[Row]:
    """As of any cloud, where what is listed is a project rather than a region of one.

    Args:
        projects: ids of those that were looked into.
        regions: to which that was confined; none = it was not.
        problems: of this collect; where anything was refused, nothing is gone.
        departed: `GONE` or `UNSEEN` by project, of those that are not looked into any more.
    """
    yield from clouds.departed(known, departed, LISTED)
    names = set(projects)
    doubtful = {problem.where.partition(" ")[0] for problem in problems if _of_all(problem, names)}
    places = {
        (row["SubAccountId"], row["RegionId"])
        for row in known
        if row["SubAccountId"] in names - doubtful and (not regions or row["RegionId"] in regions)
    }
    yield from clouds.gone(known, listed, places, problems, LISTED)


def _of_all(problem: Problem, names: set[str]) -> bool:
    """Whether what is missing may lie in any region: its `where` names none."""
    project, _, rest = problem.where.partition(" ")
    return problem.fatal and project in names and " " not in rest

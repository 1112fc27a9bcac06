"""What the lake holds and AWS no longer lists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from costopt.providers import gone as _gone
from costopt.providers.base import Problem
from costopt.providers.rows import Row

LISTED: Final = re.compile(
    r"(?:i|vol|snap|eipalloc|nat)-[0-9a-f]+"
    r"|arn:[^:]*:elasticloadbalancing:.*:loadbalancer/.+|arn:[^:]*:rds:[^:]*:\d*:db:.+"
)
"""Ids of what the inventory lists."""


def gone(
    known: Sequence[Mapping[str, Any]],
    listed: Collection[str],
    places: Collection[tuple[str, str | None]],
    problems: Sequence[Problem],
) -> Iterator[Row]:
    """See costopt.providers.gone; of the kinds that the inventory lists."""
    return _gone.gone(known, listed, places, problems, LISTED)

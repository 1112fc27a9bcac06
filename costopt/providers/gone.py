"""What the lake holds and a cloud no longer lists: it is gone, and costs and does nothing more."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from costopt.providers.base import Problem
from costopt.providers.rows import Row

GONE: Final = "terminated"
UNSEEN: Final = "unseen"
"""Of what may well be there, in an account that shows us nothing any more: nothing is advised on it
until it is seen again."""


def gone(
    known: Sequence[Mapping[str, Any]],
    listed: Collection[str],
    places: Collection[tuple[str, str | None]],
    problems: Sequence[Problem],
    ids: re.Pattern[str],
) -> Iterator[Row]:
    """The rows of what is known and not there, with their state.

    Args:
        known: the lake's present rows (schema.RESOURCES).
        listed: ids that the cloud has just listed.
        places: (account, region) that were looked into.
        problems: of this collect, whose `where` begins with account and region; a place in which
            anything was refused tells of nothing.
        ids: of the kinds that the inventory lists: of others it cannot say that they are gone.
    """
    doubtful = {tuple(problem.where.split()[:2]) for problem in problems if problem.fatal}
    sure = set(places) - doubtful
    for row in known:
        if (
            (row["SubAccountId"], row["RegionId"]) in sure
            and row["ResourceId"] not in listed
            and row["x_State"] != GONE
            and ids.fullmatch(row["ResourceId"])
        ):
            yield dict(row) | {"x_State": GONE, "x_ObservedAt": None}


def departed(
    known: Sequence[Mapping[str, Any]], states: Mapping[str, str], ids: re.Pattern[str]
) -> Iterator[Row]:
    """The rows of whole accounts that are not looked into any more, with their state.

    Args:
        known: as `gone`.
        states: `GONE` or `UNSEEN`, by account.
        ids: as `gone`.
    """
    for row in known:
        state = states.get(row["SubAccountId"])
        if state is not None and is_there(row, ids):
            yield dict(row) | {"x_State": state, "x_ObservedAt": None}


def is_there(row: Mapping[str, Any], ids: re.Pattern[str]) -> bool:
    """Whether that is a thing of the cloud's that is there, as far as the lake knows."""
    return row["x_State"] not in (GONE, UNSEEN) and ids.fullmatch(row["ResourceId"]) is not None

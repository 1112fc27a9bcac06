"""What a reader of a comparison must know beside its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from costopt.report.vendor.advice import Advice, Asked
from costopt.report.vendor.sides import Compared
from costopt.units import counted

_LATER: Final = timedelta(days=1)
"""By so much what vendors say may be newer than the data: clouds tell of usage hours late."""
_QUIET: Final = ("keep", "buy-commitment")


def other_currencies(rows: Sequence[Compared], currency: str) -> Iterator[str]:
    """Rows that no sum takes in."""
    others = [other for row in rows if (other := row.currencies - {currency})]
    if others:
        which = ", ".join(sorted(frozenset[str]().union(*others)))
        yield (
            f"{counted(len(others), 'resource')} with amounts in {which}: in no sum, neither "
            f"costopt's nor the vendors', as sums are in {currency}"
        )


def newer(asked: Sequence[Asked], as_of: datetime) -> Iterator[str]:
    """That vendors were asked long after the moment that is judged."""
    newest = max((one.since for one in asked), default=as_of)
    if newest - as_of > _LATER:
        yield (
            f"the vendors' advice is of up to {newest:%Y-%m-%d}, and costopt's as of "
            f"{as_of:%Y-%m-%d}: what they said then is not kept"
        )


def left_out(advice: Sequence[Advice], held: Collection[str], unasked: int) -> Iterator[str]:
    """Advice that stands in no row.

    Args:
        held: ids of the resources compared.
        unasked: resources on which only ours is known.
    """
    unheld = [one for one in advice if one.resource_id not in held and not one.dismissed]
    bought = [one for one in unheld if one.action == "buy-commitment"]
    if bought:
        what = counted(len(bought), "recommendation")
        yield f"{what} to buy commitments: costopt does not size commitments, so none is compared"
    if lost := [one for one in unheld if one.resource_id and one.action not in _QUIET]:
        what = counted(len(lost), "recommendation")
        yield f"{what} on what is not in the inventory, or not chosen here: left out"
    if dismissed := sum(one.dismissed for one in advice):
        yield f"{counted(dismissed, 'recommendation')} that people dismissed or snoozed: left out"
    if unasked:
        what = counted(unasked, "resource")
        yield f"{what} on which costopt has advice, and no vendor could be asked for any: left out"

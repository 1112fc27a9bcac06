"""How old a price is: one definition of "too old" for every command and rule that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

STALE_AFTER: Final = timedelta(days=180)
"""In half a year lists change: Hetzner's CX33 cost 6.49 EUR a month in May 2026, 8.49 in August."""


@dataclass(frozen=True, slots=True)
class Age:
    """How old a price is on a day."""

    days: int | None  # None = the row names no day
    stale: bool | None  # None = nobody knows


def age(valid_from: date | None, as_of: date) -> Age:
    """How old a price, rate or exchange rate is, and whether it is stale: older than `STALE_AFTER`.

    Args:
        valid_from: the row's day (Price.valid_from, Rate.valid_from, Exchange.day).
        as_of: a date, or a moment, whose UTC day counts. A row of a later day is 0 days old.
    """
    if valid_from is None:
        return Age(None, None)
    old = date(as_of.year, as_of.month, as_of.day) - valid_from
    return Age(max(old.days, 0), old > STALE_AFTER)

"""Months of a bill by their names: 2026-09."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from costopt.model import Window


def named(starts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The names of billing periods; they begin on a month's first day, in whichever zone.

    Args:
        starts: BillingPeriodStart, UTC.
    """
    # West of Greenwich a month begins hours later, east of it hours before.
    return pc.strftime(pc.add(starts, pa.scalar(timedelta(hours=14))), "%Y-%m")


def starts(month: str, zone: tzinfo = UTC) -> datetime:
    """The month's first moment in that zone (UTC)."""
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=zone).astimezone(UTC)


def following(month: str) -> str:
    """The month after it."""
    return f"{starts(month).replace(day=28) + timedelta(days=7):%Y-%m}"


def touches(month: str, window: Window | None) -> bool:
    """Whether any of the month lies in the window."""
    if window is None:
        return True
    return starts(month) < window.end and starts(following(month)) > window.start

"""Which times Azure Monitor answers for, on which grid. Pure; seconds since 1970.

A point carries the start of its period, counted from the start of the request: both ends of a
request stand on the grid, so that a period has the same start in every collect. All that is kept is
kept by the minute, so five minutes can be had of all of it.
"""

from __future__ import annotations

from typing import Final

DAY: Final = 86_400
PERIOD: Final = 300
GRAIN: Final = "PT5M"
"""The same, as Azure spells it."""

KEPT: Final = 93 * DAY
"""Of platform and custom metrics; a request that ends earlier is refused. Source: "Azure Monitor
Metrics overview", retention of metrics."""
EDGE: Final = 3_600
"""A collect takes a while, and what it planned to read must not be gone meanwhile."""

LONGEST: Final = 30 * DAY
"""Of one request: of a longer one the first part is missing, and nothing says so. Source: the same
page ("query for a maximum of 30 days"); Azure/azure-sdk-for-python issue 13547."""

SETTLE: Final = 15 * 60
"""Seconds after which a period is taken as final. Measurements come in "within a couple minutes"
("Troubleshooting metrics charts"), custom ones up to three; what is not in yet may read as zero."""


def settled(moment: int, now: int) -> int:
    """The end of the last period that is final and starts before `moment`."""
    return min(-(-moment // PERIOD) * PERIOD, (now - SETTLE) // PERIOD * PERIOD)


def oldest(now: int) -> int:
    """The start of the first period that can be had."""
    return -(-(now - KEPT + EDGE) // PERIOD) * PERIOD


def begin(moment: int) -> int:
    """The start of the first period from then on."""
    return -(-moment // PERIOD) * PERIOD

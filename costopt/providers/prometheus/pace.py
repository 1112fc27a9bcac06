"""How often machines are scraped, and the period that follows from it: the same at every collect.

A series whose period changed from collect to collect would fall apart into several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from costopt.errors import ConfigError
from costopt.providers.base import Problem
from costopt.providers.prometheus import queries
from costopt.providers.prometheus.client import Client, TooMuchError
from costopt.providers.prometheus.measures import ANCHORS, Source, paced
from costopt.providers.prometheus.slots import DEFAULT_PERIOD, PERIODS, SCRAPES, Span, period_for
from costopt.units import SECONDS_PER_DAY

_LOOKS: Final = 34
_APART: Final = 5 * 3600
"""Seconds between looks: a week's hours at ever another time of day, as outages may be nightly."""
_ENOUGH: Final = 3
"""Hours that must have been seen for a period to be kept for good: a server may be new."""
_FULL: Final = 75
"""Percentile of the hours that is taken as whole. A hole makes an hour look slow, and nothing but a
new setting makes it look quick."""


class Pace(NamedTuple):
    """How often targets are scraped."""

    seconds: float  # from scrape to scrape, of the slowest that a period can serve
    hours: int  # that were looked at and had samples, of whom was seen most
    usual: float  # of half of them


def pace(client: Client, source: Source, also: str, at: int, days: int) -> Pace | None:
    """By the samples of hours of the week before `at` (seconds), or else of all the days.

    Target by target: one that lives for an hour, or misses some, makes none slower.

    Returns:
        None where no such target was scraped.
    Raises:
        ProviderError: see Client.ask.
    """
    counted = f"count_over_time({paced(source, also)}[1h] offset 1ms)"
    for apart in (_APART, days * SECONDS_PER_DAY // _LOOKS):
        span = Span(at - _LOOKS * apart, at)
        try:
            lines = queries.ranged(client, f"max by (instance, job) ({counted})", span, apart)
        except TooMuchError:  # an answer for each of so many
            lines = queries.ranged(client, f"quantile(0.5, {counted})", span, apart)
        seen = [counts for line in lines if len(counts := line.values[line.values > 0])]
        if seen:
            return _of_targets(seen)
    return None


def _of_targets(seen: list[NDArray[np.float64]]) -> Pace:
    """The pace of targets by their samples in each hour."""
    long = [counts for counts in seen if len(counts) >= _ENOUGH] or seen
    each = [3600 / float(np.percentile(counts, _FULL, method="nearest")) for counts in long]
    served = [seconds for seconds in each if 2 * seconds <= PERIODS[-1]] or each
    usual = float(np.percentile(each, 50, method="lower"))
    return Pace(max(served), max(map(len, long)), usual)


def slowest(client: Client, also: str, at: int, days: int) -> Pace | None:
    """The pace of the exporter that is scraped least often."""
    found = [one for source in ANCHORS if (one := pace(client, source, also, at, days))]
    if not found:
        return None
    return max(found)._replace(usual=max(one.usual for one in found))


class Periods(NamedTuple):
    """The period of one fleet's samples, now and at earlier collects."""

    url: str
    only: str
    notes: Mapping[str, str]  # of earlier collects

    @property
    def key(self) -> str:
        """The note under which the fleet's period is kept."""
        return f"period {self.url} {self.only}".rstrip()

    @property
    def held(self) -> int | None:
        """The period of the samples that the lake has."""
        noted = self.notes.get(self.key, "")
        return int(noted) if noted.isdigit() else None

    def chosen(self, asked: int | None, scraped: Pace | None) -> int:
        """As asked, or as before where that still holds two scrapes of half the targets, or what
        the slowest needs.

        Raises:
            ConfigError: what is asked for holds less than two scrapes of half the targets.
        """
        seconds = scraped.usual if scraped else 0.0
        if asked is None:
            if self.held and self.held >= 2 * seconds:
                return self.held
            return period_for(scraped.seconds) if scraped else DEFAULT_PERIOD
        if asked < 2 * seconds:
            raise ConfigError(
                f"a period of {asked} s holds less than two scrapes, which come every "
                f"{seconds:g} s",
                where="--period",
                hint=f"at least {SCRAPES} are wanted: --period {period_for(seconds)}",
            )
        return asked

    def noted(self, period: int, asked: int | None, scraped: Pace | None) -> dict[str, str]:
        """What the next collect has to know; nothing of a server too new to be sure."""
        sure = asked is not None or (scraped is not None and scraped.hours >= _ENOUGH)
        return {self.key: str(period)} if sure else {}

    def problems(self, period: int, scraped: Pace | None) -> list[Problem]:
        """Told where samples become longer or shorter."""
        if self.held in (None, period):
            return []
        often = f"; it is scraped every {scraped.seconds:.0f} s" if scraped else ""
        what = f"samples now stand for {period} s, those collected before for {self.held} s{often}"
        return [Problem(self.url, what)]

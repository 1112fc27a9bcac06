"""How often machines are scraped, and the period that follows from it: the same at every collect.

A series whose period changed from collect to collect would fall apart into several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from costopt.errors import ConfigError
from costopt.providers.base import Problem
from costopt.providers.prometheus import queries
from costopt.providers.prometheus.client import Client
from costopt.providers.prometheus.measures import ANCHORS, Source, paced
from costopt.providers.prometheus.slots import DEFAULT_PERIOD, SCRAPES, Span, period_for
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
    """How often most targets are scraped."""

    seconds: float
    hours: int  # that were looked at and had samples


def pace(client: Client, source: Source, also: str, at: int, days: int) -> Pace | None:
    """By the samples of hours of the week before `at` (seconds), or else of all the days.

    Returns:
        None where no such target was scraped.
    Raises:
        ProviderError: see Client.ask.
    """
    query = f"quantile(0.5, count_over_time({paced(source, also)}[1h] offset 1ms))"
    for apart in (_APART, days * SECONDS_PER_DAY // _LOOKS):
        lines = queries.ranged(client, query, Span(at - _LOOKS * apart, at), apart)
        counts = lines[0].values[lines[0].values > 0] if lines else ()
        if len(counts):
            return Pace(3600 / float(np.percentile(counts, _FULL, method="nearest")), len(counts))
    return None


def slowest(client: Client, also: str, at: int, days: int) -> Pace | None:
    """The pace of the exporter that is scraped least often."""
    found = (pace(client, source, also, at, days) for source in ANCHORS)
    return max((one for one in found if one), default=None)


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
        """As asked, or as before where that still holds two scrapes, or as scraping allows.

        Raises:
            ConfigError: what is asked for holds less than two scrapes.
        """
        seconds = scraped.seconds if scraped else 0.0
        if asked is None:
            if self.held and self.held >= 2 * seconds:
                return self.held
            return period_for(seconds) if scraped else DEFAULT_PERIOD
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

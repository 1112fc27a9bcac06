"""Machines of one's own, through a Prometheus (docs/providers/prometheus.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import ClassVar, Final

import pyarrow as pa

from costopt import schema
from costopt.errors import CostoptError, ProviderError
from costopt.model import Window
from costopt.providers.base import Check, Known, Problem
from costopt.providers.prometheus import checking, hosts, offers, pace, queries
from costopt.providers.prometheus.asked import Asked
from costopt.providers.prometheus.client import Client
from costopt.providers.prometheus.fleet import Fleet, discover
from costopt.providers.prometheus.gone import Departures, of_ours
from costopt.providers.prometheus.inventory import Inventory
from costopt.providers.prometheus.measures import ANCHORS, MEASURES, anchor
from costopt.providers.prometheus.sampling import Sampling
from costopt.providers.prometheus.settings import PrometheusSettings
from costopt.providers.prometheus.slots import Span, ceil, floor
from costopt.units import SECONDS_PER_DAY

_SETTLE_SECONDS: Final = 120
"""Samples this young may still change: a scrape under way, a rule that is not evaluated yet, a
remote write in its queue. Longer where scraping is slower."""
_CLOCKS_APART: Final = timedelta(minutes=5)
_USUAL_SCRAPE: Final = 60.0  # Prometheus's default scrape_interval


@dataclass(frozen=True)
class _Found:
    """What is there, and the grid on which it is asked for."""

    fleet: Fleet
    span: Span
    period: int


class PrometheusProvider:
    """The machines that a Prometheus scrapes (see Provider, Resuming, Checked)."""

    name = "prometheus"
    Settings: ClassVar = PrometheusSettings

    def __init__(
        self, settings: PrometheusSettings, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Nothing is read yet.

        Args:
            pause: waits that many seconds before a query is tried again.
        """
        self._settings = settings
        self._pause = pause
        self._known = Known()
        self.problems: list[Problem] = []
        self.notes: dict[str, str] = {}

    def resume(self, known: Known) -> None:
        """Told what the lake holds, before any other call."""
        self._known = known

    def resources(self) -> pa.Table:
        """Machines that report, sized by the hosts file or else as measured (schema.RESOURCES).

        Raises:
            ConfigError, InputError: a secret, certificate or hosts file that cannot be used.
            ProviderError: the server does not answer, or nothing reports to it.
        """
        here = self._inventory.resources()
        asked = Asked.read(self._known.notes.get(self._asked_key, ""))
        self.notes[self._asked_key] = asked.beginning(self._found.span)
        ended = pa.Table.from_pylist(list(self._departures.last_rows()), schema=schema.RESOURCES)
        return pa.concat_tables([here, ended])

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        """Samples starting inside `window`, or all there are (schema.METRICS)."""
        found = self._found
        self._inventory  # noqa: B018  (a file of hosts that cannot be used stops this as well)
        key = self._asked_key
        asked = Asked.read(self._known.notes.get(key, ""))
        sampling = Sampling(
            client=self._client,
            fleet=found.fleet,
            span=_inside(found, window),
            asked=asked,
            period=found.period,
            held=self._known.held,
            also=self._settings.only or "",
            concurrency=self._settings.max_concurrency,
        )
        yield from sampling.tables()
        self.notes[key] = sampling.note
        self._tell(sampling.problems)
        self._tell_warnings()

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        """One's own machines have no bill: their price is amortised."""
        yield from ()

    def prices(self) -> pa.Table:
        """An hour of each type that the hosts file prices, by site, and the end of each that it
        prices no more (schema.PRICES)."""
        now = self._inventory.prices()
        if not self._settings.hosts:
            return now
        key = f"prices {self._settings.url} {self._settings.only or ''}".rstrip()
        ended, self.notes[key] = offers.replaced(now, self._known, key, self._found.fleet.machines)
        return pa.concat_tables([now, ended])

    def shapes(self) -> pa.Table:
        """The types of the hosts file (schema.SHAPES)."""
        return self._inventory.shapes()

    def checks(self) -> Iterator[Check]:
        """Whether it is a Prometheus, what reports to it, how often, and how far back it goes."""
        yield from checking.checks(self._client, self._settings, self._now)

    def permissions(self) -> str:
        """What a proxy in front of it has to let through."""
        return checking.PERMISSIONS

    @property
    def _asked_key(self) -> str:
        """The note under which stands what was asked of this fleet, machines called as now."""
        given = self._settings
        return f"asked {given.url} {given.machine_label} {given.only or ''}".rstrip()

    @cached_property
    def _client(self) -> Client:
        client = Client(self._settings, self._pause)
        if client.unprotected:
            what = "secrets are sent unencrypted, which all between can read"
            self._tell([Problem(self._settings.url, what)])
        return client

    @cached_property
    def _entries(self) -> tuple[hosts.Entry, ...]:
        day = (self._settings.until or datetime.now(UTC)).date()
        return hosts.load(self._settings.hosts, day) if self._settings.hosts else ()

    @property
    def _found(self) -> _Found:
        found = self._outcome
        if isinstance(found, CostoptError):
            raise found
        return found

    @cached_property
    def _outcome(self) -> _Found | CostoptError:
        """What was found, or why nothing was: a server that is away is not tried for each table."""
        try:
            return self._discovered()
        except CostoptError as error:
            return error

    def _discovered(self) -> _Found:
        self._entries  # noqa: B018  (what is wrong with the user's file is told before any query)
        also = self._settings.only or ""
        end = self._now()
        scraped = pace.slowest(self._client, also, int(end), self._settings.days)
        period = self._period(scraped)
        scrape = scraped.seconds if scraped else _USUAL_SCRAPE
        settled = self._server_now() - max(_SETTLE_SECONDS, 2 * scrape)
        stop = floor(min(end, settled), period)
        days = timedelta(days=self._settings.days).total_seconds()
        span = Span(ceil(end - days, period), stop)
        recorded = [name for m in MEASURES if (name := m.recorded(period))]
        fleet = discover(self._client, self._settings.machine_label, also, span, recorded)
        if not fleet.machines:
            raise ProviderError(
                f"no machine reported to it in the last {self._settings.days} days",
                where=self._settings.url,
                hint="costopt doctor prometheus says what is there; node_exporter, dcgm-exporter "
                "and cAdvisor are understood",
            )
        self._tell(self._doubts(fleet))
        self._tell_warnings()
        return _Found(fleet, span, period)

    def _doubts(self, fleet: Fleet) -> Iterator[Problem]:
        """What was asked for or is set otherwise than it can be meant."""
        if fleet.names.unnamed:
            label = self._settings.machine_label
            what = f"no label {label!r}, so these targets are named by their instance"
            yield Problem("--machine-label", what, fleet.names.unnamed)
        ours = datetime.now(UTC)
        until = self._settings.until
        if until and until > ours:
            yield Problem("--until", f"{until:%Y-%m-%d %H:%M} is yet to come: collected up to now")
        apart = ours - (self._client.server_time or ours)
        if abs(apart) > _CLOCKS_APART:
            way = "behind" if apart > timedelta(0) else "ahead of"
            what = f"its clock is {abs(apart).total_seconds():.0f} s {way} ours; set both by NTP"
            yield Problem(self._settings.url, what)

    @cached_property
    def _inventory(self) -> Inventory:
        path = self._settings.hosts
        machines = self._found.fleet.machines
        lost, known = self._departures, self._known.resources
        inventory = Inventory(
            [machine for unique, machine in machines.items() if not lost.gone(unique)],
            self._entries,
            path.name if path else "",
            claimed={row["ResourceId"] for row in known if not of_ours(row)},
            gone={u: m for u, m in lost.machines.items() if u not in lost.rows},
            stop=datetime.fromtimestamp(self._found.span.stop, UTC).date(),
        )
        self._tell(inventory.problems)
        if inventory.cloud_nodes:
            what = (
                "machines of a cloud, listed by what Kubernetes says of them until that cloud is "
                "collected, too"
            )
            self._tell([Problem("Kubernetes nodes", what, inventory.cloud_nodes)])
        return inventory

    @cached_property
    def _departures(self) -> Departures:
        also = self._settings.only or ""
        stop = self._found.span.stop

        def listening() -> bool:
            """A day before: a server that was away itself hears of nobody at first."""
            before = stop - SECONDS_PER_DAY
            counts = (f"count({anchor(source, also)})" for source in ANCHORS)
            return any(queries.number(self._client, count, before) for count in counts)

        departures = Departures(
            fleet=self._found.fleet,
            known=self._known,
            entries=self._entries,
            key=f"machines {self._settings.url} {also}".rstrip(),
            stop=stop,
            days=self._settings.gone_after,
            looked=self._settings.days,
            listening=listening,
        )
        self._tell(departures.problems)
        self.notes |= departures.note
        return departures

    def _period(self, scraped: pace.Pace | None) -> int:
        """The period of all samples, noted for the next collect."""
        periods = pace.Periods(self._settings.url, self._settings.only or "", self._known.notes)
        asked = self._settings.period
        period = periods.chosen(asked, scraped)
        self._tell(periods.problems(period, scraped))
        self.notes |= periods.noted(period, asked, scraped)
        return period

    def _now(self) -> float:
        """Up to when samples are asked for (seconds)."""
        now, until = self._server_now(), self._settings.until
        return now if until is None else min(now, until.timestamp())

    def _server_now(self) -> float:
        """The time by the server's clock, which its samples bear; by ours before it answered."""
        ours = datetime.now(UTC)
        return min(ours, self._client.server_time or ours).timestamp()

    def _tell_warnings(self) -> None:
        """What answers said of themselves."""
        self._tell(Problem(self._settings.url, warning) for warning in self._client.warnings)

    def _tell(self, problems: Iterator[Problem] | list[Problem]) -> None:
        """Each once, however often the provider is asked."""
        for problem in problems:
            if problem not in self.problems:
                self.problems.append(problem)


def _inside(found: _Found, window: Window | None) -> Span:
    """The part of the window that has settled samples, on the grid."""
    if window is None:
        return found.span
    start = ceil(window.start.timestamp(), found.period)
    stop = ceil(window.end.timestamp(), found.period)
    return Span(max(start, found.span.start), min(stop, found.span.stop))

"""What is asked of CloudWatch, call by call, and what it costs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Final

from costopt.model import Series
from costopt.providers.aws.metrics import packing, retention
from costopt.providers.aws.metrics.agents import Listed, by_machine, found
from costopt.providers.aws.metrics.catalogue import Entry
from costopt.providers.aws.metrics.targets import Dimensions, Place, Target
from costopt.providers.base import Estimate, Known
from costopt.units import cents_up, counted

USD_PER_METRIC: Final = Decimal("0.00001")
"""GetMetricData, $0.01 per 1,000 metrics; up to five statistics of one metric in one request are
one metric. Source: aws.amazon.com/cloudwatch/pricing (the same in all regions but a few)."""


_LAST_SAMPLES: Final = 600
"""Seconds: a machine that stops may not send its last sample or two."""


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """Series of ours that are made of the same queries; one object for each."""

    place: Place
    resource_id: str
    device: str  # "" = the whole resource
    entry: Entry
    dimensions: Dimensions
    silent_since: int | None = None  # as of its Target

    @property
    def name(self) -> str:
        """What tells it from others of its place, the same from one collect to the next."""
        return "\t".join((self.resource_id, self.entry.names[0], self.device))

    def series(self) -> list[Series]:
        """Its lines of samples."""
        return [Series(self.resource_id, m.name, m.statistic, self.device) for m in self.entry.made]


@dataclass(frozen=True, slots=True)
class Part:
    """The times of one unit that a call brings."""

    unit: Unit
    period: int  # seconds
    start: int  # seconds since 1970; the call may begin earlier
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """One GetMetricData."""

    place: Place
    start: int  # seconds since 1970
    end: int
    parts: tuple[Part, ...]

    @property
    def metrics(self) -> int:
        """How many are billed."""
        return sum(len(part.unit.entry.names) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Plan:
    """All calls, in the order in which their answers are given: of a unit the earlier first."""

    calls: tuple[Call, ...]

    @property
    def metrics(self) -> int:
        """How many are billed."""
        return sum(call.metrics for call in self.calls)


def units(targets: Iterable[Target], agents: Mapping[Place, Sequence[Listed]]) -> list[Unit]:
    """Everything that can be asked, by place and resource."""
    machines = {place: by_machine(series) for place, series in agents.items()}
    asked = []
    for target in targets:
        place = (target.account_id, target.region)
        of_agent = found(machines.get(place, {}).get(target.value, ()), target)
        for entry, dimensions, device in (
            *((entry, dimensions, "") for entry, dimensions in target.asked()),
            *of_agent,
        ):
            silent = target.silent_since
            asked.append(Unit(place, target.resource_id, device, entry, dimensions, silent))
    return asked


def planned(
    since: Mapping[Unit, int], earlier: Mapping[Unit, tuple[int, int]], end: int, now: int
) -> Plan:
    """The calls that bring samples of these units.

    Args:
        since: from when on, seconds since 1970, as `end` and `now`.
        earlier: ranges before that, too, of some of them.
    """
    asked = list(since)
    wanted: dict[Place, list[packing.Ask]] = {}
    settled = retention.settled(end, now)
    for number, unit in enumerate(asked):
        ranges = ((since[unit], settled), *((earlier[unit],) if unit in earlier else ()))
        for period, first, last in _spans(unit, ranges, now):
            ask = packing.Ask(first, last, period, len(unit.entry.raws), number)
            wanted.setdefault(unit.place, []).append(ask)
    return Plan(tuple(_in_turn([_calls(place, wanted[place], asked) for place in sorted(wanted)])))


def _spans(unit: Unit, ranges: Iterable[tuple[int, int]], now: int) -> list[retention.Span]:
    """What to ask of a unit, oldest first. Of the fine period one span, with what lies between:
    each metric is billed by the call, however long its range, and what is told again is the same.
    Of the coarse one the lake may hold finer samples between.
    """
    spans = []
    for first, last in ranges:
        # by its own samples: another's may have come before a collect was killed
        if unit.silent_since is None or unit.silent_since >= first + _LAST_SAMPLES:
            spans += retention.spans(first, last, now)
    fine = [span for span in spans if span.period == retention.FINE]
    found = [span for span in spans if span.period != retention.FINE]
    if fine:
        first, last = min(span.start for span in fine), max(span.end for span in fine)
        found.append(retention.Span(retention.FINE, first, last))
    return sorted(found, key=lambda span: span.start)


def estimate(plan: Plan, listing: int) -> Estimate:
    """What the calls cost.

    Args:
        listing: places where series were listed.
    """
    usd = cost(plan.metrics)
    asked = counted(len(plan.calls), "call")
    lines = [
        f"CloudWatch GetMetricData: {counted(plan.metrics, 'metric')} in {asked} at $0.01 per "
        f"1,000 metrics: ${cents_up(usd):,}"
    ]
    if listing:
        lines.append(
            f"CloudWatch ListMetrics in {counted(listing, 'region')}: free below a million calls "
            "a month"
        )
    return Estimate(usd, tuple(lines))


def cost(metrics: int) -> Decimal:
    """Dollars for so many metrics."""
    return metrics * USD_PER_METRIC


def lacking(unit: Unit, known: Known, start: int) -> int:
    """From when on the lake lacks samples, of those that begin at `start` or later. The series of a
    unit are kept together, so the one that reaches furthest tells; one that AWS never sends does
    not count."""
    return max([start, *(seconds(moment) for moment in held(unit, known))])


def held(unit: Unit, known: Known) -> list[datetime]:
    """The ends of the unit's series that the lake holds; [] = it holds none of them."""
    return [known.held[one] for one in unit.series() if one in known.held]


def seconds(moment: datetime) -> int:
    """Seconds since 1970, up to the next whole one."""
    return -int(-moment.timestamp() // 1)


def _calls(place: Place, asks: list[packing.Ask], asked: Sequence[Unit]) -> list[Call]:
    return [
        Call(
            place,
            call.start,
            call.end,
            tuple(Part(asked[ask.key], ask.period, ask.start, ask.end) for ask in call.asks),
        )
        for call in packing.packed(asks)
    ]


def _in_turn(queues: list[list[Call]]) -> Iterator[Call]:
    """One call of each place after the other: AWS limits calls by account and region."""
    for row in zip_longest(*queues):
        yield from (call for call in row if call is not None)

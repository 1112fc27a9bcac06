"""One machine's past, looked at from every origin: what was to be seen, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.backtest.outcome import Outcomes, outcomes
from costopt.backtest.series import History, percent
from costopt.backtest.windows import TRAIN_DAYS, Origin, Timetable
from costopt.optimize.features import Floats, features
from costopt.optimize.guard import BUDGET
from costopt.optimize.record import Ints, Record
from costopt.schema import MISSING_U16, PERCENT_SCALE

MIN_TRAIN_COVERAGE: Final = 0.5
"""Of a training window, or the last `TRAIN_DAYS` of a longer one: what is older is a gain."""
MIN_TEST_COVERAGE: Final = 0.8
"""Of a test window: a share of violations of fewer samples would be another window's."""

LEAD_MINUTES: Final = (10, 240, 1440)
"""How long a rollback takes: an automatic resize, a person on call, the next day."""


@dataclass(frozen=True, slots=True)
class Standard:
    """By what a size is judged."""

    limit_percent: float = 90.0
    budget: float = BUDGET


STANDARD: Final = Standard()


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """What each size came to in a test window."""

    exhausted: npt.NDArray[np.bool_]  # (S,)
    over_90: Floats  # (S,)
    over_100: Floats  # (S,)
    guarded: Floats  # (leads, S)
    kept: Floats  # (leads, S)


@dataclass(frozen=True, slots=True, eq=False)
class Studied:
    """What there is at each origin; an origin is missing where its window is too thin."""

    resource_id: str
    sizes: Floats  # (S,) descending from 1
    figures: Mapping[Origin, npt.NDArray[np.float32]]  # (S, NAMES)
    peaks: Mapping[Origin, float]  # highest sample up to the origin, percent
    tested: Mapping[Origin, Tested]
    records: Mapping[Origin, Record]
    over: Floats  # (S,) share of the newest training window's samples over the limit

    def places(self, sizes: Floats) -> Ints:
        """Where those sizes stand among its own.

        Raises:
            KeyError: one of them was not studied.
        """
        found = np.searchsorted(-self.sizes, -sizes)
        if not np.array_equal(self.sizes[np.minimum(found, len(self.sizes) - 1)], sizes):
            raise KeyError(f"of {sizes.tolist()} not all were studied: {self.sizes.tolist()}")
        return found

    def judged(self, at: Origin) -> bool:
        """Whether it can be decided on at that origin, and what came of it is known."""
        return at in self.figures and at in self.tested


def study(
    history: History,
    cpu: npt.NDArray[np.uint16],
    sizes: Floats,
    table: Timetable,
    by: Standard,
    *,
    lead_minutes: Sequence[int] = LEAD_MINUTES,
) -> Studied:
    """Look at a machine from every origin of the timetable, and from now.

    What stands under an origin in `figures`, `peaks` and `records` is of samples before it; in
    `tested`, of its test window alone. One thing comes from all of the history, for better and for
    worse: which samples are disputed or refused. On 300 Bitbrains machines, 2 of 1,405 decisions
    are others by what was known at their origin, and none of them ends otherwise; with 1 % injected
    spikes 6 % are others, and 6.3 instead of 5.4 % of decisions end in a rollback.

    Args:
        cpu: uint16 (slots,) hundredths of a percent, ending now: the history's, or another reading.
        sizes: (S,) shares of today's capacity, descending from 1.
    """
    view = _View.of(cpu, history.slots_a_day)
    moments = (*table.origins, table.now)
    judged = dict.fromkeys((*table.all_lessons, *table.origins))
    limits = np.round(by.limit_percent * sizes, 9)  # as outcome.py has them: 90 * 0.48 is 43.2
    figures = _figures(view, dict.fromkeys((*judged, *moments)), limits, by)
    spans = {(o.done_back_days, o.test_days) for o in judged}
    spans |= {(end, o.test_days) for o in moments for end in _whole(view, o)}
    leads = [-(-60 * m // history.subject.period_seconds) for m in lead_minutes]
    ended = _ended(view, spans, sizes, leads, by)
    return Studied(
        resource_id=history.subject.resource_id,
        sizes=sizes,
        figures=figures,
        peaks={o: view.peak(o) for o in moments if o in figures},
        tested={
            o: ended[o.done_back_days, o.test_days]
            for o in judged
            if view.coverage(o.done_back_days, o.test_days) >= MIN_TEST_COVERAGE
        },
        records={o: _record(view, o, ended, len(sizes)) for o in moments},
        over=view.over(table.now, limits),
    )


def disputed_over(history: History, sizes: Floats, at: Origin, by: Standard) -> Floats:
    """(S,) share of a training window's samples that are disputed and over the limit of that size.

    Whoever watches the machine afterwards sees them too, and cannot tell them from demand.
    """
    view = _View.of(history.cpu_with_disputed, history.slots_a_day)
    accused = np.full_like(view.cpu, MISSING_U16)
    accused[history.disputed] = view.cpu[history.disputed]
    high = replace(view, cpu=accused).train(at)
    high = high[high != MISSING_U16]
    limits = np.round(np.round(by.limit_percent * sizes, 9) * PERCENT_SCALE, 7)
    samples = np.count_nonzero(view.train(at) != MISSING_U16)
    return np.asarray((high > limits[:, None]).sum(axis=1) / max(1, samples))


@dataclass(frozen=True, slots=True)
class _View:
    """Samples by days counted back from their end."""

    cpu: npt.NDArray[np.uint16]
    slots_a_day: int
    present: list[int]  # samples before each day's start, and at last of all days
    highest: list[int]  # of all samples up to each day's end, hundredths; 0 = none

    @classmethod
    def of(cls, cpu: npt.NDArray[np.uint16], slots_a_day: int) -> _View:
        there = cpu != MISSING_U16
        by_day = there.reshape(-1, slots_a_day).sum(axis=1)
        daily = np.where(there, cpu, 0).reshape(-1, slots_a_day).max(axis=1)
        highest = np.maximum.accumulate(daily)
        return cls(cpu, slots_a_day, [0, *np.cumsum(by_day).tolist()], highest.tolist())

    @property
    def days(self) -> int:
        return len(self.present) - 1

    def span(self, end_back_days: int, days: int) -> npt.NDArray[np.uint16]:
        end = len(self.cpu) - end_back_days * self.slots_a_day
        return self.cpu[end - days * self.slots_a_day : end]

    def coverage(self, end_back_days: int, days: int) -> float:
        end = self.days - end_back_days
        if days < 1 or end < days:
            return 0.0
        return (self.present[end] - self.present[end - days]) / (days * self.slots_a_day)

    def train(self, at: Origin) -> npt.NDArray[np.uint16]:
        return self.span(at.back_days, at.train_days)

    def peak(self, at: Origin) -> float:
        return self.highest[self.days - at.back_days - 1] / PERCENT_SCALE

    def over(self, at: Origin, limits: Floats) -> Floats:
        seen = self.train(at)
        seen = seen[seen != MISSING_U16]
        whole = np.floor(np.round(limits * PERCENT_SCALE, 7)).astype(np.uint16)
        return np.array([np.count_nonzero(seen > limit) for limit in whole]) / max(1, len(seen))


def _figures(
    view: _View, moments: Iterable[Origin], limits: Floats, by: Standard
) -> dict[Origin, npt.NDArray[np.float32]]:
    """The figures of every origin whose training window holds enough."""
    by_length: dict[int, list[Origin]] = {}
    for at in moments:
        newest = view.coverage(at.back_days, min(at.train_days, TRAIN_DAYS))
        if at.start_back_days <= view.days and newest >= MIN_TRAIN_COVERAGE:
            by_length.setdefault(at.train_days, []).append(at)
    found: dict[Origin, npt.NDArray[np.float32]] = {}
    for alike in by_length.values():
        train = np.stack([view.train(at) for at in alike])
        rows = features(train, limits, view.slots_a_day, by.budget)
        found.update(zip(alike, rows.astype(np.float32), strict=True))
    return found


def _ended(
    view: _View,
    spans: Iterable[tuple[int, int]],
    sizes: Floats,
    leads: Sequence[int],
    by: Standard,
) -> dict[tuple[int, int], Tested]:
    """What every size came to in each span (days back that it ends, days) with enough samples."""
    by_length: dict[int, list[int]] = {}
    for end, days in sorted(spans):
        if view.coverage(end, days) >= MIN_TRAIN_COVERAGE:
            by_length.setdefault(days, []).append(end)
    found = {}
    for days, ends in by_length.items():
        tests = percent(np.stack([view.span(end, days) for end in ends]))
        came = outcomes(tests, sizes, leads, limit_percent=by.limit_percent, budget=by.budget)
        found.update({(end, days): _tested(came, row) for row, end in enumerate(ends)})
    return found


def _tested(came: Outcomes, row: int) -> Tested:
    return Tested(
        exhausted=came.exhausted[row],
        over_90=came.over_90[row],
        over_100=came.over_100[row],
        guarded=came.guarded[:, row],
        kept=came.kept[:, row],
    )


def _whole(view: _View, at: Origin) -> range:
    """How far back each whole window up to an origin ends, newest first."""
    return range(at.back_days, view.days - at.test_days + 1, at.test_days)


def _record(view: _View, at: Origin, ended: Mapping[tuple[int, int], Tested], sizes: int) -> Record:
    lived = {
        end: ended[end, at.test_days].exhausted
        for end in _whole(view, at)
        if (end, at.test_days) in ended
    }
    before = [used_up for end, used_up in lived.items() if end >= at.start_back_days]
    over, over_before = _times(lived.values(), sizes), _times(before, sizes)
    return Record(len(lived), over, len(before), over_before)


def _times(used_up: Iterable[npt.NDArray[np.bool_]], sizes: int) -> Ints:
    total = np.zeros(sizes, np.int64)
    for of_window in used_up:
        total += of_window
    return total

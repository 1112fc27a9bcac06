"""How a backtest's values are said to people: points, spans, ladders, what was replayed.

Every share is said in percent; figures that stand in columns have no sign of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from costopt.backtest.base import STOP
from costopt.backtest.result import Backtest, Bin, Calibration, Interval, MethodScore
from costopt.backtest.windows import LONGEST_TRAIN_DAYS
from costopt.report.words import figure
from costopt.units import counted

NOTHING: Final = "\u2014"  # an em dash: not known
MINUS: Final = "\u2212"
DASH: Final = "\u2013"
OURS: Final = "costopt"
TIME: Final = "Over the limit"  # a group of columns
_DAY, _HOUR = 1440, 60  # minutes
_CALIBRATION_AT: Final = 0.1  # a risk of one in ten: about where decisions turn


def is_ours(name: str) -> bool:
    """Whether the method is costopt's own, at any price of a rollback."""
    return name == OURS or name.startswith(f"{OURS}-")


def short_name(name: str) -> str:
    """The name beside a dot: our variants stand joined to ours, and need no first name."""
    return name.removeprefix(f"{OURS}-")


def marked(score: MethodScore) -> str:
    """The name, with a star where the footnote `approximated` speaks of it."""
    return f"{score.name} *" if score.by_cpu_alone else score.name


def approximated(result: Backtest) -> str:
    """A footnote on the methods that are marked; empty where none is."""
    shares = sorted({score.by_cpu_alone for score in result.scores if score.by_cpu_alone})
    if not shares:
        return ""
    ends = dict.fromkeys(points(share, 0) for share in (shares[0], shares[-1]))
    return (
        f"* approximated: in {DASH.join(ends)} % of the windows without the network figures that "
        "its vendor would have had, so that it stops or shrinks more machines than the vendor would"
    )


def points(share: float, decimals: int = 1) -> str:
    """A share in percent, without the sign: 66.5; what is more than nothing never reads as it."""
    if math.isnan(share):
        return NOTHING
    least = 10.0**-decimals
    if 0 < share * 100 < least / 2:
        return f"<{least:.{decimals}f}"
    text = f"{abs(share) * 100:.{decimals}f}"
    return f"{MINUS}{text}" if share < 0 and float(text) else text


def percent(share: float, decimals: int = 1) -> str:
    """A share in percent: 66.5 %."""
    text = points(share, decimals)
    return text if text == NOTHING else f"{text} %"


def whole(share: float) -> str:
    """A share in whole percent."""
    return percent(share, 0)


def span(of: Interval) -> str:
    """An interval in percent: 64.1-68.8 with a dash, with "to" where one end is below zero."""
    if math.isnan(of.low) or math.isnan(of.high):
        return NOTHING
    between = f" to {points(of.high)}" if of.low < 0 else f"{DASH}{points(of.high)}"
    return points(of.low) + between


def signed(share: float) -> str:
    """A difference in points: +1.2, or with a minus sign."""
    text = points(share)
    return f"+{text}" if share > 0 and not text.startswith("<") else text


def signed_span(of: Interval) -> str:
    """The interval of a difference."""
    if math.isnan(of.low) or math.isnan(of.high):
        return NOTHING
    return f"{signed(of.low)} to {signed(of.high)}"


def lead(minutes: float) -> str:
    """A time from alarm to rescue: 10 min, 4 h, 24 h."""
    if minutes >= _HOUR and minutes % _HOUR == 0:
        return f"{figure(minutes / _HOUR)} h"
    return f"{figure(minutes)} min"


def rung(size: float) -> str:
    """A size of the ladder as people halve: 1, 1/2, 3/4; what is no such part stays decimal."""
    if size == STOP:
        return "none (stopped)"
    near = Fraction(size).limit_denominator(128)
    exact = math.isclose(float(near), size, rel_tol=1e-9)
    return str(near) if exact else figure(size)


def days(number: float) -> str:
    """`14 days`, `1 day`."""
    return counted(number, "day", ",.4g")


# -- what was replayed -----------------------------------------------------------------------


def title(result: Backtest) -> str:
    """How much was replayed."""
    machines = counted(result.resources, "machine")
    return f"{machines}, {counted(result.windows, 'test window')}"


def method(result: Backtest) -> str:
    """Which past a decision saw, and which weeks judged it."""
    when = [f"{moment:%Y-%m-%d}" for moment in (*result.origins[:1], *result.origins[1:][-1:])]
    between = f", from {when[0]} to {when[1]}" if len(when) > 1 else "".join(f", {w}" for w in when)
    gap = f"after a gap of {days(result.gap_days)} " if result.gap_days else ""
    return (
        f"Every machine was decided at {counted(len(result.origins), 'past moment')}{between}. "
        f"Each decision saw the {days(result.train_days)} before and was tested {gap}on the "
        f"{days(result.test_days)} that followed, which it had not seen."
    )


def terms(result: Backtest) -> str:
    """What was on offer, what counts as a failure, and what one costs."""
    return (
        f"Sizes on offer: {', '.join(map(rung, result.ladder))} of today's. The guard puts a "
        f"machine back once more than {percent(result.budget)} of a window's samples were over "
        f"{figure(result.limit_percent)} % of its new size; {OURS} weighed one such rollback as "
        f"{counted(result.rollback_cost, 'window', ',.4g')} of the machine that holds the "
        "highest demand seen."
    )


def data(result: Backtest) -> str:
    """From when to when data were used."""
    start, end = result.window.start, result.window.end
    return f"{start:%Y-%m-%d} to {end:%Y-%m-%d} UTC"


def headline(result: Backtest) -> str:
    """What a picture shows."""
    others = sum(not is_ours(score.name) for score in result.scores)
    beside = f" beside {counted(others, 'other rule')}" if others else ""
    return f"How {OURS}'s sizes would have done{beside}"


def subtitle(result: Backtest) -> str:
    """Below it: how much was replayed, and of when."""
    tested = f"{days(result.test_days)} each, after {days(result.train_days)} of history"
    return f"{title(result)} of {tested}, {data(result)}"


def looking_back(result: Backtest) -> str:
    """Why a replay sees less of the past than advice; empty where it does not."""
    if result.train_days >= LONGEST_TRAIN_DAYS:
        return ""
    return (
        f"Advice looks back {LONGEST_TRAIN_DAYS} days where it can; each decision here saw "
        f"{days(result.train_days)}, as published rules do, so that more of the past is left to "
        f"test on. To replay as advice looks: --train-days {LONGEST_TRAIN_DAYS}."
    )


# -- calibration -----------------------------------------------------------------------------


def calibration(of: Calibration) -> str:
    """In one sentence, whether a predicted risk is what then happens."""
    told = _telling(of.bins)
    every = sum(bin_.count for bin_ in of.bins)
    off = f"{points(of.expected_error)} points on average"
    return (
        f"When {OURS} said that {whole(told.predicted)} would be rolled back, it was "
        f"{whole(told.observed)} ({counted(told.count, 'case')}; 95 % range "
        f"{span(told.interval)} %). Over all "
        f"{counted(every, 'case')} its risks were off by {off}: the expected calibration error."
    )


def _telling(bins: Sequence[Bin]) -> Bin:
    """The bin that is nearest to one in ten."""
    return min(bins, key=lambda b: (abs(b.predicted - _CALIBRATION_AT), b.predicted))


def ours(result: Backtest) -> MethodScore | None:
    """Our default; None where a backtest has none."""
    return next((score for score in result.scores if is_ours(score.name)), None)


# -- how to read it --------------------------------------------------------------------------


def reading(result: Backtest) -> dict[str, str]:
    """What each group of columns says, for somebody who reads no statistics."""
    limit = figure(result.limit_percent)
    told = {
        "Net saving": "what is left of the gross saving after rollbacks, in percent of today's "
        "CPU over all test windows; below it the range that holds with 95 % confidence",
        "Rolled back": "percent of the test windows in which the guard brought the old size back",
        TIME: f"percent of the time that demand stood over {limit} % of the new size and would not "
        "have on today's: the mean without a guard, and the worst window where the old size is "
        "back so long after the alarm; 100 %: the mean of what the new size could not do at all",
    }
    if any(score.net_minus_ours for score in result.scores):
        told["Difference"] = (
            f"the method's net saving less {OURS}'s; where its range includes 0, the two cannot "
            "be told apart"
        )
    return told

"""How sure it is that a layer of demand will be needed for years: from history, with a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.errors import InsufficientData
from costopt.optimize.commitment.history import WEEK_HOURS, Floats

YEAR_WEEKS: Final = 52
MONTHS: Final = 12
LEAST_WEEKS: Final = 2
"""One week can be drawn in one way only: its bound would be as sure as if it were all weeks."""

TREND_PAIRS: Final = 13
"""Weeks that must have one a year before them until a trend is believed: a quarter."""

LEVELS: Final = 512
"""Layers looked at: of neighbours, none is wider than a 256th of the highest demand, nor are more
than a 256th of the hours between them."""

_DRAWS_AT_ONCE: Final = 128


@dataclass(frozen=True, slots=True)
class Caution:
    """How sure one must be before committing, and what one fears."""

    confidence: float = 0.9  # of the bound on how often a layer is needed
    # Share of demand lost each year, if history does not show a steeper fall: rightsizing goes on,
    # and what runs today is moved or ended. A fleet that surely grows may set 0.
    yearly_decline: float = 0.1
    draws: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.confidence < 1 and 0 <= self.yearly_decline < 1 and self.draws > 0):
            raise ValueError("confidence and decline are shares, and some draws are needed")


@dataclass(frozen=True, slots=True, eq=False)
class Needed:
    """How often each layer is needed, year by year, if demand falls as feared."""

    levels: Floats  # (L + 1,) edges of layers, ascending from 0
    mean: Floats  # (years, L) share of hours in which a layer is needed to its top
    low: Floats  # (years, L) its lower bound


def needed(hours: Floats, years: int, caution: Caution, ahead: Floats | None = None) -> Needed:
    """How often demand reaches up to the top of each layer, in each year to come.

    The bound draws whole weeks anew, since hours of one week are alike: the few weeks of a short
    history make it low, as they should. It knows nothing of what history has not seen, for which
    there is the feared decline.

    Args:
        hours: (H,) demand; NaN = missing.
        years: how many to look ahead.
        ahead: (at least 12 * years, H) the same history as it would be in each month to come; None:
            all of it falls as feared. What stands upon something else falls faster than that.
    Raises:
        InsufficientData: fewer than `LEAST_WEEKS` whole weeks.
    Source:
        Künsch: The jackknife and the bootstrap for general stationary observations, Annals of
        Statistics 17 (1989): blocks; here of a week, not overlapping.
    """
    weeks = _weeks(hours)
    levels = _levels(hours[~np.isnan(hours)])
    months = falling(feared(hours, caution), years * MONTHS)[:, None] * hours
    if ahead is not None:
        months = ahead[: years * MONTHS]
    counts = np.array([_reaching(months[:, week], levels[1:]) for week in weeks])
    sizes = np.array([len(week) for week in weeks], np.float64)
    mean = counts.sum(axis=0) / sizes.sum()
    flat = counts.reshape(len(weeks), -1)
    low = np.quantile(_drawn(flat, sizes, caution), 1 - caution.confidence, axis=0)
    return Needed(levels, mean, np.minimum(low.reshape(mean.shape), mean))


class Share(NamedTuple):
    """How much of something is used."""

    mean: float  # 0..1
    low: float  # its lower bound


def used_between(months: Floats, bottom: float, top: float, caution: Caution) -> Share:
    """How much of the units between two levels is used, exactly where `needed` looks at layers.

    Args:
        months: (M, H) the history as it would be in each month; NaN = missing.
        bottom, top: units; top above bottom.
    Raises:
        InsufficientData: as of `needed`.
    """
    weeks = _weeks(months[0])
    used = np.clip(months - bottom, 0.0, top - bottom).mean(axis=0) / (top - bottom)
    counts = np.array([used[week].sum() for week in weeks])
    sizes = np.array([len(week) for week in weeks], np.float64)
    mean = float(counts.sum() / sizes.sum())
    low = np.quantile(_drawn(counts[:, None], sizes, caution), 1 - caution.confidence)
    return Share(mean, min(float(low), mean))


def feared(hours: Floats, caution: Caution) -> float:
    """The share of demand lost each year that is feared: what history shows, if that is more."""
    # Of what fell by more than that nothing is left to commit to.
    return min(0.99, max(caution.yearly_decline, 1 - yearly_change(hours)))


def falling(decline: float, months: int) -> Floats:
    """(months,) what demand is multiplied by in the middle of each month to come."""
    return np.asarray((1 - decline) ** ((np.arange(months) + 0.5) / MONTHS), np.float64)


def yearly_change(hours: Floats) -> float:
    """What demand is multiplied by in a year: the median of weeks against those 52 weeks before.

    A slope through less than two years would take the season for a trend. Without `TREND_PAIRS`
    such pairs, 1: nothing is known.
    """
    whole = hours[len(hours) % WEEK_HOURS :].reshape(-1, WEEK_HOURS)
    there = ~np.isnan(whole)
    total = np.where(there, whole, 0.0).sum(axis=1)
    means = np.full(len(whole), np.nan)
    np.divide(total, there.sum(axis=1), out=means, where=there.sum(axis=1) >= WEEK_HOURS / 2)
    before, after = means[:-YEAR_WEEKS], means[YEAR_WEEKS:]
    known = (before > 0) & ~np.isnan(after)
    if known.sum() < TREND_PAIRS:
        return 1.0
    return float(np.median(after[known] / before[known]))


def _weeks(hours: Floats) -> list[npt.NDArray[np.int64]]:
    """Where the known hours of each week are, counted back from the end; those of the first may be
    few."""
    first = len(hours) % WEEK_HOURS
    weeks = np.split(np.arange(len(hours)), range(first, len(hours), WEEK_HOURS))
    known = [week[~np.isnan(hours[week])] for week in weeks]
    if sum(len(week) >= WEEK_HOURS / 2 for week in known) < LEAST_WEEKS:
        raise InsufficientData(
            f"a ladder needs at least {LEAST_WEEKS} weeks of hourly demand",
            hint="collect a longer bill: commitments bind for years",
        )
    return [week for week in known if len(week)]


def _levels(known: Floats) -> Floats:
    """Edges of layers: where history's demand lies, and evenly below it, where it may fall to."""
    ranks = np.linspace(0, len(known) - 1, min(LEVELS // 2, len(known))).round().astype(np.int64)
    evenly = np.linspace(0.0, known.max(), LEVELS // 2)
    return np.unique(np.concatenate((evenly, np.sort(known)[ranks])))


def _reaching(week: Floats, tops: Floats) -> Floats:
    """(years, L) hours of the week in which demand reaches each top, by its months (months, h)."""
    # A millionth of a millionth is rounding.
    least, ranked = tops * (1 - 1e-12), np.sort(week, axis=1)
    below = np.array([np.searchsorted(month, least, side="left") for month in ranked])
    reached = week.shape[1] - below
    years = len(week) // MONTHS
    return np.asarray(reached.reshape(years, MONTHS, len(tops)).mean(axis=1))


def _drawn(counts: Floats, sizes: Floats, caution: Caution) -> Floats:
    """(draws, ...) the share in each history made of weeks drawn anew."""
    rng = np.random.default_rng(caution.seed)
    weeks = len(sizes)
    found = np.empty((caution.draws, counts.shape[1]))
    for start in range(0, caution.draws, _DRAWS_AT_ONCE):
        some = min(_DRAWS_AT_ONCE, caution.draws - start)
        times = rng.multinomial(weeks, np.full(weeks, 1 / weeks), some).astype(np.float64)
        found[start : start + some] = (times @ counts) / (times @ sizes)[:, None]
    return found

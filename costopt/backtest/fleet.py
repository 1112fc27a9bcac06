"""What a fleet's own past teaches: a risk model at every origin, from nothing that came later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from costopt.backtest.study import Studied
from costopt.backtest.windows import Origin, Timetable
from costopt.optimize.budget import Past, Shown, rollback_cost_within
from costopt.optimize.features import NAMES, Floats
from costopt.optimize.record import Ints
from costopt.optimize.risk import Risk, with_seen

LADDER: Final = (1.0, 0.5, 0.25, 0.125, 0.0625)
"""Powers of two, as machine types come; the sizes that the model learns on."""

MOST_TEACHERS: Final = 2000
"""Machines that the model learns from: more change its ten coefficients no more."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """The model as it stood at every origin, and stands now."""

    table: Timetable
    models: Mapping[Origin, Risk]

    def chances(self, of: Studied, at: Origin) -> Floats | None:
        """(S,) the risk of each size by what was known at that origin; None = too little."""
        if at not in of.figures:
            return None
        figures = of.figures[at].astype(np.float64)
        lived = of.records[at].applied(self.models[at].chance(figures))
        risk = np.maximum.accumulate(with_seen(lived, figures))
        risk[of.sizes >= 1] = 0.0
        return risk

    def of_model(self, of: Studied) -> Floats:
        """(S,) today's model's own chance, before the machine's record; of one with figures."""
        chance = self.models[self.table.now].chance(self._figures(of))
        chance[of.sizes >= 1] = 0.0
        return chance

    def upper(self, of: Studied) -> Floats:
        """(S,) the upper end of the chance now, one-sided 95 %: of today's model's interval, or of
        the machine's own record where that says more than the model; of one with figures."""
        figures, model = self._figures(of), self.models[self.table.now]
        record = of.records[self.table.now].upper(model.chance(figures))
        upper = np.maximum.accumulate(np.maximum(model.upper(figures), record))
        upper[of.sizes >= 1] = 0.0
        return upper

    def _figures(self, of: Studied) -> Floats:
        return of.figures[self.table.now].astype(np.float64)


def learn(studied: Sequence[Studied], table: Timetable, prior: Risk, seed: int = 0) -> Learned:
    """The models of every origin.

    Args:
        studied: machines whose sizes hold `LADDER`.
        seed: which `MOST_TEACHERS` of the machines teach.
    """
    teachers = _placed(_teachers(studied, seed))
    taught = {lesson: _lesson(teachers, lesson) for lesson in table.all_lessons}
    models = {}
    for at in (*table.origins, table.now):
        models[at] = prior.learned(*_together(taught[lesson] for lesson in table.lessons(at)))
    return Learned(table, models)


def rows(teachers: Iterable[Studied], lessons: Iterable[Origin]) -> tuple[Floats, Floats]:
    """(n, NAMES) figures of every lesson's window at the ladder's smaller sizes, and (n,) whether
    the budget was used up, 1 or 0."""
    placed = _placed(teachers)
    return _together(_lesson(placed, lesson) for lesson in lessons)


def _placed(teachers: Iterable[Studied]) -> list[tuple[Studied, Ints]]:
    """Each with where the ladder's smaller sizes stand among its own."""
    smaller = np.array(LADDER[1:])
    return [(one, one.places(smaller)) for one in teachers]


def _lesson(teachers: Iterable[tuple[Studied, Ints]], lesson: Origin) -> tuple[Floats, Floats]:
    return _together(
        (one.figures[lesson][places], one.tested[lesson].exhausted[places])
        for one, places in teachers
        if one.judged(lesson)
    )


def _together(parts: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]]) -> tuple[Floats, Floats]:
    figures, happened = [np.empty((0, len(NAMES)))], [np.empty(0)]
    for one, came in parts:
        figures.append(one)
        happened.append(came)
    return np.concatenate(figures), np.concatenate(happened)


def budget_within(
    learned: Learned,
    studied: Sequence[Studied],
    origins: Sequence[Origin],
    *,
    budget: float,
    least: float,
    limit_percent: float,
    sizes: Sequence[float] = LADDER,
) -> Shown:
    """The rollback cost that keeps the fleet's risk budget over those origins, at least `least`.

    Args:
        sizes: that decisions choose among, descending from 1; the machines' own hold them.
    """
    ladder = np.array(sizes)
    risk, peak, exhausted, resources = [], [], [], []
    for number, one in enumerate(studied):
        places = one.places(ladder)
        for at in origins:
            chances = learned.chances(one, at)
            if chances is not None and at in one.tested:
                risk.append(chances[places])
                peak.append(one.peaks[at])
                exhausted.append(one.tested[at].exhausted[places])
                resources.append(number)
    past = Past(
        ladder,
        np.array(risk).reshape(-1, len(ladder)),
        np.array(peak),
        np.array(exhausted, bool).reshape(-1, len(ladder)),
        np.array(resources, np.int64),
    )
    return rollback_cost_within(past, budget, least, limit_percent)


def _teachers(studied: Sequence[Studied], seed: int) -> list[Studied]:
    """The same machines whatever their order, and mostly the same when others come or go."""

    def rank(one: Studied) -> bytes:
        return hashlib.sha256(f"{seed}\x1f{one.resource_id}".encode()).digest()

    return sorted(studied, key=rank)[:MOST_TEACHERS]

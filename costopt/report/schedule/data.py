"""A schedule beside the past weeks that it was made of: what its table, story and picture show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from costopt.model import Recommendation, Skip, WeekPlan
from costopt.optimize.weekly import mean
from costopt.rules.base import Case, Fit, Outcome
from costopt.rules.schedule import Schedule
from costopt.rules.schedule_settings import ScheduleSettings
from costopt.rules.timetables import Planned, planned

Array = npt.NDArray[np.float64]
MEDIAN: Final = 0.5
_GATE: Final = ""
"""In place of a rule's code: the quality gate spoke before any rule was asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """One machine's or group's week: demand in replicas by slot, NaN = never seen.

    Of a machine `usual` is the share of the slot's time in use, `high` the share of the weeks in
    which it was in use then, `most` 1 where it ever was. Of a group they are the median, the
    setting's quantile (with the slots beside it, as the plan has it) and the highest sample.
    """

    found: Planned
    quantile: float
    calendar: str  # whose public holidays its plan knows; "" = nobody's
    said: Recommendation | Skip | Fit | None  # by the rule, or the gate before it
    usual: Array
    high: Array
    most: Array

    @property
    def name(self) -> str:
        """What people call it."""
        resource = self.found.case.resource
        return resource.resource_name or resource.resource_id

    @property
    def advice(self) -> Recommendation | None:
        """The schedule rule's, if the plan may be relied on."""
        return self.said if isinstance(self.said, Recommendation) else None

    @property
    def plan(self) -> WeekPlan:
        """The cheapest week, also where it is not advised."""
        return self.found.plan

    @property
    def replicas(self) -> int | None:
        """Members of a group that run today; None: it is one machine."""
        return self.found.case.replicas

    @property
    def most_today(self) -> int:
        """The level that there is today: its members, or 1."""
        return self.replicas or 1

    @property
    def uncovered(self) -> npt.NDArray[np.bool_]:
        """(slots,) where something of the past weeks is above the plan."""
        return np.nan_to_num(self.most) > np.array(self.plan.levels)


def week_of(case: Case, outcomes: Iterable[Outcome], settings: ScheduleSettings) -> Week | None:
    """The week as the rule saw it; None where no schedule can be made of its samples."""
    if case.weekly is None:
        return None
    found = planned(case, case.weekly, settings)
    speaks = (Schedule.code, _GATE)
    spoken = [one for one in outcomes if one is not None and one.rule in speaks]
    samples = found.demand.transpose(1, 0, 2)
    by_slot = samples.reshape(len(samples), -1)
    most = _quantile(by_slot, 1.0)
    if case.replicas is None:
        usual, high = mean(by_slot), mean(_quantile(samples, 1.0))
    else:
        near = np.concatenate([np.roll(by_slot, 1, 0), by_slot, np.roll(by_slot, -1, 0)], axis=1)
        usual, high = _quantile(by_slot, MEDIAN), _quantile(near, settings.quantile)
    said = spoken[0] if spoken else None
    calendar = settings.calendar(case.weekly.time_zone)
    return Week(found, settings.quantile, calendar, said, usual, high, most)


def _quantile(values: npt.NDArray[Any], share: float) -> Array:
    """Of those there are along the last axis, the smallest that is at or above so many; NaN where
    there are none."""
    ordered = np.sort(values, axis=-1)  # NaN stand last
    counts = (~np.isnan(ordered)).sum(axis=-1)
    places = np.maximum(np.ceil(share * counts).astype(int) - 1, 0)
    return np.asarray(np.take_along_axis(ordered, places[..., None], axis=-1)[..., 0])

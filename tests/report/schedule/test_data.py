"""The figures of a week by slot, against demand drawn by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from costopt.model import Skip
from costopt.report.schedule.data import week_of
from costopt.report.schedule.words import refused
from costopt.rules.schedule_settings import ScheduleSettings
from tests.report.schedule import weeks
from tests.rules.weeks import WEEKS, group, machine, office

MONDAY_NINE, MONDAY_FOUR, SUNDAY_NOON = 18, 8, 6 * 48 + 24


def test_a_machine_by_the_share_of_weeks() -> None:
    week = weeks.office_machine()
    assert (week.usual[MONDAY_NINE], week.high[MONDAY_NINE], week.most[MONDAY_NINE]) == (1, 1, 1)
    assert (week.usual[MONDAY_FOUR], week.most[MONDAY_FOUR]) == (0, 0)
    assert week.high[SUNDAY_NOON] == pytest.approx(1 / WEEKS)
    assert week.plan.levels[SUNDAY_NOON] == 0  # once in six weeks is below the quantile
    assert np.flatnonzero(week.uncovered).tolist() == [SUNDAY_NOON]


def test_part_of_a_slot_is_less_time_and_as_many_weeks() -> None:
    given = machine(office())
    assert given.weekly is not None
    packed = given.weekly.packed.copy()
    packed[:, MONDAY_NINE, 0] = 2  # of six samples
    week = weeks.shown(replace(given, weekly=replace(given.weekly, packed=packed)))
    assert week.usual[MONDAY_NINE] == pytest.approx(1 / 3)
    assert week.high[MONDAY_NINE] == 1


def test_a_group_by_quantiles_in_replicas() -> None:
    """One replica bears 9.6 vCPUs. Weeks have 2.7, 2.76, .. 3.0 of them by day."""
    week = weeks.web_group()
    noon, before_eight = 24, 15
    assert week.usual[noon] == pytest.approx(2.82, rel=1e-5)  # the third of six
    assert week.high[noon] == week.most[noon] == pytest.approx(3.0, rel=1e-5)
    assert week.most[before_eight] == pytest.approx(1.0, rel=1e-5)
    assert week.high[before_eight] == pytest.approx(3.0, rel=1e-5)  # 08:00 stands beside it
    assert week.most_today == week.replicas == 4
    assert not week.uncovered.any()


def test_what_was_never_seen_has_no_figure() -> None:
    week = weeks.with_gaps()
    for figures in (week.usual, week.high, week.most):
        assert np.flatnonzero(np.isnan(figures)).tolist() == list(range(290, 300))


def test_without_weeks_there_is_none() -> None:
    given = replace(group(np.ones((4, 336)), np.ones((4, 336)), 2), weekly=None)
    assert week_of(given, (), ScheduleSettings()) is None


def test_a_gate_before_the_rule_says_why_there_is_none() -> None:
    stale = Skip("m", "", "stale", "the newest sample is 5.9 days old")
    week = week_of(machine(office()), [stale], ScheduleSettings())
    assert week is not None
    assert (week.advice, refused(week)) == (None, stale.detail)

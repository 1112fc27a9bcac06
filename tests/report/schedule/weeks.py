"""Weeks to be drawn and told: of an office's machine, of a group, refused ones, ones with gaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from costopt.report.schedule.data import Week, week_of
from costopt.rules.base import Case
from costopt.rules.schedule import Schedule
from costopt.rules.schedule_settings import ScheduleSettings
from tests.rules.weeks import WEEKS, group, machine, office

HOURS = np.arange(336) / 2


def shown(given: Case, **settings: Any) -> Week:
    """What the schedule rule saw of the case, and what it said."""
    wanted = ScheduleSettings.model_validate(settings)
    found = week_of(given, [None, Schedule(wanted).judge(given)], wanted)
    assert found is not None
    return found


def named(given: Case, name: str) -> Case:
    """The same under another name."""
    return replace(given, resource=replace(given.resource, resource_name=name))


def office_machine(name: str = "ci-runner") -> Week:
    """In use 08:00 to 18:00, and on one Sunday of six at 12:00; Christmas is off."""
    used = office()
    used[2, 6 * 48 + 24] = 1
    own = {"days": {date(2026, 12, 24): "Sun", date(2026, 12, 12): "Mon"}}
    return shown(
        named(machine(used, time_zone="Europe/Amsterdam"), name), quantile=0.9, risk_price=5, **own
    )


def web_group(name: str = "web") -> Week:
    """Four machines of 16 vCPUs, planned for 60 %: 28.8 vCPUs by day are 3, 9.6 by night 1."""
    vcpus = np.where((HOURS % 24 >= 8) & (HOURS % 24 < 20), 28.8, 9.6)
    weeks = np.tile(vcpus, (WEEKS, 1)) * np.linspace(0.9, 1, WEEKS)[:, None]
    return shown(named(group(weeks, np.full((WEEKS, 336), 4.0), 4), name))


def refused(name: str = "batch") -> Week:
    """A batch that runs on two days, other ones each week."""
    used = np.zeros((WEEKS, 7, 48))
    for week in range(WEEKS):
        used[week, [week % 7, (3 * week + 2) % 7]] = 1
    return shown(named(machine(used.reshape(WEEKS, 336)), name))


def with_gaps(name: str = "gaps") -> Week:
    """Never seen on Sunday from 01:00 to 06:00."""
    used = office()
    used[:, 290:300] = np.nan
    return shown(named(machine(used), name))

"""The weeks in which clocks go forward and back: changes around the hour, in every form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from cronsim import CronSim

from costopt.model.week import WeekPlan
from costopt.report.artefacts.schedules import forms
from tests.report.artefacts.schedules import plans, readers

FORMS = {
    "aws-autoscaling": ("aws-group", readers.aws_autoscaling),
    "eventbridge": ("aws-machine", readers.eventbridge),
    "instance-scheduler": ("aws-machine", readers.instance_scheduler),
    "azure-autoscale": ("azure-group", readers.azure_autoscale),
    "keda": ("workload", readers.keda),
    "kubernetes-cronjob": ("workload", readers.kubernetes_cronjob),
    "crontab": ("gcp-machine", readers.crontab),
}
WITH_DST = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago")


def _from(slot: int, zone: str) -> WeekPlan:
    """On from that half hour to 10:00, every day."""
    return WeekPlan(zone, tuple(int(slot <= at < 20) for at in range(48)) * 7)


def _read(form: str, plan: WeekPlan, kind: str, read: Callable[..., list[Any]]) -> list[Any]:
    made = forms.artefacts(plans.report(plans.row(kind, plan)), form=form)
    return read({one.path: one.data for one in made}, plan.time_zone)


def test_the_moments_hold_an_hour_left_out_and_one_twice() -> None:
    for zone in WITH_DST:
        settled = set(plans.settled(zone))
        offsets = [local.utcoffset() for _, local in plans.moments(zone)]
        changed = [
            after > before
            for index, (before, after) in enumerate(pairwise(offsets))
            if after != before and {index, index + 4} <= settled
        ]
        assert {True, False} <= set(changed), zone


@pytest.mark.parametrize("zone", WITH_DST)
@pytest.mark.parametrize("form", FORMS)
def test_a_change_around_the_hour(form: str, zone: str) -> None:
    kind, read = FORMS[form]
    settled = plans.settled(zone)
    for slot in (1, 2, 4, 5, 6):
        plan = _from(slot, zone)
        levels, wanted = _read(form, plan, kind, read), plans.wanted(plan)
        wrong = [index for index in settled if levels[index] != wanted[index]]
        assert not wrong, (slot, plans.moments(zone)[wrong[0]][1])


def test_without_saying_it_again_a_change_would_be_lost() -> None:
    """So that the test above is one: the cron of 02:30 alone misses 28 March in Berlin."""
    plan = _from(5, "Europe/Berlin")
    made = forms.artefacts(plans.report(plans.row("workload", plan)), form="kubernetes-cronjob")
    kept = [
        one
        for one in yaml.safe_load_all(made[0].data)  # the script comes last
        if one.get("spec", {}).get("schedule") != "0 3 * * 0"
    ]
    files = {"x.yaml": yaml.safe_dump_all(kept).encode()}
    levels, wanted = readers.kubernetes_cronjob(files, plan.time_zone), plans.wanted(plan)
    wrong = {
        plans.moments(plan.time_zone)[index][1].date().isoformat()
        for index in plans.settled(plan.time_zone)
        if levels[index] != wanted[index]
    }
    assert wrong == {"2027-03-28"}


@pytest.mark.parametrize("zone", WITH_DST[:2])
def test_another_cron_agrees(zone: str) -> None:
    """cronsim goes by Debian's rules: what falls into the hour left out runs right after it."""
    for plan in (plans.week(plans.OFFICE, zone), _from(5, zone), _from(4, zone)):
        made = forms.artefacts(plans.report(plans.row("workload", plan)), form="kubernetes-cronjob")
        jobs = [one for one in yaml.safe_load_all(made[0].data) if one["kind"] == "CronJob"]
        for start in ("2026-10-20", "2027-03-09", "2027-03-22"):
            _agrees(jobs, plan, datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)))


def _agrees(jobs: list[dict[str, Any]], plan: WeekPlan, start: datetime) -> None:
    end = start + timedelta(days=15)
    fired = []
    for job in jobs:
        args = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
        level = int(args[2].removeprefix("--replicas="))
        for at in CronSim(job["spec"]["schedule"], start):
            if at > end:
                break
            fired.append((at.timestamp(), level))
    fired.sort()
    now, level = start + timedelta(days=7), None
    while now < end:
        local = now.astimezone(ZoneInfo(plan.time_zone))
        level = [to for at, to in fired if at <= now.timestamp()][-1]
        if not local.fold:
            assert level == plan.level_at(now), local
        now = datetime.fromtimestamp(now.timestamp() + 1800, tz=ZoneInfo(plan.time_zone))


@pytest.mark.parametrize(
    "zone", [*plans.ZONES, "Africa/Cairo", "Antarctica/Troll", "Atlantic/Azores"]
)
def test_a_floor_in_seconds_is_not_short_in_an_hour_that_comes_twice(zone: str) -> None:
    """Neither where clocks go back at midnight, nor by two hours."""
    moments = plans.moments(zone)
    for first, last in ((2, 20), (45, 47), (46, 2), (44, 0), (2, 5), (1, 3), (4, 6)):
        on = [(slot - first) % 48 < (last - first) % 48 for slot in range(48)]
        plan = WeekPlan(zone, tuple(5 if is_on else 2 for is_on in on) * 7)
        levels = _read("gcp-mig", plan, "gcp-group", readers.gcp_mig)
        for index, wanted in enumerate(plans.wanted(plan)):
            at, local = moments[index]
            settled = at - moments[0][0] > timedelta(days=7) and at.month > 8
            assert levels[index] >= wanted or not settled, (first, last, local)


@pytest.mark.parametrize("zone", plans.ZONES)
def test_a_floor_in_seconds_is_never_short(zone: str) -> None:
    """Scaling schedules count seconds: in the nights of change-overs they hold longer, not less."""
    for first, last in ((2, 20), (4, 20), (5, 8), (3, 6), (46, 14), (44, 3), (20, 40)):
        on = [(slot - first) % 48 < (last - first) % 48 for slot in range(48)]
        plan = WeekPlan(zone, tuple(5 if is_on else 2 for is_on in on) * 7)
        levels = _read("gcp-mig", plan, "gcp-group", readers.gcp_mig)
        wanted = plans.wanted(plan)
        for index in plans.settled(zone):
            local = plans.moments(zone)[index][1]
            assert levels[index] >= wanted[index], (first, last, local)
            near = local.date() in plans.nights_of_changeovers(zone)
            assert levels[index] == wanted[index] or near, (first, last, local)

"""Every form's files, read back, are the plan: each half hour of weeks, change-overs and dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from costopt.model.week import WeekPlan
from costopt.report.artefacts.schedules import forms
from tests.report.artefacts.schedules import plans, readers

CASES = [
    # form, resource, highest level, dates, changes a day, reader
    ("aws-autoscaling", "aws-group", 9, 6, 8, readers.aws_autoscaling),
    ("eventbridge", "aws-machine", 1, 6, 8, readers.eventbridge),
    ("instance-scheduler", "aws-machine", 1, 0, 8, readers.instance_scheduler),
    ("azure-autoscale", "azure-group", 9, 2, 4, readers.azure_autoscale),
    ("gcp-instance-schedule", "gcp-machine", 1, 0, 3, readers.gcp_instance_schedule),
    ("keda", "workload", 9, 0, 8, readers.keda),
    ("kubernetes-cronjob", "workload", 9, 0, 8, readers.kubernetes_cronjob),
    ("crontab", "aws-machine", 1, 6, 8, readers.crontab),
    ("crontab", "aws-group", 9, 6, 8, readers.crontab),
    ("crontab", "azure-machine", 1, 6, 8, readers.crontab),
    ("crontab", "azure-group", 9, 6, 8, readers.crontab),
    ("crontab", "gcp-machine", 1, 6, 8, readers.crontab),
    ("crontab", "gcp-group", 9, 6, 8, readers.crontab),
    ("crontab", "workload", 9, 6, 8, readers.crontab),
    ("terraform", "aws-group", 9, 3, 4, readers.terraform),
    ("terraform", "aws-machine", 1, 3, 4, readers.terraform),
    ("terraform", "azure-group", 9, 2, 4, readers.terraform),
    ("terraform", "gcp-machine", 1, 0, 3, readers.terraform),
    ("terraform", "workload", 9, 0, 3, readers.terraform),
]


@pytest.mark.parametrize(
    ("form", "kind", "most", "dates", "changes", "read"),
    CASES,
    ids=[f"{form}-{kind}" for form, kind, *_ in CASES],
)
def test_files_read_back_are_the_plan(
    form: str, kind: str, most: int, dates: int, changes: int, read: Callable[..., list[Any]]
) -> None:
    @settings(
        max_examples=6,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(plan=plans.weeks(most, dates, changes))
    def holds(plan: WeekPlan) -> None:
        report = plans.report(plans.row(kind, plan))
        assume(plan.changes())
        files = {one.path: one.data for one in forms.artefacts(report, form=form)}
        told = forms.left_out(report, form=form)
        assume(files)
        assume(not any("within" in line or "leave that hour out" in line for line in told))
        assert all("what scales it beside" in line for line in told), told
        levels, wanted = read(files, plan.time_zone), plans.wanted(plan)
        for index in plans.settled(plan.time_zone):
            assert levels[index] == wanted[index], plans.moments(plan.time_zone)[index][1]

    holds()


@pytest.mark.parametrize(
    ("form", "read"), [("gcp-mig", readers.gcp_mig), ("terraform", readers.terraform)]
)
def test_floors_read_back_are_the_plan(form: str, read: Callable[..., list[Any]]) -> None:
    """A floor that counts seconds may hold longer in the night of a change-over, never shorter."""

    @settings(max_examples=6)
    @given(plan=plans.weeks(9, changes=4))
    def holds(plan: WeekPlan) -> None:
        assume(plan.changes())
        report = plans.report(plans.row("gcp-group", plan))
        assert forms.left_out(report, form=form) == []
        files = {one.path: one.data for one in forms.artefacts(report, form=form)}
        levels, wanted = read(files, plan.time_zone), plans.wanted(plan)
        nights = plans.nights_of_changeovers(plan.time_zone)
        for index in plans.settled(plan.time_zone):
            local = plans.moments(plan.time_zone)[index][1]
            assert levels[index] >= wanted[index], local
            assert levels[index] == wanted[index] or local.date() in nights, local

    holds()

"""What each form refuses, leaves out and says of it; and names that are attacks."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import yaml

from costopt.errors import ConfigError
from costopt.model import Recommendation
from costopt.model.week import WeekPlan
from costopt.report.artefacts.schedules import forms
from tests.report import builders
from tests.report.artefacts import guards
from tests.report.artefacts.schedules import plans, readers

OFFICE = plans.week(plans.OFFICE)
ZONE = OFFICE.time_zone
UNTIL_19 = "1" * 19 + "0" * 5


def _files(form: str | None, *rows: Recommendation) -> dict[str, bytes]:
    return {one.path: one.data for one in forms.artefacts(plans.report(*rows), form=form)}


def _told(form: str | None, *rows: Recommendation) -> list[str]:
    return forms.left_out(plans.report(*rows), form=form)


def _name(resource_id: str) -> str:
    return f"costopt-{hashlib.sha256(resource_id.encode()).hexdigest()[:16]}"


def _label(row: Recommendation) -> str:
    return row.resource_name or row.resource_id


def _row(kind: str, plan: WeekPlan, **fields: Any) -> Recommendation:
    return plans.row(kind, plan, resource_name="web", **fields)


# -- which form stands for what --------------------------------------------------------------


STANDS_FOR = {
    "aws-autoscaling": {"aws-group"},
    "eventbridge": {"aws-machine"},
    "instance-scheduler": {"aws-machine"},
    "azure-autoscale": {"azure-group"},
    "azure-auto-shutdown": {"azure-machine"},
    "gcp-instance-schedule": {"gcp-machine"},
    "gcp-mig": {"gcp-group"},
    "keda": {"workload"},
    "kubernetes-cronjob": {"workload"},
    "crontab": set(plans.PLACES),
    "terraform": set(plans.PLACES),
}


def test_every_form_is_tried() -> None:
    assert set(STANDS_FOR) == set(forms.FORMS)


@pytest.mark.parametrize("form", STANDS_FOR)
def test_a_form_is_for_its_own_resources(form: str) -> None:
    for kind in plans.PLACES:
        row = _row(kind, OFFICE)
        if kind in STANDS_FOR[form]:
            assert _files(form, row), kind
        else:
            assert not _files(form, row), kind
            assert _told(form, row) == [
                f"1 schedule not written, since {form} is not for these resources: {_label(row)}"
            ]


def test_without_a_form_each_goes_to_its_own_cloud() -> None:
    files = _files(None, *(_row(kind, OFFICE) for kind in plans.PLACES))
    names = {kind: _name(plans.PLACES[kind][1]) for kind in plans.PLACES}
    assert sorted(files) == [
        f"aws-autoscaling-schedules/{names['aws-group']}-1.json",
        f"aws-autoscaling-schedules/{names['aws-group']}-guard.json",
        "aws-autoscaling-schedules/deploy-123456789012.sh",
        "azure-autoscale-schedules.json",
        f"crontabs/{names['azure-machine']}.crontab",
        "crontabs/deploy.sh",
        f"eventbridge-schedules/{names['aws-machine']}.json",
        "eventbridge-schedules/deploy-123456789012.sh",
        "gcp-instance-schedules/deploy.sh",
        f"gcp-scaling-schedules/{names['gcp-group']}.json",
        "gcp-scaling-schedules/deploy.sh",
        f"kubernetes-cronjobs/{names['workload']}.yaml",
        "kubernetes-cronjobs/deploy.sh",
    ]
    block = files[f"crontabs/{names['azure-machine']}.crontab"]
    assert b"az vm deallocate" in block  # no service of Azure's does both


def test_an_id_that_says_nothing_is_told() -> None:
    row = builders.recommendation("cellar/vm/7", schedule=OFFICE)
    assert _files(None, row) == {}
    why = "no form knows them by their ids"
    assert _told(None, row) == [f"1 schedule not written, since {why}: {_label(row)}"]


def test_an_unknown_form() -> None:
    with pytest.raises(ConfigError, match="'cron' is no form of schedules"):
        forms.artefacts(plans.report(), form="cron")


def test_what_never_changes_is_told() -> None:
    same = plans.day(plans.AS_OF.date() + timedelta(days=7), plans.OFFICE)  # a Tuesday, as ever
    over = plans.day(plans.AS_OF.date(), "1")
    for plan in (plans.week("1" * 24 + " " + "1" * 24), plans.week("2" * 24 + " " + "2" * 24)):
        assert _files(None, _row("aws-group", plan)) == {}
        assert _told(None, _row("aws-group", plan)) == [
            "1 schedule without a change of level: nothing to deploy"
        ]
    for day in (same, over):
        plan = plans.week(plans.OFFICE, ZONE, day)
        row, plain = _row("aws-machine", plan), _row("aws-machine", OFFICE)
        assert _files("eventbridge", row) == _files("eventbridge", plain)


def test_no_date_is_written_that_is_over_or_too_near_by_the_real_clock() -> None:
    """The report is of the 25th, 09:20 UTC; written on the 31st at 15:00 in Berlin, whose next
    midnight is 9 hours away: less than 12, so that 1 September is left out, and the 2nd is not."""
    days = [plans.day(date(2026, month, on), "0") for month, on in ((8, 28), (9, 1), (9, 2))]
    row = _row("aws-machine", plans.week(plans.OFFICE, ZONE, *days))
    report, now = plans.report(row), datetime(2026, 8, 31, 13, tzinfo=UTC)
    made = forms.artefacts(report, form="eventbridge", now=now)
    schedules = readers.resources({one.path: one.data for one in made}, "AWS::Scheduler::Schedule")
    ends = {one["EndDate"] for one in schedules if "EndDate" in one}
    assert ends == {"2026-09-01T21:59:30Z"}
    assert forms.left_out(report, form="eventbridge", now=now) == [
        "web: left out 2026-09-01 (a holiday): run as the week does, "
        "since that is too near to be deployed in time"
    ]
    assert forms.first_date(report, form="eventbridge", now=now) == date(2026, 9, 2)
    assert forms.first_date(report, form="eventbridge") == date(2026, 8, 28)
    assert forms.first_date(plans.report(_row("aws-machine", OFFICE))) is None


def test_a_change_in_an_hour_left_out_on_a_single_date_comes_at_its_end() -> None:
    """28 March 2027, 02:30, is not in Berlin: at() would never come."""
    sunday = plans.week(
        plans.OFFICE, ZONE, plans.day(date(2027, 3, 28), "0" * 2 + "1" * 8 + "0" * 14)
    )
    row = _row("aws-machine", sunday)
    every = readers.resources(_files("eventbridge", row), "AWS::Scheduler::Schedule")
    once = [one["ScheduleExpression"] for one in every if "at(" in one["ScheduleExpression"]]
    assert once == ["at(2027-03-28T03:00:00)", "at(2027-03-28T10:00:00)"]


def test_files_do_not_depend_on_the_order() -> None:
    rows = [_row(kind, OFFICE) for kind in plans.PLACES]
    for form in (None, *forms.FORMS):
        assert _files(form, *rows) == _files(form, *reversed(rows))


# -- limits ----------------------------------------------------------------------------------


def _holidays(count: int, level: str = "0") -> list[Any]:
    """So many Wednesdays from next week on."""
    first = date(2026, 9, 2)
    return [plans.day(first + timedelta(weeks=number), level) for number in range(count)]


def test_a_group_has_125_actions() -> None:
    """Each Wednesday off splits both crons of the week (Mon-Fri on, off): 2 (n + 1) actions, and
    needs none of its own, as the level before and after it is 0: 61 fit."""
    plan = plans.week(plans.OFFICE, ZONE, *_holidays(70))
    row = _row("aws-group", plan)
    assert len(readers.actions(_files("aws-autoscaling", row))) == 124  # in parts of 50
    (told,) = _told("aws-autoscaling", row)
    assert told == (
        "web: left out 2027-11-03 (a holiday), 2027-11-10 (a holiday), 2027-11-17 (a holiday), "
        "6 more: run as the week does, since a group may have 125 scheduled actions"
    )


def test_a_scale_set_has_20_profiles() -> None:
    plan = plans.week(plans.OFFICE, ZONE, *_holidays(20))
    row = _row("azure-group", plan)
    (data,) = _files("azure-autoscale", row).values()
    (setting,) = json.loads(data)["resources"]
    assert len(setting["properties"]["profiles"]) == 20  # 2 of the week and 18 dates
    (told,) = _told("azure-autoscale", row)
    assert told.startswith("web: left out 2027-01-06 (a holiday), 2027-01-13 (a holiday): run as")
    busy = WeekPlan(ZONE, tuple(range(24)) * 7)
    assert _files("azure-autoscale", _row("azure-group", busy)) == {}
    assert _told("azure-autoscale", _row("azure-group", busy)) == [
        "web: not written, since 24 changes a week (alike days counted once), "
        "and a setting may have 20 profiles"
    ]


def test_a_date_without_room_leaves_room_to_later_ones() -> None:
    """24 changes on the first date, and 18 profiles beside the week's two: the others stay."""
    first = plans.day(date(2026, 9, 1), "01" * 12, "a migration")
    plan = plans.week(plans.OFFICE, ZONE, first, *_holidays(5))
    row = _row("azure-group", plan)
    (data,) = _files("azure-autoscale", row).values()
    (setting,) = json.loads(data)["resources"]
    fixed = [one for one in setting["properties"]["profiles"] if "fixedDate" in one]
    assert len(fixed) == 5
    (told,) = _told("azure-autoscale", row)
    assert told.startswith("web: left out 2026-09-01 (a migration): run as the week does, since")


def test_long_ids_are_told_apart_by_their_ends() -> None:
    ids = [f"{guards.AZURE.rpartition('/')[0]}/{'a-long-name-' * 4}{n}" for n in range(2)]
    row = replace(_row("azure-group", OFFICE), resource_name=None)
    rows = [replace(row, resource_id=one) for one in ids]
    told = _told("keda", *rows)
    assert len(told) == 1
    for one in ids:
        assert one[-50:] in told[0]
        assert one[:20] in told[0]
    many = [builders.recommendation(f"cellar/vm/{n:02}", schedule=OFFICE) for n in range(12)]
    many = [replace(one, resource_name=None) for one in many]
    (told_,) = _told(None, *many)
    assert told_.startswith("12 schedules not written, since no form knows them by their ids: cell")
    assert told_.endswith("cellar/vm/09, 2 more")


def test_azure_knows_windows_zones_only() -> None:
    plan = plans.week(plans.OFFICE, "Antarctica/Troll")
    for form, kind in (
        ("azure-autoscale", "azure-group"),
        ("azure-auto-shutdown", "azure-machine"),
    ):
        assert _files(form, _row(kind, plan)) == {}
        assert _told(form, _row(kind, plan)) == [
            "web: not written, since Azure knows time zones by Windows' names, "
            "and Antarctica/Troll has none"
        ]


@pytest.mark.parametrize(
    ("zone", "groups", "machines"),
    [
        ("Europe/Berlin", True, True),
        ("Australia/Lord_Howe", False, False),
        ("America/Havana", False, False),
        ("Asia/Omsk", False, False),
        ("America/Cancun", False, True),
        ("Etc/UTC", True, True),
    ],
)
def test_terraforms_azure_knows_fewer_zones(zone: str, groups: bool, machines: bool) -> None:
    for kind, known in (("azure-group", groups), ("azure-machine", machines)):
        row = _row(kind, plans.week(plans.OFFICE, zone))
        assert bool(_files("terraform", row)) is known
        told = [line for line in _told("terraform", row) if "azurerm does not know" in line]
        assert bool(told) is not known
        assert _files("azure-autoscale" if kind == "azure-group" else "azure-auto-shutdown", row)


@pytest.mark.parametrize("kind", ["azure-group", "azure-machine"])
def test_a_region_is_the_resources(kind: str) -> None:
    """Not its group's, which may lie elsewhere."""
    (data,) = _files("terraform", _row(kind, OFFICE)).values()
    ((_, body),) = readers.blocks(data.decode())
    assert body["location"] == "westeurope"
    unknown = builders.offer(provider_name="Azure", region_id=None)
    (data,) = _files("terraform", _row(kind, OFFICE, current=unknown)).values()
    assert f"data.azurerm_resource_group.{_name(plans.PLACES[kind][1])}.location" in data.decode()


def test_auto_shutdown_only_stops() -> None:
    row = _row("azure-machine", OFFICE)
    (data,) = _files("azure-auto-shutdown", row).values()
    (schedule,) = json.loads(data)["resources"]
    assert schedule["name"] == "shutdown-computevm-shop-checkout-7"
    properties = schedule["properties"]
    assert properties["dailyRecurrence"] == {"time": "1900"}
    assert properties["timeZoneId"] == "W. Europe Standard Time"
    assert properties["taskType"] == "ComputeVmShutdownTask"
    assert _told("azure-auto-shutdown", row) == [
        "web: left out the starts (Mon-Fri 08:00): auto-shutdown only stops"
    ]
    ((kind, body),) = readers.blocks(next(iter(_files("terraform", row).values())).decode())
    assert kind == "azurerm_dev_test_global_vm_shutdown_schedule"
    assert (body["daily_recurrence_time"], body["timezone"]) == ("1900", properties["timeZoneId"])


@pytest.mark.parametrize(
    ("form", "kind", "plan", "why"),
    [
        (
            "azure-auto-shutdown",
            "azure-machine",
            plans.week("0" * 8 + "1" * 11 + "0" * 5 + " " + "0" * 10 + "1" * 4 + "0" * 10),
            "it stops at 2 times of day, and auto-shutdown has one",
        ),
        (
            "azure-auto-shutdown",
            "azure-machine",
            plans.week(" ".join(["0" * 8 + "1" * 11 + "0" * 5] * 4 + ["0" * 8 + "1" * 16] * 3)),
            "it stops at 2 times of day, and auto-shutdown has one",
        ),
        (
            "azure-auto-shutdown",
            "azure-machine",
            plans.week(" ".join([*[plans.OFFICE] * 4, "0" * 8 + "1" * 16, "1" * 24, UNTIL_19])),
            "auto-shutdown comes every day, and at its time the machine runs on some days",
        ),
        (
            "gcp-instance-schedule",
            "gcp-machine",
            plans.week(plans.OFFICE + " " + "0" * 10 + "1" * 9 + "0" * 5),
            "its starts (Mon-Fri 08:00; Sat, Sun 10:00) do not fit one cron",
        ),
        (
            "gcp-instance-schedule",
            "gcp-machine",
            WeekPlan(ZONE, tuple(int(100 <= slot < 101) for slot in range(144)) * 7),
            "a start and a stop within 15 minutes, as long as either may take",
        ),
        (
            "instance-scheduler",
            "aws-machine",
            plans.week("0" * 24, ZONE, *_holidays(1, "1")),
            "it has no period at which it runs",
        ),
        (
            "keda",
            "workload",
            plans.week("2" * 24 + " " + "2" * 24, ZONE, *_holidays(1, "1")),
            "its week never changes, and KEDA's crons know no single dates",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused(form: str, kind: str, plan: WeekPlan, why: str) -> None:
    assert _files(form, _row(kind, plan)) == {}
    assert _told(form, _row(kind, plan)) == [f"web: not written, since {why}"]


def test_one_cron_holds_what_is_on_anyway() -> None:
    """Off Sat 08:00 to 12:00 would be started by Mon-Sat 08:00; off at 02:00 every day is not."""
    twice = plans.week(" ".join(["0" * 8 + "1" * 4 + "0" * 2 + "1" * 5 + "0" * 5] * 7))
    files = _files("gcp-instance-schedule", _row("gcp-machine", twice))
    (policy,) = readers.calls(files, "policy")
    assert policy[3:] == ["0 8,14 * * *", "0 12,19 * * *", ZONE]


def test_a_scaling_schedule_cannot_lower_a_date() -> None:
    """Of two Wednesdays one is off, which stays as it is, and one higher all day."""
    week, high = "1" * 8 + "3" * 11 + "1" * 5, date(2026, 9, 9)
    row = _row("gcp-group", plans.week(week, ZONE, *_holidays(1), plans.day(high, "4")))
    levels = readers.gcp_mig(_files("gcp-mig", row), ZONE)
    weekly = plans.wanted(plans.week(week))
    for index in plans.settled(ZONE):
        on = plans.moments(ZONE)[index][1].date()
        assert levels[index] == (4 if on == high else weekly[index])
    assert _told("gcp-mig", row) == [
        "web: left out 2026-09-02 (a holiday): no lower than the week, "
        "since a scaling schedule only raises"
    ]


def test_a_largest_size_too_small_is_told() -> None:
    row = _row("aws-group", plans.week("2" * 8 + "9" * 16 + " " + "2" * 24), replicas=4)
    assert _told("aws-autoscaling", row) == [
        "web: left out the largest size of the group, which must be at least 9"
    ]


@pytest.mark.parametrize("form", ["instance-scheduler", "keda", "kubernetes-cronjob"])
def test_dates_that_a_form_does_not_know_are_named(form: str) -> None:
    (kind,) = STANDS_FOR[form]
    (told,) = _told(form, _row(kind, plans.week(plans.OFFICE, ZONE, *_holidays(1))))
    assert told.startswith("web: left out 2026-09-02 (a holiday): run as the week does, since ")


# -- names that are attacks ------------------------------------------------------------------


@pytest.mark.parametrize("form", STANDS_FOR)
def test_names_do_no_harm(form: str) -> None:
    """Names, accounts, regions, tags and reasons of dates: the week is still read from each."""
    read = {
        "terraform": readers.terraform,
        "crontab": readers.crontab,
        "keda": readers.keda,
        "kubernetes-cronjob": readers.kubernetes_cronjob,
        "gcp-instance-schedule": readers.gcp_instance_schedule,
        "instance-scheduler": readers.instance_scheduler,
    }
    kind = min(STANDS_FOR[form])
    for text in guards.EVIL:
        provider = plans.PLACES[kind][0]
        holiday = plans.day(date(2026, 9, 2), "0", text)
        row = plans.row(
            kind,
            plans.week(plans.OFFICE, ZONE, holiday),
            resource_name=text,
            sub_account_id=text,
            current=builders.offer(text, provider_name=provider, region_id=text),
            tags={text: text},
        )
        made = forms.artefacts(plans.report(row), form=form)
        assert made
        for one in made:
            assert re.fullmatch(r"[A-Za-z0-9/.-]+", one.path)
            assert ".." not in one.path
            assert one.deploy.isprintable()
            assert not re.search(r"\$\(id\)|`id`", one.deploy)
            assert all(letter.isprintable() or letter == "\n" for letter in one.data.decode())
            if one.path.endswith(".json"):
                json.loads(one.data)
        if form in read and text in guards.EVIL[::4]:
            read[form]({one.path: one.data for one in made}, ZONE)
        assert all(line.isprintable() for line in forms.left_out(plans.report(row), form=form))


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "it's",
        "50%",
        '"; rm -rf ~ #',
        "$(id)",
        "`id`",
        "a\\",
        "${x}",
        "%{ if x }",
        "-x",
        "{{x}}",
    ],
)
def test_the_name_of_a_group_stays_what_it_is(name: str) -> None:
    row = _row("aws-group", OFFICE, resource_id=name)
    files = _files("aws-autoscaling", row)
    assert {one["AutoScalingGroupName"] for one in readers.documents(files)} == {name}
    assert [words[1] for words in readers.calls(files, "plan")] == [name]
    found = readers.blocks(next(iter(_files("terraform", row).values())).decode())
    assert {body["autoscaling_group_name"] for _, body in found} == {name}
    (data, _) = _files("crontab", row).values()
    lines = [line for line in data.decode().splitlines() if " aws autoscaling " in line]
    assert len(lines) == 2
    for line in lines:
        words = shlex.split(line.split(" ", 5)[5].replace("\\%", "%"))
        assert words[words.index("--auto-scaling-group-name") + 1] == name


@pytest.mark.parametrize("name", ["new\nline", "with:colon", "", "x" * 256])
def test_a_name_that_cannot_be_written_is_refused(name: str) -> None:
    row = _row("aws-group", OFFICE, resource_id=name)
    assert _files("aws-autoscaling", row) == {}
    assert len(_told("aws-autoscaling", row)) == 1


@pytest.mark.parametrize(
    "resource_id",
    [
        "/apis/apps/v1/namespaces/shop/deployments/checkout",
        "prod-eu/shop/deployment/checkout",
        "shop/Deployment/checkout",
    ],
)
def test_a_workloads_id_in_its_several_forms(resource_id: str) -> None:
    row = _row("workload", OFFICE, resource_id=resource_id)
    (data, _) = _files("kubernetes-cronjob", row).values()
    role = next(one for one in yaml.safe_load_all(data) if one["kind"] == "Role")
    assert role["metadata"]["namespace"] == "shop"
    assert role["rules"] == [
        {
            "apiGroups": ["apps"],
            "resourceNames": ["checkout"],
            "resources": ["deployments"],
            "verbs": ["get"],
        },
        {
            "apiGroups": ["apps"],
            "resourceNames": ["checkout"],
            "resources": ["deployments/scale"],
            "verbs": ["get", "patch", "update"],
        },
    ]

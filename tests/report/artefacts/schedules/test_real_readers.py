"""The files as the services' own models, checkers and imitations take them."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from azure.mgmt.monitor.models import AutoscaleSettingResource
from cfnlint.api import lint_all
from google.cloud.compute_v1.types import Autoscaler

from costopt.model import Recommendation
from costopt.model.week import WeekPlan
from costopt.report.artefacts.schedules import forms
from costopt.report.artefacts.schedules.terraform import hcl
from tests.fakes.aws_cloud import empty_moto
from tests.report.artefacts import guards
from tests.report.artefacts.schedules import plans, readers

ZONE = "Europe/Berlin"
XMAS = tuple(
    plans.day(plans.AS_OF.date().replace(month=month, day=on), digits)
    for month, on, digits in ((10, 3, "0"), (10, 25, "0"), (12, 25, "0"), (12, 26, "0"))
)
GROUP = plans.week("2" * 7 + "5" * 12 + "2" * 5 + " " + "2" * 24, ZONE, *XMAS)
MACHINE = plans.week(
    plans.OFFICE, ZONE, *(plans.day(one.day, str(min(1, max(one.levels)))) for one in XMAS)
)


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, Any]]:
    """What boto3's clients need to speak to a local moto."""
    with empty_moto() as url:
        yield {
            "endpoint_url": url,
            "region_name": "eu-west-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }


def _files(form: str, *rows: Recommendation) -> dict[str, bytes]:
    return {one.path: one.data for one in forms.artefacts(plans.report(*rows), form=form)}


def _is_the_plan(levels: list[Any], plan: WeekPlan) -> None:
    wanted = plans.wanted(plan)
    settled = plans.settled(plan.time_zone)
    assert [levels[index] for index in settled] == [wanted[index] for index in settled]


def test_auto_scaling_keeps_the_actions(aws: dict[str, Any]) -> None:
    """The files are the parameters of the calls, which botocore checks and moto keeps."""
    files = _files("aws-autoscaling", plans.row("aws-group", GROUP))
    client = boto3.client("autoscaling", **aws)
    for one in readers.documents(files):
        if "ScheduledUpdateGroupActions" in one:
            client.batch_put_scheduled_update_group_action(**one)
    pages = client.get_paginator("describe_scheduled_actions").paginate()
    kept = [one for page in pages for one in page["ScheduledUpdateGroupActions"]]
    told = [
        {
            key: f"{value:%Y-%m-%dT%H:%M:%SZ}" if key.endswith("Time") else value
            for key, value in one.items()
        }
        for one in kept
    ]
    _is_the_plan(readers.actions_levels(told, ZONE), GROUP)


def test_eventbridge_keeps_the_schedules(aws: dict[str, Any]) -> None:
    files = _files("eventbridge", plans.row("aws-machine", MACHINE))
    client = boto3.client("scheduler", **aws)
    role = "arn:aws:iam::123456789012:role/costopt"
    names = []
    for one in readers.resources(files, "AWS::Scheduler::Schedule"):
        target = one["Target"]
        assert target["RoleArn"] == {"Fn::GetAtt": ["CostoptScheduleRole", "Arn"]}
        arn = target["Arn"]["Fn::Sub"].replace("${AWS::Partition}", "aws")
        client.create_schedule(**(one | {"Target": target | {"Arn": arn, "RoleArn": role}}))
        names.append(one["Name"])
    kept = [client.get_schedule(Name=name) for name in names]
    as_template = {"Resources": {one["Name"]: _as_resource(one) for one in kept}}
    _is_the_plan(readers.eventbridge({"x.json": json.dumps(as_template).encode()}, ZONE), MACHINE)


def _as_resource(kept: Any) -> dict[str, Any]:
    properties = {
        key: f"{value:%Y-%m-%dT%H:%M:%SZ}" if key.endswith("Date") else value
        for key, value in kept.items()
        if key.startswith(("Schedule", "Target", "StartDate", "EndDate"))
    }
    properties["Target"] = properties["Target"] | {"Arn": {"Fn::Sub": properties["Target"]["Arn"]}}
    return {"Type": "AWS::Scheduler::Schedule", "Properties": properties}


def test_cloudformation_accepts_the_templates() -> None:
    """By AWS's own resource schemas, as cfn-lint holds them: both in one, which is quicker."""
    whole: dict[str, Any] = {}
    for form, kind, plan in (
        ("eventbridge", "aws-machine", MACHINE),
        ("instance-scheduler", "aws-machine", MACHINE),
    ):
        for path, data in _files(form, plans.row(kind, plan)).items():
            for part, held in json.loads(data).items() if path.endswith(".json") else ():
                whole[part] = whole.get(part, {}) | held if isinstance(held, dict) else held
    kinds = {one["Type"] for one in whole["Resources"].values()}
    assert len(kinds) == 3
    assert _faults(whole) == []
    for one in whole["Resources"].values():
        if one["Type"] == "AWS::Scheduler::Schedule":
            one["Properties"]["FlexibleTimeWindow"]["Mode"] = "MAYBE"
    assert _faults(whole)


def _faults(template: dict[str, Any]) -> list[str]:
    return [str(match) for match in lint_all(json.dumps(template)) if match.rule.id[0] in "EW"]


def test_the_role_may_start_and_stop_its_machine_only() -> None:
    files = _files("eventbridge", plans.row("aws-machine", MACHINE))
    (role,) = readers.resources(files, "AWS::IAM::Role")
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["ec2:StartInstances", "ec2:StopInstances"]
    arn = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/"
    assert statement["Resource"] == {"Fn::Sub": f"{arn}i-0123456789abcdef0"}


def test_azures_own_model_reads_the_setting() -> None:
    (data,) = _files("azure-autoscale", plans.row("azure-group", GROUP)).values()
    (resource,) = json.loads(data)["resources"]
    model = AutoscaleSettingResource.deserialize(resource)
    assert model.enabled is True
    assert model.target_resource_uri == plans.PLACES["azure-group"][1]
    first, second = model.profiles[:2]
    assert first.capacity.minimum == first.capacity.maximum == first.capacity.default == "5"
    assert second.capacity.minimum == second.capacity.default == "2"
    assert second.capacity.maximum == "5"  # today's: what the plan did not foresee
    up, down = second.rules
    assert (up.metric_trigger.operator, up.metric_trigger.threshold) == ("GreaterThan", 66)
    assert (down.metric_trigger.operator, down.metric_trigger.threshold) == ("LessThan", 30)
    assert up.metric_trigger.metric_resource_uri == model.target_resource_uri
    assert (up.scale_action.direction, down.scale_action.direction) == ("Increase", "Decrease")
    assert first.recurrence.schedule.time_zone == "W. Europe Standard Time"
    assert first.recurrence.schedule.hours == [7]
    assert first.recurrence.schedule.days[0] == "Monday"
    assert len(first.recurrence.schedule.days) == 5
    assert second.recurrence.schedule.hours == [19]
    fixed = [one.fixed_date for one in model.profiles if one.fixed_date]
    assert [f"{one.start:%d %H:%M}-{one.end:%d %H:%M}" for one in fixed] == [
        "02 22:00-03 22:00",  # 3 October, in UTC
        "24 22:00-25 23:00",  # the 25th has 25 hours
        "24 23:00-26 23:00",  # both days of Christmas at one level
    ]


def test_googles_own_model_reads_the_autoscaler() -> None:
    data, _ = _files("gcp-mig", plans.row("gcp-group", GROUP)).values()
    policy = Autoscaler.from_json(data.decode()).autoscaling_policy
    assert policy.min_num_replicas == 2
    (schedule,) = policy.scaling_schedules.values()
    assert (schedule.schedule, schedule.duration_sec) == ("0 7 * * 1-5", 12 * 3600)
    assert (schedule.min_required_replicas, schedule.time_zone) == (5, ZONE)


@pytest.fixture(scope="module")
def everything() -> dict[str, bytes]:
    """A folder of Terraform for every kind of resource."""
    rows = [
        plans.row(kind, MACHINE if kind.endswith("machine") else GROUP)
        for kind in plans.PLACES
        if kind != "azure-machine"
    ]
    rows.append(plans.row("azure-machine", plans.week(plans.OFFICE, ZONE)))
    return _files("terraform", *rows)


def test_terraform_finds_nothing_to_format(
    terraform: str, everything: dict[str, bytes], tmp_path: Path
) -> None:
    assert len({path.rpartition("/")[0] for path in everything}) == 7
    _written(everything, tmp_path)
    shown = subprocess.run(
        [terraform, "fmt", "-check", "-diff", "-recursive", str(tmp_path)],
        capture_output=True, text=True, env=_quiet(), check=False,
    )  # fmt: skip
    assert (shown.returncode, shown.stdout) == (0, ""), shown.stdout + shown.stderr


def test_terraform_validates_what_it_has_providers_for(
    terraform: str, everything: dict[str, bytes], tmp_path: Path
) -> None:
    """With a mirror of providers (COSTOPT_TERRAFORM_PLUGINS), by hashicorp/aws's own schema."""
    mirror = os.environ.get("COSTOPT_TERRAFORM_PLUGINS")
    if not mirror:
        pytest.skip("COSTOPT_TERRAFORM_PLUGINS names no folder of Terraform providers")
    _written(everything, tmp_path)
    for folder in sorted((tmp_path / "terraform").glob("aws-*")):
        for command in (["init", f"-plugin-dir={mirror}"], ["validate"]):
            ran = subprocess.run(
                [terraform, f"-chdir={folder}", *command],
                capture_output=True, text=True, env=_quiet(), check=False,
            )  # fmt: skip
            assert ran.returncode == 0, ran.stdout + ran.stderr
        shutil.rmtree(folder / ".terraform")


def _written(files: dict[str, bytes], folder: Path) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _quiet() -> dict[str, str]:
    """Without the user's settings, and without asking for newer versions."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    return kept | {"CHECKPOINT_DISABLE": "1"}


def test_terraform_reads_the_same_text(terraform: str, tmp_path: Path) -> None:
    texts = [*guards.EVIL, '${file("x")}', "%{ if true }", "$${x}", "a\\${b}", "\U0001f600"]
    written = ", ".join(hcl.string(text) for text in texts)
    shown = subprocess.run(
        [terraform, f"-chdir={tmp_path}", "console"],
        input=f"base64encode(jsonencode([{written}]))\n",
        capture_output=True, text=True, env=_quiet(), check=True,
    )  # fmt: skip
    read = json.loads(base64.b64decode(shown.stdout.strip().strip('"')))
    assert read == [re.sub("[\ud800-\udfff]", "\ufffd", text) for text in texts]

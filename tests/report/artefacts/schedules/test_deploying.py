"""What is printed with the files, run again: with another plan, for one resource and for all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from costopt.model import Recommendation
from costopt.model.week import WeekPlan
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import forms
from tests.fakes.aws_cloud import empty_moto
from tests.report import builders
from tests.report.artefacts.schedules import plans, readers
from tests.report.artefacts.schedules.clouds import Clouds, clouds

ZONE = "Europe/Berlin"
OFFICE = plans.week(plans.OFFICE)
EARLY = plans.week("0" * 6 + "1" * 11 + "0" * 7)
SPLIT = plans.week("0" * 6 + "1" * 4 + "0" * 2 + "1" * 5 + "0" * 7)
SMALL = plans.week("2" * 8 + "5" * 11 + "2" * 5)
LARGE = plans.week("2" * 7 + "4" * 3 + "6" * 10 + "2" * 4 + " " + "2" * 10 + "3" * 4 + "2" * 10)


@pytest.fixture
def cloud(tmp_path: Path) -> Clouds:
    return clouds(tmp_path)


def _made(form: str, *rows: Recommendation) -> list[Artefact]:
    return forms.artefacts(plans.report(*rows), form=form)


def _run(cloud: Clouds, form: str, *rows: Recommendation, **environment: str) -> None:
    ran = cloud.deploy(_made(form, *rows), **environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _files(form: str, *rows: Recommendation) -> dict[str, bytes]:
    return {one.path: one.data for one in _made(form, *rows)}


# -- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", forms.FORMS)
def test_files_of_one_resource_are_the_same_alone_and_among_all(form: str) -> None:
    """So that to deploy one again replaces its own and nothing of another."""
    several = [
        plans.row(kind, OFFICE, resource_id=plans.PLACES[kind][1][:-1] + end)
        for kind in plans.PLACES
        for end in "123"
    ]
    every = _files(form, *several)
    for row in several:
        for path, data in _files(form, row).items():
            if not path.endswith((".sh", "schedules.json", "shutdown.json", "objects.yaml")):
                assert every[path] == data, path


def test_the_name_is_the_resources_whatever_its_size() -> None:
    """The plan may advise another size of the machine beside: its files keep their names."""
    row = plans.row("aws-machine", OFFICE)
    smaller = plans.row("aws-machine", EARLY, recommended=builders.offer("m5.large"))
    assert row.recommendation_id != smaller.recommendation_id
    assert _files("eventbridge", row).keys() == _files("eventbridge", smaller).keys()


# -- crontab ---------------------------------------------------------------------------------


def _table(cloud: Clouds) -> list[str]:
    lines = cloud.memory["table"].splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_a_crontab_is_replaced_and_what_is_not_ours_stays(cloud: Clouds) -> None:
    cloud.remember(table="MAILTO=me\n5 4 * * * own job\n")
    first, second = (
        plans.row("aws-machine", OFFICE, resource_id=f"i-0123456789abcdef{n}") for n in "01"
    )
    _run(cloud, "crontab", first, second)
    once = _table(cloud)
    assert once[:2] == ["MAILTO=me", "5 4 * * * own job"]
    assert len([line for line in once if "start-instances" in line]) == 2
    _run(cloud, "crontab", first, second)
    assert _table(cloud) == once
    changed = plans.row("aws-machine", EARLY, resource_id=first.resource_id)
    _run(cloud, "crontab", changed)
    now = _table(cloud)
    of = {id_: [line for line in now if line.endswith(id_)] for id_ in _ids(first, second)}
    assert [line[:11] for line in of[first.resource_id]] == ["0 6 * * 1-5", "0 17 * * 1-"]
    assert [line[:11] for line in of[second.resource_id]] == ["0 8 * * 1-5", "0 19 * * 1-"]
    assert now[:2] == once[:2]
    path = next(line for line in now if line.startswith("PATH="))
    assert str(cloud.folder / "bin") in path  # the script's own, for cron's lacks the clouds'
    kept = sorted((cloud.folder / "files" / "crontabs").glob("*.old"))
    assert len(kept) == 3
    assert "MAILTO=me\n5 4 * * * own job\n" in [one.read_text() for one in kept]


def _ids(*rows: Recommendation) -> list[str]:
    return [row.resource_id for row in rows]


def test_a_user_without_a_crontab_gets_one(cloud: Clouds) -> None:
    _run(cloud, "crontab", plans.row("aws-machine", OFFICE))
    assert len([line for line in _table(cloud) if "-instances" in line]) == 2


def test_a_block_that_lost_its_end_is_left_alone(cloud: Clouds) -> None:
    row = plans.row("aws-machine", OFFICE)
    _run(cloud, "crontab", row)
    broken = "\n".join(line for line in cloud.memory["table"].splitlines() if "ends" not in line)
    cloud.remember(table=f"{broken}\n5 4 * * * own job\n")
    ran = cloud.deploy(_made("crontab", row))
    assert ran.returncode == 1
    assert "has lost its first or last line" in ran.stderr
    assert cloud.memory["table"].endswith("own job\n")


# -- Google ----------------------------------------------------------------------------------


def test_an_instance_follows_the_newest_policy_alone(cloud: Clouds) -> None:
    first, second = (
        plans.row("gcp-machine", OFFICE, resource_id=plans.PLACES["gcp-machine"][1] + end)
        for end in ("-a", "-b")
    )
    _run(cloud, "gcp-instance-schedule", first, second)
    (office,) = cloud.memory["policies"]
    assert set(map(tuple, cloud.memory["machines"].values())) == {(office,)}
    before = cloud.memory
    _run(cloud, "gcp-instance-schedule", first, second)
    assert cloud.memory == before
    _run(cloud, "gcp-instance-schedule", plans.row("gcp-machine", EARLY, **_same(first)))
    assert len(cloud.memory["policies"]) == 2  # the second machine still follows the first
    _run(cloud, "gcp-instance-schedule", plans.row("gcp-machine", EARLY, **_same(second)))
    (early,) = cloud.memory["policies"]
    assert early != office
    assert cloud.memory["policies"][early][:2] == ["0 6 * * 1-5", "0 17 * * 1-5"]
    assert set(map(tuple, cloud.memory["machines"].values())) == {(early,)}


def _same(row: Recommendation) -> dict[str, Any]:
    return {"resource_id": row.resource_id}


def test_an_autoscaler_has_the_newest_schedules_and_its_own(cloud: Clouds) -> None:
    own = {"schedule": "0 0 1 1 *", "durationSec": 3600, "minRequiredReplicas": 9}
    policy = {"maxNumReplicas": 12, "scalingSchedules": {"new-year": own}}
    cloud.remember(autoscaler={"name": "cache-scaler", "autoscalingPolicy": policy})
    for plan in (LARGE, LARGE, SMALL, SMALL, LARGE):
        row = plans.row("gcp-group", plan)
        _run(cloud, "gcp-mig", row)
        kept = cloud.memory["autoscaler"]["autoscalingPolicy"]
        assert kept["scalingSchedules"].pop("new-year") == own
        assert kept.pop("maxNumReplicas") == 12
        assert {"autoscalingPolicy": kept} == readers.documents(_files("gcp-mig", row))[0]


# -- Kubernetes ------------------------------------------------------------------------------


def test_jobs_of_an_earlier_plan_are_pruned(cloud: Clouds) -> None:
    first, second = (
        plans.row("workload", LARGE, resource_id=f"shop/deployment/{name}")
        for name in ("checkout", "cart")
    )
    _run(cloud, "kubernetes-cronjob", first, second)
    before = cloud.memory["objects"]
    _run(cloud, "kubernetes-cronjob", first)
    assert cloud.memory["objects"] == before
    _run(cloud, "kubernetes-cronjob", plans.row("workload", SMALL, **_same(first)))
    now = cloud.memory["objects"]
    jobs = [name for name in now if name.startswith("CronJob")]
    # LARGE: 07:00, 10:00 and 20:00 from Monday to Friday, 10:00 and 14:00 at the weekend; SMALL:
    # 08:00 and 19:00, and Monday's and Saturday's midnight, for its weekend is 0
    assert len([name for name in before if name.startswith("CronJob")]) == 2 * 5
    assert len(jobs) == 5 + 4


# -- AWS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    """The environment in which the AWS CLI and boto3 speak to a local moto."""
    if not shutil.which("aws"):
        pytest.skip("there is no AWS CLI here")
    with empty_moto() as url, pytest.MonkeyPatch.context() as patch:
        given = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_PAGER": "",
        }
        for name, value in given.items():
            patch.setenv(name, value)
        yield given


def _group(plan: WeekPlan) -> Recommendation:
    return plans.row("aws-group", plan, resource_id="web 'asg'")


def test_a_group_has_the_newest_actions_and_its_own(cloud: Clouds, aws: dict[str, str]) -> None:
    client = boto3.client("autoscaling")
    client.create_launch_configuration(
        LaunchConfigurationName="l", ImageId="ami-12345678", InstanceType="t3.micro"
    )
    client.create_auto_scaling_group(
        AutoScalingGroupName="web 'asg'", LaunchConfigurationName="l", MinSize=0, MaxSize=9,
        AvailabilityZones=["eu-west-1a"],
    )  # fmt: skip
    client.put_scheduled_update_group_action(
        AutoScalingGroupName="web 'asg'", ScheduledActionName="own", MinSize=1,
        Recurrence="1 2 3 4 *",
    )  # fmt: skip
    for plan in (LARGE, SMALL):
        _run(cloud, "aws-autoscaling", _group(plan), **aws)
        kept = client.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
        ours = [one for one in kept if one["ScheduledActionName"] != "own"]
        assert len(kept) == len(ours) + 1
        wanted = readers.actions(_files("aws-autoscaling", _group(plan)))
        assert {_told(one) for one in ours} == {_told(one) for one in wanted}
        (guard,) = client.describe_policies()["ScalingPolicies"]
        assert guard["TargetTrackingConfiguration"]["TargetValue"] == 60


def _told(action: dict[str, Any]) -> tuple[Any, ...]:
    keys = ("ScheduledActionName", "MinSize", "DesiredCapacity", "Recurrence", "TimeZone")
    return tuple(action.get(key) for key in keys)


def test_an_action_that_fails_ends_the_script(cloud: Clouds) -> None:
    """A batch of which some failed is no failure to the CLI."""
    program = cloud.folder / "bin" / "aws"
    program.write_text(
        "#!/bin/sh\ncase $* in *get-caller*) echo 123456789012 ;; *batch-put*) echo 'x y' ;; esac\n"
    )
    program.chmod(0o755)
    ran = cloud.deploy(_made("aws-autoscaling", _group(SMALL)))
    assert (ran.returncode, ran.stderr) == (1, "x y\n")


@pytest.mark.filterwarnings("ignore:Tried to parse AWS..Scheduler")  # moto keeps the template
def test_a_stack_is_one_machines_and_is_updated(cloud: Clouds, aws: dict[str, str]) -> None:
    first, second = (
        plans.row("aws-machine", OFFICE, resource_id=f"i-0123456789abcdef{n}") for n in "01"
    )
    _run(cloud, "eventbridge", first, second, **aws)
    client = boto3.client("cloudformation")
    assert len(client.describe_stacks()["Stacks"]) == 2
    changed = plans.row("aws-machine", SPLIT, **_same(first))
    for _ in range(2):  # the second time nothing is to be done
        _run(cloud, "eventbridge", changed, **aws)
    stacks = sorted(one["StackName"] for one in client.describe_stacks()["Stacks"])
    expected = {**_files("eventbridge", second), **_files("eventbridge", changed)}
    assert len(stacks) == 2
    for name in stacks:
        body = client.get_template(StackName=name)["TemplateBody"]
        held = body if isinstance(body, dict) else json.loads(body)
        assert held == json.loads(expected[f"eventbridge-schedules/{name}.json"])


def test_another_account_is_left_alone(cloud: Clouds, aws: dict[str, str]) -> None:
    row = plans.row("aws-machine", OFFICE, sub_account_id="210987654321")
    ran = cloud.deploy(_made("eventbridge", row), **aws)
    assert ran.returncode == 1
    assert "these are for account 210987654321" in ran.stderr


# -- Terraform -------------------------------------------------------------------------------


def test_terraform_of_one_leaves_the_files_of_the_others(tmp_path: Path) -> None:
    first, second = (
        plans.row("aws-machine", OFFICE, resource_id=f"i-0123456789abcdef{n}") for n in "01"
    )
    both = _files("terraform", first, second)
    assert len(both) == 3  # each machine's, and what both need
    changed = _files("terraform", plans.row("aws-machine", EARLY, **_same(first)))
    assert len(changed.keys() & both.keys()) == len(changed) == 2
    labels = [body for path in both for body in _labels(both[path].decode())]
    assert len(labels) == len(set(labels))


def _labels(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("resource ", "data "))]

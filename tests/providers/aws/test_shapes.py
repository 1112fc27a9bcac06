"""What EC2's machine types are."""

from __future__ import annotations

import gzip
import json
from importlib.resources import files
from typing import Any

import pytest

from costopt import schema
from costopt.pricing import builtin
from costopt.pricing.catalogue import Catalogue
from costopt.providers.aws import inventory, organization, shapes
from costopt.providers.base import Problem
from tests.fakes import aws_account, aws_wire
from tests.fakes.aws_front import Answer, Call, refused

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def fleet(aws_server: str) -> None:
    for kind in ("t3.micro", "p4d.24xlarge"):
        aws_account.machines(aws_account.own(), REGION, kind)


@pytest.fixture
def shaped(fleet, front, settings):
    """The table of shapes of what runs, and the problems met."""

    def collected():
        problems: list[Problem] = []
        asked = settings(region=(REGION,))
        accounts = organization.accounts(asked, problems)
        table = inventory.resources(accounts, asked, problems)
        return shapes.shapes(accounts, table, problems), problems

    return collected


def test_families_in_use_are_described_in_one_call(shaped, front) -> None:
    table, problems = shaped()
    assert table.schema.equals(schema.SHAPES)
    assert problems == []
    names = table.column("x_InstanceType").to_pylist()
    assert names == sorted(names)
    sizes = ("2xlarge", "large", "medium", "micro", "nano", "small", "xlarge")
    assert set(names) == {"p4d.24xlarge", *(f"t3.{size}" for size in sizes)}
    (call,) = [call for call in front.calls if call.action == "DescribeInstanceTypes"]
    assert call.fields["Filter.1.Name"] == "instance-type"
    assert [call.fields["Filter.1.Value.1"], call.fields["Filter.1.Value.2"]] == ["p4d.*", "t3.*"]
    assert call.fields["MaxResults"] == "100"


def test_a_shape(shaped) -> None:
    table, _ = shaped()
    rows = {row["x_InstanceType"]: row for row in table.to_pylist()}
    # EC2 Instance Types: 8 A100 of 40 GiB, 1,152 GiB, 48 cores, 8 disks of 1,000 GB, 400 Gbit/s
    assert rows["p4d.24xlarge"] == {
        "ProviderName": "AWS",
        "x_InstanceType": "p4d.24xlarge",
        "x_vCPUs": 96.0,
        "x_PhysicalCores": 48.0,
        "x_MemoryGiB": 1152.0,
        "x_Architecture": "x86_64",
        "x_GPUModel": "A100",
        "x_GPUCount": 8,
        "x_GPUMemoryGiB": 40.0,
        "x_BurstableBaselinePercent": None,
        "x_SharedCPU": None,
        "x_NetworkGbps": 400.0,
        "x_LocalDiskGiB": 7450.6,
        "x_Family": "p4d",
        "x_CurrentGeneration": True,
        "x_NotOfferedIn": None,
        "x_ValidFrom": None,
        "x_Source": "EC2 DescribeInstanceTypes",
    }


def test_a_row_that_takes_the_built_in_ones_place_loses_nothing(shaped) -> None:
    table, _ = shaped()
    before, after = Catalogue.load(), Catalogue.load(extra_shapes=table)
    for name in table.column("x_InstanceType").to_pylist():
        assert after.shape("AWS", name) == before.shape("AWS", name)
    small = after.shape("AWS", "t3.micro")
    assert small is not None
    assert small.burstable_baseline_percent == 10.0  # the call does not say


def test_a_burstable_type_of_unknown_baseline_is_left_out(shaped, front) -> None:
    front.rules += [
        aws_wire.instances(aws_wire.instance("i-1", "", "t9.large")),
        lambda call: _t9() if call.action == "DescribeInstanceTypes" else None,
    ]
    table, problems = shaped()
    assert table.num_rows == 0
    (problem,) = problems
    assert problem.where == "ec2:DescribeInstanceTypes t9.large"
    assert not problem.fatal


def _t9() -> Answer:
    item = (
        "<item><instanceType>t9.large</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus>"
        "</vCpuInfo><memoryInfo><sizeInMiB>8192</sizeInMiB></memoryInfo>"
        "<burstablePerformanceSupported>true</burstablePerformanceSupported></item>"
    )
    return aws_wire.ec2("DescribeInstanceTypes", f"<instanceTypeSet>{item}</instanceTypeSet>")


def test_who_refuses_leaves_the_built_in_shapes(shaped, front) -> None:
    def refusing(call: Call) -> Answer | None:
        if call.action == "DescribeInstanceTypes":
            return refused(call, "UnauthorizedOperation", "no")
        return None

    front.rules.append(refusing)
    table, problems = shaped()
    assert table.num_rows == 0
    assert [(one.where.split()[-1], one.fatal) for one in problems] == [
        ("ec2:DescribeInstanceTypes", False)
    ]
    assert front.counted()["ec2:DescribeInstanceTypes"] == 1


def test_answers_of_every_type_give_the_built_in_shapes() -> None:
    known = {row["x_InstanceType"]: row for row in builtin.read("aws", "shapes").to_pylist()}
    answers = json.loads(
        gzip.decompress((files("moto") / "ec2/resources/instance_types.json.gz").read_bytes())
    )
    compared = [name for name in answers if name in known]
    assert len(compared) > 1_300
    said_otherwise = {
        name: (column, row[column], known[name][column])
        for name in compared
        for row in [shapes.shape(answers[name])]
        for column in _COMPARED
        if row[column] != pytest.approx(known[name][column], abs=0.06)
    }
    assert said_otherwise == {}


_UNTOLD = {
    *("x_BurstableBaselinePercent", "x_SharedCPU", "x_NotOfferedIn", "x_ValidFrom", "x_Source"),
}
_COMPARED = [name for name in schema.SHAPES.names if name not in _UNTOLD]


@pytest.mark.parametrize(
    ("network", "gbps"),
    [
        ({"NetworkCards": [{"BaselineBandwidthInGbps": 0.5, "PeakBandwidthInGbps": 10}]}, 0.5),
        ({"NetworkCards": [{"BaselineBandwidthInGbps": 100.0}] * 4}, 400.0),
        ({"NetworkCards": [{"PeakBandwidthInGbps": 5.0}]}, 5.0),
        ({"NetworkCards": [{}], "NetworkPerformance": "Up to 12.5 Gigabit"}, 12.5),
        ({"NetworkPerformance": "10 Gigabit"}, 10.0),
        ({"NetworkPerformance": "Moderate"}, None),
        ({}, None),
    ],
)
def test_network_is_what_is_sustained_where_it_is_told(network: Any, gbps: float | None) -> None:
    answer = {
        "InstanceType": "x1.large",
        "VCpuInfo": {"DefaultVCpus": 2},
        "MemoryInfo": {"SizeInMiB": 1024},
        "NetworkInfo": network,
    }
    row = shapes.shape(answer)
    assert row["x_NetworkGbps"] == gbps
    assert row["x_PhysicalCores"] is None
    assert row["x_GPUCount"] is None


def test_a_share_of_a_gpu_is_a_card_with_that_share_of_memory() -> None:
    gpus = {"Gpus": [{"Name": "L4", "Count": 0}], "TotalGpuMemoryInMiB": 2862}
    assert shapes.accelerator({"GpuInfo": gpus}) == ("L4", 1, 2.8)
    assert shapes.accelerator({"GpuInfo": {"Gpus": [{"Name": "V1", "Count": 2}]}}) == (
        "V1",
        2,
        None,
    )

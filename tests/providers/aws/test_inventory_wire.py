"""Fields of real answers that moto leaves out: CPU options, platforms, states, shared storage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from costopt.providers.aws import inventory, organization
from costopt.providers.aws.inventory.machines import operating_system, stopped_at
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from tests.fakes import aws_wire
from tests.fakes.aws_front import Answer, Call

REGION = "eu-west-2"


@pytest.fixture
def rows(front, aws_server):
    """What the inventory makes of the instances that EC2 is made to answer."""

    def collected(*items: str) -> list[dict]:
        front.rules.append(aws_wire.instances(*items))
        asked = AwsSettings(region=(REGION,), max_attempts=1)
        problems: list[Problem] = []
        table = inventory.resources(organization.accounts(asked, problems), asked, problems)
        assert problems == []
        return table.to_pylist(maps_as_pydicts="strict")

    return collected


def _cpus(cores: int, threads: int) -> str:
    return (
        f"<cpuOptions><coreCount>{cores}</coreCount>"
        f"<threadsPerCore>{threads}</threadsPerCore></cpuOptions>"
    )


def test_vcpus_that_are_switched_off_do_not_count(rows) -> None:
    whole, fewer, single = rows(
        aws_wire.instance("i-1", _cpus(8, 2), "c5.4xlarge"),
        aws_wire.instance("i-2", _cpus(4, 2), "c5.4xlarge"),
        aws_wire.instance("i-3", _cpus(8, 1), "c5.4xlarge"),
    )
    assert [row["x_vCPUs"] for row in (whole, fewer, single)] == [16.0, 8.0, 8.0]
    assert {row["x_MemoryGiB"] for row in (whole, fewer, single)} == {32.0}
    assert whole["x_Attributes"]["cores"] == "8"
    assert single["x_Attributes"]["threads_per_core"] == "1"


def test_states_are_running_stopped_or_terminated(rows) -> None:
    names = ("pending", "running", "stopping", "stopped", "shutting-down", "terminated")
    told = [
        aws_wire.instance(f"i-{number}").replace("<name>running<", f"<name>{name}<")
        for number, name in enumerate(names)
    ]
    assert [row["x_State"] for row in rows(*told)] == [
        *["running"] * 2,
        *["stopped"] * 2,
        *["terminated"] * 2,
    ]


@pytest.mark.parametrize(
    ("details", "platform", "system"),
    [
        ("Linux/UNIX", None, "Linux"),
        ("Windows", "windows", "Windows"),
        ("Windows with SQL Server Enterprise", "windows", "Windows"),
        ("Windows BYOL", "windows", "Windows"),
        ("Red Hat Enterprise Linux", None, "RHEL"),
        ("Red Hat Enterprise Linux with SQL Server Standard", None, "RHEL"),
        ("Red Hat Enterprise Linux with HA", None, "Red Hat Enterprise Linux with HA"),
        ("Red Hat BYOL Linux", None, "Linux"),
        ("SUSE Linux", None, "SUSE"),
        ("Ubuntu Pro Linux", None, "Ubuntu Pro"),
        ("Something New", None, "Something New"),
        (None, "windows", "Windows"),
        (None, None, "Linux"),
    ],
)
def test_the_system_is_the_one_that_is_priced(
    details: str | None, platform: str | None, system: str
) -> None:
    assert operating_system(details, platform) == system


def test_a_licence_on_top_is_told(rows) -> None:
    item = (
        "<platformDetails>Windows with SQL Server Web</platformDetails><platform>windows</platform>"
    )
    (row,) = rows(aws_wire.instance("i-1", item))
    assert row["x_OperatingSystem"] == "Windows"
    assert row["x_Attributes"]["platform"] == "Windows with SQL Server Web"


def test_when_a_machine_stopped_is_read_off_the_reason() -> None:
    at = datetime(2026, 1, 31, 9, 0, 0, tzinfo=UTC)
    assert stopped_at("User initiated (2026-01-31 09:00:00 GMT)") == at
    assert stopped_at("Server.SpotInstanceShutdown: interrupted") is None
    assert stopped_at("") is None


def test_storage_of_a_cluster_is_not_told_of_its_instances(front, rows) -> None:
    def answer(call: Call) -> Answer | None:
        if call.action != "DescribeDBInstances":
            return None
        members = "".join(
            f"<DBInstance><DBInstanceIdentifier>{engine}</DBInstanceIdentifier>"
            f"<DBInstanceArn>arn:aws:rds:{REGION}:1:db:{engine}</DBInstanceArn>"
            f"<DBInstanceClass>db.r6g.large</DBInstanceClass><Engine>{engine}</Engine>"
            "<AllocatedStorage>1</AllocatedStorage></DBInstance>"
            for engine in ("aurora-mysql", "docdb", "mysql")
        )
        result = f"<DBInstances>{members}</DBInstances>"
        text = (
            '<DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">'
            f"<DescribeDBInstancesResult>{result}</DescribeDBInstancesResult>"
            "</DescribeDBInstancesResponse>"
        )
        return Answer(200, text.encode())

    front.rules.append(answer)
    aurora, documents, plain = rows()
    assert "size_gib" not in aurora["x_Attributes"]
    assert documents["ServiceName"].startswith("Amazon DocumentDB")
    assert plain["x_Attributes"]["size_gib"] == "1"


def test_answers_that_make_no_sense_are_problems(front, aws_server) -> None:
    pages = {
        "DescribeAddresses": b"<html/>",
        "DescribeVolumes": b"<html>\x1b[31m gateway <",
        "DescribeSnapshots": b"<html><body>please log in</body></html>",
    }
    front.rules.append(lambda call: Answer(200, p) if (p := pages.get(call.action)) else None)
    asked = AwsSettings(region=(REGION,), max_attempts=1)
    problems: list[Problem] = []
    inventory.resources(organization.accounts(asked, []), asked, problems)
    assert [problem.where.split()[-1] for problem in problems] == [
        "ec2:DescribeVolumes",
        "ec2:DescribeSnapshots",
        "ec2:DescribeAddresses",
    ]
    assert all(problem.what.startswith("the answer cannot be read") for problem in problems)

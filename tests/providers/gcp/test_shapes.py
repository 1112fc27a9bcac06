"""Machine types in use and their series, and what their names say."""

from __future__ import annotations

from typing import Any

import pytest

from costopt import schema
from costopt.pricing import builtin
from costopt.providers.base import Known, Problem
from costopt.providers.gcp import GcpProvider, machine_types
from costopt.providers.gcp.settings import GcpSettings
from costopt.providers.gcp.shapes import MachineTypes, Use
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_rest import Answer
from tests.providers.gcp.conftest import Opened

ZONE = "europe-west1-b"
LIST = "compute.machineTypes.list"


def learnt(
    opened: Opened, *uses: tuple[str, str, str]
) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    problems: list[Problem] = []
    types = MachineTypes(opened(project=("shop-prod-1",), max_attempts=1), problems)
    types.learn(Use(*use) for use in uses)
    table = types.table()
    assert table.schema.equals(schema.SHAPES)
    return {row["x_InstanceType"]: row for row in table.to_pylist()}, problems


def lists(gcp: Cloud, answer: dict[str, Any]) -> None:
    gcp.rest.rules.append(lambda call: Answer(200, answer) if call.name == LIST else None)


def test_the_whole_series_as_the_built_in_shapes_have_it(gcp: Cloud, opened: Opened) -> None:
    """The fake tells CPUs and memory only: all else is worked out of the name."""
    found, problems = learnt(opened, ("shop-prod-1", ZONE, "c3-standard-4-lssd"))
    table = builtin.read("gcp", "shapes")
    assert table is not None
    own = ("x_Source", "x_ValidFrom")
    expected = {
        row["x_InstanceType"]: {k: v for k, v in row.items() if k not in own}
        for row in table.to_pylist()
        if row["x_InstanceType"].startswith("c3-")
    }
    assert len(expected) > 20
    assert {n: {k: v for k, v in row.items() if k not in own} for n, row in found.items()} == (
        expected
    )
    assert {row["x_Source"] for row in found.values()} == {schema.GCP_TYPES}
    assert schema.GCP_TYPES in schema.PUBLISHED  # so the lake does not take them for the user's
    assert problems == []


def test_each_series_is_asked_for_once(gcp: Cloud, opened: Opened) -> None:
    learnt(
        opened,
        ("shop-prod-1", ZONE, "n2-standard-4"),
        ("shop-prod-1", ZONE, "e2-medium"),
        ("shop-prod-1", "us-east1-b", "n2-highmem-2"),
        ("shop-prod-2", "us-east1-b", "t2d-standard-1"),
    )
    asked = [(c.project, c.parts["zone"], c.query["filter"]) for c in gcp.rest.calls]
    assert asked == [
        ("shop-prod-1", ZONE, 'name eq "(e2|n2)-.*"'),
        ("shop-prod-2", "us-east1-b", 'name eq "(t2d)-.*"'),
    ]


def test_a_project_that_refuses_is_not_asked_again_but_others_are(
    gcp: Cloud, opened: Opened
) -> None:
    gcp.refuse("shop-prod-1", LIST)
    found, problems = learnt(
        opened,
        ("shop-prod-1", ZONE, "n2-standard-4"),
        ("shop-prod-1", "us-east1-b", "e2-medium"),
        ("shop-prod-2", ZONE, "n2-standard-4"),
    )
    assert set(found) >= {"n2-standard-4", "n2-highmem-4"}
    assert [(problem.where, problem.fatal) for problem in problems] == [
        (f"shop-prod-1 {ZONE} {LIST}", False)
    ]
    assert gcp.rest.counted()[LIST] == 2


def test_custom_types_have_a_shape_of_their_own(gcp: Cloud, opened: Opened) -> None:
    found, _ = learnt(
        opened,
        ("shop-prod-1", ZONE, "n2-custom-6-15360-ext"),
        ("shop-prod-1", ZONE, "custom-1-3840"),
        ("shop-prod-1", ZONE, "e2-custom-small-2048"),
    )
    six, one, small = (
        found[name] for name in ("n2-custom-6-15360-ext", "custom-1-3840", "e2-custom-small-2048")
    )
    assert (six["x_vCPUs"], six["x_MemoryGiB"], six["x_PhysicalCores"]) == (6.0, 15.0, 3.0)
    assert six["x_Family"] == "n2-custom"
    assert (one["x_vCPUs"], one["x_MemoryGiB"], one["x_PhysicalCores"]) == (1.0, 3.75, 0.5)
    assert one["x_Family"] == "n1-custom"
    assert (small["x_vCPUs"], small["x_MemoryGiB"]) == (2.0, 2.0)
    assert small["x_BurstableBaselinePercent"] == 25.0


@pytest.mark.parametrize(
    "name", ["custom", "n2-custom-4", "n2-custom-x-4096", "custom-0-1024", "n2-standard-4", "", "-"]
)
def test_what_is_no_custom_type(name: str) -> None:
    assert machine_types.custom(name) is None


def test_what_the_api_tells_beyond_the_name(gcp: Cloud, opened: Opened) -> None:
    new = {
        "name": "x9-turbo-16",
        "guestCpus": 16,
        "memoryMb": 65536,
        "architecture": "ARM64",
        "accelerators": [{"guestAcceleratorType": "nvidia-l4", "guestAcceleratorCount": 2}],
        "bundledLocalSsds": {"partitionCount": 4},
        "deprecated": {"state": "DEPRECATED"},
        "unheardOf": {"a": 1},
    }
    lists(gcp, {"items": [new]})
    found, problems = learnt(opened, ("shop-prod-1", ZONE, "x9-turbo-16"))
    row = found["x9-turbo-16"]
    assert row["x_Architecture"] == "arm64"
    assert (row["x_GPUModel"], row["x_GPUCount"], row["x_GPUMemoryGiB"]) == ("L4", 2, 24.0)
    assert row["x_LocalDiskGiB"] == 1500.0
    assert row["x_CurrentGeneration"] is False
    assert row["x_Family"] == "x9-turbo"
    assert problems == []


def test_a_burstable_type_that_nobody_knows_is_left_out(gcp: Cloud, opened: Opened) -> None:
    new = {"name": "e9-nano", "guestCpus": 2, "memoryMb": 1024, "isSharedCpu": True}
    lists(gcp, {"items": [new, {"name": "e9-standard-2", "guestCpus": 2, "memoryMb": 8192}]})
    found, problems = learnt(opened, ("shop-prod-1", ZONE, "e9-nano"))
    assert set(found) == {"e9-standard-2"}
    (problem,) = problems
    assert problem.where == f"{LIST} e9-nano"
    assert not problem.fatal


@pytest.mark.parametrize(
    ("name", "vcpus", "cores"),
    [
        ("n2-standard-8", 8, 4.0),
        ("n1-standard-1", 1, 0.5),
        ("t2d-standard-8", 8, 8.0),
        ("t2a-standard-8", 8, 8.0),
        ("c4a-standard-8", 8, 8.0),
        ("c3-standard-22", 22, 11.0),
        ("e2-medium", 2, None),  # a share of cores
    ],
)
def test_physical_cores(name: str, vcpus: float, cores: float | None) -> None:
    assert machine_types.described(name, vcpus, 8.0).physical_cores == cores


def test_the_users_own_shape_stands(gcp: Cloud) -> None:
    gcp.project("shop-prod-1").instance("web-1")
    first = GcpProvider(GcpSettings(project=("shop-prod-1",)))
    listed = first.shapes()
    assert "n2-standard-4" in listed.column("x_InstanceType").to_pylist()
    own = [dict(row, x_Source="mine") for row in listed.slice(0, 1).to_pylist()]
    held = type(listed).from_pylist(own, schema=schema.SHAPES)
    again = GcpProvider(GcpSettings(project=("shop-prod-1",)))
    again.resume(Known(shapes=held))
    assert again.shapes().equals(listed.slice(1))
    again.resume(Known(shapes=listed))  # of an earlier collect: written again, if they changed
    assert again.shapes().equals(listed)

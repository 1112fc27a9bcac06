"""Memory, disks and GPUs from the CloudWatch agent, under the dimensions that it really uses."""

from __future__ import annotations

import pytest

from costopt.providers.aws.metrics.agents import Listed, found
from costopt.providers.aws.metrics.targets import Target
from tests.fakes.cloudwatch import Series
from tests.providers.aws.watching import Watched, machine, mean, measured, watched, window

I1, I2 = "i-00000000000000001", "i-00000000000000002"


def _agent(name: str, /, **dimensions: str) -> Series:
    return "CWAgent", name, tuple(sorted(dimensions.items()))


def _listed(series: Series) -> Listed:
    return Listed(series[1], series[2])


def _asked(listed: list[Series], kind: str = "m5.large") -> set[tuple[str, str, str]]:
    """What is asked of machine 1: our name, the device, and the dimensions' names."""
    target = Target("1", "eu-west-1", I1, ("machine",), I1, kind)
    return {
        (made.name, one.device, " ".join(name for name, _ in one.dimensions))
        for one in found([_listed(series) for series in listed], target)
        for made in one.entry.made
    }


def test_the_most_specific_of_several_sets_is_taken_once() -> None:
    sets = [
        {"InstanceId": I1},
        {"InstanceId": I1, "InstanceType": "m5.large"},
        {"InstanceId": I1, "InstanceType": "m5.large", "ImageId": "ami-1"},
    ]
    listed = [_agent("mem_used_percent", **one) for one in sets]
    wanted = {("memory_utilization", "", "ImageId InstanceId InstanceType")}
    assert _asked(listed) == _asked(listed[::-1]) == wanted


def test_of_a_machine_that_was_resized_todays_series_is_taken() -> None:
    target = Target("1", "eu-west-1", I1, ("machine",), I1, "m5.xlarge")
    kinds = ("m5.large", "m5.xlarge", "m6i.large")
    series = [_agent("mem_used_percent", InstanceId=I1, InstanceType=kind) for kind in kinds]
    (one,) = found([_listed(one) for one in series], target)
    assert dict(one.dimensions)["InstanceType"] == "m5.xlarge"


def test_disks_are_told_apart_and_pseudo_file_systems_are_none() -> None:
    def disk(path: str, fstype: str) -> Series:
        return _agent("disk_used_percent", InstanceId=I1, path=path, device="x", fstype=fstype)

    listed = [disk("/", "xfs"), disk("/data", "ext4"), disk("/run", "tmpfs"), disk("/a", "overlay")]
    dimensions = "InstanceId device fstype path"
    assert _asked(listed) == {
        ("x_disk_space_used", "/", dimensions),
        ("x_disk_space_used", "/data", dimensions),
    }


def test_a_pseudo_file_system_is_none_where_only_its_path_is_told_either() -> None:
    """aggregation_dimensions [["InstanceId", "path"]] send each path once more, without fstype."""
    paths = {"/": "xfs", "/run": "tmpfs"}
    listed = [
        *(_agent("disk_used_percent", InstanceId=I1, path=p, fstype=f) for p, f in paths.items()),
        *(_agent("disk_used_percent", InstanceId=I1, path=p) for p in paths),
    ]
    wanted = {("x_disk_space_used", "/", "InstanceId fstype path")}
    assert _asked(listed) == _asked(listed[::-1]) == wanted


def test_of_gpus_each_is_asked_and_not_their_mean_besides() -> None:
    cards = [{"InstanceId": I1, "index": card, "name": "T4"} for card in "01"]
    listed = [_agent("nvidia_smi_power_draw", **one) for one in [*cards, {"InstanceId": I1}]]
    names = "InstanceId index name"
    assert _asked(listed) == {("gpu_power", "0", names), ("gpu_power", "1", names)}
    assert _asked(listed[2:]) == {("gpu_power", "", "InstanceId")}


def test_gpu_memory_needs_both_sizes() -> None:
    used = _agent("nvidia_smi_memory_used", InstanceId=I1, index="0")
    assert _asked([used]) == set()
    total = _agent("nvidia_smi_memory_total", InstanceId=I1, index="0")
    assert _asked([used, total]) == {("gpu_memory_utilization", "0", "InstanceId index")}


def test_agents_of_windows_say_the_same_in_other_words() -> None:
    listed = [
        _agent("Memory % Committed Bytes In Use", InstanceId=I1, objectname="Memory"),
        _agent("LogicalDisk % Free Space", InstanceId=I1, instance="C:"),
        _agent("nvidia_smi utilization_gpu", InstanceId=I1, index="0"),
    ]
    assert {(name, device) for name, device, _ in _asked(listed)} == {
        ("memory_utilization", ""),
        ("x_disk_space_used", "C:"),
        ("gpu_utilization", "0"),
    }


def _collected(
    fleet: Watched, listed: list[Series]
) -> dict[tuple[str, str, str | None], dict[int, float]]:
    """Samples by metric, statistic and device, then by start, of machine 1's agent."""
    fleet.service.listed = listed
    found: dict[tuple[str, str, str | None], dict[int, float]] = {}
    for (resource, name, statistic, at, _, device), value in fleet.collect().samples.items():
        assert resource == I1
        found.setdefault((name, statistic, device), {})[at] = value
    return found


@pytest.mark.usefixtures("aws_environment")
def test_what_agents_measure_arrives() -> None:
    def gpu(field: str) -> Series:
        return _agent(f"nvidia_smi_{field}", InstanceId=I1, index="0")

    listed = [gpu("memory_used"), gpu("memory_total"), gpu("utilization_gpu")]
    free = _agent("LogicalDisk % Free Space", InstanceId=I1, instance="C:")
    with watched([machine(1)]) as fleet:
        fleet.service.native = lambda series: 60
        samples = _collected(fleet, [*listed, free])
    used, total, busy = (measured(one, window(2), 300, 60) for one in listed)
    assert samples["gpu_utilization", "max", "0"] == pytest.approx(
        {at: max(values) for at, values in busy.items()}, rel=1e-6
    )
    shares = {at: 100 * mean(used[at]) / mean(total[at]) for at in used if at in total}
    assert samples["gpu_memory_utilization", "mean", "0"] == pytest.approx(shares, rel=1e-6)
    assert samples["x_disk_space_used", "max", "C:"] == pytest.approx(
        {at: 100 - min(v) for at, v in measured(free, window(2), 300, 60).items()},
        rel=1e-5,
        abs=1e-4,
    )


@pytest.mark.usefixtures("aws_environment")
def test_series_are_listed_once_to_the_last_page() -> None:
    rows = [machine(number) for number in range(700)]
    with watched(rows, days=1) as fleet:
        fleet.service.listed = [
            _agent("mem_used_percent", InstanceId=str(row["ResourceId"])) for row in rows
        ]
        prepared, problems = fleet.prepared()
        pages = len(fleet.service.calls("ListMetrics"))
    assert problems == []
    assert pages == 2
    with_memory = {
        part.unit.resource_id
        for call in prepared.plan.calls
        for part in call.parts
        if part.unit.entry.names == ("mem_used_percent",)
    }
    assert len(with_memory) == 700


@pytest.mark.usefixtures("aws_environment")
def test_agents_that_name_only_their_host_are_told_of() -> None:
    listed = [
        _agent("mem_used_percent", host="ip-10-0-0-7"),
        _agent("disk_used_percent", host="ip-10-0-0-7", path="/"),
        _agent("mem_used_percent", host="ip-10-0-0-8"),
        _agent("mem_used_percent", host="ip-10-0-0-9", InstanceId=I2),
    ]
    with watched([machine(1)]) as fleet:
        fleet.service.listed = listed
        _, (problem,) = fleet.prepared()
    assert problem.count == 2
    assert not problem.fatal
    assert "ip-10-0-0-7, ip-10-0-0-8" in problem.what
    assert "append_dimensions" in problem.what

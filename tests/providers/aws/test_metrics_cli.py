"""Memory, disks and GPUs of CloudWatch agents, by the command line up to what people read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from costopt.cli import costopt
from tests.fakes import aws_account
from tests.fakes.aws_cloud import QuietCloudWatch, cloud
from tests.fakes.cloudwatch import Series

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
DAYS = 8
CARDS = range(4)  # of a g5.12xlarge
MIB = 23_028  # of an A10G

LEVELS = {
    "CPUUtilization": 12.5,
    "mem_used_percent": 61.25,
    "nvidia_smi_memory_total": float(MIB),
}
"""What each series says all the time; of cards and disks by `_level`."""


def _level(series: Series) -> float:
    told = dict(series[2])
    card = int(told.get("index", 0))
    levels = {
        "disk_used_percent": {"/": 40.0, "/data": 88.5}.get(told.get("path", ""), 99.0),
        "nvidia_smi_utilization_gpu": 20.0 + 10 * card,
        "nvidia_smi_utilization_memory": 5.0 + card,
        "nvidia_smi_memory_used": MIB * (card + 1) / 8,
        "nvidia_smi_power_draw": 100.5 + card,
    }
    return (LEVELS | levels).get(series[1], 3e6)


class Agents(QuietCloudWatch):
    """Steady machines."""

    def _points(self, series: Series, *asked: Any) -> Any:
        times, values = super()._points(series, *asked)
        return times, values if asked[1] == "SampleCount" else np.full(len(times), _level(series))


def _agent(name: str, /, **dimensions: str) -> Series:
    return "CWAgent", name, tuple(sorted(dimensions.items()))


def _listed(instance: str) -> list[Series]:
    """What an agent sends whose configuration appends three dimensions and aggregates by two."""
    whole = {"InstanceId": instance, "InstanceType": "g5.12xlarge", "ImageId": "ami-1"}
    disks = (("/", "xfs"), ("/data", "ext4"), ("/run", "tmpfs"))
    cards = [
        {
            **whole,
            "index": str(card),
            "name": "NVIDIA A10G",
            "arch": "Ampere",
            "host": "ip-10-0-0-7",
        }
        for card in CARDS
    ]
    fields = ("utilization_gpu", "utilization_memory", "memory_used", "memory_total", "power_draw")
    return [
        _agent("mem_used_percent", **whole),
        _agent("mem_used_percent", InstanceId=instance),
        *(_agent("disk_used_percent", **whole, path=p, fstype=f, device="d") for p, f in disks),
        *(_agent("disk_used_percent", InstanceId=instance, path=path) for path, _ in disks),
        *(_agent(f"nvidia_smi_{field}", **card) for field in fields for card in cards),
        *(_agent("nvidia_smi_temperature_gpu", **card) for card in cards),
    ]


def run(*words: str | Path) -> str:
    done = CliRunner().invoke(costopt, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with cloud(NOW) as made:
        (instance,) = aws_account.machines(
            aws_account.own(), "us-east-1", "g5.12xlarge", 1, {"Name": "train"}
        )
        made.metrics = Agents(NOW, listed=_listed(instance))
        words = ["--region", "us-east-1", "--days", str(DAYS), "--until", NOW.isoformat()]
        run("collect", "aws", *words, "--max-attempts", "2", "--skip", "prices", "--home", folder)
        yield folder


def test_each_series_is_there_under_its_name_and_device_in_its_unit(home: Path) -> None:
    table = csv.DictReader(io.StringIO(run("profile", "train", "--format", "csv", "--home", home)))
    found = {
        (row["MetricName"], row["x_Device"]): float(row["mean"])
        for row in table
        if row["Statistic"] == "mean"
    }
    network = {name: found.pop((name, "")) for name in ("network_in", "network_out")}
    disk = {name: found.pop((name, "")) for name in ("disk_read", "disk_write")}
    assert {**network, **disk} == pytest.approx(dict.fromkeys([*network, *disk], 3e6 / 300))
    expected = {
        ("cpu_utilization", ""): 12.5,
        ("memory_utilization", ""): 61.25,
        ("x_disk_space_used", "/"): 40.0,
        ("x_disk_space_used", "/data"): 88.5,
    }
    for card in CARDS:
        device = str(card)
        expected |= {
            ("gpu_utilization", device): 20.0 + 10 * card,
            ("gpu_memory_bandwidth", device): 5.0 + card,
            ("gpu_memory_utilization", device): 100 * (card + 1) / 8,
            ("gpu_power", device): 100.5 + card,
        }
    assert found == pytest.approx(expected, abs=0.006)  # percents are kept in hundredths


def test_the_list_of_machines_says_them_in_words(home: Path) -> None:
    lines = [" ".join(line.split()) for line in run("profile", "--home", home).splitlines()]
    for start in (
        "CPU 12.5 % 12.5 %",
        "Memory 61.2 % 61.2 %",
        "Disk space used / 40 % 40 %",
        "Disk space used /data 88.5 % 88.5 %",
        "GPU 3 50 % 50 %",
        "GPU memory bandwidth 0 5 % 5 %",
        "GPU memory 1 25 % 25 %",
        "GPU power 2 (max) 102 W 102 W",
        "Disk read 10 kB/s 10 kB/s",
    ):
        assert any(line.startswith(start) for line in lines), (start, lines)


@pytest.mark.parametrize(
    ("metric", "title", "mean"),
    [
        ("gpu_utilization", "GPU utilization", 35.0),
        ("gpu_power", "GPU power", 102.0),
        ("memory_utilization", "Memory utilization", 61.25),
    ],
)
def test_a_heatmap_is_the_mean_of_the_machines_devices(
    home: Path, metric: str, title: str, mean: float
) -> None:
    words: list[str | Path] = ["heatmap", "train", "--metric", metric, "--home", home]
    assert title in run(*words)
    (told,) = json.loads(run(*words, "--format", "json"))["maps"]
    hours = [value for day in told["values"] for value in day if value is not None]
    # A card of four whose sample is missing shifts the mean of its hour.
    assert hours == pytest.approx([mean] * len(hours), rel=0.02)


def test_a_gpu_machine_is_not_sized_by_its_cpu(home: Path) -> None:
    advice = json.loads(run("recommend", "--format", "json", "--home", home))
    assert "Rightsize" not in {one["action_type"] for one in advice["recommendations"]}
    assert "gpu-machine" in json.dumps(advice["skips"])

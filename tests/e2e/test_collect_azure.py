"""Subscriptions of Azure, collected, looked at and advised on by the command line."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt.lake import packed
from costopt.lake.store import Lake
from tests.e2e.conftest import Leave, Left
from tests.fakes import azure_arm, azure_cloud, azure_monitor, azure_retail
from tests.fakes.azure_arm import Answer, Call, refusal

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
UNTIL = ("--until", NOW.isoformat(), "--max-attempts", "8")
SECRETS = (
    "eyJ0eXAiOiJKV1QiLCJhbGci.eyJhdWQiOiJodHRwczovL21h.PLANTEDsignature",
    "PLANTEDsecretKEY0123456789abcdefghijklmn",
)
VCPU = 0.025  # dollars an hour, of D v5
BURDEN = {"idle": 0.05, "large": 0.2, "busy": 0.95, "lab": 0.05}
"""What of the most that the fake would measure each machine uses."""


@dataclass
class Azure:
    """What a test sees of it."""

    tenant: azure_cloud.Tenant
    monitor: azure_monitor.Monitor
    prices: azure_retail.Retail
    subscriptions: dict[str, str] = field(default_factory=dict)  # ids by name
    ids: dict[str, str] = field(default_factory=dict)  # ResourceIds by name

    def ordinary(self) -> None:
        """Nothing refused, nothing cut."""
        self.tenant.door.reset()
        self.tenant.advisor.items.clear()
        self.tenant.door.pages = azure_arm.Pages(size=100)
        self.prices.page = 1000
        plain = azure_monitor.Monitor(NOW, self.monitor.machines)
        vars(self.monitor).update(vars(plain))

    def shop(self) -> tuple[str, ...]:
        """Options by which one subscription is collected."""
        return (*self.all(), "--subscription", self.subscriptions["shop"], "--days", "1")

    def all(self) -> tuple[str, ...]:
        """Options by which every subscription is."""
        return ("--endpoint", self.tenant.url, *UNTIL)


@pytest.fixture(scope="module")
def whole() -> Iterator[Azure]:
    """Three machines in one subscription, one in each of two others, nothing in the last."""
    with azure_cloud.cloud() as tenant, pytest.MonkeyPatch.context() as patch:
        monitor = azure_monitor.Monitor(NOW)
        tenant.door.services.append(monitor.service)
        azure = Azure(tenant, monitor, azure_retail.behind(tenant.door))
        sizes = {f"Standard_D{vcpus}s_v5": vcpus for vcpus in (2, 4, 8, 16)}
        tenant.sizes[azure_cloud.REGION] = [
            azure_cloud.sku(size, "standardDSv5Family", vcpus, 4 * vcpus)
            for size, vcpus in sizes.items()
        ]
        azure.prices.items = [
            item
            for size, vcpus in sizes.items()
            for item in azure_retail.around(azure_retail.item(size, VCPU * vcpus))
        ]
        where = {"shop": ("idle", "large", "busy"), "lab": ("lab",), "shut": ("shut",), "bare": ()}
        for name, machines in where.items():
            azure.subscriptions[name] = tenant.subscription(name)
            for machine in machines:
                made = tenant.machine(azure.subscriptions[name], machine, "Standard_D16s_v5")
                monitor.add(made)
                azure.ids[machine] = made.lower()
        patch.setattr(azure_monitor, "point", _measured)
        bytes_of_64_gib = {"Available Memory Bytes": 64 * azure_monitor.GIB / 100}
        patch.setattr(azure_monitor, "SCALES", {**azure_monitor.SCALES, **bytes_of_64_gib})
        yield azure


_POINT = azure_monitor.point


def _measured(resource_id: str, metric: str, minute: Any, device: str = "") -> Any:
    used = _POINT(resource_id, metric, minute, device) * BURDEN[resource_id.rpartition("/")[2]]
    return 100 - used if metric.startswith("Available Memory") else used


@pytest.fixture
def azure(whole: Azure) -> Azure:
    whole.ordinary()
    return whole


Collect = Callable[..., Left]


@pytest.fixture
def costopt(leave: Leave) -> Leave:
    """A command, which breaks nothing off."""

    def call(*words: str | Path) -> Left:
        done = leave(*words)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


@pytest.fixture
def collect(costopt: Leave) -> Collect:
    """`costopt collect azure` into that home."""
    return lambda home, *words: costopt("collect", "azure", *words, "--home", home)


def everything(home: Path) -> dict[str, object]:
    """What the lake holds, without when it was written."""
    lake = Lake(home / "lake")
    order = [(name, "ascending") for name in ("ResourceId", "MetricName", "Statistic", "Day")]
    samples = pa.concat_tables(packed.scan(lake))
    return {
        "samples": samples.select([*(name for name, _ in order), "Samples"]).sort_by(order),
        **{name: lake.read(name) for name in ("resources", "shapes", "prices")},  # type: ignore[arg-type]
    }


def _trouble(azure: Azure) -> None:
    """Small pages, one of which has expired; throttling, and a subscription that refuses."""
    door = azure.tenant.door
    door.pages = azure_arm.Pages(size=1, expiring=1)
    azure.prices.page = 3
    door.rules.append(azure_arm.throttling(2, "Microsoft.Compute/disks/read", "0"))
    door.rules.append(azure_arm.throttling(2, "Microsoft.Compute/virtualMachines/read", "0"))
    door.rules.append(azure_arm.forbidding(azure.subscriptions["shut"]))
    azure.monitor.retry_after = "0"
    azure.monitor.refuses = lambda asked, number: {0: 429, 1: 503}.get(number, 0)


def test_from_subscriptions_to_advice_through_trouble(
    azure: Azure, tmp_path: Path, collect: Collect, costopt: Leave
) -> None:
    _trouble(azure)
    shut, lab = azure.subscriptions["shut"], azure.subscriptions["lab"]
    azure.tenant.door.rules.append(azure_arm.forbidding(lab, "Microsoft.Insights/metrics/read"))
    done = collect(tmp_path, *azure.all(), "--days", "15")
    assert done.returncode == 4, done.stderr
    assert done.stderr.index("at $0.01 per 1,000") < done.stderr.index("collected from azure")
    assert f"MISSING {shut}" in done.stderr
    assert f"MISSING {lab}" in done.stderr
    assert azure.subscriptions["bare"] not in done.stderr
    assert azure.monitor.calls(outcome=429)
    assert azure.monitor.calls(outcome=503)
    assert azure.tenant.door.pages.expiring == 0
    listed = {row["ResourceId"] for row in Lake(tmp_path / "lake").read("resources").to_pylist()}
    assert listed == {azure.ids[name] for name in BURDEN}

    doctor = costopt("doctor", "azure", "--endpoint", azure.tenant.url)
    assert doctor.returncode == 4
    assert f"FAILED  Microsoft.Compute/virtualMachines/read  {shut}" in doctor.stdout
    assert f"FAILED  Microsoft.Insights/metrics/read  {lab}" in doctor.stdout
    assert f"FAILED  Microsoft.Insights/metrics/read  {azure.subscriptions['shop']}" not in (
        doctor.stdout
    )
    advice = json.loads(costopt("recommend", "--format", "json", "--home", tmp_path).stdout)
    smaller = {one["resource_id"]: one for one in advice["recommendations"]}
    for name, vcpus in (("idle", 2), ("large", 4)):
        one = smaller.pop(azure.ids[name])
        assert one["recommended"]["instance_type"] == f"Standard_D{vcpus}s_v5"
        saving = 730 * VCPU * (16 - vcpus)
        assert one["estimated_monthly_savings"]["at_list"] == pytest.approx(saving, abs=0.01)
    assert not smaller  # busy is of the right size, of lab nothing is known
    assert {one["resource_id"] for one in advice["skips"]} == {azure.ids["lab"]}


def test_what_advisor_recommends_stands_beside_ours(
    azure: Azure, tmp_path: Path, collect: Collect, costopt: Leave
) -> None:
    advisor, kind = azure.tenant.advisor, "Standard_D16s_v5"
    advisor.machine(azure.ids["idle"], kind, "Standard_D2s_v5", annual="1200")
    advisor.machine(azure.ids["large"], kind, "Standard_D8s_v5", annual="1,200.60")
    advisor.machine(azure.ids["busy"], kind, "Shutdown", annual="2400")
    for item in advisor.items[1:]:
        item["properties"]["extendedProperties"] |= {"savingsCurrency": "USD"}
    assert collect(tmp_path, *azure.shop(), "--days", "15").returncode == 0
    compared = ("recommend", "--compare-vendor", "--home", tmp_path)
    found = json.loads(costopt(*compared, "--format", "json").stdout)
    assert found["asked"] == {"Azure Advisor": 1}
    rows = {one["resource_id"]: one for one in found["compared"]}
    told = {
        name: (row["verdict"], row["supported_monthly_savings"])
        for name in ("idle", "large", "busy")
        if (row := rows[azure.ids[name]])
    }
    assert told == {
        "idle": ("agree", None),  # in euros, and the list prices are in dollars
        "large": ("same direction", 100.05),
        "busy": ("only them", 0),
    }
    assert found["totals"]["claimed_monthly_savings"] == 300.05
    assert found["totals"]["supported_monthly_savings"] == 100.05
    # of large alone: nothing is said of busy, and idle is in no sum
    assert found["totals"]["our_monthly_savings"] == pytest.approx(730 * VCPU * 12, abs=0.01)
    assert any("amounts in EUR: in no sum" in note for note in found["notes"])


def test_where_advisor_is_not_registered_it_says_nothing(
    azure: Azure, tmp_path: Path, collect: Collect, costopt: Leave
) -> None:
    shop = azure.subscriptions["shop"]
    azure.tenant.door.rules.append(azure_arm.unregistered(shop, "Microsoft.Advisor"))
    done = collect(tmp_path, *azure.shop())
    assert done.returncode == 0
    assert "Microsoft.Advisor is not registered" in done.stderr
    asked = costopt("recommend", "--compare-vendor", "--home", tmp_path)
    assert asked.returncode == 3
    assert "no vendor's recommendations were collected" in asked.stderr


def test_trouble_changes_nothing_of_what_is_collected(
    azure: Azure, tmp_path: Path, collect: Collect
) -> None:
    assert collect(tmp_path / "calm", *azure.shop()).returncode == 0
    azure.ordinary()
    _trouble(azure)
    done = collect(tmp_path / "rough", *azure.shop())
    assert done.returncode == 0, done.stderr
    assert azure.monitor.calls(outcome=429)
    assert everything(tmp_path / "rough") == everything(tmp_path / "calm")


def test_a_second_collect_adds_nothing_and_asks_for_little(
    azure: Azure, tmp_path: Path, collect: Collect
) -> None:
    def minutes() -> int:
        return sum(len(a.ids) * len(a.names) * (a.end - a.start) for a in azure.monitor.calls())

    assert collect(tmp_path, *azure.shop()).returncode == 0
    before, asked = everything(tmp_path), minutes()
    azure.monitor.asked.clear()
    again = collect(tmp_path, *azure.shop())
    assert "nothing new" in again.stderr
    assert everything(tmp_path) == before
    assert minutes() < asked / 20


def test_kill_9_in_the_middle_and_again_equals_an_undisturbed_one(
    azure: Azure, tmp_path: Path, collect: Collect
) -> None:
    # more than one call: without the regional endpoint machines are asked one by one
    azure.monitor.refuses_batch = lambda asked: 403
    assert collect(tmp_path / "whole", *azure.shop()).returncode == 0
    half = len(azure.monitor.asked) // 2
    azure.monitor.asked.clear()
    reached, go_on = threading.Event(), threading.Event()

    def stuck(_: azure_monitor.Asked, number: int) -> int:
        if number >= half:
            reached.set()
            go_on.wait(60)
        return 0

    azure.monitor.refuses = stuck
    home = tmp_path / "killed"
    running = subprocess.Popen(
        [sys.executable, "-m", "costopt", "collect", "azure", *azure.shop(), "--home", str(home)],
        stderr=subprocess.DEVNULL,
    )
    assert reached.wait(60)
    running.send_signal(signal.SIGKILL)
    assert running.wait(30) == -signal.SIGKILL
    go_on.set()
    assert Lake(home / "lake").read("resources").num_rows  # what was there before is kept
    azure.ordinary()
    assert collect(home, *azure.shop()).returncode == 0
    assert everything(home) == everything(tmp_path / "whole")
    assert not list((home / "lake" / "staging").glob("*"))


def test_a_dry_run_says_what_there_is_and_asks_for_no_metrics(
    azure: Azure, tmp_path: Path, collect: Collect
) -> None:
    dry = collect(tmp_path, *azure.shop(), "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "Virtual machine: 3" in dry.stderr
    assert "nothing was collected" in dry.stderr
    assert not list(tmp_path.rglob("*.parquet"))
    assert "dry run: nothing more is asked for" in dry.stderr
    assert azure.monitor.asked == []


def test_no_secret_is_logged_told_or_kept(
    azure: Azure, tmp_path: Path, collect: Collect, caplog: pytest.LogCaptureFixture
) -> None:
    token, key = SECRETS
    told = f"Authorization: Bearer {token} with client_secret={key} may not do that"

    def deny(call: Call) -> Answer | None:
        if call.action == "Microsoft.Network/publicIPAddresses/read":
            return refusal(403, "AuthorizationFailed", told, X_Token=token)
        return None

    azure.tenant.door.rules.append(deny)
    azure.tenant.door.pages.size = 1
    with caplog.at_level(logging.DEBUG):
        done = collect(tmp_path, *azure.shop())
    assert done.returncode == 4
    shop = azure.subscriptions["shop"]
    assert f"MISSING {shop} Microsoft.Network/publicIPAddresses/read" in done.stderr
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 4
    for text in (done.stdout.encode(), done.stderr.encode(), caplog.text.encode(), *written):
        for secret in (token.encode(), key.encode(), b"skiptoken"):
            assert secret not in text

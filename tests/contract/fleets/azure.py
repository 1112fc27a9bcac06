"""Machines of Azure: Resource Manager, Azure Monitor and list prices."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from costopt.model import Window
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Provider
from tests.contract.fleets.fleet import Fleet, Refusal, by_month, demo_bill
from tests.contract.truth import DAYS, ENDED, NOW, Machine, demand, silent
from tests.fakes import azure_arm, azure_cloud, azure_export, azure_monitor, azure_retail

_SIZE = "Standard_D4s_v5"
_MEMORY = 16 * azure_monitor.GIB
_MEASURED = {
    "Percentage CPU": ("cpu_utilization", lambda percent: percent),
    "Available Memory Percentage": ("memory_utilization", lambda percent: 100 - percent),
    "Available Memory Bytes": ("memory_utilization", lambda used: _MEMORY * (1 - used / 100)),
    "Network In Total": ("network_in", lambda a_second: 60 * a_second),
    "Network Out Total": ("network_out", lambda a_second: 60 * a_second),
    "Disk Read Bytes": ("disk_read", lambda a_second: 60 * a_second),
    "Disk Write Bytes": ("disk_write", lambda a_second: 60 * a_second),
}
"""Ours, and what Azure says of it: what is free of the memory, and bytes of a minute."""
_PRESENT = NOW + timedelta(hours=1)
_PLAN = "costopt.providers.azure.metrics.plan"


@contextmanager
def azure() -> Iterator[Fleet]:
    """Two machines of two subscriptions, and the demo's bill in a folder."""
    with azure_cloud.cloud() as tenant, pytest.MonkeyPatch.context() as patch:
        patch.setattr("costopt.providers.azure.metrics.reading._PAUSES", (0.01,) * 3)
        shop, bank, bare = (tenant.subscription(name) for name in ("shop", "bank", "bare"))
        size = azure_cloud.sku(_SIZE, "standardDSv5Family", 4, 16)
        tenant.sizes[azure_cloud.REGION] = [size]
        monitor = azure_monitor.Monitor(_PRESENT)
        tags = {"team": "shop"}
        first = tenant.machine(shop, "web", _SIZE, tags=tags)
        machines = {
            first.lower(): Machine(0, azure_cloud.REGION, 4, 16, tags=tags),
            tenant.machine(bank, "web", _SIZE).lower(): Machine(1, azure_cloud.REGION, 4, 16),
        }
        for one in machines:
            monitor.add(tenant.things[one]["id"], premium=False)
        _measured(machines, patch)
        tenant.door.services.append(monitor.service)
        prices = azure_retail.behind(tenant.door)
        prices.items = azure_retail.around(azure_retail.item(_SIZE, 0.23))
        bill = demo_bill("Microsoft", instances=6, days=8)
        given = {"endpoint": tenant.url, "days": DAYS, "until": NOW, "max_attempts": 1}

        def build(folder: Path, **more: Any) -> Provider:
            for month, charges in by_month(bill).items():
                _exported(folder, month, azure_export.focus_parquet(charges))
            asked = {"subscription": (shop, bank), "export": (str(folder / "focus"),)}
            return AzureProvider(AzureSettings(**asked, **{**given, **more}))

        def become(power: str, tags: Mapping[str, str]) -> None:
            thing = tenant.things[first.lower()]
            thing["tags"] = dict(tags)
            thing["properties"]["instanceView"]["statuses"][-1]["code"] = f"PowerState/{power}"

        def change() -> Mapping[str, Machine]:
            become("stopped", {"team": "bank"})
            was = machines[first.lower()]
            now = was._replace(state="stopped", tags={"team": "bank"})
            return {**machines, first.lower(): now}

        def throttle() -> None:
            tenant.door.rules.append(azure_arm.throttling(4))
            begun = len(monitor.asked)

            def refuses(asked: azure_monitor.Asked, number: int) -> int:
                """429, and then the batch endpoint's own 529, which the SDK does not outlast where
                it says nothing of when to come again."""
                turn = number - begun
                monitor.retry_after = "0.01" if turn < 2 else None
                return 429 if turn < 2 else 529 * (turn < 4)

            monitor.refuses = refuses

        def refuse() -> Refusal:
            for namespace in ("Microsoft.Compute/", "Microsoft.Insights/"):
                tenant.door.rules.append(azure_arm.forbidding(bank, namespace))
            return Refusal(bank, lambda row: f"/{bank}/" in row["ResourceId"])

        def stumble() -> Window:
            """Full batches are cut in time."""
            patch.setattr(f"{_PLAN}.MOST_POINTS", 1_000)
            window = Window(NOW - timedelta(days=1), NOW)
            end = azure_monitor.seconds(window.start + timedelta(hours=6))
            monitor.refuses = lambda asked, number: 400 * (asked.start < end)
            return window

        def ahead() -> datetime:
            monitor.now = NOW + timedelta(hours=3)
            patch.setattr(AzureProvider, "_now", ENDED)
            return ENDED - timedelta(minutes=3)  # "Troubleshooting metrics charts"

        most = 250_000

        clock = AzureProvider.__dict__["_now"]

        def mend() -> None:
            patch.setattr(AzureProvider, "_now", clock)
            tenant.door.reset()
            tenant.door.pages.size = 2  # as fakes have it: many pages
            monitor.refuses = lambda asked, number: 0
            monitor.retry_after = None
            monitor.now = _PRESENT
            patch.setattr(f"{_PLAN}.MOST_POINTS", most)
            become("running", tags)

        def many(folder: Path, count: int) -> dict[str, Any]:
            crowd = tenant.subscription(f"crowd-{count}")
            for n in range(count):
                monitor.add(tenant.machine(crowd, f"web-{n}", _SIZE), premium=False)
            tenant.door.pages.size = 50
            return {**given, "subscription": [crowd], "max_concurrency": 1}

        def empty(folder: Path) -> Provider:
            return AzureProvider(AzureSettings(**given, subscription=(bare,)))

        yield Fleet(
            build=build,
            machines=machines,
            bill=bill,
            change=change,
            empty=empty,
            throttle=throttle,
            refuse=refuse,
            stumble=stumble,
            ahead=ahead,
            many=many,
            limits={f"{_PLAN}.MOST_MACHINES": 5},
            narrow=Window(NOW - timedelta(hours=2), NOW),
            mend=mend,
        )


def _measured(machines: Mapping[str, Machine], patch: pytest.MonkeyPatch) -> None:
    """Have Azure Monitor measure what the machines do."""

    def number(resource_id: str) -> int:
        known = machines.get(resource_id.lower())
        return known.number if known else zlib.crc32(resource_id.encode())

    def value(resource_id: str, metric: str, minute: Any, device: str = "") -> Any:
        name, said = _MEASURED[metric]
        return said(demand(number(resource_id), name, minute))

    def gone(resource_id: str, metric: str, minute: Any, device: str = "") -> Any:
        return silent(number(resource_id), minute)

    patch.setattr(
        azure_monitor, "SCALES", dict.fromkeys((*_MEASURED, *azure_monitor.UNCACHED), 1.0)
    )
    patch.setattr(azure_monitor, "point", value)
    patch.setattr(azure_monitor, "missing", gone)


def _exported(folder: Path, month: str, content: bytes) -> None:
    """An export of a month's bill, in a file."""

    def put(name: str, content: bytes) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    azure_export.delivered(
        put, "focus", month, [content], kind="FocusCost", suffix="snappy.parquet"
    )

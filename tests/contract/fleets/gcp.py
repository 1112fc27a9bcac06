"""Machines of Google Cloud: Compute Engine, Cloud Monitoring and the catalogue."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from costopt.model import Window
from costopt.providers.base import Provider
from costopt.providers.gcp import GcpProvider
from costopt.providers.gcp.settings import GcpSettings
from tests.contract.fleets.fleet import SOON, Fleet, Refusal, bursts, demo_bill
from tests.contract.truth import DAYS, ENDED, NOW, Machine, demand, silent
from tests.fakes import gcp_catalogue, gcp_cloud, gcp_export, gcp_monitoring, gcp_rest

_NAMES = ("shop-prod-1", "bank-prod-1")
_TYPE = "n2-standard-8"
_MEASURED = {
    "cpu/utilization": ("cpu_utilization", 0.01),
    "memory/percent_used": ("memory_utilization", 1),
    "network/received_bytes_count": ("network_in", 60),
    "network/sent_bytes_count": ("network_out", 60),
    "disk/read_bytes_count": ("disk_read", 60),
    "disk/write_bytes_count": ("disk_write", 60),
}
"""Ours, and what it is multiplied by: a fraction, and bytes of a minute."""
_PRESENT = NOW + timedelta(hours=1)
_GIVEN = {"days": DAYS, "until": NOW, "max_attempts": 1}


@contextmanager
def gcp() -> Iterator[Fleet]:
    """Two machines of two projects, and the demo's bill in a file."""
    with gcp_cloud.cloud() as made, pytest.MonkeyPatch.context() as patch:
        tags = {"team": "shop"}
        things = [
            made.project(name).instance("web", machine_type=_TYPE, **more)
            for name, more in zip(_NAMES, ({"labels": tags}, {}), strict=True)
        ]
        machines = {
            f"//compute.googleapis.com/projects/{name}/zones/{gcp_cloud.ZONE}/instances/web": (
                Machine(n, "europe-west1", 8, 32, tags=(tags, {})[n])
            )
            for n, name in enumerate(_NAMES)
        }
        made.project("bare-prod-1")
        catalogue = gcp_catalogue.Catalogue()
        catalogue.add("N2 Instance Core running in Belgium", "0.034773", "europe-west1")
        catalogue.add("N2 Instance Ram running in Belgium", "0.004661", "europe-west1")
        catalogue.routes(made.rest)
        bill = demo_bill("Google Cloud", instances=6, days=8)
        lines = gcp_export.lines(bill.to_pylist(maps_as_pydicts="strict"))
        exported = gcp_export.parquet(lines)
        service = _measuring({str(one["id"]): n for n, one in enumerate(things)})

        def build(folder: Path, **more: Any) -> Provider:
            export = folder / "export.parquet"
            export.write_bytes(exported)
            asked = {"project": _NAMES, "export": (str(export),), **_GIVEN, **more}
            return GcpProvider(GcpSettings(**asked))

        def change() -> Mapping[str, Machine]:
            things[0] |= {"status": "TERMINATED", "labels": {"team": "bank"}}
            first = next(iter(machines))
            now = machines[first]._replace(state="stopped", tags={"team": "bank"})
            return {**machines, first: now}

        def throttle() -> None:
            said = gcp_rest.error(429, "Slow down.", "rateLimitExceeded", headers=SOON)
            made.fail("compute", said, times=3)
            made.fail("cloudbilling", said, times=2)
            service.throttled = bursts(len(service.asked))

        def refuse() -> Refusal:
            made.refuse(_NAMES[1], "compute")
            service.denied = lambda project: project == _NAMES[1]
            return Refusal(_NAMES[1], lambda row: f"/{_NAMES[1]}/" in row["ResourceId"])

        def stumble() -> Window:
            """What is older than six weeks is asked for by the hour, in requests of its own."""
            service.failing = lambda number, metric: service.asked[number].period == 3600
            return Window(NOW - timedelta(days=43), NOW - timedelta(days=41))

        def ahead() -> datetime:
            service.now = NOW + timedelta(hours=3)
            patch.setattr(GcpProvider, "_now", ENDED)
            return ENDED - timedelta(seconds=gcp_monitoring.LATENCY)

        clock = GcpProvider.__dict__["_now"]

        def mend() -> None:
            patch.setattr(GcpProvider, "_now", clock)
            made.rest.rules.clear()
            made.page = 500
            things[0] |= {"status": "RUNNING", "labels": tags}
            service.now = _PRESENT
            service.throttled = lambda number: False
            service.denied = lambda project: False
            service.failing = lambda number, metric: False

        def many(folder: Path, count: int) -> dict[str, Any]:
            made.page = 50
            crowd = made.project(f"crowd-{count}")
            for n in range(count):
                machine = crowd.instance(f"web-{n}", machine_type=_TYPE)
                service.series += gcp_monitoring.machine(crowd.project_id, str(machine["id"]))
            return {**_GIVEN, "project": [crowd.project_id], "max_concurrency": 1}

        def empty(folder: Path) -> Provider:
            return GcpProvider(GcpSettings(**_GIVEN, project=("bare-prod-1",)))

        with gcp_monitoring.served(service) as url:
            patch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", url)
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
                limits={"costopt.providers.gcp.metrics.plan.MOST_MACHINES": 5},
                narrow=Window(NOW - timedelta(hours=2), NOW),
                mend=mend,
            )


def _measuring(numbers: Mapping[str, int]) -> gcp_monitoring.Monitoring:
    """Cloud Monitoring that measures what the machines do; by instance, which it is."""

    def ours(series: gcp_monitoring.Measured) -> tuple[str, float] | None:
        if dict(series.labels).get("state", "used") != "used":
            return None
        return _MEASURED.get("/".join(series.metric.split("/")[-2:]))

    def number(series: gcp_monitoring.Measured) -> int:
        return numbers.get(series.instance, zlib.crc32(series.instance.encode()))

    def value(series: gcp_monitoring.Measured, end: Any) -> Any:
        name, scale = ours(series) or ("", 0.0)
        return demand(number(series), name, end - 1) * scale

    every = [
        one
        for name, instance in zip(_NAMES, numbers, strict=True)
        for one in gcp_monitoring.machine(name, instance, agent=True)
    ]
    return gcp_monitoring.Monitoring(
        _PRESENT,
        [one for one in every if ours(one)],
        value=value,
        gone=lambda series, end: silent(number(series), end - 1),
        retry_after=0.01,
    )

"""A fleet in front of a Cloud Monitoring on loopback, and what must be collected of it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from costopt import schema
from costopt.providers.base import Known, Problem
from costopt.providers.gcp import metrics
from costopt.providers.gcp.access import Access
from costopt.providers.gcp.projects import Project
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes import gcp_monitoring as monitoring
from tests.fakes.gcp_monitoring import Measured, Monitoring
from tests.providers.aws.watching import Collected, Sample

NOW = datetime(2026, 10, 5, 9, 12, 34, tzinfo=UTC)
PROJECT = "shop-prod"
OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING"


@dataclass
class Watched:
    """A server, the resources that it measures, and the way to it."""

    service: Monitoring
    rows: list[dict[str, object]]
    settings: GcpSettings
    waits: list[float] = field(default_factory=list)  # before another try

    def prepared(
        self, access: Access, known: Known, problems: list[Problem], **more: object
    ) -> metrics.Prepared:
        """Everything before the calls that cost something."""
        table = schema.conform(
            pa.Table.from_pylist(self.rows, schema=schema.RESOURCES), schema.RESOURCES
        )
        names = sorted({str(row["SubAccountId"]) for row in self.rows})
        return metrics.prepare(
            access,
            [Project(name) for name in names],
            table,
            self.settings,
            known,
            problems,
            **{"now": self.service.now, **more},
        )

    @contextmanager
    def access(self) -> Iterator[Access]:
        with closing(Access(self.settings, self.waits.append)) as way:
            yield way

    def plan(self, known: Known | None = None, **more: object) -> metrics.Prepared:
        """What would be asked."""
        with self.access() as access:
            return self.prepared(access, known or Known(), [], **more)

    def collect(
        self, known: Known | None = None, *, tables: int | None = None, **more: object
    ) -> Collected:
        """All of it, or only so many tables, then killed."""
        collected = Collected([], [])
        with self.access() as access:
            prepared = self.prepared(access, known or Known(), collected.problems, **more)
            stream = metrics.read(
                prepared, self.settings, collected.problems, pause=collected.pauses.append
            )
            for table in stream:
                assert table.schema.equals(schema.METRICS)
                collected.tables.append(table)
                if len(collected.tables) == tables:
                    stream.close()
                    break
        return collected


@contextmanager
def watched(machines: Iterable[Machine], **more: object) -> Iterator[Watched]:
    """The machines, measured and served."""
    given = list(machines)
    service = Monitoring(NOW, [series for one in given for series in one.series])
    settings = GcpSettings(**{"days": 2, "max_attempts": 3, **more})
    with monitoring.served(service) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv(OVERRIDE, url)
        yield Watched(service, [one.row for one in given], settings)


@dataclass(frozen=True)
class Machine:
    """A row of the inventory, and what is measured of it."""

    row: dict[str, object]
    series: list[Measured]


def machine(
    number: int,
    project: str = PROJECT,
    *,
    gpus: int = 0,
    instance_type: str = "n2-standard-4",
    **more: object,
) -> Machine:
    """A machine whose number with Google has nothing to do with its name."""
    instance = instance_id(number, project)
    row = {
        "ProviderName": "GCP",
        "SubAccountId": project,
        "ResourceId": resource_id(number, project),
        "x_InstanceType": instance_type,
        "x_GPUCount": gpus,
        "x_Attributes": {"instance_id": instance},
    }
    return Machine(row, monitoring.machine(project, instance, gpus=gpus, **more))


def resource_id(number: int, project: str = PROJECT) -> str:
    zone = f"//compute.googleapis.com/projects/{project}/zones/europe-west1-b"
    return f"{zone}/instances/vm-{number:03d}"


def instance_id(number: int, project: str = PROJECT) -> str:
    return str(4_000_000_000_000_000_000 + 1000 * zlib.crc32(project.encode()) + number)


def window(days: float, period: int = 300) -> range:
    """The starts of what is asked for by default: the settled periods of the last days."""
    settled = int(NOW.timestamp() - 600) // 300 * 300
    first = -(-int((NOW - timedelta(days=days)).timestamp()) // period) * period
    return range(first, settled, period)


def minutes(series: Measured, start: int, period: int) -> list[float]:
    """What was measured in the period, one point after the other."""
    numbers = range(start // 60 + 1, (start + period) // 60 + 1)
    return [
        float(monitoring.point(series, n)) for n in numbers if not monitoring.missing(series, n)
    ]


def expected(
    fleet: Watched,
    type_: str,
    name: str,
    made: dict[str, Callable[[list[float]], float]],
    slots: range,
    device: str | None = None,
) -> dict[Sample, float]:
    """What must come of a metric of one series a machine, worked out point by point."""
    resources = {dict(row["x_Attributes"])["instance_id"]: row["ResourceId"] for row in fleet.rows}  # type: ignore[call-overload]
    found: dict[Sample, float] = {}
    for series in fleet.service.series:
        if series.metric != type_:
            continue
        for start in slots:
            if values := minutes(series, start, slots.step):
                for statistic, of in made.items():
                    key = (resources[series.instance], name, statistic, start, slots.step, device)
                    found[key] = of(values)
    return found


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


CPU = "compute.googleapis.com/instance/cpu/utilization"
SHARES: dict[str, Callable[[list[float]], float]] = {
    "mean": lambda values: 100 * mean(values),
    "max": lambda values: 100 * max(values),
}


def cpu(fleet: Watched, slots: range) -> dict[Sample, float]:
    """CPU means and maxima that must arrive."""
    return expected(fleet, CPU, "cpu_utilization", SHARES, slots)

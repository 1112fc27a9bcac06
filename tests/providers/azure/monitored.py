"""A fleet in front of an Azure Monitor on loopback, and what must be collected of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from costopt import schema
from costopt.providers.azure import metrics
from costopt.providers.azure.access import Access
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.azure.subscriptions import Subscription
from costopt.providers.base import Known, Problem
from tests.fakes import azure_monitor
from tests.fakes.azure_arm import Door, serve
from tests.fakes.azure_cloud import guid
from tests.fakes.azure_monitor import Measured, Monitor
from tests.providers.aws.watching import Collected, Sample

NOW = datetime(2026, 10, 5, 9, 12, 34, tzinfo=UTC)
SHOP, BANK = guid(1), guid(2)
REGION = "westeurope"
VM = "Microsoft.Compute/virtualMachines"


@dataclass
class Watched:
    """A service, the machines that it measures, and the way to it."""

    service: Monitor
    door: Door
    rows: list[dict[str, object]]
    settings: AzureSettings
    notes: dict[str, str] = field(default_factory=dict)

    def prepared(
        self, known: Known | None = None, problems: list[Problem] | None = None, **more: object
    ) -> metrics.Prepared:
        """Everything before the metrics are asked for."""
        table = schema.conform(
            pa.Table.from_pylist(self.rows, schema=schema.RESOURCES), schema.RESOURCES
        )
        names = sorted({str(row["SubAccountId"]) for row in self.rows})
        return metrics.prepare(
            Access(self.settings),
            [Subscription(name) for name in names],
            table,
            self.settings,
            known or Known(),
            [] if problems is None else problems,
            **{"now": self.service.now, **more},
        )

    def collect(
        self, known: Known | None = None, *, tables: int | None = None, **more: object
    ) -> Collected:
        """All of it, or only so many tables, then killed."""
        collected = Collected([], [])
        prepared = self.prepared(known, collected.problems, **more)
        stream = metrics.read(
            prepared,
            self.settings,
            collected.problems,
            collected.notes,
            pause=collected.pauses.append,
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
    service = Monitor(NOW, {one.measured.resource_id.lower(): one.measured for one in given})
    with serve(Door(services=[service.service])) as door:
        settings = AzureSettings(
            **{"endpoint": door.url, "days": 2, "max_attempts": 1, "max_concurrency": 2, **more}
        )
        yield Watched(service, door, [one.row for one in given], settings)


@dataclass(frozen=True)
class Machine:
    """A row of the inventory, and what is measured of it."""

    row: dict[str, object]
    measured: Measured

    @property
    def id(self) -> str:
        """As the inventory has it."""
        return str(self.row["ResourceId"])


def machine(
    number: int,
    subscription: str = SHOP,
    *,
    region: str = REGION,
    size: str = "Standard_D4s_v5",
    memory: float | None = 16.0,
    gpus: int = 0,
    state: str = "running",
    attributes: dict[str, str] | None = None,
    member_of: str | None = None,
    **measured: object,
) -> Machine:
    """A machine, whose id Azure spells in another case than the inventory."""
    kind = (
        f"virtualMachineScaleSets/{member_of}/virtualMachines" if member_of else "virtualMachines"
    )
    group = f"/subscriptions/{subscription}/resourceGroups/RG-{region}/providers/Microsoft.Compute"
    spelt = f"{group}/{kind}/{number if member_of else f'VM-{number:03d}'}"
    row: dict[str, object] = {
        "ProviderName": "Azure",
        "SubAccountId": subscription,
        "RegionId": region,
        "ResourceId": spelt.lower(),
        "x_InstanceType": size,
        "x_MemoryGiB": memory,
        "x_GPUCount": gpus or None,
        "x_State": state,
        "x_Attributes": attributes,
    }
    return Machine(row, Measured(spelt, region, burstable="_B" in size, **measured))  # type: ignore[arg-type]


def fleet(count: int, subscription: str = SHOP, **more: object) -> list[Machine]:
    """So many alike."""
    return [machine(number, subscription, **more) for number in range(count)]  # type: ignore[arg-type]


def window(days: float) -> range:
    """The starts of what is asked for by default: the settled periods of the last days."""
    settled = int(NOW.timestamp() - 900) // 300 * 300
    first = -(-int((NOW - timedelta(days=days)).timestamp()) // 300) * 300
    return range(first, settled, 300)


def minutes(resource_id: str, metric: str, start: int, device: str = "") -> list[float]:
    """What was measured in the five minutes, one minute after the other, without its scale."""
    numbers = range(start // 60, start // 60 + 5)
    of = (resource_id, metric)
    return [
        float(azure_monitor.point(*of, n, device))
        for n in numbers
        if not azure_monitor.missing(*of, n, device)
    ]


Fold = Callable[[list[float]], float]


def expected(
    machines: Iterable[Machine],
    metric: str,
    name: str,
    made: dict[str, Fold],
    slots: Iterable[int],
    device: str | None = None,
) -> dict[Sample, float]:
    """What must come of one of Azure's metrics, worked out point by point."""
    found: dict[Sample, float] = {}
    for one in machines:
        for start in slots:
            if values := minutes(one.measured.resource_id, metric, start, device or ""):
                for statistic, of in made.items():
                    found[one.id, name, statistic, start, 300, device] = of(values)
    return found


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


LEVEL: dict[str, Fold] = {"mean": mean, "max": max}


def cpu(machines: Iterable[Machine], slots: Iterable[int]) -> dict[Sample, float]:
    """CPU means and maxima that must arrive."""
    return expected(machines, "Percentage CPU", "cpu_utilization", LEVEL, slots)

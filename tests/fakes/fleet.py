"""A small fleet as a provider: machines with a chosen demand, for tests of the whole way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt import schema
from costopt.model import Window
from costopt.providers.base import Problem

END = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
LADDER = (1, 2, 4, 8, 16, 32, 64)
HOURLY = Decimal("0.05")  # of one vCPU


@dataclass(frozen=True)
class Machine:
    """One machine: `cpu` holds its five-minute means in percent, NaN = missing, up to END."""

    resource_id: str
    vcpus: int
    cpu: npt.NDArray[np.float64]
    memory: npt.NDArray[np.float64] | None = None
    network: npt.NDArray[np.float64] | None = None  # B/s, in and out each
    memory_gib: float = 64.0
    columns: dict[str, object] = field(default_factory=dict)


def steady(days: float, percent: float, *, seed: int = 0) -> npt.NDArray[np.float64]:
    """A level with a little noise, in hundredths of a percent."""
    noise = np.random.default_rng(seed).normal(0, percent / 20, round(days * 288))
    return np.clip(np.round(percent + noise, 2), 0.01, 100)


class FakeFleet:
    """providers.base.Provider over a list of machines of a ladder of generic types."""

    name = "fake"

    def __init__(self, machines: Sequence[Machine], *, billed: bool = False) -> None:
        self.machines = machines
        self.billed = billed
        self.problems: list[Problem] = []

    def resources(self) -> pa.Table:
        rows = [
            {
                "ProviderName": "Generic",
                "ResourceId": m.resource_id,
                "x_InstanceType": f"g{m.vcpus}",
                "x_vCPUs": float(m.vcpus),
                "x_MemoryGiB": m.memory_gib,
            }
            | m.columns
            for m in self.machines
        ]
        return pa.Table.from_pylist(rows, schema=schema.RESOURCES)

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        for machine in self.machines:
            series = {
                "cpu_utilization": machine.cpu,
                "memory_utilization": machine.memory,
                "network_in": machine.network,
                "network_out": machine.network,
            }
            for metric, values in series.items():
                if values is not None:
                    yield long_samples(machine.resource_id, metric, values)

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        if not self.billed:
            return
        rows = [charge(m, day) for m in self.machines for day in range(1, 15)]
        yield pa.Table.from_pylist(rows, schema=schema.CHARGES)

    def prices(self) -> pa.Table:
        rows = [
            {
                "ProviderName": "Generic",
                "x_InstanceType": f"g{size}",
                "PricingCategory": "Standard",
                "ListUnitPrice": HOURLY * size,
                "PricingCurrency": "USD",
            }
            for size in LADDER
        ]
        return pa.Table.from_pylist(rows, schema=schema.PRICES)

    def shapes(self) -> pa.Table:
        rows = [
            {
                "ProviderName": "Generic",
                "x_InstanceType": f"g{size}",
                "x_vCPUs": float(size),
                "x_MemoryGiB": 64.0,
            }
            for size in LADDER
        ]
        return pa.Table.from_pylist(rows, schema=schema.SHAPES)


def long_samples(resource_id: str, metric: str, values: npt.NDArray[np.float64]) -> pa.Table:
    """Five-minute samples that end at END; NaN is left out."""
    start = np.datetime64(END.replace(tzinfo=None), "us")
    times = start - np.timedelta64(300, "s") * np.arange(len(values), 0, -1)
    there = ~np.isnan(values)
    count = int(there.sum())
    columns = {
        "ResourceId": pa.repeat(resource_id, count),
        "MetricName": pa.repeat(metric, count),
        "Statistic": pa.repeat("mean", count),
        "Timestamp": pa.array(times[there]).cast(schema.TIMESTAMP),
        "PeriodSeconds": pa.repeat(pa.scalar(300, pa.int32()), count),
        "Value": pa.array(values[there].astype(np.float32)),
    }
    return schema.conform(pa.table(columns), schema.METRICS)


def charge(machine: Machine, day: int) -> dict[str, object]:
    """One day of the machine's compute, `day` days before END, at a tenth off the list price."""
    start = END - timedelta(days=day)
    listed = HOURLY * machine.vcpus * 24
    return {
        "ProviderName": "Generic",
        "BillingAccountId": "1",
        "BillingCurrency": "USD",
        "BillingPeriodStart": datetime(2026, 9, 1, tzinfo=UTC),
        "ChargeCategory": "Usage",
        "ServiceCategory": "Compute",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + timedelta(days=1),
        "ResourceId": machine.resource_id,
        "PricingUnit": "Hours",
        "PricingQuantity": Decimal(24),
        "ListCost": listed,
        "EffectiveCost": listed * Decimal("0.9"),
    }

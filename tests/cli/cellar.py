"""A fleet in a cellar, in a real lake: one machine too large, one forgotten, three busy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from costopt import schema
from costopt.lake.packed import compact
from costopt.lake.store import Lake

END = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = 21
SAMPLES = DAYS * 288
PROVIDER = "Cellar"


def _machine(resource_id: str, name: str | None, vcpus: int, team: str) -> dict[str, Any]:
    return {
        "ProviderName": PROVIDER, "ResourceId": resource_id, "ResourceName": name,
        "RegionId": "basement", "x_InstanceType": f"c{vcpus}", "x_vCPUs": float(vcpus),
        "x_MemoryGiB": 16.0, "x_State": "running", "Tags": {"team": team},
    }  # fmt: skip


RESOURCES = [
    _machine("vm-1", "web-1", 16, "web"),
    _machine("vm-2", "forgotten", 8, "data"),
    _machine("vm-3", "busy", 4, "web"),
    _machine("vm-4", "twin", 4, "web"),
    _machine("vm-5", "twin", 4, "data"),
    {"ProviderName": "AWS", "ResourceId": "vol-1", "ResourceType": "Disk"},
]
LADDER = (1, 2, 4, 8, 16)


def samples(resource_id: str, metric: str, values: np.ndarray) -> pa.Table:
    start = END - timedelta(minutes=5 * len(values))
    return pa.Table.from_pydict(
        {
            "ResourceId": [resource_id] * len(values),
            "MetricName": [metric] * len(values),
            "Statistic": ["mean"] * len(values),
            "Timestamp": [start + timedelta(minutes=5 * n) for n in range(len(values))],
            "PeriodSeconds": [300] * len(values),
            "Value": values.astype(np.float32),
            "x_Device": [None] * len(values),
        },
        schema=schema.METRICS,
    )


def fleet(home: Path) -> None:
    rng = np.random.default_rng(7)
    lake = Lake(home / "lake")
    rows = [{name: row.get(name) for name in schema.RESOURCES.names} for row in RESOURCES]
    lake.append("resources", pa.Table.from_pylist(rows, schema=schema.RESOURCES))
    shapes = [
        {"ProviderName": PROVIDER, "x_InstanceType": f"c{n}", "x_vCPUs": n, "x_MemoryGiB": 16.0}
        for n in LADDER
    ]
    prices = [
        {"ProviderName": PROVIDER, "x_InstanceType": f"c{n}", "PricingCategory": "Standard",
         "ListUnitPrice": Decimal(n) / 10, "PricingCurrency": "USD"}
        for n in LADDER
    ]  # fmt: skip
    lake.append("shapes", pa.Table.from_pylist(shapes, schema=schema.SHAPES))
    lake.append("prices", pa.Table.from_pylist(prices, schema=schema.PRICES))
    used = {"vm-1": 8.0, "vm-2": 0.2, "vm-3": 70.0, "vm-4": 70.0, "vm-5": 70.0}
    tables = []
    for resource_id, level in used.items():
        cpu = np.clip(rng.normal(level, level / 20, SAMPLES), 0, 100)
        tables.append(samples(resource_id, "cpu_utilization", cpu))
        for way in ("network_in", "network_out"):
            traffic = rng.uniform(10, 20 * level + 20, SAMPLES)
            tables.append(samples(resource_id, way, traffic))
    lake.append_metrics("files", tables)
    compact(lake)

"""How long a month's hourly bill takes to be read and reckoned anew, beside merely reading it.

    python benchmarks/replay.py [--machines 1000] [--hours 744]

A bill of two rows an hour for each machine, half of it under five savings plans, as Parquet. The
floor is DuckDB reading the same columns of the file (each counted, so that none is skipped). Prints
seconds for each part, the residue, and `ratio replay_vs_reading: X`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from costopt import schema
from costopt.frame.metered import COLUMNS, read
from costopt.model import Window
from costopt.pricing.commitments import replay, residue

_START = datetime(2026, 7, 1, tzinfo=UTC)


def bill(machines: int, hours: int, unit: str, *, planned: bool) -> pa.Table:
    """One row an hour for each machine; every other machine under one of five plans."""
    machine, hour = np.repeat(np.arange(machines), hours), np.tile(np.arange(hours), machines)
    rate = 0.1 + 0.01 * (machine % 7)
    covered = (machine % 2 == 0) & planned
    start = np.datetime64(_START.replace(tzinfo=None), "us") + hour.astype("timedelta64[h]")

    def said(text: Any) -> pa.Array:
        return pa.array(np.where(covered, text, None), pa.string())

    def money(values: Any) -> pa.Array:
        return pa.array(np.round(values, 6)).cast(schema.COST)

    columns = {
        "BillingCurrency": pa.repeat("USD", len(hour)),
        "ChargeCategory": pa.repeat("Usage", len(hour)),
        "ChargePeriodStart": pa.array(start, schema.TIMESTAMP),
        "ChargePeriodEnd": pa.array(start + np.timedelta64(1, "h"), schema.TIMESTAMP),
        "CommitmentDiscountCategory": said("Spend"),
        "CommitmentDiscountId": said(np.char.add("plan-", (machine % 5).astype(str))),
        "CommitmentDiscountStatus": said("Used"),
        "CommitmentDiscountType": said("Compute Savings Plan"),
        "ContractedCost": money(rate),
        "EffectiveCost": money(np.where(covered, 0.7 * rate, rate)),
        "PricingQuantity": money(np.ones(len(hour))),
        "PricingUnit": pa.repeat(unit, len(hour)),
        "ProviderName": pa.repeat("AWS", len(hour)),
        "RegionId": pa.repeat("us-east-1", len(hour)),
        "ResourceId": pa.array([f"i-{n:017x}" for n in range(machines)]).take(pa.array(machine)),
        "ServiceCategory": pa.repeat("Compute", len(hour)),
        "ServiceName": pa.repeat("Amazon Elastic Compute Cloud", len(hour)),
        "SkuId": pa.array([f"SKU{n}" for n in range(7)]).take(pa.array(machine % 7)),
    }
    kinds = {name: schema.CHARGES.field(name).type for name in COLUMNS}
    return pa.table({n: columns.get(n, pa.nulls(len(hour), kind)) for n, kind in kinds.items()})


def seconds(work: Any) -> tuple[float, Any]:
    """How long it takes, and what comes of it."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def main() -> None:
    """Both ways, over one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machines", type=int, default=1000)
    parser.add_argument("--hours", type=int, default=744)
    options = parser.parse_args()
    size = options.machines, options.hours
    window = Window(_START, _START + timedelta(hours=options.hours))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bill.parquet"
        halves = [bill(*size, "Hours", planned=True), bill(*size, "vCPU-Hours", planned=False)]
        pq.write_table(pa.concat_tables(halves), path)
        del halves
        counts = ", ".join(f"max({name}), count({name})" for name in COLUMNS)
        floor, _ = seconds(lambda: duckdb.sql(f"select {counts} from '{path}'").to_arrow_table())
        opening, charges = seconds(lambda: pq.read_table(path))
        reading, bills = seconds(lambda: read(charges, window, "USD"))
    found = bills["aws"]
    replaying, _ = seconds(lambda: replay(found))
    print(
        f"{charges.num_rows:,} rows, {len(found.usages):,} meters, {len(found.held)} plans: "
        f"opened in {opening:.1f} s, read in {reading:.1f} s, replayed in {replaying:.2f} s; "
        f"DuckDB reads the columns in {floor:.1f} s; residue {residue(found):.1e}"
    )
    print(f"ratio replay_vs_reading: {(opening + reading + replaying) / floor:.1f}")


if __name__ == "__main__":
    main()

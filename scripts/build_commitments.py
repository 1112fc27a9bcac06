"""Rebuild the snapshot's commitment rates (costopt/pricing/snapshot/*.commitments.parquet).

    python scripts/build_commitments.py --gcp pricing.yml

after `build_snapshot.py`, whose on-demand prices they are checked against. Prints what was kept
and, by reason, what was refused. The same inputs give the same files.
"""

from __future__ import annotations

import argparse
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import snapshot_commitments
from snapshot_prices import Refused

from costopt import schema
from costopt.pricing import builtin
from costopt.units import provider_key

_DIGITS: Final = Decimal("0.00001")


def main() -> None:
    """Read, check, write, report."""
    parser = argparse.ArgumentParser(description="Rebuild the snapshot's commitment rates.")
    parser.add_argument(
        "--gcp", type=Path, required=True,
        help="pricing.yml of github.com/Cyclenerd/google-cloud-pricing-cost-calculator",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=builtin.FOLDER, help="where to write")
    options = parser.parse_args()
    refused = Refused()
    rows = snapshot_commitments.collect(options.gcp, refused)
    print("\n".join(f"refused {line}" for line in refused.summary()))
    for provider, mine in rows.groupby("provider"):
        path = options.out / f"{provider_key(str(provider))}.commitments.parquet"
        pq.write_table(
            table(mine), path, compression="zstd", compression_level=19, store_schema=False
        )
        print(f"wrote {path.name}: {len(mine)} rows, {path.stat().st_size / 1e3:.0f} kB")


def table(rows: pd.DataFrame) -> pa.Table:
    """As the schema has prices; sorted so that it packs well."""
    rows = rows.sort_values(["region", "term", "type"])
    return schema.conform(
        pa.table(
            {
                "ProviderName": rows.provider.to_list(),
                "RegionId": rows.region.to_list(),
                "x_InstanceType": rows.type.to_list(),
                "x_OperatingSystem": ["Linux"] * len(rows),
                "PricingCategory": ["Committed"] * len(rows),
                "x_Term": rows.term.to_list(),
                "ListUnitPrice": pa.array(
                    [price.quantize(_DIGITS) for price in rows.price], schema.UNIT_PRICE
                ),
                "PricingCurrency": ["USD"] * len(rows),
                "x_ValidFrom": [date.fromisoformat(day) for day in rows.date],
                "x_Source": rows.source.to_list(),
            }
        ),
        schema.PRICES,
    )


if __name__ == "__main__":
    main()

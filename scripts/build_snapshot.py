"""Rebuild the built-in snapshot of prices and shapes (costopt/pricing/snapshot/*.parquet).

    python scripts/build_snapshot.py --data ../shared/data

Prints what was kept and, by reason, what was refused. The same inputs give the same files.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import snapshot_others
import snapshot_prices
import snapshot_shapes

from costopt import schema
from costopt.model import Shape
from costopt.pricing import azure_sizes, builtin, sanity
from costopt.pricing.layer import type_key
from costopt.providers.rows import of_shape
from costopt.units import provider_key

_DIGITS: Final = Decimal("0.000001")
_SHAPE_SOURCES: Final = {
    "AWS": ("EC2 DescribeInstanceTypes, as recorded by moto 5.2.5", date(2026, 7, 1)),
    "Azure": ("Microsoft, Sizes for virtual machines in Azure", date(2026, 11, 23)),
    "GCP": ("Compute Engine machine types, as listed by gcloud", date(2026, 8, 3)),
}
_EXCERPT_SHAPES: Final = ("skypilot-catalog v8", date(2025, 9, 1))


def main() -> None:
    """Read, clean, gate, write, report."""
    parser = argparse.ArgumentParser(description="Rebuild the built-in snapshot.")
    parser.add_argument("--data", type=Path, required=True, help="folder with prices/ and specs")
    parser.add_argument("--out", type=Path, default=builtin.FOLDER, help="where to write")
    options = parser.parse_args()

    refused = snapshot_prices.Refused()
    others, their_prices = snapshot_others.read(options.data, refused)
    shapes = _shapes(options.data, others)
    prices = snapshot_prices.collect(options.data, shapes, their_prices, refused)
    print("\n".join(f"refused {line}" for line in refused.summary()))
    options.out.mkdir(parents=True, exist_ok=True)
    for provider, rows in prices.groupby("provider"):
        _provider(options.out, str(provider), rows, shapes[str(provider)])


def _shapes(data: Path, others: list[Shape]) -> dict[str, dict[str, Shape]]:
    """Provider -> type -> shape."""
    listed = pd.concat(
        pd.read_csv(data / "prices" / name, usecols=["provider", "instance_type"])
        for name in ("karpenter_vm_prices_2026.csv.gz", "coroot_2024-08-09_ondemand_spot.csv.gz")
    )
    azure_names = sorted(listed[listed.provider == "azure"].instance_type.unique())
    found = [
        *snapshot_shapes.aws(data),
        *filter(None, map(azure_sizes.shape, azure_names)),
        *snapshot_shapes.gcp(data),
        *snapshot_shapes.gpu_clouds(snapshot_prices.gpu_cloud_table(data)),
        *others,
    ]
    result: dict[str, dict[str, Shape]] = {}
    for shape in found:
        result.setdefault(shape.provider_name, {})[shape.instance_type] = shape
    return result


def _provider(out: Path, provider: str, rows: pd.DataFrame, shapes: Mapping[str, Shape]) -> None:
    """Gate one provider's prices and write its two files."""
    screened = sanity.screen(_prices(rows), {type_key(t): s for t, s in shapes.items()})
    for reason, count in Counter(r.reason for r in screened.refused).items():
        example = next(r for r in screened.refused if r.reason == reason)
        price = example.price
        print(
            f"refused {provider}: {count} {reason}: {price.instance_type} in {price.region_id}"
            f" at {price.list_unit_price} ({example.detail})"
        )
    kept = screened.kept
    priced = set(kept.column("x_InstanceType").to_pylist())
    told = {name: (source, date.fromisoformat(day)) for name, source, day in _origins(rows)}
    table = _shape_table([s for name, s in sorted(shapes.items()) if name in priced], told)
    files = {"prices": kept, "shapes": table}
    for name, content in files.items():
        path = out / f"{provider_key(provider)}.{name}.parquet"
        pq.write_table(content, path, compression="zstd", compression_level=19, store_schema=False)
        print(f"wrote {path.name}: {len(content)} rows, {path.stat().st_size / 1e3:.0f} kB")


def _prices(rows: pd.DataFrame) -> pa.Table:
    rows = rows.sort_values(["category", "currency", "region", "type"])
    money = [Decimal(repr(price)).quantize(_DIGITS) for price in rows.price]
    return schema.conform(
        pa.table(
            {
                "ProviderName": rows.provider.to_list(),
                "RegionId": rows.region.to_list(),
                "x_InstanceType": rows.type.to_list(),
                "x_OperatingSystem": ["Linux"] * len(rows),
                "PricingCategory": rows.category.to_list(),
                "ListUnitPrice": pa.array(money, schema.UNIT_PRICE),
                "PricingCurrency": rows.currency.to_list(),
                "x_ValidFrom": [date.fromisoformat(day) for day in rows.date],
                "x_Source": rows.source.to_list(),
            }
        ),
        schema.PRICES,
    )


def _origins(rows: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Type, source and day of each price."""
    return zip(rows.type, rows.source, rows.date, strict=True)


def _shape_table(shapes: list[Shape], told: Mapping[str, tuple[str, date]]) -> pa.Table:
    rows = [of_shape(shape, *_source(shape, told)) for shape in shapes]
    return pa.Table.from_pylist(rows, schema=schema.SHAPES)


def _source(shape: Shape, told: Mapping[str, tuple[str, date]]) -> tuple[str, date]:
    """Where the shape is from: a file of specifications, or the list that has its price, too."""
    if shape.provider_name in _SHAPE_SOURCES:
        return _SHAPE_SOURCES[shape.provider_name]
    excerpt = shape.provider_name in ("Nebius", "Lambda") and shape.gpu_count
    return _EXCERPT_SHAPES if excerpt else told[shape.instance_type]


if __name__ == "__main__":
    main()

"""Rebuild the built-in table of spot interruptions (pricing/snapshot/interruptions.parquet).

    python scripts/snapshot_interruptions.py --data ../shared/data

Reads what AWS's spot instance advisor publishes. A band is its label's lower end and the file's
own `max`, which for "5-10%" is 11: of the two ends that it tells, the careful one. The same input
gives the same file.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from costopt.pricing import interruptions

_SOURCE: Final = "AWS EC2 Spot Instance Advisor, spot-advisor-data.json"
_DAY: Final = date(2025, 7, 1)
"""The month that the file was kept in; it says nothing of its day itself."""
_NAME: Final = "aws_spot_advisor_2025-07.json"


def main() -> None:
    """Read, sort, write, report."""
    parser = argparse.ArgumentParser(description="Rebuild the table of spot interruptions.")
    parser.add_argument("--data", type=Path, required=True, help="folder with prices/")
    parser.add_argument("--out", type=Path, default=interruptions.FILE, help="where to write")
    options = parser.parse_args()
    given = json.loads((options.data / "prices" / _NAME).read_text(encoding="utf-8"))
    table = pa.Table.from_pylist(list(rows(given)), schema=interruptions.INTERRUPTIONS)
    pq.write_table(table, options.out, compression="zstd", compression_level=19, store_schema=False)
    print(f"wrote {options.out.name}: {len(table)} rows, {options.out.stat().st_size / 1e3:.0f} kB")


def rows(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The advisor's file as rows of interruptions.INTERRUPTIONS, by type, region and system."""
    bands = {band["index"]: _shares(band) for band in given["ranges"]}
    told = sorted(
        (kind, region, system, said["r"])
        for region, systems in given["spot_advisor"].items()
        for system, kinds in systems.items()
        for kind, said in kinds.items()
    )
    for kind, region, system, index in told:
        low, high = bands[index]
        yield {
            "ProviderName": "AWS",
            "RegionId": region,
            "x_InstanceType": kind,
            "x_OperatingSystem": system,
            "x_InterruptedLow": low,
            "x_InterruptedHigh": high,
            "x_ValidFrom": _DAY,
            "x_Source": _SOURCE,
        }


def _shares(band: Mapping[str, Any]) -> tuple[float, float]:
    """0 to 0.05 of "<5%", 0.05 to 0.11 of "5-10%", 0.2 to 1 of ">20%"."""
    first = re.findall(r"\d+", band["label"])[0]
    low = 0 if band["label"].startswith("<") else int(first)
    return low / 100, band["max"] / 100


if __name__ == "__main__":
    main()

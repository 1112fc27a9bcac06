"""How often spot machines are interrupted, as far as anybody says: bands, with source and day.

AWS publishes a band for each type and region (the spot instance advisor); the built-in table is one
of its days. Azure tells rates to those with an account (Resource Graph, table SpotResources, type
microsoft.compute/skuspotevictionrate/location: `0-5` .. `20+` percent, "quoted per hour"); Google
tells its own customers (Compute API, capacity history: of the spot machines that stopped, those
that were preempted, whose hours one has to know beside). Neither is published, so nothing is known
of them here until the user's own rows say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from costopt.errors import InputError
from costopt.pricing.layer import region_key, system_key, type_key
from costopt.units import HOURS_PER_MONTH, provider_key

FILE: Final = Path(__file__).parent / "snapshot" / "interruptions.parquet"
"""Written by `scripts/snapshot_interruptions.py`."""

INTERRUPTIONS: Final = pa.schema(
    [
        pa.field("ProviderName", pa.string(), nullable=False),
        pa.field("RegionId", pa.string()),  # null = every region, as of the next two
        pa.field("x_InstanceType", pa.string()),
        pa.field("x_OperatingSystem", pa.string()),
        pa.field("x_InterruptedLow", pa.float64(), nullable=False),  # share of machines, 0..1
        pa.field("x_InterruptedHigh", pa.float64(), nullable=False),  # 1 = no upper end is told
        pa.field("x_InterruptedHours", pa.float64()),  # within so many; null = a month
        pa.field("x_ValidFrom", pa.date32()),
        pa.field("x_Source", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Band:
    """Which share of machines was interrupted within so many hours: between `low` and `high`.

    AWS's is of a month (730 h): "the rate at which Spot has reclaimed capacity during the trailing
    month". optimize/spot.py makes an hourly rate of it.
    """

    low: float
    high: float  # 1.0: no upper end is told (AWS's band ">20 %")
    hours: float
    source: str | None
    day: date | None

    def __str__(self) -> str:
        span = "a month" if self.hours == HOURS_PER_MONTH else f"{self.hours:g} h"
        return f"{_percent(self)} of machines interrupted in {span}"


def _percent(band: Band) -> str:
    low, high = (f"{100 * share:.3g}" for share in (band.low, band.high))
    if band.low == band.high:
        return f"{low} %"
    if band.high == 1.0:
        return f"over {low} %"
    return f"{low} to {high} %" if band.low else f"under {high} %"


_Key = tuple[str, str | None, str | None, str | None]


class Interruptions:
    """Bands by provider, region, type and system. The built-in ones are read when first needed."""

    def __init__(self, own: Mapping[_Key, Band]) -> None:
        self._own = own

    @classmethod
    def load(cls, own: pa.Table | None = None) -> Interruptions:
        """The built-in table, overridden by the user's own rows.

        Args:
            own: INTERRUPTIONS columns; absent ones are null. A row with a null region, type or
                system holds for all; a nearer one wins.
        Raises:
            InputError: a row without a provider or a share, or with a share outside 0..1.
        """
        return cls(dict(_rows(own)) if own is not None else {})

    def band(
        self,
        provider_name: str,
        region_id: str | None,
        instance_type: str | None,
        operating_system: str | None = None,
    ) -> Band | None:
        """What is known of such machines there; None = nothing. No system is Linux."""
        provider = provider_key(provider_name)
        places: tuple[str | None, ...] = (None,) if region_id is None else (
            region_key(region_id), None,
        )  # fmt: skip
        kinds: tuple[str | None, ...] = (None,) if instance_type is None else (
            type_key(instance_type), None,
        )  # fmt: skip
        systems = (system_key(operating_system or "Linux"), None)
        keys = [(provider, *rest) for rest in product(kinds, places, systems)]
        return _first(self._own, keys) or _first(_built_in(), keys)


def _first(bands: Mapping[_Key, Band], keys: Iterable[_Key]) -> Band | None:
    return next((bands[key] for key in keys if key in bands), None)


@cache
def _built_in() -> Mapping[_Key, Band]:
    # Not pq.read_table: that loads pandas (0.2 s).
    return dict(_rows(pq.ParquetFile(FILE).read(use_threads=False)))


def _rows(table: pa.Table) -> Iterator[tuple[_Key, Band]]:
    """Later rows of a key replace earlier ones."""
    missing = [
        field.name
        for field in INTERRUPTIONS
        if not field.nullable and field.name not in table.column_names
    ]
    if missing:
        raise InputError(f"interruptions: column {missing[0]} is missing")
    columns = [
        table.column(field.name).cast(field.type).to_pylist()
        if field.name in table.column_names
        else [None] * len(table)
        for field in INTERRUPTIONS
    ]
    for number, row in enumerate(zip(*columns, strict=True), start=1):
        provider, region, kind, system, low, high, hours, day, source = row
        span = HOURS_PER_MONTH if hours is None else hours
        if provider is None or low is None or high is None or not 0 <= low <= high <= 1:
            raise InputError(
                "interruptions: a row needs a provider and shares 0 <= low <= high <= 1",
                where=f"row {number}",
                hint="5 % is 0.05",
            )
        if not span > 0:
            raise InputError(
                "interruptions: a share is of more than 0 hours", where=f"row {number}"
            )
        key = (
            provider_key(provider),
            kind and type_key(kind),
            region and region_key(region),
            system and system_key(system),
        )
        yield key, Band(low, high, float(span), source, day)

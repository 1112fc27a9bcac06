"""What commitments cost an hour, for the built-in snapshot: read each source, keep what holds.

Two sources, both of which name the on-demand price of the same day beside the committed one:

- `reserved_by_family.csv`, typed by hand from the price lists of AWS and Azure as a public
  repository carries them: reserved instances (standard, nothing upfront) and reservations of one
  and three years, one size or two of each family. What a reservation takes off is one figure for
  all sizes of a family in a region (checked by `tests/pricing/test_snapshot_commitments.py`), so
  the other sizes follow, and say so in x_Source.
- the YAML that google-cloud-pricing-cost-calculator publishes: every machine type of GCP with what
  a *month* of it costs on demand and under resource-based commitments of one and three years.

A committed price is worth something beside its on-demand price only: rows whose own on-demand price
is not (within 0.4 %) the one that the snapshot has are refused. So a price of 2026 may stand beside
an on-demand price of 2024 where that has not changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
import yaml
from snapshot_prices import RATE_NOTE, Refused

from costopt.model import Shape
from costopt.pricing.catalogue import Catalogue
from costopt.units import HOURS_PER_MONTH

TYPED: Final = Path(__file__).parent / "reserved_by_family.csv"
_TYPED_DAY: Final = "2026-08-17"
_TYPED_SOURCES: Final = {
    "aws": "AWS price list, as carried by cloud-capacity-simulator",
    "azure": "Azure Retail Prices, as carried by cloud-capacity-simulator",
}
_GCP_SOURCE: Final = "Google Cloud price list, as carried by google-cloud-pricing-cost-calculator"
_NAMES: Final = {"aws": "AWS", "azure": "Azure", "gcp": "GCP"}

_SAME: Final = 0.004  # relative, as of snapshot_prices
_ROUNDING: Final = 0.0006
LEAST: Final = 0.15  # of the price on demand: no commitment is more than 85 % below it
_TERMS: Final = (("one_year", "1yr no-upfront"), ("three_year", "3yr no-upfront"))
# Sizes of a family that is sold ahead which are not sold so themselves.
_NOT_SOLD: Final = {"i3.metal"}
_CONSTRAINED: Final = re.compile(r"^Standard_[A-Z]+\d+-\d+")  # fewer vCPUs: not all are sold so


class Quoted(NamedTuple):
    """What a source says of one type in one region, an hour, in dollars."""

    provider: str
    region: str
    type: str
    on_demand: float
    one_year: float | None
    three_year: float | None
    day: str
    source: str


def collect(gcp: Path, refused: Refused) -> pd.DataFrame:
    """Every committed price that passes, with columns provider, region, type, term, price, date and
    source.

    Args:
        gcp: the calculator's pricing.yml.
    """
    catalogue = Catalogue.load()
    typed = [one for one in _typed() if _current(one, catalogue, refused)]
    listed = [one for one in _calculator(gcp) if _current(one, catalogue, refused)]
    rows = [row for one in (*_spread(typed, catalogue), *listed) for row in _rows(one, refused)]
    table = pd.DataFrame(rows)
    return table.drop_duplicates(["provider", "region", "type", "term"])


def _typed() -> Iterator[Quoted]:
    for row in pd.read_csv(TYPED).itertuples():
        yield Quoted(
            row.provider, row.region, row.type, row.on_demand, row.one_year, row.three_year,
            _TYPED_DAY, _TYPED_SOURCES[row.provider],
        )  # fmt: skip


def _calculator(path: Path) -> Iterator[Quoted]:
    """Months are of 730 hours there, as Google bills commitments."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    day = pd.Timestamp(content["about"]["timestamp"], unit="s").date().isoformat()
    for name, machine in content["compute"]["instance"].items():
        for region, cost in machine.get("cost", {}).items():
            if cost.get("hour"):
                yield Quoted(
                    "gcp", region, name, cost["hour"],
                    _hourly(cost, "month_1y"), _hourly(cost, "month_3y"), day, _GCP_SOURCE,
                )  # fmt: skip


def _hourly(cost: Mapping[str, Any], name: str) -> float | None:
    month = cost.get(name)
    return month / HOURS_PER_MONTH if month else None


def _current(one: Quoted, catalogue: Catalogue, refused: Refused) -> bool:
    """Whether the snapshot has the same on-demand price."""
    known = catalogue.price(one.provider, one.region, one.type)
    if known is None:
        _refuse(one, one.on_demand, "no such type on demand there", refused)
        return False
    listed = float(known.list_unit_price)
    near = abs(listed - one.on_demand) <= max(_SAME * listed, _ROUNDING)
    if not near:
        _refuse(one, one.on_demand, "its price on demand is another than the snapshot's", refused)
    return near


def _spread(typed: Iterable[Quoted], catalogue: Catalogue) -> Iterator[Quoted]:
    """The sizes that were typed, then the others of their families, by the dearest of each (the
    least rounded)."""
    dearest: dict[tuple[str, str, str], Quoted] = {}
    for one in sorted(typed, key=lambda one: (-one.on_demand, one.type)):
        yield one
        family = _family(catalogue.shape(one.provider, one.type))
        dearest.setdefault((one.provider, one.region, family), one)
    for (provider, region, family), one in sorted(dearest.items(), key=lambda item: item[1]):
        market = catalogue.market(provider, region)
        for shape, price in zip(market.shapes, market.prices, strict=True):
            name = shape.instance_type
            if _family(shape) != family or name in _NOT_SOLD or _CONSTRAINED.match(name):
                continue
            factor = float(price.list_unit_price) / one.on_demand
            yield one._replace(
                type=name,
                on_demand=float(price.list_unit_price),
                one_year=(one.one_year or 0) * factor,
                three_year=(one.three_year or 0) * factor,
                source=one.source + RATE_NOTE,
            )


def _family(shape: Shape | None) -> str:
    """Within which a reservation takes the same off: bare metal is of it, too (at AWS)."""
    return (shape.family if shape and shape.family else "").removesuffix("-metal")


def _rows(one: Quoted, refused: Refused) -> Iterator[dict[str, object]]:
    if one.one_year is not None and one.one_year == one.three_year:
        # What a whole month costs by sustained use stands there for types without commitments.
        _refuse(one, one.one_year, "one price for both terms: not sold ahead", refused)
        return
    for name, term in _TERMS:
        price = getattr(one, name)
        if price is None:
            continue
        if not LEAST * one.on_demand <= price < one.on_demand * (1 - 1e-9):
            _refuse(one, price, f"{term} not between 15 and 100 % of on demand", refused)
            continue
        yield {
            "provider": _NAMES[one.provider], "region": one.region, "type": one.type,
            "term": term, "price": Decimal(repr(float(price))), "date": one.day,
            "source": one.source,
        }  # fmt: skip


def _refuse(one: Quoted, price: float, reason: str, refused: Refused) -> None:
    row = {"provider": _NAMES[one.provider], "region": one.region, "type": one.type}
    refused.add(pd.DataFrame([{**row, "price": price}]), reason)

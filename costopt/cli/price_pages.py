"""Priced machine types as pages: tables for people, JSON and CSV for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from costopt.model import Price, Shape
from costopt.pricing.search import Found
from costopt.report import words
from costopt.report.document import SCHEMA_VERSION, number
from costopt.report.safe import csv_cell
from costopt.report.screen import HEAD, MONEY, PLAIN, QUIET, Screen, Span
from costopt.units import counted, per_month

_NARROW: Final = 100  # below, dates and remarks give way to whole names
_OWNED: Final = {
    True: ", shared with other machines",
    False: ", the machine's own",
    None: "",
}
_CATEGORIES: Final = {"Standard": "on-demand", "Committed": "committed"}


# -- tables ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cells: Sequence[str]
    style: str = PLAIN
    right: bool = False


def _table(screen: Screen, columns: Sequence[_Column]) -> None:
    """The columns that say anything, under their heads."""
    shown = [column for column in columns if any(column.cells)]
    heads: list[list[Span]] = [[(column.head, HEAD) for column in shown]]
    rows = [
        [(cell, column.style) for cell, column in zip(cells, shown, strict=True)]
        for cells in zip(*(column.cells for column in shown), strict=True)
    ]
    screen.table(heads + rows, [column.right for column in shown])


def found(offers: Sequence[Found], width: int, colour: bool) -> bytes:
    """One line an offer, in the order given; all in one currency."""
    screen = Screen(width, colour=colour)
    currency = offers[0].price.currency
    prices = [offer.price for offer in offers]
    shapes = [offer.shape for offer in offers]
    columns = [
        _Column("Provider", [s.provider_name for s in shapes]),
        _Column("Type", [s.instance_type for s in shapes]),
        _Column("Region", [_place(p) for p in prices]),
        _Column("vCPUs", [words.figure(s.vcpus) for s in shapes], right=True),
        _Column("GiB", [_figure(s.memory_gib) for s in shapes], right=True),
        _Column("GPU", [_gpus(s) for s in shapes]),
        _Column(f"{currency}/hour", [_hourly(p) for p in prices], right=True),
        _Column(f"{currency}/month", [_monthly(p) for p in prices], MONEY, right=True),
    ]
    if width >= _NARROW:
        columns.append(_Column("As of", [_day(p) for p in prices], QUIET))
        columns.append(_Column("", [_remarks(s) for s in shapes], QUIET))
    _table(screen, columns)
    return screen.text().encode()


def shown(offers: Sequence[Found], width: int, colour: bool) -> bytes:
    """What each type is, its price in every region, and the sources of those prices."""
    screen = Screen(width, colour=colour)
    shapes = {(o.shape.provider_name, o.shape.instance_type): o.shape for o in offers}
    for name, shape in shapes.items():
        screen.title(" ".join(name))
        for label, value in _facts(shape):
            screen.labelled(label, value)
        screen.blank()
        _regions(screen, [o.price for o in offers if o.shape is shape])
    return screen.text().encode()


def _facts(shape: Shape) -> Iterator[tuple[str, str]]:
    count = shape.physical_cores
    cores = f" on {counted(count, 'core', ',.4g')}" if count else ""
    owned = _OWNED[shape.shared_cpu]
    what = f"{words.figure(shape.vcpus)}{cores}, {shape.architecture or 'processor ?'}{owned}"
    yield "vCPUs", what
    if shape.burstable_baseline_percent is not None:
        baseline = words.figure(shape.burstable_baseline_percent)
        yield "burstable", f"sustains {baseline} % of the whole machine"
    yield "memory", f"{_figure(shape.memory_gib)} GiB"
    if shape.gpu_count:
        yield "GPU", f"{_gpus(shape)}, {_figure(shape.gpu_memory_gib)} GiB each"
    if shape.network_gbps is not None:
        yield "network", f"{words.figure(shape.network_gbps)} Gbit/s"
    if shape.local_disk_gib:
        yield "local disk", f"{words.figure(shape.local_disk_gib)} GiB"
    generation = ", a previous generation" if shape.current_generation is False else ""
    yield "family", f"{shape.family or '?'}{generation}"


@dataclass
class _Line:
    """The prices of one region, system, currency and term: full, and spot beside it."""

    region: str
    system: str
    currency: str
    bought: str  # on-demand, or "committed 1yr ..."
    full: Price | None = None
    spot: Price | None = None
    sources: set[int] = field(default_factory=set)


def _regions(screen: Screen, prices: Sequence[Price]) -> None:
    sources = sorted({price.source or "not stated" for price in prices})
    lines = _lines(prices, sources)
    of_one = len({line.currency for line in lines}) == 1
    money = f"{lines[0].currency}/" if of_one else "Per "
    linux = {line.system for line in lines} == {"Linux"}
    wide = screen.width >= _NARROW
    columns = [
        _Column("Region", [line.region for line in lines]),
        _Column("System", ["" if linux else line.system for line in lines], QUIET),
        _Column("Bought", ["" if _plain(lines) else line.bought for line in lines]),
        _Column(f"{money}hour", [_hourly(line.full) for line in lines], right=True),
        _Column(f"{money}month", [_monthly(line.full) for line in lines], MONEY, right=True),
        _Column("Spot/hour", [_hourly(line.spot) for line in lines], right=True),
        _Column(
            "Spot/month", [_monthly(line.spot) if wide else "" for line in lines], MONEY, right=True
        ),
        _Column("", ["" if of_one else line.currency for line in lines], QUIET),
        _Column("As of", [_day(line.full or line.spot) for line in lines], QUIET),
        _Column("Spot as of", [_day(line.spot) if wide else "" for line in lines], QUIET),
        _Column("Source", [", ".join(map(str, sorted(line.sources))) for line in lines], QUIET),
    ]
    _table(screen, columns)
    screen.blank()
    for place, source in enumerate(sources, 1):
        screen.labelled(f"source {place}", source, QUIET)
    screen.blank()


def _plain(lines: Sequence[_Line]) -> bool:
    return all(line.bought == _CATEGORIES["Standard"] for line in lines)


def _lines(prices: Sequence[Price], sources: Sequence[str]) -> list[_Line]:
    lines: dict[tuple[str, ...], _Line] = {}
    for price in prices:
        spot = price.pricing_category == "Dynamic"
        category = "Standard" if spot else price.pricing_category
        bought = f"{_CATEGORIES.get(category, category)} {price.term or ''}".strip()
        key = (_place(price), price.operating_system or "any", price.currency, bought)
        line = lines.setdefault(key, _Line(*key))
        line.sources.add(sources.index(price.source or "not stated") + 1)
        if spot:
            line.spot = price
        else:
            line.full = price
    return list(lines.values())


def _place(price: Price) -> str:
    return price.region_id or "every region"


def _hourly(price: Price | None) -> str:
    return words.price(price.list_unit_price) if price else ""


def _monthly(price: Price | None) -> str:
    return words.amount(per_month(price.list_unit_price)) if price else ""


def _day(price: Price | None) -> str:
    return f"{price.valid_from or '?'}" if price else ""


def _figure(value: float | None) -> str:
    return "?" if value is None else words.figure(value)


def _gpus(shape: Shape) -> str:
    return f"{shape.gpu_count} x {shape.gpu_model or 'GPU'}" if shape.gpu_count else ""


def _remarks(shape: Shape) -> str:
    remarks = ["Arm"] if shape.architecture == "arm64" else []
    if shape.burstable_baseline_percent is not None:
        remarks.append(f"sustains {words.figure(shape.burstable_baseline_percent)} %")
    if shape.shared_cpu:
        remarks.append("shared CPU")
    return ", ".join(remarks)


# -- for machines ----------------------------------------------------------------------------


def as_json(offers: Sequence[Found]) -> bytes:
    """One object: schema_version and offers. Amounts are numbers with their exact decimals."""
    rows = [
        {
            name: number(value) if isinstance(value, Decimal) else value
            for name, value in _fields(offer).items()
        }
        for offer in offers
    ]
    # ASCII only: a name cannot steer the terminal it is printed on.
    text = json.dumps({"schema_version": SCHEMA_VERSION, "offers": rows}, indent=2)
    return f"{text}\n".encode()


def as_csv(offers: Sequence[Found]) -> bytes:
    """One row an offer, in the JSON's field names; an unknown value is an empty cell."""
    rows = [_fields(offer) for offer in offers]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode()


def _fields(offer: Found) -> dict[str, Any]:
    """One offer's fields for machines; amounts are Decimal."""
    shape, price = offer.shape, offer.price
    return {
        "provider_name": shape.provider_name,
        "region_id": price.region_id,
        "instance_type": shape.instance_type,
        "vcpus": shape.vcpus,
        "physical_cores": shape.physical_cores,
        "memory_gib": shape.memory_gib,
        "architecture": shape.architecture,
        "gpu_model": shape.gpu_model,
        "gpu_count": shape.gpu_count,
        "gpu_memory_gib": shape.gpu_memory_gib,
        "burstable_baseline_percent": shape.burstable_baseline_percent,
        "network_gbps": shape.network_gbps,
        "local_disk_gib": shape.local_disk_gib,
        "family": shape.family,
        "current_generation": shape.current_generation,
        "shared_cpu": shape.shared_cpu,
        "pricing_category": price.pricing_category,
        "operating_system": price.operating_system,
        "term": price.term,
        "hourly_price": price.list_unit_price,
        "monthly_price": per_month(price.list_unit_price),
        "currency": price.currency,
        "valid_from": price.valid_from.isoformat() if price.valid_from else None,
        "source": price.source,
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return words.price(value).replace(",", "")
    return csv_cell(value) if isinstance(value, str) else str(value)

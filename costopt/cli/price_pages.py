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
from costopt.units import per_month

_NARROW: Final = 100  # below, dates and remarks give way to whole names
_CATEGORIES: Final = {"Standard": "on-demand", "Dynamic": "spot", "Committed": "committed"}


# -- tables ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cells: tuple[str, ...]
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
        _Column("Provider", tuple(s.provider_name for s in shapes)),
        _Column("Type", tuple(s.instance_type for s in shapes)),
        _Column("Region", tuple(_place(p) for p in prices)),
        _Column("vCPUs", tuple(words.figure(s.vcpus) for s in shapes), right=True),
        _Column("GiB", tuple(_figure(s.memory_gib) for s in shapes), right=True),
        _Column("GPU", tuple(_gpus(s) for s in shapes)),
        _Column(f"{currency}/hour", tuple(_hourly(p) for p in prices), right=True),
        _Column(f"{currency}/month", tuple(_monthly(p) for p in prices), MONEY, right=True),
    ]
    if width >= _NARROW:
        columns.append(_Column("As of", tuple(_day(p) for p in prices), QUIET))
        columns.append(_Column("", tuple(_remarks(s) for s in shapes), QUIET))
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
    cores = f" on {words.figure(count)} core{'' if count == 1 else 's'}" if count else ""
    yield "vCPUs", f"{words.figure(shape.vcpus)}{cores}, {shape.architecture or 'processor ?'}"
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
    """The prices of one region, system and term: on-demand or committed, and spot beside it."""

    price: Price | None = None
    spot: Price | None = None
    sources: set[int] = field(default_factory=set)


def _regions(screen: Screen, prices: Sequence[Price]) -> None:
    sources = sorted({price.source or "not stated" for price in prices})
    lines: dict[tuple[str, ...], _Line] = {}
    for price in prices:
        kind = "Standard" if price.pricing_category == "Dynamic" else price.pricing_category
        key = (_place(price), price.operating_system or "any", price.currency, kind,
               price.term or "")  # fmt: skip
        line = lines.setdefault(key, _Line())
        line.sources.add(sources.index(price.source or "not stated") + 1)
        if price.pricing_category == "Dynamic":
            line.spot = price
        else:
            line.price = price
    keys, rows = list(lines), list(lines.values())
    committed = [f"{_CATEGORIES.get(key[3], key[3])} {key[4]}".strip() for key in keys]
    columns = [
        _Column("Region", tuple(key[0] for key in keys)),
        _Column("System", tuple(key[1] for key in keys), QUIET),
        _Column("", tuple("" if c == "on-demand" else c for c in committed)),
        _Column("Per hour", tuple(_hourly(row.price) for row in rows), right=True),
        _Column("Per month", tuple(_monthly(row.price) for row in rows), MONEY, right=True),
        _Column("Spot/hour", tuple(_hourly(row.spot) for row in rows), right=True),
        _Column("Spot/month", tuple(_monthly(row.spot) for row in rows), MONEY, right=True),
        _Column("", tuple(key[2] for key in keys), QUIET),
        _Column("As of", tuple(_day(row.price or row.spot) for row in rows), QUIET),
        _Column("Spot as of", tuple(_day(row.spot) for row in rows), QUIET),
        _Column("Source", tuple(", ".join(map(str, sorted(row.sources))) for row in rows), QUIET),
    ]
    _table(screen, columns)
    screen.blank()
    for place, source in enumerate(sources, 1):
        screen.labelled(f"source {place}", source, QUIET)
    screen.blank()


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

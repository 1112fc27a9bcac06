"""Rates as pages: a table for people, JSON and CSV for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from costopt import schema
from costopt.model import Rate, RateKind
from costopt.report import words
from costopt.report.document import SCHEMA_VERSION, number
from costopt.report.safe import csv_cell
from costopt.report.screen import HEAD, MONEY, PLAIN, QUIET, Screen, Span

_WORDS: Final[Mapping[RateKind, str]] = {
    RateKind.BLOCK_STORAGE: "GiB-month of disk",
    RateKind.EGRESS_INTERNET: "GiB to the internet",
    RateKind.EGRESS_REGION: "GiB to another region",
    RateKind.EGRESS_ZONE: "GiB to another zone",
}


def table(rates: Sequence[Rate], width: int, colour: bool) -> bytes:
    """One line a tier, in the order given, under it the sources by number."""
    screen = Screen(width, colour=colour)
    sources = sorted({_source(one) for one in rates})
    heads = ("Provider", "Region", "For a", "From GiB", "Price", "", "As of", "Source")
    lines: list[list[Span]] = [
        [(head, HEAD) for head in heads],
        *(_line(one, sources.index(_source(one)) + 1) for one in rates),
    ]
    screen.table(lines, [False, False, False, True, True, False, False, True])
    screen.blank()
    for place, source in enumerate(sources, 1):
        screen.labelled(f"source {place}", source, QUIET)
    return screen.text().encode()


def _line(one: Rate, source: int) -> list[Span]:
    return [
        (one.provider_name, PLAIN),
        (one.region_id or "every region", PLAIN),
        (_WORDS[one.kind], PLAIN),
        (words.figure(float(one.from_gib)) if one.from_gib else "", PLAIN),
        (_price(one), MONEY),
        (one.currency if one.list_unit_price else "", QUIET),
        (str(one.valid_from or "?"), QUIET),
        (str(source), QUIET),
    ]


def _price(one: Rate) -> str:
    return words.price(one.list_unit_price) if one.list_unit_price else "included"


def _source(one: Rate) -> str:
    return one.source or "not stated"


def as_json(rates: Sequence[Rate]) -> bytes:
    """One object: schema_version and rates. Amounts are numbers with their exact decimals."""
    rows = [
        {
            name: number(value) if isinstance(value, Decimal) else value
            for name, value in _fields(one).items()
        }
        for one in rates
    ]
    # ASCII only: a name cannot steer the terminal it is printed on.
    text = json.dumps({"schema_version": SCHEMA_VERSION, "rates": rows}, indent=2)
    return f"{text}\n".encode()


def as_csv(rates: Sequence[Rate]) -> bytes:
    """One row a tier, in columns that `costopt collect files --rates` reads."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(schema.RATES.names)
    for one in rates:
        writer.writerow([_cell(value) for value in _fields(one).values()])
    return text.getvalue().encode()


def _fields(one: Rate) -> dict[str, Any]:
    return {
        "provider_name": one.provider_name,
        "region_id": one.region_id,
        "kind": str(one.kind),
        "list_unit_price": one.list_unit_price,
        "currency": one.currency,
        "from_gib": one.from_gib,
        "valid_from": one.valid_from.isoformat() if one.valid_from else None,
        "source": one.source,
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return csv_cell(str(value))

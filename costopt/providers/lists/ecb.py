"""The European Central Bank's euro reference rates: GET /stats/eurofxref/eurofxref-daily.xml.

Set on working days at about 16:00 CET; one euro is worth so many of each of some thirty currencies.
Source: ecb.europa.eu/stats/eurofxref.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

import pyarrow as pa

from costopt import schema
from costopt.pricing.exchange_gate import ExchangeRefusal
from costopt.pricing.money import Exchanges
from costopt.providers.answers import Say, quiet
from costopt.providers.lists.transfer import PriceList

OVERRIDE: Final = "COSTOPT_EXCHANGE_RATES"
"""Variable that names another address to read from: a gateway, or a test's own server."""
_ADDRESS: Final = "https://www.ecb.europa.eu"
PATH: Final = "/stats/eurofxref/eurofxref-daily.xml"
_CUBE: Final = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_LARGEST: Final = 1 << 20  # bytes; it has some two thousand
_FEWEST: Final = 10
_RATE: Final = re.compile(r"\d{1,9}(\.\d{1,9})?")


@dataclass(frozen=True)
class Rates:
    """What the list told."""

    host: str
    day: date
    fresh: pa.Table = field(default_factory=lambda: schema.empty(schema.EXCHANGE))
    unchanged: int = 0
    own: int = 0  # pairs of which the lake has a rate of the user's own
    refused: tuple[ExchangeRefusal, ...] = ()


def is_current(held: pa.Table, today: date) -> bool:
    """Whether the lake has the rates of that day."""
    return any(
        row["x_ValidFrom"] == today and row["x_Source"] == schema.ECB_RATES
        for row in held.to_pylist()
    )


def rates(held: pa.Table, today: date, told: Say = quiet) -> Rates:
    """The day's rates that are new to the lake and pass the gate. A pair that the user gives a rate
    of, either way round, is not touched.

    Args:
        held: the lake's (schema.EXCHANGE).
        today: by UTC. The newest rate counts, so one of a day to come would count for ever.
        told: of further attempts to read it.
    Raises:
        ProviderError: no whole answer, not that list, or one of a day to come.
        ConfigError: `OVERRIDE` is no address.
    """
    with PriceList(_ADDRESS, OVERRIDE, told=told) as source:
        parsed = _parsed(source.content(PATH, {}))
        if parsed is None:
            raise source.failure(PATH, "not the list of euro reference rates")
        day, found = parsed
        if day > today:
            raise source.failure(PATH, f"rates of {day}, a day that is yet to come")
        return _sifted(source.host, day, found, held)


def _parsed(data: bytes) -> tuple[date, dict[str, Decimal]] | None:
    """The day, and what a euro is worth; None = another layout."""
    try:
        text = data[:_LARGEST].decode()  # as it says of itself; so no other encoding hides anything
        if "<!" in text.replace("<!--", ""):  # it declares no entities
            return None
        cubes = ET.fromstring(text).iter(_CUBE)  # noqa: S314 (no declarations, see above)
        days = [cube for cube in cubes if "time" in cube.attrib]
        day = date.fromisoformat(days[0].attrib["time"]) if len(days) == 1 else None
    except (ET.ParseError, ValueError):
        return None
    if day is None:
        return None
    found = {
        cube.attrib.get("currency", ""): Decimal(rate)
        for cube in days[0].iter(_CUBE)
        if _RATE.fullmatch(rate := cube.attrib.get("rate", ""))
    }
    return (day, found) if len(found) >= _FEWEST else None


def _sifted(host: str, day: date, found: dict[str, Decimal], held: pa.Table) -> Rates:
    rows = held.to_pylist()
    own = {
        frozenset((row["x_Currency"].upper(), row["x_ToCurrency"].upper()))
        for row in rows
        if row["x_Source"] not in schema.PUBLISHED
    }
    known = {(row["x_ToCurrency"], row["x_ValidFrom"]): row["x_Rate"] for row in rows}
    wanted = {code: rate for code, rate in found.items() if {"EUR", code} not in own}
    given = [_row(code, rate, day) for code, rate in sorted(wanted.items())]
    refused = Exchanges.load(pa.Table.from_pylist(given, schema=schema.EXCHANGE)).refusals
    barred = {one.exchange.to_currency for one in refused}
    sound = [row for row in given if row["x_ToCurrency"] not in barred]
    fresh = [row for row in sound if known.get((row["x_ToCurrency"], day)) != row["x_Rate"]]
    return Rates(
        host,
        day,
        pa.Table.from_pylist(fresh, schema=schema.EXCHANGE),
        unchanged=len(sound) - len(fresh),
        own=len(found) - len(wanted),
        refused=refused,
    )


def _row(code: str, rate: Decimal, day: date) -> dict[str, object]:
    return {
        "x_Currency": "EUR",
        "x_ToCurrency": code,
        "x_Rate": rate,
        "x_ValidFrom": day,
        "x_Source": schema.ECB_RATES,
    }

"""Amounts in another currency, at a rate with a day and a source; never without being asked.

Rates come from a small shipped table (the European Central Bank's reference rates) and from the
user's own, which stand above it. Where neither knows the pair, the answer is None.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final

import pyarrow as pa

from costopt import schema
from costopt.model import Exchange
from costopt.pricing.age import age
from costopt.pricing.builtin import FOLDER
from costopt.pricing.exchange_gate import ExchangeCaution, ExchangeRefusal, caution, refusal

REFRESH: Final = "costopt prices update exchange"
"""What brings the bank's rates of today."""
_NOT_STATED: Final = "not stated"

Pair = tuple[str, str]


class Exchanges:
    """What currencies are worth in one another."""

    def __init__(
        self,
        layers: Iterable[Mapping[Pair, tuple[Exchange, ...]]],
        refusals: Iterable[ExchangeRefusal] = (),
        cautions: Iterable[ExchangeCaution] = (),
    ) -> None:
        """
        Args:
            layers: rates by pair; of the first layer that has any of a pair.
            refusals: what was not taken.
            cautions: what was, and is far off what is known.
        """
        self._layers = tuple(layers)
        self.refusals = tuple(refusals)
        self.cautions = tuple(cautions)

    @classmethod
    def load(cls, extra: pa.Table | None = None, today: date | None = None) -> Exchanges:
        """The shipped rates under the user's own (schema.EXCHANGE), those that pass the gate.

        A pair that the user gives, either way round, is never answered from the shipped table.

        Args:
            today: rates of a later day are refused; None = none is for its day.
        """
        shipped = cls([_pairs(builtin())])
        if extra is None or not len(extra):
            return shipped
        given = [_exchange(row) for row in schema.conform(extra, schema.EXCHANGE).to_pylist()]
        listed, no_list = _sifted(
            (one for one in given if one.source in schema.PUBLISHED), shipped, today
        )
        bank = cls([_pairs([*listed, *builtin()])])  # of the bank's the newest counts
        own, not_own = _sifted(
            (one for one in given if one.source not in schema.PUBLISHED), bank, today
        )
        refused = [*not_own, *no_list]
        far = [c for one in own if (c := caution(one, bank.rate(one.currency, one.to_currency)))]
        return cls([_pairs(own), *bank._layers], refused, far)

    @property
    def currencies(self) -> tuple[str, ...]:
        """Every currency of which a rate is known, sorted."""
        return tuple(sorted({code for layer in self._layers for pair in layer for code in pair}))

    def rate(self, currency: str, to_currency: str) -> Exchange | None:
        """What one unit of a currency is worth in another; None = nobody says.

        Of several days the newest: as it is told, turned round, or by way of a third currency. By a
        third, both legs are taken as near to one day as they can be, the older day is the rate's,
        and its source names both. A currency in itself is 1, on no day in particular (`date.max`).
        """
        here, there = currency.upper(), to_currency.upper()
        if here == there:
            return Exchange(here, there, Decimal(1), date.max, "the same currency")
        told = self._of(here, there)
        return told[0] if told else self._crossed(here, there)

    def convert(self, amount: Decimal, currency: str, to_currency: str) -> Decimal | None:
        """The amount in the other currency, not rounded; None = nobody knows a rate."""
        found = self.rate(currency, to_currency)
        return None if found is None else amount * found.rate

    def _of(self, here: str, there: str) -> tuple[Exchange, ...]:
        """The pair's rates out of the first layer that has any, either way round, newest first."""
        for layer in self._layers:
            told = layer.get((here, there), ())
            turned = (_turned(one) for one in layer.get((there, here), ()))
            if found := sorted((*told, *turned), key=lambda one: -one.day.toordinal()):
                return tuple(found)
        return ()

    def _crossed(self, here: str, there: str) -> Exchange | None:
        found = [
            _chained(first, second)
            for third in self.currencies
            if third not in (here, there)
            for first in self._of(here, third)
            for second in self._of(third, there)
        ]
        best = max(found, key=lambda item: item[:2], default=None)
        return best[2] if best else None


@cache
def builtin() -> tuple[Exchange, ...]:
    """The shipped rates, in the file's order."""
    with (FOLDER / "exchange.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Exchange(
                currency=row["x_Currency"],
                to_currency=row["x_ToCurrency"],
                rate=Decimal(row["x_Rate"]),
                day=date.fromisoformat(row["x_ValidFrom"]),
                source=row["x_Source"],
            )
            for row in csv.DictReader(file)
        )


def told(one: Exchange, as_of: date) -> str:
    """The rate in words, for whoever reads amounts that were converted at it: day, source, age.

    Args:
        as_of: a date, or a moment, whose UTC day counts.
    """
    head = f"1 {one.currency} is taken for {float(one.rate):.5g} {one.to_currency}"
    if one.legs:
        ways = [
            f"1 {leg.currency} for {float(leg.rate):.5g} {leg.to_currency} of {leg.day}"
            for leg in one.legs
        ]
        sources = "; ".join(dict.fromkeys(leg.source for leg in one.legs))
        text = f"{head}: {', '.join(ways)} ({sources})"
    else:
        text = f"{head}, the rate of {one.day} ({one.source})"
    old = age(one.day, as_of)
    return f"{text}: {old.days} days old, {REFRESH} fetches today's" if old.stale else text


def _pairs(rates: Iterable[Exchange]) -> dict[Pair, tuple[Exchange, ...]]:
    found: dict[Pair, tuple[Exchange, ...]] = {}
    for one in rates:
        pair = (one.currency, one.to_currency)
        found[pair] = (*found.get(pair, ()), one)
    return found


def _exchange(row: Mapping[str, object]) -> Exchange:
    day, rate = row["x_ValidFrom"], row["x_Rate"]
    assert isinstance(day, date)
    assert isinstance(rate, Decimal)
    return Exchange(
        currency=str(row["x_Currency"]).strip().upper(),
        to_currency=str(row["x_ToCurrency"]).strip().upper(),
        rate=rate,
        day=day,
        source=str(row["x_Source"] or _NOT_STATED),
    )


def _sifted(
    given: Iterable[Exchange], known: Exchanges, today: date | None
) -> tuple[list[Exchange], list[ExchangeRefusal]]:
    """What passes the gate, and what does not."""
    sound: list[Exchange] = []
    refused: list[ExchangeRefusal] = []
    for one in given:
        if fault := refusal(one, known.rate(one.currency, one.to_currency), today):
            refused.append(fault)
        else:
            sound.append(one)
    return sound, refused


def _turned(one: Exchange) -> Exchange:
    return replace(one, currency=one.to_currency, to_currency=one.currency, rate=1 / one.rate)


def _chained(first: Exchange, second: Exchange) -> tuple[int, int, Exchange]:
    """Two rates as one, after what makes it better than another: its day, and how near the days."""
    days = sorted((first.day, second.day))
    sources = dict.fromkeys((first.source, second.source))
    crossed = Exchange(
        currency=first.currency,
        to_currency=second.to_currency,
        rate=first.rate * second.rate,
        day=days[0],
        source=f"by way of {first.to_currency}: {'; '.join(sources)}",
        legs=(first, second),
    )
    return days[0].toordinal(), -(days[1] - days[0]).days, crossed

"""The sanity gate of exchange rates: what cannot be is refused, what is far off is told.

What a rate is held against is the newest that is known of its pair: the shipped one, or what the
European Central Bank's list said since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from costopt.model import Exchange
from costopt.model.currency import CURRENCIES
from costopt.pricing.multiples import multiple
from costopt.schema import PUBLISHED

FACTOR: Final = 3.0
"""How many times the known rate is too far. From 2016 to April 2026 no currency of the table but
the lira moved that far against the euro (the real by 2.2)."""
FAR: Final = 1.25
"""How many times it is told. In the same years no currency of the table but the lira, the real, the
rouble, Mexico's peso, the rand and the krone moved that far within half a year."""


@dataclass(frozen=True, slots=True)
class ExchangeRefusal:
    """A rate that was not taken, and why."""

    exchange: Exchange
    reason: str  # not-positive | unknown-currency | implausible | upside-down | future
    detail: str  # one sentence for people


@dataclass(frozen=True, slots=True)
class ExchangeCaution:
    """A rate that was taken, and is far off the known one."""

    exchange: Exchange
    detail: str  # one sentence for people


def is_currency(code: str) -> bool:
    """Whether it is a currency of ISO 4217, in capital letters."""
    return code in CURRENCIES


def refusal(
    given: Exchange, known: Exchange | None, today: date | None = None
) -> ExchangeRefusal | None:
    """Why the rate is not taken; None = it is.

    Args:
        known: of the same pair; None = nothing to hold it against.
        today: no rate is of a later day; None = any may be.
    """
    for reason, detail in _faults(given, known, today):
        return ExchangeRefusal(given, reason, detail)
    return None


def caution(given: Exchange, known: Exchange | None) -> ExchangeCaution | None:
    """What to say of a rate that is taken; None = nothing.

    Args:
        known: as of `refusal`.
    """
    if known is None or 1 / FAR <= float(given.rate / known.rate) <= FAR:
        return None
    return ExchangeCaution(given, _off(given, known))


def _faults(
    given: Exchange, known: Exchange | None, today: date | None
) -> Iterator[tuple[str, str]]:
    for code in (given.currency, given.to_currency):
        if not is_currency(code):
            yield "unknown-currency", f"{code!r} is no currency of ISO 4217"
    if today is not None and given.day > today:
        yield "future", f"its day, {given.day}, is yet to come"
    if given.rate <= 0:
        yield "not-positive", "a rate is above zero"
    elif given.currency == given.to_currency:
        if given.rate != 1:
            yield "implausible", "a currency is worth 1 in itself"
    elif known is not None:
        yield from _against(given, known)


def _against(given: Exchange, known: Exchange) -> Iterator[tuple[str, str]]:
    """A published list is never taken for upside down: each of its rates is of a euro, whatever
    that is worth."""
    away, turned = (
        max(times, 1 / times)
        for times in (float(given.rate / known.rate), float(given.rate * known.rate))
    )
    if given.source not in PUBLISHED and turned < min(away, FACTOR):
        yield (
            "upside-down",
            f"{_off(given, known)}; it seems to be the other way round, of one "
            f"{given.to_currency} in {given.currency}",
        )
    elif away > FACTOR:
        yield "implausible", _off(given, known)


def _off(given: Exchange, known: Exchange) -> str:
    return multiple(float(given.rate / known.rate), f"the {known.rate:.6g} of {known.day}")

"""Units and money: the month, the grid of a day, and exact sums. Defined once, used everywhere."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final

HOURS_PER_MONTH: Final = 730
"""A month is 730 hours (8760 / 12), as AWS Cost Optimization Hub, Infracost and the FinOps
vocabulary normalise it; never 30 days."""

SECONDS_PER_DAY: Final = 86_400
MINUTES_PER_DAY: Final = 1440
GIB: Final = 1024**3

_MICRO: Final = Decimal("0.000001")
_CENT: Final = Decimal("0.01")


def money(value: Decimal | float | int | str) -> Decimal:
    """The amount rounded to micro-units (1e-6), half to even, so that sums for people are exact.

    Floats pass through their shortest repr (0.1 is 0.1, not 0.1000000000000000055).
    """
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return exact.quantize(_MICRO, rounding=ROUND_HALF_EVEN)


def cents(value: Decimal) -> Decimal:
    """The amount rounded to the invoice's two decimals, half to even."""
    return value.quantize(_CENT, rounding=ROUND_HALF_EVEN)


def cents_down(value: Decimal) -> Decimal:
    """The amount in whole cents, never more than it is: for savings, which must not be promised."""
    return value.quantize(_CENT, rounding=ROUND_FLOOR)


def cents_up(value: Decimal) -> Decimal:
    """The amount in whole cents, never less than it is: for added cost."""
    return value.quantize(_CENT, rounding=ROUND_CEILING)


def exact(value: Decimal) -> str:
    """A limit as it was given, with two places at the least: `10.00`, `0.005`."""
    cents = value.quantize(_CENT)
    return f"{cents:,}" if cents == value else f"{value:,f}"


def per_month(hourly: Decimal | float) -> Decimal:
    """What a price per hour comes to in a month of `HOURS_PER_MONTH` hours."""
    return money(money(hourly) * HOURS_PER_MONTH)


def counted(number: float, noun: str, form: str = ",") -> str:
    """`1 resource`, `2 resources`, `1,234 resources`, `0.5 days`: one only where it reads as one.

    Args:
        form: how the figure is written, as in f"{number:{form}}".
    """
    figure = f"{number:{form}}"
    return f"{figure} {noun}" if figure.strip(" +-") == "1" else f"{figure} {noun}s"


_PROVIDER_KEYS: Final = {
    "amazon": "aws",
    "amazon web services": "aws",
    "amazon web services, inc.": "aws",
    "google": "gcp",
    "google cloud": "gcp",
    "google cloud platform": "gcp",
    "microsoft": "azure",
    "microsoft azure": "azure",
    "hetzner cloud": "hetzner",
    "hetzner online": "hetzner",
    "hetzner online gmbh": "hetzner",
    "ovhcloud": "ovh",
    "ovh sas": "ovh",
    "ovh groupe sas": "ovh",
}


def provider_key(name: str) -> str:
    """The one key under which a provider's several names join: aws, gcp, azure, or lower case.

    Bills spell providers as FOCUS's ProviderName does ("Amazon Web Services", "Microsoft"); people
    and price files as "AWS", "azure".
    """
    plain = " ".join(name.split()).casefold()
    return _PROVIDER_KEYS.get(plain, plain)

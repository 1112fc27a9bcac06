"""What an hour of one's own machine costs, in parts that a finance person can check by hand."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from costopt.units import HOURS_PER_MONTH

HOURS_PER_YEAR: Final = 12 * HOURS_PER_MONTH
_SHOWN: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Ownership:
    """What owning a machine takes. Money in one currency."""

    purchase_price: Decimal
    years: Decimal
    salvage: Decimal  # what it is worth when they are over
    discount_rate: Decimal  # a year, as a share: 0.08
    kw: Decimal  # drawn at the plug, on average
    pue: Decimal  # power of the whole site / power of its machines
    power_price_kwh: Decimal
    hosting_monthly: Decimal
    maintenance_yearly: Decimal
    paid_off: bool = False  # its years are over: only what it takes to run still costs


@dataclass(frozen=True, slots=True)
class HourlyCost:
    """One hour, by what it is made of; each part is rounded to 1e-6, and they add up."""

    capital: Decimal
    maintenance: Decimal
    hosting: Decimal
    power: Decimal

    @property
    def total(self) -> Decimal:
        """The price of an hour."""
        return self.capital + self.maintenance + self.hosting + self.power


def recovery_factor(rate: Decimal, years: Decimal) -> Decimal:
    """The share of a loan that is paid each year, so that it is paid off at the end.

    r (1+r)^n / ((1+r)^n - 1); without interest 1/n.
    Source: the capital recovery factor of any engineering economics text.
    """
    if not rate:
        return 1 / years
    grown = (1 + rate) ** years
    return rate * grown / (grown - 1)


def hourly(owned: Ownership) -> HourlyCost:
    """The cost of an hour, whether the machine is busy or not: it is there all the same.

    A year is 12 months of 730 hours. The price less today's value of what is left at the end is
    spread evenly with interest: (price - salvage / (1+r)^n) * recovery factor.
    Source: the break-even of own machines in docs/providers/prometheus.md.
    """
    yearly = Decimal(0) if owned.paid_off else _capital(owned)
    return HourlyCost(
        capital=_rounded(yearly / HOURS_PER_YEAR),
        maintenance=_rounded(owned.maintenance_yearly / HOURS_PER_YEAR),
        hosting=_rounded(owned.hosting_monthly / HOURS_PER_MONTH),
        power=_rounded(owned.kw * owned.pue * owned.power_price_kwh),
    )


def _capital(owned: Ownership) -> Decimal:
    """What a year of it takes, as a bank would ask for it."""
    left = owned.salvage / (1 + owned.discount_rate) ** owned.years
    return (owned.purchase_price - left) * recovery_factor(owned.discount_rate, owned.years)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_SHOWN, rounding=ROUND_HALF_EVEN)

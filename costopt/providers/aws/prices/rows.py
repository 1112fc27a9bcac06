"""Prices on their way into the common frame, and how a list's words become them."""

from __future__ import annotations

import re
import sys
from datetime import date
from decimal import Decimal
from typing import Final

from costopt.model import Price

PROVIDER: Final = "AWS"
# An hour of the dearest machine costs below 1,000 dollars, three years of it upfront below a
# hundred million; and what is larger than UNIT_PRICE holds cannot be kept.
_MOST: Final = Decimal("1e9")
_AMOUNT: Final = re.compile(r"\d{1,12}(?:\.\d{1,18})?")
_TYPE: Final = re.compile(r"[a-z][a-z0-9-]{0,30}\.[a-z0-9-]{1,30}")
_TERM: Final = re.compile(r"([135]) ?(?:yr|year)s?")
_PAYMENTS: Final = {
    "no upfront": "no-upfront",
    "partial upfront": "partial-upfront",
    "all upfront": "all-upfront",
}


def currency_of(region: str) -> str:
    """The currency of a region's list: China's are in yuan, all others in dollars."""
    return "CNY" if region.startswith("cn-") else "USD"


def amount(text: str) -> Decimal | None:
    """An exact amount of money; None = not one."""
    found = Decimal(text) if _AMOUNT.fullmatch(text) else None
    return found if found is not None and found < _MOST else None


def is_type(text: str) -> bool:
    """Whether it is the name of a machine type, as `m5.large` or `u-6tb1.metal`."""
    return _TYPE.fullmatch(text) is not None


def foreign(row_region: str, currency: str, name: str, region: str) -> str:
    """Why a list's row cannot be one of the region's prices; "" = it can.

    Nothing of the row itself is repeated: it is what somebody on the network said.
    """
    if row_region != region:
        return "of another region"
    if currency != currency_of(region):
        return f"not in {currency_of(region)}"
    return "" if is_type(name) else "no machine type's name"


def day(text: str) -> date | None:
    """The day of a date or date-time in ISO form; None = not one."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def years(text: str) -> int | None:
    """The years of "1yr", "3 yr" or "3 year"; None = not such a length."""
    found = _TERM.fullmatch(text.strip().casefold())
    return int(found[1]) if found else None


def term(length: int, payment: str, kind: str) -> str | None:
    """How a commitment stands in x_Term; None where its payment is none we know.

    Args:
        length: years.
        payment: "No Upfront", "Partial Upfront" or "All Upfront".
        kind: "" for a standard reserved instance, else what it is: "convertible",
            "compute-savings-plan", "instance-savings-plan".
    """
    paid = _PAYMENTS.get(payment.strip().casefold())
    return None if paid is None else sys.intern(f"{length}yr {paid} {kind}".rstrip())


class Newest:
    """Prices of one list; of two of the same thing the one that came into effect later."""

    def __init__(self) -> None:
        self._held: dict[tuple[str | None, ...], tuple[tuple[str, str], Price]] = {}

    def add(self, price: Price, effective: str, sku: str) -> None:
        """Keep the price, unless a later one is held; `sku` decides where the dates do not."""
        key = (price.instance_type, price.operating_system, price.term)
        held = self._held.get(key)
        if held is None or held[0] < (effective, sku):
            self._held[key] = ((effective, sku), price)

    def prices(self) -> list[Price]:
        """One for each type, system and term."""
        return [price for _, price in self._held.values()]

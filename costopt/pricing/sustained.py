"""Google's sustained use discounts: what comes off a machine's list price by how long it runs.

They are given without asking, on what no commitment covers and what is not spot, and only to
accounts that pay online, not by invoice. List prices are without them; a bill has them, as credits.
Cards attached to N1 have them, too; those that a type brings along (A100, H100, L4) do not.

Source: Compute Engine, "Sustained use discounts" (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

# Of the base price, for each quarter of the month that it runs.
_TO_30: Final = (Decimal(1), Decimal("0.8"), Decimal("0.6"), Decimal("0.4"))
_TO_20: Final = (Decimal(1), Decimal("0.8678"), Decimal("0.733"), Decimal("0.6"))
_QUARTERS: Final[Mapping[str, tuple[Decimal, ...]]] = {
    "custom": _TO_30,  # of N1, which needs no name
    "f1": _TO_30, "g1": _TO_30, "n1": _TO_30, "m1": _TO_30, "m2": _TO_30,
    "c2": _TO_20, "n2": _TO_20, "n2d": _TO_20,
    "nvidia-tesla-k80": _TO_30, "nvidia-tesla-p4": _TO_30, "nvidia-tesla-p100": _TO_30,
    "nvidia-tesla-t4": _TO_30, "nvidia-tesla-v100": _TO_30,
}  # fmt: skip
_QUARTER: Final = Decimal("0.25")


def kind(instance_type: str) -> str:
    """What types must share to be discounted alike: their series, or the accelerator itself."""
    name = instance_type.casefold()
    return name if name.startswith("nvidia-") else name.partition("-")[0]


def discount(instance_type: str, month: Decimal) -> Decimal:
    """The share of the list price that comes off, 0..0.3; 0 for series that have no such discount.

    Args:
        instance_type: of Google's: n1-standard-4, n2-custom-4-8192; or an accelerator's:
            nvidia-tesla-t4.
        month: share of the month's hours that machines of its size run, 0..1; those of one region
            and account follow one another.
    """
    quarters = _QUARTERS.get(kind(instance_type))
    if quarters is None or month <= 0:
        return Decimal(0)
    left, paid = min(month, Decimal(1)), Decimal(0)
    ran = left
    for price in quarters:
        part = min(left, _QUARTER)
        paid += part * price
        left -= part
    return 1 - paid / ran


def dearer(instance_type: str, reduced: float, kept: float) -> float:
    """By what an hour on demand gets dearer when a machine runs less, 1..1.43; 1 where it does not.

    A bill has the discount of the hours that ran: who stops a machine at night loses some of it on
    those that stay. What a bill tells is a share of the price, so that accounts without sustained
    use discounts (paid by invoice) get dearer by nothing.

    Args:
        instance_type: as for `discount`.
        reduced: share of the price that came off, 0..1 (model.bill.Usage.reduced).
        kept: share of the hours that still run, 0..1.
    """
    ran = _ran(instance_type, min(1 - Decimal(repr(reduced)), Decimal(1)))
    after = discount(instance_type, ran * Decimal(repr(kept)))
    return float((1 - after) / (1 - discount(instance_type, ran)))


def _ran(instance_type: str, paid: Decimal) -> Decimal:
    """The share of the month that a machine ran whose hours cost `paid` of the price on average;
    0 where nothing came off."""
    before = Decimal(0)
    if paid >= 1:
        return before
    for quarter, price in enumerate(_QUARTERS.get(kind(instance_type), ())):
        done = quarter * _QUARTER
        # before + price (ran - done) = paid ran
        ran = (before - price * done) / (paid - price) if paid > price else Decimal(1)
        if ran <= done + _QUARTER:
            return ran
        before += price * _QUARTER
    return Decimal(1) if before else before

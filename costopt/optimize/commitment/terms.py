"""What is sold: terms and payments, brought to one rate per hour by the cost of capital."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from costopt.units import HOURS_PER_MONTH

MONTHS_PER_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Term:
    """One way to commit to a unit of demand."""

    name: str
    months: int  # 12, 36, ..: whole years
    hourly: float  # paid as it goes, per unit and hour, used or not
    upfront: float = 0.0  # paid when it is bought, per unit

    def __post_init__(self) -> None:
        if self.months < MONTHS_PER_YEAR or self.months % MONTHS_PER_YEAR:
            raise ValueError(f"{self.name}: a term is of whole years")
        if min(self.hourly, self.upfront) < 0 or self.hourly + self.upfront == 0:
            raise ValueError(f"{self.name}: what is paid is above 0")

    @property
    def years(self) -> int:
        """Years that it binds."""
        return self.months // MONTHS_PER_YEAR

    def rate(self, cost_of_capital: float = 0.0) -> float:
        """Per unit and hour, as if paid month by month: what makes all payments comparable.

        Args:
            cost_of_capital: per year; 0.08 = 8 %. What is paid upfront could have earned that.
        """
        monthly = (1 + cost_of_capital) ** (1 / MONTHS_PER_YEAR) - 1
        # The value today of 1 paid at the end of each month.
        months = (1 - (1 + monthly) ** -self.months) / monthly if monthly else float(self.months)
        return self.hourly + self.upfront / months / HOURS_PER_MONTH


def cheapest_payments(terms: Iterable[Term], cost_of_capital: float) -> list[Term]:
    """Of each length the term with the lowest rate, shortest first; of equal ones the first name.

    Payments of one length bind alike, so that only their rates count.
    """
    best: dict[int, Term] = {}
    for term in sorted(terms, key=lambda one: (one.rate(cost_of_capital), one.name)):
        best.setdefault(term.months, term)
    return [best[months] for months in sorted(best)]

"""What of AWS's bill does not add up, beside what could not be used of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from costopt.providers.base import Problem
from costopt.providers.bills import complaints

_CENT: Final = Decimal("0.01")


@dataclass
class Complaints(complaints.Complaints):
    """Those of a bill that may have savings plans."""

    left: Decimal = Decimal(0)  # of usage under savings plans that no negation takes back

    def problems(self, where: str) -> Iterator[Problem]:
        """One for each kind; fatal where it cost rows."""
        yield from super().problems(where)
        if abs(self.left) >= _CENT:
            what = (
                f"usage under savings plans and its negations differ by {self.left:.2f}: are lines "
                "left out of the export? Billed costs are as if they did not"
            )
            yield Problem(where, what)

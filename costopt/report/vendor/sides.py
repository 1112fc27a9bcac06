"""What costopt and a vendor say of one resource, side by side, and all of it together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from costopt.model import Recommendation, Resource
from costopt.report.vendor.advice import Advice
from costopt.report.vendor.judging import Judged

_ZERO: Final = Decimal(0)


class Verdict(StrEnum):
    """How the two stand to one another, the widest apart first."""

    OPPOSITE = "opposite"
    ONLY_THEM = "only them"
    ONLY_US = "only us"
    DIRECTION = "same direction"
    AGREE = "agree"


@dataclass(frozen=True, slots=True)
class Compared:
    """One resource on which either has advice."""

    resource: Resource
    ours: Recommendation | None
    theirs: Advice | None
    verdict: Verdict
    why: str
    judged: Judged | None  # their type by our own model; None: there is none, or it cannot be
    supported: Decimal | None  # a month, of what they claim, in their currency; None = not judged

    @property
    def currencies(self) -> frozenset[str]:
        """Of all amounts that either states."""
        ours = self.ours.currency if self.ours else None
        theirs = self.theirs.currency if self.theirs else None
        return frozenset(filter(None, (ours, theirs)))

    @property
    def weight(self) -> Decimal:
        """The larger of the two savings, by which rows stand in order."""
        ours = self.ours.estimated_monthly_savings.target if self.ours else _ZERO
        theirs = self.theirs.monthly_savings if self.theirs else _ZERO
        return max(abs(ours), abs(theirs or _ZERO))


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums a month over the rows that are in the report's currency, the same rows in each."""

    ours: Decimal  # what our advice on these resources saves
    claimed: Decimal  # what the vendors state, at their own prices
    supported: Decimal  # of it, what our own model finds
    unjudged: Decimal  # of what is claimed, what cannot be judged


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything to be shown."""

    as_of: datetime
    currency: str
    asked: Mapping[str, int]  # source -> accounts in which it was; of those compared with
    rows: tuple[Compared, ...]  # the largest saving of either first
    totals: Totals
    notes: tuple[str, ...]

    @property
    def counts(self) -> dict[Verdict, int]:
        """Rows by verdict; each is there."""
        found = Counter(row.verdict for row in self.rows)
        return {verdict: found[verdict] for verdict in Verdict}

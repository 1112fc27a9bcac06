"""What may be set of the commit rule, with bounds; descriptions become options and docs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from costopt.optimize.commitment import Caution
from costopt.rules.base import RuleSettings

TermName = Literal["any", "1yr", "3yr"]
Payment = Literal["any", "no-upfront", "partial-upfront", "all-upfront"]


class CommitSettings(RuleSettings):
    """commit: what is worth buying ahead, for how long, and how surely. See docs/commitments.md."""

    term: TermName = Field("any", description="how long one is willing to be bound")
    payment: Payment = Field("any", description="how one is willing to pay")
    least_weeks: float = Field(
        4.0, ge=2, le=520, description="fewest weeks of bill that a purchase may rest on"
    )
    least_weeks_long: float = Field(
        26.0, ge=2, le=520, description="fewest weeks of bill for terms of more than a year"
    )
    young_days: float = Field(
        28.0,
        ge=0,
        le=3650,
        description="what was first billed fewer days ago, and took nothing's place, is left out",
    )
    gone_days: float = Field(
        7.0,
        gt=0,
        le=3650,
        description="what was last billed more days ago, and has no successor, is left out",
    )
    confidence: float = Field(
        0.9, gt=0, lt=1, description="of the bound on how often a layer of demand is needed"
    )
    yearly_decline: float = Field(
        0.1, ge=0, lt=1, description="share of demand feared lost each year; 0 = none"
    )
    tranches: int = Field(4, ge=1, le=12, description="months that a purchase is spread over")
    cost_of_capital: float = Field(
        0.08, ge=0, le=1, description="per year: what money paid upfront could have earned"
    )
    low_utilisation: float = Field(
        0.95, ge=0, le=1, description="share used below which a held commitment is told of"
    )
    ending_days: float = Field(
        90.0,
        ge=0,
        le=3650,
        description="days before its end that a held commitment is told of, and replaced",
    )

    @property
    def caution(self) -> Caution:
        """How sure one must be."""
        return Caution(confidence=self.confidence, yearly_decline=self.yearly_decline)

"""What may be set of the rightsize rule, with bounds; descriptions become options and docs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from costopt.config import LONGEST_DAYS
from costopt.optimize.cost import ROLLBACK_COSTS
from costopt.optimize.smt import SMT_SPEEDUP
from costopt.rules.base import RuleSettings
from costopt.rules.threads import Speedup, Speedups


def _named(cost: object) -> object:
    return ROLLBACK_COSTS.get(cost, cost) if isinstance(cost, str) else cost


RollbackCost = Annotated[float, BeforeValidator(_named), Field(gt=0, le=1000)]
"""A setting: kappa, as a number or by name."""


class RightsizeSettings(RuleSettings):
    """Settings of the rightsize rule."""

    rollback_cost: RollbackCost = Field(
        ROLLBACK_COSTS["default"],
        description="price of one rollback, in windows of 14 days of the machine that holds the "
        "highest demand seen: a number, or cautious (2), default (0.5), bold (0.2)",
    )
    risk_budget_percent: float = Field(
        100.0,
        gt=0,
        le=100,
        description="share of machines that may be rolled back in a window, by the fleet's own "
        "past; it can only make advice more cautious; 100 = no bound",
    )
    limit_percent: float = Field(
        90.0, gt=0, le=100, description="CPU that may be exceeded 0.5 % of the time, at most"
    )
    smt_speedup: Speedup = Field(
        0.0,
        description="speed of a hardware thread whose core's other one is busy too, as a share of "
        "its speed alone (0.63 compiling, 0.86 a network server); 0 = vCPUs count by number",
    )
    smt_speedups: Speedups = Field({}, description="the same by instance type or family")
    memory_headroom_percent: float = Field(
        15.0, ge=0, lt=100, description="share of the new machine's memory free at its peak"
    )
    memory_budget_percent: float = Field(
        1.0,
        gt=0,
        le=100,
        description="share of machines that may run out of memory; where the fleet's own past "
        "shows more, more is kept free",
    )
    size_memory: bool = Field(
        True, description="false: memory figures are not trusted, a target keeps today's memory"
    )
    min_savings_percent: float = Field(
        10.0, ge=0, lt=100, description="smallest saving worth a change, of today's compute cost"
    )
    family_savings_percent: float = Field(
        15.0,
        ge=0,
        lt=100,
        description="how much less a smaller machine of another family must cost than the best of "
        "today's, to leave it",
    )
    cooldown_days: float = Field(
        14.0,
        ge=0,
        le=LONGEST_DAYS,
        description="a machine resized less than this ago is left alone",
    )
    allow_architecture_change: bool = Field(
        False, description="offer arm64 to x86_64 machines and the reverse"
    )
    allow_burstable: bool = Field(
        False, description="offer burstable types to machines that are not"
    )
    allow_local_disk_loss: bool = Field(
        False, description="offer types with less local disk than today's"
    )
    allow_scaling_groups: bool = Field(
        False, description="also size members of scaling groups one by one"
    )
    upsize: bool = Field(
        True, description="advise a larger type where demand is cut off by the machine's size"
    )

    @property
    def risk_budget(self) -> float | None:
        """`risk_budget_percent` as a share 0..1; None = no bound."""
        return None if self.risk_budget_percent >= 100 else self.risk_budget_percent / 100


def with_smt(settings: RightsizeSettings) -> RightsizeSettings:
    """The settings with the SMT correction at its worst where it is off."""
    if settings.smt_speedup:
        return settings
    return settings.model_copy(update={"smt_speedup": SMT_SPEEDUP})

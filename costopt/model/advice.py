"""What it costs, what to change, and what a run found in all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from costopt.model.demand import Finding
from costopt.model.fleet import NOTHING, Window
from costopt.model.owning import OwnClass
from costopt.model.week import WeekPlan


class ActionType(StrEnum):
    """What to do; AWS Cost Optimization Hub's vocabulary, our additions with FOCUS's x_."""

    RIGHTSIZE = "Rightsize"
    STOP = "Stop"
    DELETE = "Delete"
    SCALE_IN = "ScaleIn"
    UPGRADE = "Upgrade"
    MIGRATE_TO_GRAVITON = "MigrateToGraviton"
    PURCHASE_SAVINGS_PLANS = "PurchaseSavingsPlans"
    PURCHASE_RESERVED_INSTANCES = "PurchaseReservedInstances"
    SCHEDULE = "x_Schedule"
    SPOT = "x_Spot"
    MOVE_REGION = "x_MoveRegion"
    MOVE_PROVIDER = "x_MoveProvider"
    REPATRIATE = "x_Repatriate"


PURCHASES: Final = (ActionType.PURCHASE_SAVINGS_PLANS, ActionType.PURCHASE_RESERVED_INSTANCES)
"""What is bought ahead: of a whole bill, not of one resource."""


class Effort(StrEnum):
    """Implementation effort, as Cost Optimization Hub grades it."""

    VERY_LOW = "VeryLow"
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a resource costs a month, as the bill (or else the price list) has it.

    `compute` is the part that ends when the machine stops; disks, addresses and licences bill on.
    """

    monthly: Decimal  # effective, after discounts and commitments, everything on the resource
    compute: Decimal  # effective, of it what stops with the machine
    compute_list: Decimal  # the same usage at list price
    hourly_effective: Decimal | None  # effective compute cost of one running hour
    running_share: float  # share of the window's hours that were billed (or running)
    committed_share: float  # share of `compute` covered by a commitment discount
    currency: str
    basis: str  # "charges" | "list"


@dataclass(frozen=True, slots=True)
class Offer:
    """A machine at a price: the `current` and `recommended` of a recommendation."""

    provider_name: str
    region_id: str | None
    instance_type: str | None
    vcpus: float | None
    memory_gib: float | None
    gpu_model: str | None = None
    gpu_count: int = 0
    hourly_price: Decimal | None = None  # list, in `currency`
    currency: str | None = None  # of hourly_price; a bill may be in another
    pricing_category: str | None = "Standard"


@dataclass(frozen=True, slots=True)
class Savings:
    """Estimated monthly savings after discounts (low, target, high) and at list price."""

    low: Decimal
    target: Decimal
    high: Decimal
    at_list: Decimal | None
    basis: str  # "charges" | "list"


@dataclass(frozen=True, slots=True)
class Risk:
    """Expected share of time over the limit on the recommended size, with its upper bound; and the
    chance that it must be undone."""

    limit_percent: float
    expected_share: float
    upper_bound: float
    method: str
    rollback_probability: float | None = None  # within `horizon_days`; None = not modelled
    rollback_probability_upper: float | None = None  # one-sided 95 %
    horizon_days: float | None = None
    confidence: str | None = None  # in words people understand


@dataclass(frozen=True, slots=True)
class Guard:
    """When to undo a change: as soon as `samples` periods were over the limit before `until`.

    Whoever counts sees samples, not their reasons. So beside the budget of the change `samples`
    holds what was over the limit in the past through no fault of it, and is expected to go on.
    """

    metric_name: str  # cpu_utilization | memory_utilization, of the recommended machine
    limit_percent: float  # of the recommended machine
    samples: int  # revert once so many periods were over the limit, since the change
    period_seconds: int
    horizon_days: float  # the rule holds for so long after the change
    until: datetime  # that moment if the change is made at as_of
    allowed_today: int = 0  # of `samples`: today's machine would be over the limit as well
    allowed_disputed: int = 0  # of `samples`: disputed CPU spikes over the limit


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to change, by how much the bill falls, how sure it is, and why."""

    rule: str
    action_type: ActionType
    resource_id: str
    resource_name: str | None
    sub_account_id: str | None
    current: Offer
    recommended: Offer | None  # None: nothing runs afterwards (Stop, Delete)
    estimated_monthly_cost: Decimal  # after the change
    estimated_monthly_savings: Savings
    currency: str
    lookback: Window
    reason: str  # one sentence a person can check
    implementation_effort: Effort
    restart_needed: bool
    rollback_possible: bool
    evidence: Mapping[str, Any]  # JSON-ready figures the decision rests on
    alternatives: tuple[Offer, ...] = ()
    risk: Risk | None = None
    backtest: Mapping[str, Any] | None = None  # None: not replayed
    guards: tuple[Guard, ...] = ()  # when to undo it; none where nothing runs afterwards
    stranded_commitment: Decimal = Decimal(0)  # a month, of the commitment left unused
    schedule: WeekPlan | None = None  # of x_Schedule: when it runs
    replicas: int | None = None  # machines of a scaling group today; None: one machine
    tags: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    current_monthly_cost: Decimal | None = None
    """Of the resource, today; None = what it costs afterwards and what is saved together."""
    saved_on_others: Decimal = Decimal(0)
    """Of the saving, beyond what the resource itself costs: what it frees covers others."""
    paid_elsewhere: Decimal = Decimal(0)
    """A month, beside today's bills: of a machine that moves what runs there, and what its storage
    and traffic cost more than here."""
    assumed_coverage: tuple[str, ...] = ()  # `X covers Y`, in words: never seen to
    unreconciled: bool = False  # the bill reckoned anew is too far off to vouch for the saving

    @property
    def recommendation_id(self) -> str:
        """Stable over runs: the hash of resource, action and target."""
        target = self.recommended
        place = (
            (target.provider_name, target.region_id or "", target.instance_type or "")
            if target
            else ()
        )
        text = "\x1f".join((self.resource_id, self.action_type, *place))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a rule gave no advice on a resource: a result, never silence."""

    resource_id: str
    rule: str  # "" = before any rule (the quality gate, say)
    reason: str  # code: kebab-case, stable, counted in the summary
    detail: str  # one sentence for people


@dataclass(frozen=True, slots=True)
class Summary:
    """The totals over a report."""

    monthly_spend: Decimal
    monthly_savings: Decimal  # net: what larger machines cost more is taken off
    monthly_spend_after: Decimal
    reconciled_percent: float | None  # share of the bill found on known resources; None: no bill
    resources: int
    well_sized: int  # judged, and nothing to change
    recommendations: int
    skips: Mapping[str, int]  # reason code -> count
    monthly_extra_cost: Decimal = Decimal(0)  # what advice to larger machines costs more, above 0


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of change of the plan: what the bill falls by once those before it are made."""

    kind: str  # stop | schedule | size | grow
    monthly_savings: Decimal
    recommendations: int


@dataclass(frozen=True, slots=True)
class Reckoned:
    """How far savings on one provider's bill can be vouched for."""

    provider: str  # units.provider_key
    monthly_cost: Decimal  # of it reckoned anew: machines' time, and commitments
    residue_percent: float  # of that, how far it is from what was billed
    reconciled: bool
    left_out: tuple[tuple[str, Decimal], ...]  # (what, a month): what savings do not touch


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run found: what every format renders."""

    as_of: datetime
    window: Window
    currency: str
    summary: Summary
    recommendations: tuple[Recommendation, ...]
    skips: tuple[Skip, ...]
    findings: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()  # how the savings come about, in order; they add up to them
    notes: tuple[str, ...] = ()  # what a reader must know (stale data, no bill, mixed currencies)
    bills: tuple[Reckoned, ...] = ()  # by provider, those that there are
    own_machines: tuple[OwnClass, ...] = ()  # by class of a file of what one's own cost
    independent: bool = False  # each recommendation as if it stood alone: they do not add up

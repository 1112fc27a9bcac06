"""The nouns: what every part of costopt speaks of. Frozen, without I/O, without Arrow.

Money is Decimal in the named currency; a month is `units.HOURS_PER_MONTH` hours; shares are 0..1;
utilizations are percent 0..100 of the whole resource; times are UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


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
    MOVE_REGION = "x_MoveRegion"
    MOVE_PROVIDER = "x_MoveProvider"
    REPATRIATE = "x_Repatriate"


class Effort(StrEnum):
    """Implementation effort, as Cost Optimization Hub grades it."""

    VERY_LOW = "VeryLow"
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class Series(NamedTuple):
    """What one line of samples is of, at whatever period."""

    resource_id: str
    metric_name: str
    statistic: str  # mean | max
    device: str  # "" = the whole resource


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time: start inclusive, end exclusive, both UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment.utcoffset() != timedelta(0):
                raise ValueError(f"a window is in UTC, not {moment!r}")
        if self.end < self.start:
            raise ValueError(f"a window ends after it starts: {self.start} .. {self.end}")

    @property
    def days(self) -> float:
        """Length in days of 24 hours."""
        return (self.end - self.start) / timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """A machine type: what one can buy."""

    provider_name: str
    instance_type: str
    vcpus: float
    memory_gib: float | None = None
    physical_cores: float | None = None
    architecture: str | None = None  # x86_64 | arm64
    gpu_model: str | None = None
    gpu_count: int = 0
    gpu_memory_gib: float | None = None  # of one card
    burstable_baseline_percent: float | None = None  # of the whole machine; None = not burstable
    network_gbps: float | None = None
    local_disk_gib: float = 0.0
    family: str | None = None
    current_generation: bool | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What one machine of a type costs for one hour."""

    provider_name: str
    region_id: str | None  # None = every region
    instance_type: str
    list_unit_price: Decimal
    currency: str = "USD"
    pricing_category: str = "Standard"  # Standard | Dynamic (spot) | Committed
    operating_system: str | None = None
    term: str | None = None
    valid_from: date | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing on the bill, as it is now; `resized_at` says since when it has this shape."""

    resource_id: str
    provider_name: str
    resource_name: str | None = None
    resource_type: str | None = None
    service_name: str | None = None
    sub_account_id: str | None = None
    region_id: str | None = None
    instance_type: str | None = None
    vcpus: float | None = None
    memory_gib: float | None = None
    gpu_model: str | None = None
    gpu_count: int = 0
    gpu_memory_gib: float | None = None
    architecture: str | None = None
    operating_system: str | None = None
    pricing_category: str | None = None
    state: str | None = None
    launched_at: datetime | None = None
    resized_at: datetime | None = None
    scaling_group: str | None = None
    time_zone: str = "UTC"
    tags: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    attributes: Mapping[str, str] = field(default_factory=lambda: NOTHING)


def is_machine(resource: Resource) -> bool:
    """Whether it is a machine that rules on CPU and memory concern; a disk or an address is not."""
    return resource.instance_type is not None or resource.vcpus is not None


_STOPPED: Final = frozenset(
    {"stopped", "stopping", "terminated", "terminating", "deallocated", "deallocating"}
    | {"suspended", "suspending", "shutting-down", "shutdown", "off", "poweredoff", "powered off"}
    | {"vm stopped", "vm deallocated", "deleted", "inactive"}
)
"""The states in which AWS, Azure, GCP and hypervisors report a machine that does not run. A state
not listed is taken as running: its samples say so."""


def is_stopped(resource: Resource) -> bool:
    """Whether the machine does not run now, so that nothing about it can be stopped or measured."""
    return (resource.state or "").strip().casefold().removeprefix("powerstate/") in _STOPPED


def is_billed(resource: Resource) -> bool:
    """Whether its computing costs: an Azure machine that was shut down from inside, and is not
    deallocated, keeps its place and costs as if it ran."""
    kept = resource.state == resource.attributes.get("power_state") == "stopped"
    return kept or not is_stopped(resource)


@dataclass(frozen=True, slots=True)
class Profile:
    """One row of the profiles table (see schema.PROFILES for units and definitions)."""

    resource_id: str
    metric_name: str
    statistic: str
    device: str  # "" = the whole resource
    period_seconds: int
    time_zone: str
    count: int
    expected: int
    coverage: float
    first: datetime
    last: datetime
    mean: float
    std: float
    min: float
    max: float
    p50: float
    p90: float
    p95: float
    p99: float
    p99_5: float
    share_under_1: float | None
    share_under_5: float | None
    longest_idle_seconds: int | None
    longest_gap_seconds: int
    longest_flat_seconds: int
    days: int
    duplicates: int  # what compaction saw in the window's days and did not keep, this and below
    conflicts: int
    refused_low: int
    refused_high: int
    not_finite: int
    off_grid: int
    # compact arrays where there are ten thousands of profiles (four bytes a figure, not thirty)
    histogram: Sequence[int] | None
    week_mean: Sequence[float]
    week_p95: Sequence[float]
    week_count: Sequence[int]

    def share_over(self, percent: float) -> float:
        """Share of samples in histogram bins wholly or partly above `percent` (never too low).

        Only for percent metrics; `percent` is rounded down to the bin's edge.
        """
        if self.histogram is None:
            raise ValueError(f"{self.metric_name} has no histogram: it is not a percentage")
        return sum(self.histogram[max(0, int(percent)) :]) / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Disputed:
    """CPU spikes that the machine's other metrics speak against, and the distribution without."""

    samples: int
    example_at: datetime  # start of the earliest disputed sample
    example_value: float  # percent
    mean: float  # this and below: of the remaining samples
    std: float
    max: float
    p50: float
    p90: float
    p95: float
    p99: float
    p99_5: float
    histogram: Sequence[int]
    times: Sequence[int] = ()  # starts of the disputed samples, seconds since 1970, ascending

    def corroborated(self, profile: Profile) -> Profile:
        """That CPU profile with the disputed samples left out of its distribution.

        The week and the runs stay: they describe time, and the spikes are few.
        """
        return replace(
            profile,
            count=profile.count - self.samples,
            mean=self.mean,
            std=self.std,
            max=self.max,
            p50=self.p50,
            p90=self.p90,
            p95=self.p95,
            p99=self.p99,
            p99_5=self.p99_5,
            histogram=self.histogram,
        )


class FindingLevel(StrEnum):
    """What a quality finding does to the advice."""

    NOTE = "note"  # shown with the evidence
    GATE = "gate"  # the metric is unusable: rules that need it must skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the quality gate saw, with a count and an example."""

    resource_id: str
    metric_name: str  # "" = the resource as a whole
    check: str  # coverage | week-coverage | gap | duplicates | conflicts | out-of-range | ...
    level: FindingLevel
    count: int
    example: str
    detail: str


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
    tags: Mapping[str, str] = field(default_factory=lambda: NOTHING)

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
class Report:
    """Everything one run found: what every format renders."""

    as_of: datetime
    window: Window
    currency: str
    summary: Summary
    recommendations: tuple[Recommendation, ...]
    skips: tuple[Skip, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader must know (stale data, no bill, mixed currencies)

"""What a rule is given and what it owes: a Case in, one Recommendation, Skip or Fit out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from costopt.model import (
    Cost,
    Disputed,
    Finding,
    FindingLevel,
    Offer,
    Price,
    Profile,
    Recommendation,
    Resource,
    Shape,
    Skip,
    Window,
)
from costopt.optimize.outlook import Outlook
from costopt.optimize.weekly import Weekly
from costopt.pricing.catalogue import Catalogue


class RuleSettings(BaseModel):
    """Base of every rule's settings: field descriptions and bounds become options and docs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known of one resource when it is judged."""

    resource: Resource
    shape: Shape | None  # what it is: catalogue, else built from the resource's own columns
    price: Price | None  # list price of one running hour where it stands; None = unknown
    profiles: tuple[Profile, ...]
    findings: tuple[Finding, ...]
    disputed: Disputed | None  # CPU spikes that no witness confirms
    cost: Cost | None  # None = neither charges nor a list price
    catalogue: Catalogue
    window: Window  # what was looked at
    as_of: datetime
    min_monthly_savings: float  # in cost.currency
    outlook: Outlook | None = None  # the risk of other sizes; None = not asked, or too few samples
    weekly: Weekly | None = (
        None  # its past weeks; None = not asked, or no schedule can rest on them
    )
    replica: Offer | None = None  # of a scaling group: the machine that most members are
    replicas: int | None = None  # members that run now; None = no group

    def profile(self, metric_name: str, statistic: str = "mean") -> Profile | None:
        """The whole resource's profile of that metric that passed the gate; None = unmeasured.

        Where several periods are kept, the one with the most samples covering the window.
        """
        if self.gate(metric_name):
            return None
        candidates = [
            p
            for p in self.profiles
            if p.metric_name == metric_name and p.statistic == statistic and not p.device
        ]
        return max(candidates, key=lambda p: p.count * p.period_seconds, default=None)

    def gate(self, metric_name: str) -> Finding | None:
        """The finding that makes this metric (or the whole resource) unusable, if any."""
        for finding in self.findings:
            if finding.level is FindingLevel.GATE and finding.metric_name in ("", metric_name):
                return finding
        return None

    def unmeasured(self, metric_name: str, reason: str) -> tuple[str, str]:
        """Why `profile(metric_name)` is None: the gate's check and detail, or `reason`."""
        gate = self.gate(metric_name)
        return (gate.check, gate.detail) if gate else (reason, f"no samples of {metric_name}")

    @property
    def gpu_count(self) -> int:
        """Accelerators of the machine, by its inventory or its type; a model without a count: 1."""
        of_type = self.shape.gpu_count if self.shape else 0
        named = self.resource.gpu_model or (self.shape and self.shape.gpu_model)
        return max(self.resource.gpu_count, of_type, 1 if named else 0)

    @property
    def current(self) -> Offer:
        """What it is now, at its list price."""
        resource, shape, price = self.resource, self.shape, self.price
        return Offer(
            provider_name=resource.provider_name,
            region_id=resource.region_id,
            instance_type=resource.instance_type,
            vcpus=shape.vcpus if shape else resource.vcpus,
            memory_gib=shape.memory_gib if shape else resource.memory_gib,
            gpu_model=shape.gpu_model if shape else resource.gpu_model,
            gpu_count=self.gpu_count,
            hourly_price=price.list_unit_price if price else None,
            currency=price.currency if price else None,
            pricing_category=price.pricing_category if price else resource.pricing_category,
        )

    def worth_it(self, saving: Decimal) -> bool:
        """Whether a saving a month is worth a person's time."""
        return saving > 0 and saving >= Decimal(repr(self.min_monthly_savings))


def span(profile: Profile) -> Window:
    """The time that the profile's samples cover: what a decision on it looked back on."""
    return Window(profile.first, profile.last + timedelta(seconds=profile.period_seconds))


@dataclass(frozen=True, slots=True)
class Fit:
    """Judged, and nothing to change; the detail says why for --explain."""

    resource_id: str
    rule: str
    detail: str
    evidence: dict[str, Any]


Outcome = Recommendation | Skip | Fit | None
"""None: the rule does not concern this kind of resource (a disk, for a rule on machines)."""


def well_sized(said: Iterable[Outcome]) -> bool:
    """Judged by at least one rule, and none found anything to change or to abstain from."""
    spoken = [outcome for outcome in said if outcome is not None]
    return bool(spoken) and all(isinstance(outcome, Fit) for outcome in spoken)


class Rule(Protocol):
    """A rule: a code, its settings class, and a pure judgement."""

    code: str
    Settings: type[RuleSettings]

    def __init__(self, settings: Any) -> None: ...

    def judge(self, case: Case) -> Outcome:
        """What to do about this resource; never raises on odd data: that is a Skip."""

"""What a rule is given and what it owes: a Case in, one Recommendation, Skip or Fit out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from costopt.model import (
    Cost,
    Disputed,
    Finding,
    FindingLevel,
    Price,
    Profile,
    Recommendation,
    Resource,
    Shape,
    Skip,
    Window,
)
from costopt.pricing.catalogue import Catalogue


class RuleSettings(BaseModel):
    """Base of every rule's settings: field descriptions and bounds become options and docs."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


@dataclass(frozen=True, slots=True)
class Fit:
    """Judged, and nothing to change; the detail says why for --explain."""

    resource_id: str
    rule: str
    detail: str
    evidence: dict[str, Any]


Outcome = Recommendation | Skip | Fit | None
"""None: the rule does not concern this kind of resource (a disk, for a rule on machines)."""


class Rule(Protocol):
    """A rule: a code, its settings class, and a pure judgement."""

    code: str
    Settings: type[RuleSettings]

    def __init__(self, settings: Any) -> None: ...

    def judge(self, case: Case) -> Outcome:
        """What to do about this resource; never raises on odd data: that is a Skip."""

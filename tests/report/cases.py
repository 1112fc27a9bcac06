"""Cases built by hand: one machine with its metrics, cost and findings, and what rules said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from costopt.model import Cost, Finding, FindingLevel, Price, Profile, Resource, Shape
from costopt.pricing.catalogue import Catalogue
from costopt.rules.base import Case
from tests.report.builders import END, WINDOW

MACHINE = Resource(
    resource_id="i-0aa11",
    provider_name="AWS",
    resource_name="web-17",
    resource_type="VM",
    sub_account_id="123456789012",
    region_id="eu-west-1",
    instance_type="m5.4xlarge",
    state="running",
    time_zone="Europe/Berlin",
    tags={"team": "web"},
)
COST = Cost(
    monthly=Decimal("540.50"),
    compute=Decimal("500.00"),
    compute_list=Decimal("624.88"),
    hourly_effective=Decimal("0.684932"),
    running_share=1.0,
    committed_share=0.4,
    currency="USD",
    basis="charges",
)
GAP = Finding(
    "i-0aa11", "cpu_utilization", "gap", FindingLevel.NOTE, 36, "3 hours", "the longest gap lasts"
)


def profile(metric_name: str = "cpu_utilization", **fields: Any) -> Profile:
    """Sixty days of five-minute samples, busiest on Monday at 14:00, or what `fields` say."""
    week = [6.0] * 168
    week[14], week[3] = 31.0, 1.0
    known: dict[str, Any] = {
        "resource_id": "i-0aa11", "metric_name": metric_name, "statistic": "mean", "device": "",
        "period_seconds": 300, "time_zone": "Europe/Berlin", "count": 17_000, "expected": 17_280,
        "coverage": 0.984, "first": WINDOW.start, "last": END - timedelta(minutes=5),
        "mean": 4.5, "std": 2.0, "min": 0.1, "max": 31.5, "p50": 4.0, "p90": 7.0, "p95": 8.5,
        "p99": 11.0, "p99_5": 12.4, "share_under_1": 0.1, "share_under_5": 0.64,
        "longest_idle_seconds": 97_200, "longest_gap_seconds": 10_800,
        "longest_flat_seconds": 600, "days": 60, "duplicates": 0, "conflicts": 0,
        "refused_low": 0, "refused_high": 0, "not_finite": 0, "off_grid": 0, "histogram": None,
        "week_mean": tuple(week), "week_p95": tuple(week), "week_count": (100,) * 168,
    }  # fmt: skip
    return Profile(**(known | fields))


def case(**fields: Any) -> Case:
    """web-17, an m5.4xlarge that does little, or what `fields` say."""
    known: dict[str, Any] = {
        "resource": MACHINE,
        "shape": Shape("AWS", "m5.4xlarge", 16.0, 64.0, architecture="x86_64"),
        "price": Price("AWS", "eu-west-1", "m5.4xlarge", Decimal("0.856")),
        "profiles": (profile(),),
        "findings": (GAP,),
        "disputed": None,
        "cost": COST,
        "catalogue": Catalogue.load(),
        "window": WINDOW,
        "as_of": END,
        "min_monthly_savings": 5.0,
    }
    return Case(**(known | fields))


def disk() -> Case:
    """A disk on the bill: no rule concerns it."""
    cost = replace(COST, monthly=Decimal("12.00"), compute=Decimal(0), compute_list=Decimal(0))
    resource = Resource("vol-1", "AWS", resource_type="Disk", region_id="eu-west-1")
    return case(resource=resource, shape=None, price=None, profiles=(), findings=(), cost=cost)

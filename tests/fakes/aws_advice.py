"""AWS Compute Optimizer on loopback: what it recommends, by account and region, in pages.

It is a rule of tests.fakes.aws_front, speaking JSON as boto3 does. Nobody's recommendations are
none; an account may not have opted in.

    optimizer = Optimizer()
    optimizer.instance("us-east-1", "i-1", "m6i.4xlarge", "m6i.xlarge", saves=438.0)
    front.rules.append(optimizer)
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fakes.aws_front import Answer, Call, refused

ACCOUNT: Final = "123456789012"
REFRESHED: Final = 1_793_100_000  # 2026-10-27 11:20 UTC
_KEYS: Final = {
    "GetEC2InstanceRecommendations": "instanceRecommendations",
    "GetIdleRecommendations": "idleRecommendations",
}
Item = dict[str, Any]


@dataclass
class Optimizer:
    """What it knows: items by region and operation, as the API writes them."""

    page: int = 1000
    opted_in: bool = True
    items: dict[tuple[str, str], list[Item]] = field(default_factory=dict)
    errors: list[Item] = field(default_factory=list)

    def instance(
        self,
        region: str,
        instance_id: str,
        current: str,
        *options: str,
        saves: float | None = None,
        finding: str = "Overprovisioned",
        reasons: Iterable[str] = ("CPUOverprovisioned",),
        **more: Any,
    ) -> Item:
        """A machine, and the types for it; the first saves so much, each other one a tenth less."""
        told = [
            {"instanceType": name, "rank": rank, "performanceRisk": 1.0 * rank,
             "platformDifferences": [], "migrationEffort": "VeryLow",
             **({} if saves is None else saving(saves * (1 - (rank - 1) / 10)))}
            for rank, name in enumerate(options, 1)
        ]  # fmt: skip
        item = {
            "instanceArn": f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{instance_id}",
            "accountId": ACCOUNT,
            "currentInstanceType": current,
            "finding": finding,
            "findingReasonCodes": list(reasons),
            "lookBackPeriodInDays": 14.0,
            "lastRefreshTimestamp": REFRESHED,
            "currentPerformanceRisk": "VeryLow",
            "recommendationOptions": list(reversed(told)),  # the API promises no order
            **more,
        }
        self.items.setdefault((region, "GetEC2InstanceRecommendations"), []).append(item)
        return item

    def idle(
        self, region: str, arn: str, kind: str, *, saves: float, finding: str = "Idle", **more: Any
    ) -> Item:
        """A thing that does nothing."""
        item = {
            "resourceArn": arn,
            "resourceId": arn,
            "resourceType": kind,
            "accountId": ACCOUNT,
            "finding": finding,
            "findingDescription": f"{kind} did nothing",
            "lookBackPeriodInDays": 14.0,
            "lastRefreshTimestamp": REFRESHED,
            **saving(saves),
            **more,
        }
        self.items.setdefault((region, "GetIdleRecommendations"), []).append(item)
        return item

    def __call__(self, call: Call) -> Answer | None:
        if call.service != "compute-optimizer":
            return None
        if not self.opted_in:
            message = "AWS account is not registered for recommendations"
            return refused(call, "OptInRequiredException", message, 400)
        asked = json.loads(call.body or b"{}")
        start = int(asked.get("nextToken", "after-0").removeprefix("after-"))
        end = start + min(self.page, asked.get("maxResults", self.page))
        items = self.items.get((call.region, call.action), [])
        document: Item = {_KEYS[call.action]: items[start:end], "errors": self.errors}
        if end < len(items):
            document["nextToken"] = f"after-{end}"
        return Answer(200, json.dumps(document).encode(), "application/x-amz-json-1.0")


def saving(amount: float) -> Item:
    """What it saves a month at list, and a fifth less after discounts."""
    return {
        name: {"savingsOpportunityPercentage": 50.0,
               "estimatedMonthlySavings": {"currency": "USD", "value": value}}
        for name, value in (
            ("savingsOpportunity", amount), ("savingsOpportunityAfterDiscounts", amount * 0.8)
        )
    }  # fmt: skip

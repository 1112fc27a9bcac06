"""Machines judged by the real rules, beside advice that a vendor is made to give."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import schema
from costopt.model import Recommendation
from costopt.report import vendor
from costopt.rules.base import Case, Outcome
from costopt.rules.idle import Idle
from costopt.rules.rightsize import Rightsize
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.report import builders
from tests.rules.builders import END, case, m6i, plan_of, samples

ACCOUNT = "123456789012"
KEY = {"ProviderName": "AWS", "SubAccountId": ACCOUNT, "x_Source": schema.AWS_ADVICE,
       "x_Scope": "", "x_ObservedAt": END}  # fmt: skip


def advice(action: str = "resize", to: str | None = None, **more: Any) -> dict[str, Any]:
    """A row as a collect brings it: of machine m-1."""
    row = KEY | {
        "x_RecommendationId": f"m-1#{action}", "ResourceId": "m-1", "x_Action": action,
        "x_InstanceType": to, "x_MonthlySavings": Decimal("100.00"), "BillingCurrency": "USD",
        "x_Finding": "Overprovisioned", "x_LookbackDays": 14.0, "x_UpdatedAt": END,
    }  # fmt: skip
    return row | more


def told(*rows: dict[str, Any], scopes: tuple[str, ...] = ("",)) -> vendor.Told:
    """What the vendor said, asked in one account; of `scopes` those that answered."""
    asked = [KEY | {"x_Scope": scope} for scope in scopes]
    return vendor.told(pa.Table.from_pylist([*asked, *rows], schema=schema.VENDOR_RECOMMENDATIONS))


def machine(level: float = 10.0, instance_type: str = "m6i.4xlarge", **more: Any) -> Case:
    """An m6i of 28 days at that CPU, its memory measured at 8 % unless `more` says."""
    given = {
        "types": m6i(),
        "sub_account_id": ACCOUNT,
        "provider": "AWS",
        "architecture": "x86_64",
        "metrics": {
            "memory_utilization": samples(28, 8, spread=1),
            "network_in": samples(28, 9e6, spread=1e6),
            "network_out": samples(28, 9e6, spread=1e6),
        },
    } | more
    cpu = given.pop("cpu", None)
    if cpu is None:
        cpu = samples(28, level, spread=level / 10)
    return case(instance_type, cpu, **given)


def judged(one: Case, **settings: Any) -> tuple[Outcome, ...]:
    rules = (Idle(Idle.Settings()), Rightsize(RightsizeSettings(**settings)))
    return tuple(rule.judge(one) for rule in rules)


def compared(one: Case, *rows: dict[str, Any], **settings: Any) -> vendor.Comparison:
    """The case beside what the vendor says; our side is what the real rules say."""
    return beside(one, told(*rows), **settings)


def beside(
    one: Case, said: vendor.Told, *, as_of: datetime = END, **settings: Any
) -> vendor.Comparison:
    """The same of what the vendors said wherever they were asked."""
    key = one.resource.resource_id
    outcomes = {key: judged(one, **settings)}
    report = builders.report(plan_of(outcomes, one), as_of=as_of)
    return vendor.compare(said, {key: one}, outcomes, report, RightsizeSettings(**settings))


def ours(one: Case) -> Recommendation:
    (found,) = plan_of({one.resource.resource_id: judged(one)}, one)
    return found


def renamed(one: Case, name: str) -> Case:
    """The same machine under a name of somebody's choice."""
    return replace(one, resource=replace(one.resource, resource_name=name))


def only(comparison: vendor.Comparison) -> Any:
    """Its one row."""
    (row,) = comparison.rows
    return row

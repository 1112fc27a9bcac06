"""Small plans, as `terraform show -json` writes them, from what matters of each change."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from costopt import schema
from costopt.policy.planned.terraform import Plan, plan_of
from costopt.pricing.catalogue import Catalogue
from tests.pricing import tables

HERE = Path(__file__).parent
REAL = Path(__file__).parents[4] / "shared/data/terraform_plans"


def change(
    address: str,
    actions: str = "create",
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    unknown: Any = None,
    **more: Any,
) -> dict[str, Any]:
    """One of `resource_changes`; actions: "create", "delete create", ..."""
    kind = address.partition("[")[0].split(".")[-2]
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": "any",
        "provider_name": f"registry.terraform.io/hashicorp/{kind.split('_')[0]}",
        "change": {
            "actions": actions.split(),
            "before": before,
            "after": after,
            "after_unknown": unknown or {},
        },
        **more,
    }


def document(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A whole plan; AWS is in us-east-1 unless `configuration` says otherwise."""
    region = {"region": {"constant_value": "us-east-1"}}
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "resource_changes": list(changes),
        "configuration": {"provider_config": {"aws": {"name": "aws", "expressions": region}}},
        **more,
    }


def plan(*changes: dict[str, Any], **more: Any) -> Plan:
    """The same, as it is read."""
    told: dict[str, Any] = json.loads(json.dumps(document(*changes, **more)))
    return plan_of(told, "plan.json")


PRICES = (
    ("AWS", "us-east-1", "m5.large", "0.096"),
    ("AWS", "us-east-1", "m5.xlarge", "0.192"),
    ("AWS", "us-east-1", "g5.xlarge", "1.006"),
    ("Azure", "westeurope", "Standard_D2s_v5", "0.115"),
    ("GCP", "europe-west4", "n2-standard-4", "0.2138"),
)
RATES = (
    ("AWS", "us-east-1", "0.08"),
    ("Azure", "westeurope", "0.09"),
    ("GCP", "europe-west4", "0.11"),
)


def catalogue() -> Catalogue:
    """With prices that stay as they are here, whatever snapshot is shipped."""
    prices = [
        tables.price(
            kind, hourly, ProviderName=provider, RegionId=region, x_OperatingSystem="Linux"
        )
        for provider, region, kind, hourly in PRICES
    ]
    rates = [
        {
            "ProviderName": provider,
            "RegionId": region,
            "x_RateKind": "block-storage",
            "ListUnitPrice": Decimal(amount),
            "PricingCurrency": "USD",
            "x_FromGiB": 0.0,
        }
        for provider, region, amount in RATES
    ]
    found = Catalogue.load(
        tables.prices(*prices), extra_rates=pa.Table.from_pylist(rates, schema=schema.RATES)
    )
    assert not found.refusals
    return found

"""What a bill tells of traffic, by the texts that providers write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.frame.traffic import Traffic, traffic
from costopt.model import Window

START = datetime(2026, 10, 1, tzinfo=UTC)
SPAN = Window(START, START + timedelta(hours=365))  # half a month


def charges(*rows: dict[str, Any]) -> pa.Table:
    common = {
        "ChargeCategory": "Usage", "ProviderName": "AWS", "ChargePeriodStart": START,
        "ConsumedUnit": "GB", "ConsumedQuantity": Decimal(10), "ResourceId": "i-1",
    }  # fmt: skip
    return pa.Table.from_pylist([{**common, **row} for row in rows], schema=schema.CHARGES)


@pytest.mark.parametrize(
    ("provider", "text", "sent"),
    [
        ("AWS", "USW2-DataTransfer-Out-Bytes", Traffic(internet=20)),
        ("AWS", "DataTransfer-Out-Bytes", Traffic(internet=20)),
        ("AWS", "USE1-USW2-AWS-Out-Bytes", Traffic(regions=20)),
        ("AWS", "USE1-DataTransfer-Regional-Bytes", Traffic(zones=20)),
        ("AWS", "USE1-DataTransfer-In-Bytes", Traffic(received=20)),
        ("AWS", "USE1-USW2-AWS-In-Bytes", Traffic(received=20)),
        ("AWS", "EUW1-EU-AWS-In-Bytes", Traffic(received=20)),
        ("AWS", "USW2-AWS-In-Bytes", None),  # peering, perhaps within its region
        ("AWS", "$0.000 per GB - data transfer in per month", Traffic(received=20)),
        ("AWS", "$0.00 per GB - US West (Oregon) data transfer from EU (Ireland)",
         Traffic(received=20)),
        ("AWS", "$0.010 per GB - regional data transfer - in/out/between EC2 AZs or using elastic "
         "IPs or ELB", Traffic(zones=20)),
        ("AWS", "EBS:VolumeUsage.gp3", None),
        ("Google Cloud", "Network Internet Egress from EMEA to Americas", Traffic(internet=20)),
        ("Google Cloud", "Network Internet Data Transfer Out from EMEA to Americas",
         Traffic(internet=20)),
        ("Google Cloud", "Network Inter Zone Data Transfer Out", Traffic(zones=20)),
        ("Google Cloud", "Network Inter Zone Egress", Traffic(zones=20)),
        ("Google Cloud", "Network Inter Region Egress from Netherlands to Americas",
         Traffic(regions=20)),
        ("Google Cloud", "Network Inter Region Data Transfer Out from EMEA to EMEA",
         Traffic(regions=20)),
        ("Microsoft Azure", "Standard Data Transfer Out", Traffic(internet=20)),
        ("Microsoft Azure", "Inter Continent Data Transfer Out - NAM or EU To Any",
         Traffic(regions=20)),
        ("Microsoft Azure", "Intra Continent Data Transfer Out", Traffic(regions=20)),
        ("Microsoft Azure", "Inter-Availability Zone Data Transfer Out", Traffic(zones=20)),
        ("Google Cloud", "Network Internet Ingress from APAC to Americas", Traffic(received=20)),
        ("Google Cloud", "Network Internet Data Transfer In from EMEA to EMEA",
         Traffic(received=20)),
        ("Google Cloud", "Network Inter Zone Ingress", None),
        ("Google Cloud", "Network Intra Zone Ingress", None),
        ("Microsoft Azure", "Standard Data Transfer In", Traffic(received=20)),
        ("Microsoft Azure", "P10 LRS Disk", None),
    ],
)  # fmt: skip
def test_each_way_is_known_by_its_text(provider: str, text: str, sent: Traffic | None) -> None:
    """10 GB in half a month are 20 a month."""
    table = charges({"ProviderName": provider, "SkuMeter": text})
    key = {"AWS": "aws", "Google Cloud": "gcp", "Microsoft Azure": "azure"}[provider]
    assert traffic(table, {key: SPAN}).of_each == ({"i-1": sent} if sent else {})


def test_units_add_up_and_others_than_bytes_do_not_count() -> None:
    text = {"ChargeDescription": "$0.09 per GB - Data Transfer Out"}
    table = charges(
        text,
        {**text, "ConsumedUnit": "TB", "ConsumedQuantity": Decimal(1)},
        {**text, "ConsumedUnit": None, "PricingUnit": "GiB", "PricingQuantity": Decimal(6)},
        {**text, "ConsumedUnit": "Hours"},
        {**text, "ChargeCategory": "Credit"},
        {**text, "ChargePeriodStart": SPAN.end},
    )
    assert traffic(table, {"aws": SPAN}).of_each == {"i-1": Traffic(internet=2 * (10 + 1024 + 6))}


def test_what_names_no_resource_stands_apart() -> None:
    table = charges({"ResourceId": None, "SkuMeter": "DataTransfer-Out-Bytes"})
    found = traffic(table, {"aws": SPAN})
    assert (found.of_each, found.nameless) == ({}, {"aws": Traffic(internet=20)})


def test_no_bill_of_that_provider() -> None:
    assert traffic(charges({"SkuMeter": "DataTransfer-Out-Bytes"}), {}).of_each == {}


def test_days_that_the_bill_lacks_are_no_time_without_traffic() -> None:
    """10 GB in 365 hours of which 219 are missing: 10 in 146, a fifth of a month."""
    table = charges({"SkuMeter": "DataTransfer-Out-Bytes"})
    found = traffic(table, {"aws": SPAN}, {"aws": 219.0, "gcp": 300.0})
    assert found.of_each == {"i-1": Traffic(internet=50)}

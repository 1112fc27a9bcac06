"""Charges as FOCUS 1.2 rows: the constants of a bill's lines, and the columns they become."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import pyarrow as pa

from costopt import schema
from costopt.providers.demo.clock import midnight
from costopt.providers.demo.commitments import Commitment
from costopt.providers.demo.company import SITES, Site
from costopt.providers.demo.machines import Machine

_PICO: Final = Decimal("1e-12")
_A_WEEK: Final = timedelta(days=7)

# As the providers spell themselves in bills, which is not as people do.
_PARTIES: Final = {
    "AWS": {
        "ProviderName": "AWS",
        "PublisherName": "Amazon Web Services, Inc.",
        "InvoiceIssuerName": "Amazon Web Services EMEA SARL",
        "BillingAccountId": "410200000009",
        "BillingAccountName": "windrose-payer",
    },
    "GCP": {
        "ProviderName": "Google Cloud",
        "PublisherName": "Google Cloud",
        "InvoiceIssuerName": "Google Cloud EMEA Limited",
        "BillingAccountId": "01F00D-5EED00-0A11CE",
        "BillingAccountName": "Windrose Travel",
    },
    "Azure": {  # bought from a reseller, who adds Dutch VAT
        "ProviderName": "Microsoft",
        "PublisherName": "Microsoft",
        "InvoiceIssuerName": "Havenlicht Cloud Reselling B.V.",
        "BillingAccountId": "40500611",
        "BillingAccountName": "Windrose Travel B.V.",
    },
    "OnPrem": {
        "ProviderName": "OnPrem",
        "PublisherName": "Windrose Travel B.V.",
        "InvoiceIssuerName": "Windrose Travel B.V. Infrastructure",
        "BillingAccountId": "CC-4100",
        "BillingAccountName": "Data centre showback",
    },
}

PROVIDERS: Final = tuple(_PARTIES)


@dataclass(frozen=True, slots=True)
class Sku:
    """What is sold: FOCUS's service columns and the unit it is priced in."""

    meter: str
    category: str
    subcategory: str
    unit: str
    services: tuple[str, str, str, str]  # in the order of PROVIDERS

    def service(self, provider: str) -> str:
        """The ServiceName that provider sells it under."""
        return self.services[PROVIDERS.index(provider)]


_VM: Final = (
    "Amazon Elastic Compute Cloud",
    "Compute Engine",
    "Virtual Machines",
    "Amsterdam Data Centre",
)
_NET: Final = ("AWS Data Transfer", "Networking", "Bandwidth", "Amsterdam Data Centre")
COMPUTE: Final = Sku("Instance Hours", "Compute", "Virtual Machines", "Hours", _VM)
LICENCE: Final = Sku("Windows Server Licence", "Compute", "Other (Compute)", "vCPU-Hours", _VM)
STORAGE: Final = Sku(
    "Volume Storage",
    "Storage",
    "Block Storage",
    "GiB-Months",
    ("Amazon Elastic Block Store", "Persistent Disk", "Managed Disks", "Amsterdam Data Centre"),
)
IP_ADDRESS: Final = Sku(
    "Public IPv4 Address",
    "Networking",
    "Network Infrastructure",
    "Hours",
    ("Amazon Virtual Private Cloud", "Networking", "Virtual Network", "Amsterdam Data Centre"),
)
BETWEEN_ZONES: Final = Sku(
    "Inter-Zone Data Transfer Out", "Networking", "Other (Networking)", "GB", _NET
)
BETWEEN_REGIONS: Final = Sku(
    "Inter-Region Data Transfer Out", "Networking", "Other (Networking)", "GB", _NET
)
EGRESS: Final = Sku("Data Transfer Out", "Networking", "Other (Networking)", "GB", _NET)
INGRESS: Final = Sku("Data Transfer In", "Networking", "Other (Networking)", "GB", _NET)


@dataclass(frozen=True, slots=True)
class Thing:
    """What a charge is for, as bills name it."""

    site: Site
    resource_id: str
    name: str
    kind: str
    account_id: str
    account_name: str
    tags: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, machine: Machine, *, disk: bool = False) -> Thing:
        """The machine, or its disk where that is a thing of its own."""
        own_disk = disk and machine.disk_id != machine.resource_id
        return cls(
            machine.site,
            machine.disk_id if own_disk else machine.resource_id,
            machine.key if own_disk else machine.name,
            "Disk" if own_disk else "Virtual machine",
            machine.account_id,
            machine.account_name,
            tuple(machine.tags.items()),
        )


def party(provider: str, category: str, description: str) -> dict[str, Any]:
    """The columns that every charge of a provider has."""
    return {
        **_PARTIES[provider],
        "BillingCurrency": "USD",
        "ChargeCategory": category,
        "ChargeDescription": description,
        "ChargeFrequency": "Usage-Based",
    }


def usage(thing: Thing, sku: Sku, description: str, listed: Decimal, contracted: Decimal) -> Line:
    """A line of metered usage at a unit price."""
    provider, site = thing.site.provider, thing.site
    # Microsoft lower-cases ResourceId in exports: bills and inventories join without case.
    resource_id = thing.resource_id.lower() if provider == "Azure" else thing.resource_id
    return Line(
        {
            **party(provider, "Usage", description),
            "SubAccountId": thing.account_id,
            "SubAccountName": thing.account_name,
            "ServiceCategory": sku.category,
            "ServiceSubcategory": sku.subcategory,
            "ServiceName": sku.service(provider),
            "PricingCategory": "Standard",
            "PricingUnit": sku.unit,
            "ConsumedUnit": sku.unit,
            "ListUnitPrice": listed,
            "ContractedUnitPrice": contracted,
            "SkuMeter": sku.meter,
            **sku_ids(provider, site.region, sku.meter, description),
            "RegionId": site.region,
            "RegionName": site.region_name,
            "AvailabilityZone": site.zone,
            "ResourceId": resource_id,
            "ResourceName": thing.name,
            "ResourceType": thing.kind,
            "Tags": dict(thing.tags) or None,
        }
    )


def region_name(region: str) -> str | None:
    """The region's display name; None for none."""
    return next((site.region_name for site in SITES.values() if site.region == region), None)


def sku_ids(*words: str) -> dict[str, str]:
    """SkuId and SkuPriceId of what those words name."""
    digest = hashlib.blake2b("\x1f".join(words).encode(), digest_size=8).hexdigest().upper()
    return {"SkuId": digest[:12], "SkuPriceId": f"{digest[:12]}.{digest[12:]}"}


def commitment_columns(commitment: Commitment) -> dict[str, Any]:
    """The CommitmentDiscount columns, without status and quantity."""
    terms = commitment.terms
    return {
        "CommitmentDiscountId": commitment_id(commitment),
        "CommitmentDiscountName": terms.key,
        "CommitmentDiscountType": terms.kind,
        "CommitmentDiscountCategory": "Spend" if terms.by_spend else "Usage",
        "CommitmentDiscountUnit": "USD" if terms.by_spend else "Hours",
    }


def payer(provider: str) -> str:
    """The account that pays for everything at that provider."""
    return _PARTIES[provider]["BillingAccountId"]


def commitment_id(commitment: Commitment) -> str:
    """The id under which the provider bills the commitment."""
    terms, account = commitment.terms, payer(commitment.terms.provider)
    if terms.provider == "AWS":
        folder = "savingsplan" if terms.by_spend else "reserved-instances"
        return f"arn:aws:ec2::{account}:{folder}/{terms.key}"
    if terms.provider == "GCP":
        return f"//compute.googleapis.com/billingAccounts/{account}/commitments/{terms.key}"
    return f"/providers/microsoft.capacity/reservationorders/{terms.key}"


class Line:
    """The constants of a line of the bill, which its rows of many days share."""

    __slots__ = ("columns",)

    def __init__(self, columns: dict[str, Any]) -> None:
        self.columns = columns

    def but(self, **columns: Any) -> Line:
        """The same line with other columns."""
        return Line({**self.columns, **columns})


@dataclass(frozen=True, slots=True)
class Amounts:
    """FOCUS's four costs."""

    listed: Decimal
    contracted: Decimal
    effective: Decimal
    billed: Decimal

    @classmethod
    def alike(cls, cost: Decimal) -> Amounts:
        """All four the same."""
        return cls(cost, cost, cost, cost)

    def times(self, factor: Decimal) -> Amounts:
        """Each of them times the factor."""
        return Amounts(*(getattr(self, name) * factor for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Row:
    """One charge."""

    line: Line
    start: datetime
    end: datetime
    amounts: Amounts
    quantity: Decimal | None = None  # in the line's PricingUnit
    committed: Decimal | None = None  # CommitmentDiscountQuantity


def daily(
    line: Line,
    day: date,
    amounts: Amounts,
    quantity: Decimal | None = None,
    committed: Decimal | None = None,
) -> Row:
    """A charge of one UTC day."""
    start = midnight(day)
    return Row(line, start, start + timedelta(days=1), amounts, quantity, committed)


def table(rows: Sequence[Row], month: date) -> pa.Table:
    """The rows of one billing period (schema.CHARGES)."""
    lines: dict[int, int] = {}
    constants: list[dict[str, Any]] = []
    for row in rows:
        if id(row.line) not in lines:
            lines[id(row.line)] = len(constants)
            constants.append(row.line.columns)
    shared = pa.Table.from_pylist(constants, schema=schema.CHARGES).take(
        pa.array([lines[id(row.line)] for row in rows], pa.int64())
    )
    following = (month.replace(day=28) + _A_WEEK).replace(day=1)  # the next month's first
    own = {
        "ListCost": [_cost(row.amounts.listed) for row in rows],
        "ContractedCost": [_cost(row.amounts.contracted) for row in rows],
        "EffectiveCost": [_cost(row.amounts.effective) for row in rows],
        "BilledCost": [_cost(row.amounts.billed) for row in rows],
        "ChargePeriodStart": [row.start for row in rows],
        "ChargePeriodEnd": [row.end for row in rows],
        "BillingPeriodStart": [midnight(month)] * len(rows),
        "BillingPeriodEnd": [midnight(following)] * len(rows),
        "PricingQuantity": [row.quantity for row in rows],
        "ConsumedQuantity": [
            row.quantity if row.line.columns.get("ConsumedUnit") else None for row in rows
        ],
        "CommitmentDiscountQuantity": [row.committed for row in rows],
    }
    columns = [
        pa.array(own[field.name], field.type) if field.name in own else shared.column(field.name)
        for field in schema.CHARGES
    ]
    return pa.table(columns, schema=schema.CHARGES)


def _cost(value: Decimal) -> Decimal:
    return value.quantize(_PICO, ROUND_HALF_EVEN)

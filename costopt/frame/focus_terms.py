"""The FOCUS specification's vocabulary: columns, allowed values, currencies.

Source: FOCUS_Spec, versions 1.0 to 1.2 (`specification/columns/*.md`, "Content constraints") and
the change logs of 1.3 and 1.4. Allowed values did not change between these versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DECIMALS: Final = (
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "ContractedCost",
    "ListUnitPrice",
    "ContractedUnitPrice",
    "PricingQuantity",
    "ConsumedQuantity",
    "CommitmentDiscountQuantity",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
)
TIMES: Final = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")

MANDATORY: Final = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ServiceCategory",
    "ServiceName",
)
"""Mandatory in every version. The provider's own names come on top, see `PROVIDERS`."""

PROVIDERS: Final = (
    ("ProviderName", "PublisherName"),  # 1.0 to 1.2
    ("ServiceProviderName", "HostProviderName"),  # 1.3 (where the former are deprecated), 1.4
)
"""Mandatory pairs, one or the other."""

NEVER_NULL: Final = (
    "BilledCost",
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
)

_SUBCATEGORIES: Final = """
AI and Machine Learning: AI Platforms, Bots, Generative AI, Machine Learning,
    Natural Language Processing
Analytics: Analytics Platforms, Business Intelligence, Data Processing, Search, Streaming Analytics
Business Applications: Productivity and Collaboration
Compute: Containers, End User Computing, Quantum Compute, Serverless Compute, Virtual Machines
Databases: Caching, Data Warehouses, Ledger Databases, NoSQL Databases, Relational Databases,
    Time Series Databases
Developer Tools: Developer Platforms, Continuous Integration and Deployment,
    Development Environments, Source Code Management, Quality Assurance
Identity: Identity and Access Management
Integration: API Management, Messaging, Workflow Orchestration
Internet of Things: IoT Analytics, IoT Platforms
Management and Governance: Architecture, Compliance, Cost Management, Data Governance,
    Disaster Recovery, Endpoint Management, Observability, Support
Media: Content Creation, Gaming, Media Streaming, Mixed Reality
Migration: Data Migration, Resource Migration
Mobile:
Multicloud: Multicloud Integration
Networking: Application Networking, Content Delivery, Network Connectivity, Network Infrastructure,
    Network Routing, Network Security
Security: Secret Management, Security Posture Management, Threat Detection and Response
Storage: Backup Storage, Block Storage, File Storage, Object Storage, Storage Platforms
Web: Application Platforms
Other:
"""


def _subcategories() -> dict[str, frozenset[str]]:
    lines = _SUBCATEGORIES.strip().replace(",\n    ", ", ").replace("\n    ", " ").splitlines()
    found = {}
    for line in lines:
        category, _, names = line.partition(":")
        listed = {name.strip() for name in names.split(",") if name.strip()}
        found[category] = frozenset({*listed, f"Other ({category})"})
    return found


SUBCATEGORIES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(_subcategories())
"""ServiceCategory -> its ServiceSubcategory values."""

ALLOWED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "ChargeCategory": ("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
        "ChargeClass": ("Correction",),
        "ChargeFrequency": ("One-Time", "Recurring", "Usage-Based"),
        "PricingCategory": ("Standard", "Dynamic", "Committed", "Other"),
        "CommitmentDiscountCategory": ("Spend", "Usage"),
        "CommitmentDiscountStatus": ("Used", "Unused"),
        "CapacityReservationStatus": ("Used", "Unused"),
        "ServiceCategory": tuple(SUBCATEGORIES),
    }
)

COLUMNS: Final = frozenset(
    {
        *MANDATORY,
        *NEVER_NULL,
        *DECIMALS,
        *ALLOWED,
        *(name for pair in PROVIDERS for name in pair),
        # 1.0
        "AvailabilityZone",
        "CommitmentDiscountId",
        "CommitmentDiscountName",
        "CommitmentDiscountType",
        "ConsumedUnit",
        "RegionId",
        "RegionName",
        "ResourceId",
        "ResourceName",
        "ResourceType",
        "SkuId",
        "SkuPriceId",
        "SubAccountId",
        "SubAccountName",
        "Tags",
        # 1.1
        "CapacityReservationId",
        "CommitmentDiscountUnit",
        "SkuMeter",
        "SkuPriceDetails",
        # 1.2
        "BillingAccountType",
        "InvoiceId",
        "PricingCurrency",
        "SubAccountType",
        # 1.3
        "AllocatedMethodDetails",
        "AllocatedMethodId",
        "AllocatedResourceId",
        "AllocatedResourceName",
        "AllocatedTags",
        "ContractApplied",
        # 1.4
        "CommitmentProgramEligibilityDetails",
        "InvoiceDetailId",
    }
)
"""Every column of a Cost and Usage dataset that any version from 1.0 to 1.4 defines."""

"""The common frame: the columns, Arrow types and units of every table costopt keeps.

FOCUS column names verbatim; our own columns take FOCUS's `x_` prefix. Profile statistics, which
FOCUS knows nothing of, are snake_case. All timestamps are UTC and mark the *start* of a period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
STRING_MAP: Final = pa.map_(pa.string(), pa.string())
COST: Final = pa.decimal128(28, 12)
"""Money in bills: exact, 12 decimals (AWS bills in 10)."""
UNIT_PRICE: Final = pa.decimal128(20, 10)
"""Price of one machine for one hour."""

TableName = Literal[
    "resources",
    "metrics",
    "charges",
    "prices",
    "shapes",
    "rates",
    "exchange",
    "vendor_recommendations",
]


def _field(name: str, kind: pa.DataType, *, required: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=not required)


RESOURCES: Final = pa.schema(
    [
        _field("ProviderName", pa.string(), required=True),
        _field("SubAccountId", pa.string()),
        _field("RegionId", pa.string()),
        _field("ResourceId", pa.string(), required=True),
        _field("ResourceName", pa.string()),
        _field("ResourceType", pa.string()),
        _field("ServiceName", pa.string()),
        _field("Tags", STRING_MAP),
        _field("x_InstanceType", pa.string()),
        _field("x_vCPUs", pa.float64()),
        _field("x_MemoryGiB", pa.float64()),
        _field("x_GPUModel", pa.string()),
        _field("x_GPUCount", pa.int32()),
        _field("x_GPUMemoryGiB", pa.float64()),  # of one card
        _field("x_Architecture", pa.string()),  # x86_64 | arm64
        _field("x_OperatingSystem", pa.string()),  # Linux | Windows | ...
        _field("x_PricingCategory", pa.string()),  # Standard | Dynamic (spot) | Committed
        _field("x_State", pa.string()),  # running | stopped | terminated
        _field("x_LaunchedAt", TIMESTAMP),
        _field("x_ScalingGroup", pa.string()),
        _field("x_TimeZone", pa.string()),  # IANA name of the demand's own clock
        # Since when this row holds; null = since ever. A resource with several rows has changed
        # (been resized, say): the latest row is what it is now, the others are its history.
        _field("x_ObservedAt", TIMESTAMP),
        _field("x_Attributes", STRING_MAP),
    ]
)

INSTANCE_TAG: Final = "prometheus:instance"
"""The tag under which a machine's row carries the `instance` label of its node_exporter, where
neither its id nor its name tells it."""
EXPORTER_TAG: Final = "prometheus:exporter"
"""Which exporter tells of the machine's CPU and memory, where it is not node_exporter: cadvisor."""

METRICS: Final = pa.schema(
    [
        _field("ResourceId", pa.string(), required=True),
        _field("MetricName", pa.string(), required=True),
        _field("Statistic", pa.string(), required=True),  # mean | max
        _field("Timestamp", TIMESTAMP, required=True),
        _field("PeriodSeconds", pa.int32(), required=True),
        _field("Value", pa.float32()),  # null = missing, never zero
        _field("x_Device", pa.string()),  # null = the whole resource
    ]
)

PRICES: Final = pa.schema(
    [
        _field("ProviderName", pa.string(), required=True),
        _field("RegionId", pa.string()),  # null = every region
        _field("x_InstanceType", pa.string(), required=True),
        _field("x_OperatingSystem", pa.string()),
        _field("PricingCategory", pa.string(), required=True),  # Standard | Dynamic | Committed
        _field("x_Term", pa.string()),  # "1yr no-upfront", ...; null but for Committed
        _field("ListUnitPrice", UNIT_PRICE, required=True),  # of one machine for one hour
        _field("PricingCurrency", pa.string(), required=True),
        _field("x_ValidFrom", pa.date32()),
        _field("x_Source", pa.string()),
    ]
)

SHAPES: Final = pa.schema(
    [
        _field("ProviderName", pa.string(), required=True),
        _field("x_InstanceType", pa.string(), required=True),
        _field("x_vCPUs", pa.float64(), required=True),
        _field("x_PhysicalCores", pa.float64()),
        _field("x_MemoryGiB", pa.float64()),
        _field("x_Architecture", pa.string()),
        _field("x_GPUModel", pa.string()),
        _field("x_GPUCount", pa.int32()),
        _field("x_GPUMemoryGiB", pa.float64()),  # of one card
        # Percent of the whole machine that a burstable type sustains; null = not burstable.
        _field("x_BurstableBaselinePercent", pa.float64()),
        _field("x_NetworkGbps", pa.float64()),  # sustained where known, else the "up to" figure
        _field("x_LocalDiskGiB", pa.float64()),  # instance store; null or 0 = none
        _field("x_Family", pa.string()),  # m6i, n2-standard, Dsv5, ...
        _field("x_CurrentGeneration", pa.bool_()),
        # Regions where the account may not use it, or there is none, parted by blanks; null = all
        # that a price names have it. Nothing is moved to it there.
        _field("x_NotOfferedIn", pa.string()),
        # Whether other machines run on the same CPU time; false = its vCPUs are its own; null = the
        # provider does not say. (AWS, Azure and GCP state what a burstable type sustains instead.)
        _field("x_SharedCPU", pa.bool_()),
        _field("x_ValidFrom", pa.date32()),
        _field("x_Source", pa.string()),
    ]
)

RATES: Final = pa.schema(
    [
        _field("ProviderName", pa.string(), required=True),
        _field("RegionId", pa.string()),  # null = every region that has no row of the kind
        _field("x_RateKind", pa.string(), required=True),  # model.RateKind
        # Of a GiB, or of a GiB and month of 730 hours; 0 = included.
        _field("ListUnitPrice", UNIT_PRICE, required=True),
        _field("PricingCurrency", pa.string(), required=True),
        _field("x_FromGiB", pa.float64()),  # it holds for what lies above, a month; null = 0
        _field("x_ValidFrom", pa.date32()),
        _field("x_Source", pa.string()),
    ]
)
"""What is paid beside machines: storage and traffic."""

EXCHANGE: Final = pa.schema(
    [
        _field("x_Currency", pa.string(), required=True),  # ISO 4217
        _field("x_ToCurrency", pa.string(), required=True),
        _field("x_Rate", UNIT_PRICE, required=True),  # one x_Currency is worth so many x_ToCurrency
        _field("x_ValidFrom", pa.date32(), required=True),  # the day of the rate
        _field("x_Source", pa.string()),
    ]
)

VENDOR_RECOMMENDATIONS: Final = pa.schema(
    [
        # One listing: what a source said, when asked for one part of an account. A row without
        # x_RecommendationId says that it was asked, so that one that says nothing is known, too.
        _field("ProviderName", pa.string(), required=True),
        _field("SubAccountId", pa.string(), required=True),
        _field("x_Source", pa.string(), required=True),  # AWS_ADVICE | GCP_ADVICE | AZURE_ADVICE
        _field("x_Scope", pa.string(), required=True),  # which part: region and call; "" = all
        _field("x_ObservedAt", TIMESTAMP, required=True),  # when it was first told so
        _field("x_RecommendationId", pa.string()),
        _field("ResourceId", pa.string()),  # null = of no resource: a commitment to be bought
        _field("x_Action", pa.string()),  # of VENDOR_ACTIONS
        _field("x_InstanceType", pa.string()),  # the first choice; others are in x_Attributes
        _field("x_MonthlySavings", COST),  # as the source states it; null = it does not
        _field("BillingCurrency", pa.string()),
        _field("x_Finding", pa.string()),  # the source's own word
        _field("x_Reasons", pa.list_(pa.string())),  # likewise
        _field("x_LookbackDays", pa.float64()),
        _field("x_UpdatedAt", TIMESTAMP),  # when the source last looked
        _field("x_Attributes", STRING_MAP),
    ]
)

VENDOR_ACTIONS: Final = (
    "stop",
    "delete",
    "resize",
    "change-family",
    "keep",
    "schedule",
    "buy-commitment",
    "other",
)
"""keep: it was looked at, and is found right as it is."""

AWS_ADVICE: Final = "AWS Compute Optimizer"
GCP_ADVICE: Final = "Google Cloud Recommender"
AZURE_ADVICE: Final = "Azure Advisor"

AWS_LIST: Final = "AWS price list"
AWS_SAVINGS_PLANS: Final = "AWS Savings Plans price list"
AWS_SPOT: Final = "EC2 spot price history, mean of 24 hours and of the zones"
AWS_TYPES: Final = "EC2 DescribeInstanceTypes"
AZURE_RETAIL: Final = "Azure Retail Prices"
AZURE_SIZES: Final = "Azure resource SKUs"
GCP_LIST: Final = "Google Cloud Billing catalogue"
GCP_TYPES: Final = "Compute Engine machineTypes"
DIGITALOCEAN_LIST: Final = "DigitalOcean API"
EXOSCALE_LIST: Final = "Exoscale price list"
HETZNER_LIST: Final = "Hetzner Cloud API"
LINODE_LIST: Final = "Linode API"
OVH_LIST: Final = "OVHcloud public catalogue"
SCALEWAY_LIST: Final = "Scaleway Instance API"
STACKIT_LIST: Final = "STACKIT price list"
VULTR_LIST: Final = "Vultr API"
ECB_RATES: Final = "European Central Bank, eurofxref-daily.xml"
PUBLISHED: Final = frozenset(
    {AWS_LIST, AWS_SAVINGS_PLANS, AWS_SPOT, AWS_TYPES, AZURE_RETAIL, AZURE_SIZES}
    | {GCP_LIST, GCP_TYPES, DIGITALOCEAN_LIST, EXOSCALE_LIST, HETZNER_LIST, LINODE_LIST}
    | {OVH_LIST, SCALEWAY_LIST, STACKIT_LIST, VULTR_LIST, ECB_RATES}
)
"""What x_Source says of prices, shapes and rates that a provider (or the bank) itself gave: all
others in a lake are the user's own, and stand above these."""

WITHDRAWN: Final = "withdrawn"
"""x_Source of a price that ends the one of its key: nobody offers that any more."""

_CHARGE_TIME = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
_CHARGE_COST = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")

CHARGES: Final = pa.schema(
    [
        *(_field(name, COST) for name in _CHARGE_COST),
        *(_field(name, TIMESTAMP) for name in _CHARGE_TIME),
        _field("BillingAccountId", pa.string()),
        _field("BillingAccountName", pa.string()),
        _field("SubAccountId", pa.string()),
        _field("SubAccountName", pa.string()),
        _field("BillingCurrency", pa.string()),
        _field("ChargeCategory", pa.string()),  # Usage | Purchase | Tax | Credit | Adjustment
        _field("ChargeClass", pa.string()),  # Correction | null
        _field("ChargeDescription", pa.string()),
        _field("ChargeFrequency", pa.string()),
        _field("InvoiceIssuerName", pa.string()),
        _field("ProviderName", pa.string()),  # 1.4's ServiceProviderName is mapped here
        _field("HostProviderName", pa.string()),  # 1.3+
        _field("PublisherName", pa.string()),
        _field("ServiceCategory", pa.string()),
        _field("ServiceSubcategory", pa.string()),  # 1.1+
        _field("ServiceName", pa.string()),
        _field("PricingCategory", pa.string()),
        _field("PricingQuantity", COST),
        _field("PricingUnit", pa.string()),
        _field("ConsumedQuantity", COST),
        _field("ConsumedUnit", pa.string()),
        _field("ListUnitPrice", COST),
        _field("ContractedUnitPrice", COST),
        _field("SkuId", pa.string()),
        _field("SkuPriceId", pa.string()),
        _field("SkuMeter", pa.string()),  # 1.1+
        _field("RegionId", pa.string()),
        _field("RegionName", pa.string()),
        _field("AvailabilityZone", pa.string()),
        _field("ResourceId", pa.string()),
        _field("ResourceName", pa.string()),
        _field("ResourceType", pa.string()),
        _field("CommitmentDiscountCategory", pa.string()),
        _field("CommitmentDiscountId", pa.string()),
        _field("CommitmentDiscountName", pa.string()),
        _field("CommitmentDiscountStatus", pa.string()),  # Used | Unused
        _field("CommitmentDiscountType", pa.string()),
        _field("CommitmentDiscountQuantity", COST),  # 1.1+
        _field("CommitmentDiscountUnit", pa.string()),  # 1.1+
        _field("Tags", STRING_MAP),
        _field("x_Attributes", STRING_MAP),  # every column we have no place for, verbatim
    ]
)

PACKED: Final = pa.schema(
    [
        _field("ResourceId", pa.string(), required=True),
        _field("MetricName", pa.string(), required=True),
        _field("Statistic", pa.string(), required=True),
        _field("x_Device", pa.string(), required=True),  # "" = the whole resource
        _field("PeriodSeconds", pa.int32(), required=True),
        _field("Day", pa.date32(), required=True),  # UTC
        # 86400 / PeriodSeconds samples, little-endian: uint16 hundredths of a percent
        # (MISSING_U16 = missing) for percent metrics, float32 (NaN = missing) for the others.
        _field("Samples", pa.binary(), required=True),
        # What compaction saw and did not keep; merged by maximum, so that a re-sent file
        # changes nothing.
        _field("Duplicates", pa.int32(), required=True),  # same slot, same value
        _field("Conflicts", pa.int32(), required=True),  # same slot, another value: first one won
        _field("RefusedLow", pa.int32(), required=True),  # below 0
        _field("RefusedHigh", pa.int32(), required=True),  # above 105 % of capacity
        _field("NotFinite", pa.int32(), required=True),  # NaN, infinities
        _field("OffGrid", pa.int32(), required=True),  # floored to the period's grid
    ]
)
"""Packed days: one row per series and UTC day. See lake/packed.py."""

MISSING_U16: Final = 65_535
PERCENT_SCALE: Final = 100
"""Packed utilizations are round(percent * 100): one step is a hundredth of a percent."""
PERCENT_LIMIT: Final = 105.0
"""Utilization above 105 % of capacity is a unit error or poison, not demand: refused, counted."""

HISTOGRAM_BINS: Final = 106
"""Histogram bin i counts values in [i, i+1) percent; the last is [105, 105]."""
WEEK_SLOTS: Final = 168
"""Hours of the week, Monday 00:00 local first."""

PROFILES: Final = pa.schema(
    [
        _field("ResourceId", pa.string(), required=True),
        _field("MetricName", pa.string(), required=True),
        _field("Statistic", pa.string(), required=True),
        _field("x_Device", pa.string(), required=True),  # "" = the whole resource
        _field("PeriodSeconds", pa.int32(), required=True),
        _field("x_TimeZone", pa.string(), required=True),  # the clock of the week_* columns
        _field("count", pa.int64(), required=True),  # samples present
        _field("expected", pa.int64(), required=True),  # grid slots from first sample to window end
        _field("coverage", pa.float64(), required=True),  # count / expected, 0..1
        _field("first", TIMESTAMP, required=True),  # start of the first sample
        _field("last", TIMESTAMP, required=True),  # start of the last sample
        _field("mean", pa.float64(), required=True),
        _field("std", pa.float64(), required=True),  # population
        _field("min", pa.float64(), required=True),
        _field("max", pa.float64(), required=True),
        _field("p50", pa.float64(), required=True),  # nearest rank (numpy: inverted_cdf)
        _field("p90", pa.float64(), required=True),
        _field("p95", pa.float64(), required=True),
        _field("p99", pa.float64(), required=True),
        _field("p99_5", pa.float64(), required=True),
        _field("share_under_1", pa.float64()),  # share of samples < 1 %; null for rates
        _field("share_under_5", pa.float64()),
        _field("longest_idle_seconds", pa.int64()),  # longest run < 5 %, a gap ends it; null: rates
        _field("longest_gap_seconds", pa.int64(), required=True),
        _field("longest_flat_seconds", pa.int64(), required=True),  # longest run of one same value
        _field("days", pa.int32(), required=True),  # UTC days holding at least one sample
        _field("duplicates", pa.int64(), required=True),
        _field("conflicts", pa.int64(), required=True),
        _field("refused_low", pa.int64(), required=True),
        _field("refused_high", pa.int64(), required=True),
        _field("not_finite", pa.int64(), required=True),
        _field("off_grid", pa.int64(), required=True),
        # HISTOGRAM_BINS counts; null for rates.
        _field("histogram", pa.list_(pa.uint32())),
        # WEEK_SLOTS values by local hour of week, Monday first; NaN where no sample fell.
        _field("week_mean", pa.list_(pa.float32()), required=True),
        _field("week_p95", pa.list_(pa.float32()), required=True),
        _field("week_count", pa.list_(pa.uint32()), required=True),
    ]
)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's unit and how its samples are packed."""

    name: str
    unit: str
    percent: bool
    """Percent 0-100 of the whole resource: packed as uint16 hundredths; else float32."""


METRIC_CATALOGUE: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        m.name: m
        for m in (
            Metric("cpu_utilization", "%", True),
            Metric("memory_utilization", "%", True),
            Metric("gpu_utilization", "%", True),
            Metric("gpu_sm_active", "%", True),
            Metric("gpu_tensor_active", "%", True),
            Metric("gpu_memory_bandwidth", "%", True),
            Metric("gpu_memory_utilization", "%", True),
            Metric("disk_utilization", "%", True),
            Metric("gpu_power", "W", False),
            Metric("network_in", "B/s", False),
            Metric("network_out", "B/s", False),
            Metric("disk_read", "B/s", False),
            Metric("disk_write", "B/s", False),
            Metric("request_rate", "1/s", False),
            Metric("request_latency_p99", "ms", False),
        )
    }
)
"""One unit per metric name. A name not listed here is kept, as float32."""

_OWN_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "x_cpu_credit_balance": "credits",
        "x_cpu_surplus_credits_charged": "credits/h",
        "x_disk_space_used": "%",
        "x_gpu_engine_active": "%",
        "x_gpu_memory_copy_utilization": "%",
        "x_gpu_sm_occupancy": "%",
        "x_processed_bytes": "B/s",
    }
)
"""Units of providers' own names; any other has none."""

STATISTICS: Final = ("mean", "max")

SCHEMAS: Final[Mapping[str, pa.Schema]] = MappingProxyType(
    {
        "resources": RESOURCES,
        "metrics": METRICS,
        "charges": CHARGES,
        "prices": PRICES,
        "shapes": SHAPES,
        "rates": RATES,
        "exchange": EXCHANGE,
        "vendor_recommendations": VENDOR_RECOMMENDATIONS,
    }
)


def is_percent(metric_name: str) -> bool:
    """Whether the metric is packed as hundredths of a percent."""
    known = METRIC_CATALOGUE.get(metric_name)
    return known is not None and known.percent


def metric_unit(metric_name: str) -> str:
    """The metric's unit for people, "" where we do not know it."""
    known = METRIC_CATALOGUE.get(metric_name)
    return known.unit if known else _OWN_UNITS.get(metric_name, "")


def published(table: pa.Table) -> pa.ChunkedArray:
    """Which rows of prices or shapes a provider itself gave; no nulls."""
    known = pa.array(sorted(PUBLISHED), pa.string())
    return pc.is_in(table.column("x_Source"), value_set=known)


def empty(schema: pa.Schema) -> pa.Table:
    """A table of that schema without rows."""
    return schema.empty_table()


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly the schema's columns, in its order and types.

    Columns absent from the table become null; columns absent from the schema are dropped (readers
    of foreign files keep them in x_Attributes before they come here).

    Raises:
        pa.ArrowInvalid: a value does not fit its column's type, or a required column holds nulls.
    """
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    for field, column in zip(schema, columns, strict=True):
        if not field.nullable and column.null_count:
            raise pa.ArrowInvalid(f"column {field.name} holds {column.null_count} nulls")
    return pa.table(columns, schema=schema)

"""Charges (schema.CHARGES) as Azure's Cost Management exports, in their true layout.

Written on its own, from Microsoft's descriptions: ActualCost bills commitments when they are
bought and nothing for what they cover; AmortizedCost has that at its share, and what was not used,
and no purchase. Shares nothing with the code that reads them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Put = Callable[[str, bytes], object]
Rows = Sequence[Mapping[str, Any]]

_NAMES = """
InvoiceSectionName AccountName AccountOwnerId SubscriptionId SubscriptionName ResourceGroup
ResourceLocation Date ProductName MeterCategory MeterSubCategory MeterId MeterName
MeterRegion UnitOfMeasure Quantity EffectivePrice CostInBillingCurrency CostCenter
ConsumedService ResourceId Tags OfferId AdditionalInfo ServiceInfo1 ServiceInfo2
ResourceName ReservationId ReservationName UnitPrice ProductOrderId ProductOrderName Term
PublisherType PublisherName ChargeType Frequency PricingModel AvailabilityZone
BillingAccountId BillingAccountName BillingCurrencyCode BillingPeriodStartDate
BillingPeriodEndDate BillingProfileId BillingProfileName InvoiceSectionId
IsAzureCreditEligible PartNumber PayGPrice PlanName ServiceFamily CostAllocationRuleName
benefitId benefitName
"""
COLUMNS = tuple(_NAMES.split())
"""Of an enterprise agreement, version 2023-12-01-preview and before."""

_METERS = {
    "Bandwidth": "Bandwidth",
    "Virtual Network": "Virtual Network",
    "Managed Disks": "Storage",
}


def row(cost: str = "1.5", **given: Any) -> dict[str, Any]:
    """One row: a day of a machine on demand, but for what is given."""
    usual = {
        "BillingAccountId": "40500611",
        "BillingAccountName": "Windrose Travel B.V.",
        "BillingCurrencyCode": "EUR",
        "BillingPeriodStartDate": "09/01/2026",
        "BillingPeriodEndDate": "09/30/2026",
        "SubscriptionId": "00000000-0000-0000-0000-000000000001",
        "SubscriptionName": "shop",
        "Date": "09/14/2026",
        "ProductName": "Virtual Machines Dsv5 Series - D4s v5 - EU West",
        "MeterCategory": "Virtual Machines",
        "MeterName": "D4s v5",
        "UnitOfMeasure": "1 Hour",
        "Quantity": "24",
        "CostInBillingCurrency": cost,
        "ResourceLocation": "EU West",
        "ResourceId": "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/"
        "virtualMachines/Web-1",
        "ChargeType": "Usage",
        "Frequency": "UsageBased",
        "PricingModel": "OnDemand",
        "PublisherName": "Microsoft",
    }
    return {**usual, **given}


RESERVED = {
    "PricingModel": "Reservation",
    "ReservationId": "11111111-0000-0000-0000-000000000009",
    "benefitId": "/providers/Microsoft.Capacity/reservationOrders/O/reservations/R",
    "benefitName": "vm-year",
}


def actual(charges: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The demo's charges of Azure as ActualCost."""
    return [
        _row(one, one["BilledCost"])
        for one in charges
        if one["CommitmentDiscountStatus"] != "Unused"
    ]


def amortized(charges: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same as AmortizedCost."""
    return [
        _row(one, one["EffectiveCost"]) for one in charges if one["ChargeCategory"] != "Purchase"
    ]


def _row(charge: Mapping[str, Any], cost: Decimal) -> dict[str, Any]:
    kind = charge["ChargeCategory"]
    unused = charge["CommitmentDiscountStatus"] == "Unused"
    month = charge["BillingPeriodStart"]
    last = monthrange(month.year, month.month)[1]
    tags = charge["Tags"] or {}
    unit = {"Hours": "1 Hour", "GiB-Months": "1 GiB/Month"}.get(
        charge["PricingUnit"] or "", charge["PricingUnit"] or ""
    )
    quantity = charge["PricingQuantity"]
    found = {
        "BillingAccountId": charge["BillingAccountId"],
        "BillingAccountName": charge["BillingAccountName"],
        "BillingCurrencyCode": charge["BillingCurrency"],
        "BillingPeriodStartDate": f"{month:%m/%d/%Y}",
        "BillingPeriodEndDate": f"{month:%m}/{last}/{month:%Y}",
        "SubscriptionId": charge["SubAccountId"],
        "SubscriptionName": charge["SubAccountName"],
        "Date": f"{charge['ChargePeriodStart']:%m/%d/%Y}",
        "ProductName": charge["ChargeDescription"],
        "MeterCategory": charge["ServiceName"],
        "UnitOfMeasure": unit,
        "Quantity": "" if quantity is None else str(quantity),
        "CostInBillingCurrency": str(cost),
        "UnitPrice": _price(charge["ContractedUnitPrice"]),
        "PayGPrice": _price(charge["ListUnitPrice"]),
        "ResourceLocation": charge["RegionId"] or "",
        "AvailabilityZone": charge["AvailabilityZone"] or "",
        "ResourceId": charge["ResourceId"] or "",
        "ResourceName": charge["ResourceName"] or "",
        "Tags": json.dumps(tags)[1:-1],  # an enterprise agreement leaves the braces out
        "ChargeType": "UnusedReservation" if unused else kind,
        "Frequency": (charge["ChargeFrequency"] or "").replace("-", ""),
        "PricingModel": "OnDemand",
        "PublisherName": charge["PublisherName"],
        "PartNumber": charge["SkuId"],
    }
    if charge["CommitmentDiscountId"]:
        found |= {
            "PricingModel": "Reservation",
            "benefitId": charge["CommitmentDiscountId"],
            "benefitName": charge["CommitmentDiscountName"],
        }
    return found


def _price(value: Decimal | None) -> str:
    return "" if value is None else str(value)


# -- files ----------------------------------------------------------------------------------------


def cost_csv(rows: Rows, columns: Sequence[str] = COLUMNS) -> bytes:
    """With the mark that Azure puts before the first name."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def cost_gzip(rows: Rows) -> bytes:
    return gzip.compress(cost_csv(rows), mtime=0)


def cost_parquet(rows: Rows) -> bytes:
    """Money as decimals, days as times, names in small letters at first."""
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        values = [one.get(name) or None for one in rows]
        key = name[0].lower() + name[1:]
        if name in {"Quantity", "CostInBillingCurrency", "UnitPrice", "PayGPrice"}:
            numbers = [None if v is None else Decimal(v).quantize(Decimal("1e-16")) for v in values]
            columns[key] = pa.array(numbers, pa.decimal128(38, 16))
        else:
            columns[key] = pa.array(values, pa.string())
    return _written(pa.table(columns))


def focus_parquet(charges: pa.Table) -> bytes:
    """A FocusCost export: amounts as decimals, tags as JSON."""
    columns = {}
    for name in charges.column_names:
        column = charges.column(name)
        if name in {"x_Attributes", "HostProviderName"}:
            continue
        if name == "Tags":
            texts = [json.dumps(dict(tags)) if tags else None for tags in column.to_pylist()]
            column = pa.array(texts, pa.string())
        columns[name] = column
    return _written(pa.table(columns))


def _written(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=5000)
    return file.getvalue()


# -- layout ---------------------------------------------------------------------------------------


def period(month: str) -> str:
    """The folder of a month: 20260901-20260930."""
    year, number = int(month[:4]), int(month[5:])
    first = f"{year}{number:02}"
    return f"{first}01-{first}{monthrange(year, number)[1]}"


def delivered(
    put: Put,
    export: str,
    month: str,
    files: Sequence[bytes],
    *,
    kind: str = "ActualCost",
    run: str = "run-1",
    rows: Sequence[int] | None = None,
    suffix: str = "csv",
    submitted: str = "",
) -> None:
    """A run of an export: its files, then the manifest.

    Args:
        put: name and bytes. rows: in each file, as the manifest tells them.
        submitted: when the run began, as the manifest tells it.
    """
    folder = f"{export}/{period(month)}/{run}"
    blobs = []
    for number, content in enumerate(files):
        name = f"{folder}/part_{number}_0001.{suffix}"
        put(name, content)
        blob: dict[str, Any] = {"blobName": f"some/prefix/{name}", "byteCount": len(content)}
        if rows is not None:
            blob["dataRowCount"] = rows[number]
        blobs.append(blob)
    put(f"{folder}/manifest.json", manifest(kind, blobs, submitted))


def manifest(kind: str, blobs: Sequence[Mapping[str, Any]], submitted: str = "") -> bytes:
    """As Cost Management writes it, as far as it matters."""
    told = {
        "manifestVersion": "2024-04-01",
        "blobCount": len(blobs),
        "exportConfig": {"exportName": "daily", "dataVersion": "2023-12-01", "type": kind},
        "deliveryConfig": {"partitionData": True, "fileFormat": "Csv"},
        "runInfo": {"executionType": "Scheduled", "runId": "r", "submittedTime": submitted},
        "blobs": list(blobs),
    }
    return json.dumps(told).encode()

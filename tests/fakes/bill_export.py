"""Charges (schema.CHARGES) as AWS's exports: FOCUS, CUR 2.0, legacy CUR, in their true S3 layouts.

The way back from FOCUS to CUR is written on its own, from AWS's descriptions of the line item
types, and shares nothing with the code that reads them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

ZERO = Decimal(0)
Put = Callable[[str, bytes], object]
Rows = Sequence[Mapping[str, Any]]

CUR_TYPES: dict[str, pa.DataType] = {
    "bill_bill_type": pa.string(),
    "bill_billing_entity": pa.string(),
    "bill_billing_period_end_date": pa.timestamp("ms"),
    "bill_billing_period_start_date": pa.timestamp("ms"),
    "bill_invoice_id": pa.string(),
    "bill_invoicing_entity": pa.string(),
    "bill_payer_account_id": pa.string(),
    "bill_payer_account_name": pa.string(),
    "cost_category": pa.map_(pa.string(), pa.string()),
    "line_item_availability_zone": pa.string(),
    "line_item_currency_code": pa.string(),
    "line_item_legal_entity": pa.string(),
    "line_item_line_item_description": pa.string(),
    "line_item_line_item_type": pa.string(),
    "line_item_net_unblended_cost": pa.float64(),
    "line_item_operation": pa.string(),
    "line_item_product_code": pa.string(),
    "line_item_resource_id": pa.string(),
    "line_item_unblended_cost": pa.float64(),
    "line_item_unblended_rate": pa.string(),
    "line_item_usage_account_id": pa.string(),
    "line_item_usage_account_name": pa.string(),
    "line_item_usage_amount": pa.float64(),
    "line_item_usage_end_date": pa.timestamp("ms"),
    "line_item_usage_start_date": pa.timestamp("ms"),
    "line_item_usage_type": pa.string(),
    "pricing_public_on_demand_cost": pa.float64(),
    "pricing_public_on_demand_rate": pa.string(),
    "pricing_rate_code": pa.string(),
    "pricing_term": pa.string(),
    "pricing_unit": pa.string(),
    "product": pa.map_(pa.string(), pa.string()),
    "product_instance_type": pa.string(),
    "product_product_family": pa.string(),
    "product_region_code": pa.string(),
    "product_servicecode": pa.string(),
    "product_sku": pa.string(),
    "reservation_effective_cost": pa.float64(),
    "reservation_reservation_a_r_n": pa.string(),
    "reservation_unused_amortized_upfront_fee_for_billing_period": pa.float64(),
    "reservation_unused_quantity": pa.float64(),
    "reservation_unused_recurring_fee": pa.float64(),
    "resource_tags": pa.map_(pa.string(), pa.string()),
    "savings_plan_recurring_commitment_for_billing_period": pa.float64(),
    "savings_plan_savings_plan_a_r_n": pa.string(),
    "savings_plan_savings_plan_effective_cost": pa.float64(),
    "savings_plan_total_commitment_to_date": pa.float64(),
    "savings_plan_used_commitment": pa.float64(),
}
"""A part of CUR 2.0's columns and their Parquet types, which are float64 for money."""

_CODES = {
    "Amazon Elastic Compute Cloud": ("AmazonEC2", "Compute Instance", "BoxUsage"),
    "Amazon Elastic Block Store": ("AmazonEC2", "Storage", "EBS:VolumeUsage.gp3"),
    "Amazon Virtual Private Cloud": (
        "AmazonVPC",
        "VpcPublicIPv4Address",
        "PublicIPv4:InUseAddress",
    ),
    "AWS Data Transfer": ("AWSDataTransfer", "Data Transfer", "DataTransfer-Out-Bytes"),
    "AWS Support (Developer)": ("AWSSupportDeveloper", "", "Dollar"),
}


def line_items(charges: Rows) -> list[dict[str, Any]]:
    """FOCUS charges as CUR 2.0 line items: negations beside covered usage, fees with their unused.

    FOCUS's rows of unused commitment become a part of the commitment's fees, as CUR has it.
    """
    unused: dict[tuple[str, Any], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for charge in charges:
        if charge["CommitmentDiscountStatus"] == "Unused":
            left = unused[charge["CommitmentDiscountId"], _when(charge)]
            left[0] += charge["EffectiveCost"]
            left[1] += charge["PricingQuantity"] or ZERO
    found = []
    for charge in charges:
        if charge["CommitmentDiscountStatus"] != "Unused":
            found += _items(charge, unused)
    assert not unused, f"unused commitment without a fee to say so: {list(unused)}"
    return found


def _when(charge: Mapping[str, Any]) -> Any:
    """Plans say hour by hour (here: day by day) what is unused; reservations for the month."""
    by_plan = charge["CommitmentDiscountCategory"] == "Spend"
    return charge["ChargePeriodStart" if by_plan else "BillingPeriodStart"]


def _items(
    charge: Mapping[str, Any], unused: dict[tuple[str, Any], list[Decimal]]
) -> list[dict[str, Any]]:
    item = _item(charge)
    by_plan = charge["CommitmentDiscountCategory"] == "Spend"
    identity = charge["CommitmentDiscountId"]
    if identity:
        item["savings_plan_savings_plan_a_r_n" if by_plan else "reservation_reservation_a_r_n"] = (
            identity
        )
    if charge["ChargeCategory"] == "Purchase" and identity:
        left = unused.pop((identity, _when(charge)), [ZERO, ZERO])
        if by_plan:
            paid = charge["BilledCost"]
            return [
                item
                | {
                    "line_item_line_item_type": "SavingsPlanRecurringFee",
                    "line_item_resource_id": None,
                    "savings_plan_total_commitment_to_date": paid,
                    "savings_plan_used_commitment": paid - left[0],
                    "savings_plan_recurring_commitment_for_billing_period": paid,
                }
            ]
        return [
            item
            | {
                "line_item_line_item_type": "RIFee",
                "line_item_resource_id": None,
                "reservation_unused_amortized_upfront_fee_for_billing_period": ZERO,
                "reservation_unused_recurring_fee": left[0],
                "reservation_unused_quantity": left[1],
            }
        ]
    if charge["CommitmentDiscountStatus"] != "Used":
        return [item]
    if not by_plan:
        used = {
            "line_item_line_item_type": "DiscountedUsage",
            "reservation_effective_cost": charge["EffectiveCost"],
        }
        return [item | used]
    on_demand = charge["ContractedCost"]
    covered = {
        "line_item_line_item_type": "SavingsPlanCoveredUsage",
        "line_item_unblended_cost": on_demand,
        "savings_plan_savings_plan_effective_cost": charge["EffectiveCost"],
    }
    negation = {
        "line_item_line_item_type": "SavingsPlanNegation",
        "line_item_unblended_cost": -on_demand,
        "line_item_resource_id": None,
        "resource_tags": None,
    }
    return [item | covered, item | negation]


def _item(charge: Mapping[str, Any]) -> dict[str, Any]:
    kind = {"Usage": "Usage", "Purchase": "Fee", "Tax": "Tax", "Credit": "Credit"}
    code, family, use = _CODES.get(charge["ServiceName"], ("Other", "", "Other"))
    spot = charge["PricingCategory"] == "Dynamic"
    tags = {f"user_{key}": value for key, value in (charge["Tags"] or {}).items()}
    return {
        **dict.fromkeys(CUR_TYPES),
        "bill_bill_type": "Anniversary",
        "bill_billing_entity": "AWS",
        "bill_billing_period_start_date": charge["BillingPeriodStart"],
        "bill_billing_period_end_date": charge["BillingPeriodEnd"],
        "bill_invoicing_entity": charge["InvoiceIssuerName"],
        "bill_payer_account_id": charge["BillingAccountId"],
        "bill_payer_account_name": charge["BillingAccountName"],
        "line_item_availability_zone": charge["AvailabilityZone"],
        "line_item_currency_code": charge["BillingCurrency"],
        "line_item_legal_entity": charge["PublisherName"],
        "line_item_line_item_description": charge["ChargeDescription"],
        "line_item_line_item_type": kind[charge["ChargeCategory"]],
        "line_item_product_code": code,
        "line_item_resource_id": charge["ResourceId"],
        "line_item_unblended_cost": charge["BilledCost"],
        "line_item_unblended_rate": _text(charge["ContractedUnitPrice"]),
        "line_item_usage_account_id": charge["SubAccountId"],
        "line_item_usage_account_name": charge["SubAccountName"],
        "line_item_usage_amount": charge["PricingQuantity"],
        "line_item_usage_start_date": charge["ChargePeriodStart"],
        "line_item_usage_end_date": charge["ChargePeriodEnd"],
        "line_item_usage_type": "SpotUsage" if spot else use,
        "pricing_public_on_demand_cost": charge["ListCost"],
        "pricing_public_on_demand_rate": _text(charge["ListUnitPrice"]),
        "pricing_rate_code": charge["SkuPriceId"],
        "pricing_unit": {"Hours": "Hrs", "GiB-Months": "GB-Mo"}.get(
            charge["PricingUnit"] or "", charge["PricingUnit"]
        ),
        "product": {"product_name": charge["ServiceName"], "region": charge["RegionId"] or ""},
        "product_product_family": family,
        "product_region_code": charge["RegionId"],
        "product_sku": charge["SkuId"],
        "resource_tags": tags or None,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


# -- files ----------------------------------------------------------------------------------------


def focus_parquet(charges: pa.Table) -> bytes:
    """AWS's FOCUS export: its columns, money as float64."""
    columns = {}
    for name in charges.column_names:
        if name == "x_Attributes":
            continue
        column = charges.column(name)
        if pa.types.is_decimal(column.type):
            column = pa.array([None if v is None else float(v) for v in column.to_pylist()])
        columns[name] = column
    return _parquet(pa.table(columns))


def cur_parquet(items: Rows) -> bytes:
    """CUR 2.0 as Parquet."""
    rows = [{name: _float(value) for name, value in item.items()} for item in items]
    return _parquet(pa.Table.from_pylist(rows, pa.schema(list(CUR_TYPES.items()))))


def legacy_parquet(items: Rows) -> bytes:
    """The legacy report as Parquet, for Athena: no maps, a column for each tag and attribute."""
    keys = sorted({key for item in items for key in (item["resource_tags"] or {})})
    types = {name: kind for name, kind in CUR_TYPES.items() if name not in _MAPS}
    rows = []
    for item in items:
        row = {name: _float(item[name]) for name in types}
        row["product_product_name"] = (item["product"] or {}).get("product_name")
        row |= {f"resource_tags_{key}": (item["resource_tags"] or {}).get(key) for key in keys}
        rows.append(row)
    added = ["product_product_name", *(f"resource_tags_{key}" for key in keys)]
    schema = [*types.items(), *((name, pa.string()) for name in added)]
    return _parquet(pa.Table.from_pylist(rows, pa.schema(schema)))


def _float(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def cur_csv(items: Rows) -> bytes:
    """CUR 2.0 as CSV, gzipped: maps are JSON."""
    rows = [{name: _written(item.get(name)) for name in CUR_TYPES} for item in items]
    return gzip.compress(_csv(list(CUR_TYPES), rows), mtime=0)


def legacy_csv(items: Rows, *, packed: Literal["gzip", "zip"] = "gzip") -> bytes:
    """The legacy report as CSV: lineItem/UsageAmount, and a column for each tag."""
    keys = sorted({key for item in items for key in (item["resource_tags"] or {})})
    rows = []
    for item in items:
        row = {_legacy(n): _written(v) for n, v in item.items() if n not in _MAPS}
        row["product/ProductName"] = (item["product"] or {}).get("product_name", "")
        for key in keys:
            name = key.replace("user_", "user:", 1)
            row[f"resourceTags/{name}"] = (item["resource_tags"] or {}).get(key, "")
        rows.append(row)
    text = _csv(list(rows[0]), rows)
    if packed == "gzip":
        return gzip.compress(text, mtime=0)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report-1.csv", text)
    return file.getvalue()


_MAPS = ("product", "resource_tags", "cost_category")
_SECTIONS = ("bill", "line_item", "pricing", "product", "reservation", "savings_plan")


def _legacy(name: str) -> str:
    section = next(s for s in _SECTIONS if name.startswith(f"{s}_"))
    rest = name.removeprefix(f"{section}_").replace("_a_r_n", "_ARN")
    head, *tail = section.split("_")
    field = "".join(part if part.isupper() else part.capitalize() for part in rest.split("_"))
    if section in {"pricing", "product"}:  # these begin small
        field = field[0].lower() + field[1:]
    return f"{head}{''.join(part.capitalize() for part in tail)}/{field}"


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _csv(names: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, compression="snappy", row_group_size=5000)
    return file.getvalue()


# -- layouts --------------------------------------------------------------------------------------


def data_export(
    put: Put, root: str, month: str, files: Sequence[bytes], *, run: str = "", suffix: str = ""
) -> None:
    """A delivery of AWS Data Exports: the files, then the manifest.

    Args:
        put: key and bytes. root: s3://bucket is left out: "exports/daily". month: "2026-09".
        run: folder of the run, where each run is kept; "" = overwritten.
    """
    name = root.rsplit("/", 1)[-1]
    inside = f"BILLING_PERIOD={month}/{run}{'/' if run else ''}"
    keys = []
    for number, content in enumerate(files, start=1):
        ending = suffix or ("snappy.parquet" if content[:4] == b"PAR1" else "csv.gz")
        keys.append(f"{root}/data/{inside}{name}-{number:05d}.{ending}")
        put(keys[-1], content)
    put(f"{root}/metadata/{inside}{name}-Manifest.json", manifest(keys))


def manifest(keys: Sequence[str]) -> bytes:
    """Data Exports' manifest, as far as it matters."""
    return json.dumps({"dataFiles": [f"s3://bills/{key}" for key in keys], "columns": []}).encode()


def legacy_export(
    put: Put, root: str, month: datetime, files: Sequence[bytes], *, assembly: str = ""
) -> None:
    """A delivery of a legacy report as CSV, with the manifest in both of its places."""
    name = root.rsplit("/", 1)[-1]
    following = (month.replace(day=28) + timedelta(days=7)).replace(day=1)
    period = f"{root}/{month:%Y%m%d}-{following:%Y%m%d}"
    folder = f"{period}/{assembly}" if assembly else period
    keys = []
    for number, content in enumerate(files, start=1):
        ending = "zip" if content[:2] == b"PK" else "gz"
        keys.append(f"{folder}/{name}-{number}.csv.{ending}")
        put(keys[-1], content)
    told = json.dumps({"reportKeys": keys, "assemblyId": assembly, "bucket": "bills"}).encode()
    for place in {folder, period}:
        put(f"{place}/{name}-Manifest.json", told)
        put(f"{place}/{name}-RedshiftManifest.json", b"{}")


def athena_export(put: Put, root: str, month: datetime, files: Sequence[bytes]) -> None:
    """A delivery of a legacy report as Parquet, for Athena."""
    name = root.rsplit("/", 1)[-1]
    following = (month.replace(day=28) + timedelta(days=7)).replace(day=1)
    keys = []
    for number, content in enumerate(files, start=1):
        folder = f"{root}/{name}/year={month:%Y}/month={month.month}"
        keys.append(f"{folder}/{name}-{number:05d}.snappy.parquet")
        put(keys[-1], content)
    period = f"{root}/{month:%Y%m%d}-{following:%Y%m%d}"
    put(f"{period}/{name}-Manifest.json", json.dumps({"reportKeys": keys}).encode())
    put(f"{root}/{name}/cost_and_usage_data_status/status.parquet", b"PAR1")

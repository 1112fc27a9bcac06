"""Charges (schema.CHARGES) as Google's detailed export: nested rows, in BigQuery or in files.

Written on its own, from Google's description of the export: machines are billed as cores and
memory, things are named by numbers, a spend-based commitment lowers the price of what it covers and
its fee is offset by what was used. Shares nothing with the code that reads it.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]
_UTC = pa.timestamp("us", tz="UTC")
_PAIRS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
_TEXT = pa.string()
_MONEY = pa.float64()

SCHEMA = pa.schema(
    [
        ("billing_account_id", _TEXT),
        ("service", pa.struct([("id", _TEXT), ("description", _TEXT)])),
        ("sku", pa.struct([("id", _TEXT), ("description", _TEXT)])),
        ("usage_start_time", _UTC),
        ("usage_end_time", _UTC),
        (
            "project",
            pa.struct([("id", _TEXT), ("number", _TEXT), ("name", _TEXT), ("labels", _PAIRS)]),
        ),
        ("labels", _PAIRS),
        ("system_labels", _PAIRS),
        (
            "location",
            pa.struct(
                [("location", _TEXT), ("country", _TEXT), ("region", _TEXT), ("zone", _TEXT)]
            ),
        ),
        ("resource", pa.struct([("name", _TEXT), ("global_name", _TEXT)])),
        ("price", pa.struct([("effective_price", pa.decimal128(38, 9))])),
        ("subscription", pa.struct([("instance_id", _TEXT)])),
        ("transaction_type", _TEXT),
        ("export_time", _UTC),
        ("cost", _MONEY),
        ("currency", _TEXT),
        ("currency_conversion_rate", _MONEY),
        (
            "usage",
            pa.struct(
                [
                    ("amount", _MONEY),
                    ("unit", _TEXT),
                    ("amount_in_pricing_units", _MONEY),
                    ("pricing_unit", _TEXT),
                ]
            ),
        ),
        (
            "credits",
            pa.list_(
                pa.struct(
                    [
                        ("name", _TEXT),
                        ("amount", _MONEY),
                        ("full_name", _TEXT),
                        ("id", _TEXT),
                        ("type", _TEXT),
                    ]
                )
            ),
        ),
        ("invoice", pa.struct([("month", _TEXT)])),
        ("cost_type", _TEXT),
        ("adjustment_info", pa.struct([("id", _TEXT), ("mode", _TEXT), ("type", _TEXT)])),
        ("cost_at_list", _MONEY),
        ("cost_at_effective_price_default", _MONEY),
        ("consumption_model", pa.struct([("id", _TEXT), ("description", _TEXT)])),
    ]
)
"""The export's columns, as far as they matter here, with their types."""


def line(**given: Any) -> Row:
    """One line: an hour of a core, but for what is given."""
    start = given.get("usage_start_time", datetime.fromisoformat("2026-09-10T10:00:00+00:00"))
    usual = {
        "billing_account_id": "01F00D-5EED00-0A11CE",
        "service": {"id": "6F81-5844-456A", "description": "Compute Engine"},
        "sku": {"id": "A1", "description": "N2 Instance Core running in Netherlands"},
        "usage_start_time": start,
        "usage_end_time": start + timedelta(hours=1),
        "project": project("shop-prod-1"),
        "labels": [],
        "system_labels": [],
        "location": {"location": "europe-west4", "country": "NL", "region": "europe-west4"},
        "resource": {},
        "transaction_type": "GOOGLE",
        "export_time": start + timedelta(hours=6),
        "cost": 1.5,
        "currency": "USD",
        "currency_conversion_rate": 1.0,
        "usage": usage("seconds", 3600.0, "hour", 1.0),
        "credits": [],
        "invoice": {"month": "202609"},
        "cost_type": "regular",
        "cost_at_list": 1.5,
    }
    return {**dict.fromkeys(SCHEMA.names), **usual, **given}


def project(name: str, labels: Mapping[str, str] | None = None) -> Row:
    """A project; its number follows from its name."""
    return {
        "id": name,
        "number": number(name),
        "name": name.replace("-", " "),
        "labels": pairs(labels or {}),
    }


def usage(unit: str, amount: float, pricing_unit: str, priced: float) -> Row:
    return {
        "unit": unit,
        "amount": amount,
        "pricing_unit": pricing_unit,
        "amount_in_pricing_units": priced,
    }


def credit(kind: str, amount: float, **more: str) -> Row:
    return {
        "name": kind.title(),
        "amount": amount,
        "full_name": None,
        "id": None,
        "type": kind,
        **more,
    }


def pairs(tags: Mapping[str, str]) -> list[Row]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def number(name: str) -> str:
    """Google's number for a thing of that name."""
    return str(zlib.crc32(name.encode()) + 10**11)


def lines(charges: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The demo's charges of Google as lines of the export."""
    charges = list(charges)
    used: dict[Any, Decimal] = defaultdict(Decimal)
    for charge in charges:
        if charge["CommitmentDiscountStatus"] == "Used":
            used[charge["CommitmentDiscountId"], charge["ChargePeriodStart"]] += charge[
                "EffectiveCost"
            ]
    found: list[Row] = []
    for charge in charges:
        if charge["CommitmentDiscountStatus"] == "Unused":
            continue  # Google has no line for it: the fee is not offset
        if charge["ChargeCategory"] == "Purchase":
            offset = used[charge["CommitmentDiscountId"], charge["ChargePeriodStart"]]
            found.append(_fee(charge, float(-offset)))
        elif charge["PricingUnit"] == "Hours":
            found += _machine(charge)
        else:
            found.append(_other(charge))
    return found


def _common(charge: Mapping[str, Any]) -> Row:
    month: datetime = charge["BillingPeriodStart"]
    name = charge["SubAccountId"]
    return {
        "billing_account_id": charge["BillingAccountId"],
        "usage_start_time": charge["ChargePeriodStart"],
        "usage_end_time": charge["ChargePeriodEnd"],
        "project": project(name) if name else None,
        "labels": pairs(charge["Tags"] or {}),
        "location": {
            "location": charge["RegionName"],
            "region": charge["RegionId"],
            "zone": charge["AvailabilityZone"],
        },
        "resource": _resource(charge),
        "export_time": max(charge["ChargePeriodEnd"], month) + timedelta(hours=6),
        "currency": charge["BillingCurrency"],
        "invoice": {"month": f"{month:%Y%m}"},
    }


def _resource(charge: Mapping[str, Any]) -> Row:
    """By number, and disks in the singular."""
    path = (charge["ResourceId"] or "").removeprefix("//compute.googleapis.com/projects/")
    if not charge["ResourceId"] or charge["ChargeCategory"] == "Purchase":
        return {}
    own, where, place, kind, name = path.split("/")
    kind = "disk" if kind == "disks" else kind
    numbered = f"projects/{number(own)}/{where}/{place}/{kind}/{number(path)}"
    return {"name": name, "global_name": f"//compute.googleapis.com/{numbered}"}


def _machine(charge: Mapping[str, Any]) -> list[Row]:
    hours = float(charge["PricingQuantity"])
    spot = "Spot Preemptible " if charge["PricingCategory"] == "Dynamic" else ""
    covered = charge["CommitmentDiscountStatus"] == "Used"
    model = {"id": "7754-699E-0EBF", "description": "Default"}
    if covered:
        model = {"id": "D97B-0795-975B", "description": "Compute Flexible CUDs 1 Year"}
    found = []
    for part, unit, factor in (("Core", "hour", 4), ("Ram", "gibibyte hour", 16)):
        found.append(
            line(
                **_common(charge),
                sku={"id": part, "description": f"{spot}N2 Instance {part} running in Netherlands"},
                cost=float(charge["EffectiveCost"] / 2),
                cost_at_list=float(charge["ListCost"] / 2),
                cost_at_effective_price_default=float(charge["ContractedCost"] / 2),
                usage=usage("seconds", hours * 3600 * factor, unit, hours * factor),
                consumption_model=model,
            )
        )
    return found


def _fee(charge: Mapping[str, Any], offset: float) -> Row:
    fee = {"id": "FEE", "description": "Commitment - dollar based v1: GCE for 1 Year"}
    return line(
        **_common(charge),
        sku=fee,
        cost=float(charge["BilledCost"]),
        cost_at_list=float(charge["ListCost"]),
        subscription={"instance_id": number(charge["CommitmentDiscountId"])},
        credits=[credit("FEE_UTILIZATION_OFFSET", offset)] if offset else [],
        usage=usage("seconds", 86400.0, "hour", 24.0),
    )


def _other(charge: Mapping[str, Any]) -> Row:
    names = {
        "Persistent Disk": "SSD backed PD Capacity in Netherlands",
        "Networking": "Network Internet Data Transfer Out from Netherlands to EMEA",
    }
    units = {"GiB-Months": ("byte-seconds", "gibibyte month"), "GB": ("bytes", "gibibyte")}
    unit, pricing_unit = units[charge["PricingUnit"]]
    amount = float(charge["PricingQuantity"])
    corrects = charge["ChargeClass"] == "Correction"
    return line(
        **_common(charge),
        sku={"id": charge["SkuId"], "description": names[charge["ServiceName"]]},
        cost=float(charge["BilledCost"]),
        cost_at_list=float(charge["ListCost"]),
        usage=usage(unit, amount * 1e9, pricing_unit, amount),
        cost_type="adjustment" if corrects else "regular",
        adjustment_info={"id": "a", "mode": "PARTIAL_CORRECTION", "type": "USAGE_CORRECTION"}
        if corrects
        else None,
    )


# -- as BigQuery and files have them --------------------------------------------------------------


def table(rows: Sequence[Row], *, partitioned: bool = True) -> pa.Table:
    """Nested, as BigQuery has it; with the day of delivery beside."""
    made = pa.Table.from_pylist(list(rows), SCHEMA)
    if not partitioned:
        return made
    days = [row["export_time"].replace(hour=0, minute=0, second=0) for row in rows]
    return made.append_column("_PARTITIONTIME", pa.array(days, _UTC))


def parquet(rows: Sequence[Row]) -> bytes:
    """As EXPORT DATA writes it: nested."""
    file = io.BytesIO()
    pq.write_table(table(rows, partitioned=False), file, row_group_size=5000)
    return file.getvalue()


def json_lines(rows: Sequence[Row]) -> bytes:
    """As EXPORT DATA writes it: what is null is left out, times end in UTC."""
    return "".join(json.dumps(_told(row)) + "\n" for row in rows).encode()


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _told(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_told(one) for one in value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return value


def flat_csv(rows: Sequence[Row]) -> bytes:
    """Flattened: nested fields with a dot, lists as JSON, or as Python writes them."""
    flat = [_flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue().encode()


def _flat(row: Row) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": one for key, one in _flat(value).items()}
        elif isinstance(value, list):
            found[name] = str(value) if name == "credits" else json.dumps(value)
        elif value is not None:
            found[name] = value.isoformat(" ") if isinstance(value, datetime) else str(value)
    return found

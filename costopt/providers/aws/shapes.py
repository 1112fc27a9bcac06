"""What EC2's machine types are, by DescribeInstanceTypes (free, 100 types a page)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.pricing import builtin
from costopt.providers.aws.access import Account, told, under
from costopt.providers.base import Problem
from costopt.units import GIB

SOURCE: Final = schema.AWS_TYPES
CALL: Final = "ec2:DescribeInstanceTypes"
_PAGE: Final = 100  # the most that EC2 gives
_FILTER_VALUES: Final = 200  # the most that EC2 takes in a filter

_MODEL_NAMES: Final = {"RTX PRO Server 6000": "RTX PRO 6000"}
_CARD_GIB: Final = {"Trainium2": 96.0}
"""The call says 512 GiB of a trn2.48xlarge; its page says 1.5 TB on sixteen chips."""
_ACCELERATORS: Final = (
    ("NeuronInfo", "NeuronDevices"),
    ("InferenceAcceleratorInfo", "Accelerators"),
    ("FpgaInfo", "Fpgas"),
    ("MediaAcceleratorInfo", "Accelerators"),
)


_USE_COLUMNS: Final = ("SubAccountId", "RegionId", "x_InstanceType")


class Use(NamedTuple):
    """A machine type in use somewhere."""

    account_id: str
    region: str
    instance_type: str


def shapes(accounts: Iterable[Account], resources: pa.Table, problems: list[Problem]) -> pa.Table:
    """The types in use and all of their families, which one may move to (schema.SHAPES).

    A row here takes the place of the built-in one, so what the call does not say (what a burstable
    type sustains) is filled in from there. A burstable type of which neither knows that is left
    out: taken for a type with full CPUs, it would be recommended where it cannot serve.

    Args:
        resources: schema.RESOURCES, as `inventory.resources` gives them: then no call is made.
        problems: what cannot be had is added.
    """
    machines = resources.filter(pc.is_valid(resources.column("x_InstanceType")))
    columns = [machines.column(name).to_pylist() for name in _USE_COLUMNS]
    described = describe(accounts, (Use(*row) for row in zip(*columns, strict=True)), problems)
    rows = []
    for name, row in sorted(described.items()):
        if not row["_burstable"] or row["x_BurstableBaselinePercent"] is not None:
            rows.append(row)
        else:
            what = "burstable, and what it sustains is not known: no machine is moved to it"
            problems.append(Problem(f"{CALL} {name}", what))
    return pa.Table.from_pylist(rows, schema=schema.SHAPES)


def describe(
    accounts: Iterable[Account], uses: Iterable[Use], problems: list[Problem]
) -> dict[str, dict[str, Any]]:
    """Rows of schema.SHAPES of the types used and of their families, by type.

    Each family is asked for once, where it is used; answers are kept on the accounts. An account
    that refuses is a problem, though not a fatal one: the built-in shapes stand in.
    """
    by_id = {account.account_id: account for account in accounts}
    places: dict[tuple[str, str], set[str]] = {}
    for use in sorted(uses):
        places.setdefault((use.account_id, use.region), set()).add(use.instance_type)
    known = {k: v for account in by_id.values() for k, v in account.machine_types.items()}
    for (account_id, region), types in places.items():
        families = sorted({_family(name) for name in types if name not in known})
        account = by_id.get(account_id)
        if not families or account is None or account.hides_machine_types:
            continue
        account.hides_machine_types = True
        with told(problems, f"{account_id} {region} {CALL}", fatal=False):
            for row in _asked(account, region, families):
                known.setdefault(row["x_InstanceType"], row)
            account.hides_machine_types = False
        account.machine_types |= known
    return known


def _asked(account: Account, region: str, families: list[str]) -> Iterator[dict[str, Any]]:
    pages = account.client("ec2", region).get_paginator("describe_instance_types")
    for start in range(0, len(families), _FILTER_VALUES):
        values = [f"{family}.*" for family in families[start : start + _FILTER_VALUES]]
        asked = {"Filters": [{"Name": "instance-type", "Values": values}]}
        for page in pages.paginate(**asked, PaginationConfig={"PageSize": _PAGE}):
            for answer in under(page, "InstanceTypes"):
                yield _filled_in(shape(answer))


def shape(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The schema.SHAPES row of one answer; `_burstable` says whether it is of a burstable type."""
    name = answer["InstanceType"]
    model, count, card_gib = accelerator(answer)
    return {
        "ProviderName": "AWS",
        "x_InstanceType": name,
        "x_vCPUs": float(answer["VCpuInfo"]["DefaultVCpus"]),
        "x_PhysicalCores": _float(answer["VCpuInfo"].get("DefaultCores")),
        "x_MemoryGiB": answer["MemoryInfo"]["SizeInMiB"] / 1024,
        "x_Architecture": _architecture(answer),
        "x_GPUModel": model,
        "x_GPUCount": count or None,
        "x_GPUMemoryGiB": card_gib,
        "x_BurstableBaselinePercent": None,  # the call knows only that there is one
        "x_NetworkGbps": _network_gbps(answer.get("NetworkInfo", {})),
        "x_LocalDiskGiB": _local_disk_gib(answer),
        "x_Family": f"{_family(name)}-metal" if answer.get("BareMetal") else _family(name),
        "x_CurrentGeneration": answer.get("CurrentGeneration"),
        "x_ValidFrom": None,
        "x_Source": SOURCE,
        "_burstable": bool(answer.get("BurstablePerformanceSupported")),
    }


def accelerator(answer: Mapping[str, Any]) -> tuple[str | None, int, float | None]:
    """Model, cards and GiB a card, of a GPU or of any other accelerator.

    A share of a GPU (g6f) counts as one card with that share of memory. Other accelerators stand
    in the same columns, so that nobody judges such a machine by its CPU.
    """
    if "GpuInfo" in answer:
        device = answer["GpuInfo"]["Gpus"][0]
        count = max(1, device.get("Count") or 0)
        memory = answer["GpuInfo"].get("TotalGpuMemoryInMiB")
        card = round(memory / 1024 / count, 1) if memory else None
        return _MODEL_NAMES.get(device["Name"], device["Name"]), count, card
    for section, devices in _ACCELERATORS:
        if section in answer:
            device = answer[section][devices][0]
            memory = device.get("MemoryInfo", {}).get("SizeInMiB")
            card = round(memory / 1024, 1) if memory else None
            return device["Name"], device["Count"], _CARD_GIB.get(device["Name"], card)
    return None, 0, None


def _network_gbps(network: Mapping[str, Any]) -> float | None:
    """What all cards sustain, else their peak, else the figure in words ("Up to 10 Gigabit")."""
    cards = network.get("NetworkCards", [])
    for name in ("BaselineBandwidthInGbps", "PeakBandwidthInGbps"):
        speeds = [card.get(name) for card in cards]
        if speeds and None not in speeds:
            return round(float(sum(speeds)), 3)
    words = re.search(r"(\d+(?:\.\d+)?) Gigabit", network.get("NetworkPerformance", ""))
    return float(words[1]) if words else None


def _local_disk_gib(answer: Mapping[str, Any]) -> float:
    """AWS states local disks in GB of 10^9 bytes."""
    gigabytes = answer.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0)
    return round(float(gigabytes * 10**9 / GIB), 1)


def _architecture(answer: Mapping[str, Any]) -> str | None:
    names = answer.get("ProcessorInfo", {}).get("SupportedArchitectures", [])
    return next(
        (ours for ours in ("arm64", "x86_64") if any(name.startswith(ours) for name in names)), None
    )


def _filled_in(row: dict[str, Any]) -> dict[str, Any]:
    """The row with what the call does not say from the built-in shape of that type, if any."""
    known = built_in(row["x_InstanceType"])
    lacking = {name: known.get(name) for name, value in row.items() if value is None}
    return row | lacking | {"x_ValidFrom": None}  # the call says what is, not since when


def built_in(instance_type: str) -> dict[str, Any]:
    """The built-in shape of the type (schema.SHAPES); {} = there is none."""
    return _snapshot().get(instance_type, {})


@cache
def _snapshot() -> dict[str, dict[str, Any]]:
    table = builtin.read("aws", "shapes")
    rows = [] if table is None else table.to_pylist()
    return {row["x_InstanceType"]: row for row in rows}


def _family(instance_type: str) -> str:
    return instance_type.partition(".")[0]


def _float(count: int | None) -> float | None:
    return None if count is None else float(count)

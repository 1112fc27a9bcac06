"""What Azure's sizes are, by the list of resource SKUs (free, one call a subscription and region).

The list knows what a name does not say: whether there is that size in the region at all, and
whether the subscription may use it there; so it is asked about all sizes that have a list price.
What the list does not say (what a burstable size sustains, which card a GPU size has) is taken from
the size's name (costopt/pricing/azure_sizes.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import pyarrow as pa
from azure.mgmt.compute import ComputeManagementClient

from costopt import schema
from costopt.parallel import in_threads
from costopt.pricing import azure_sizes, builtin
from costopt.pricing.layer import region_key, type_key
from costopt.providers.azure.access import Access, listed, told
from costopt.providers.base import Problem
from costopt.units import provider_key

CALL: Final = "Microsoft.Compute/skus/read"
SOURCE: Final = schema.AZURE_SIZES

_ARCHITECTURES: Final = {"x64": "x86_64", "Arm64": "arm64"}
_MIB_PER_GIB: Final = 1024
_USE_COLUMNS: Final = ("SubAccountId", "RegionId", "x_InstanceType")

Sku = Mapping[str, Any]
"""One entry of the list, in JSON."""
Shape = dict[str, Any]
"""Columns of schema.SHAPES."""


class Use(NamedTuple):
    """A size in use somewhere."""

    subscription_id: str
    region: str
    instance_type: str


class _Asked(NamedTuple):
    """One list to read, and of which sizes the families are wanted."""

    subscription_id: str
    region: str
    types: frozenset[str]  # as `type_key`


class _Told(NamedTuple):
    """What a list says."""

    shapes: list[Shape]  # of the families wanted
    offered: frozenset[str]  # what the subscription may use there, as `type_key`


class Sizes:
    """The sizes in use and their families, as the subscriptions' own lists tell of them."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._asked: set[Use] = set()
        self._known: dict[str, Shape] = {}
        self._offered: dict[str, frozenset[str]] = {}  # by region, to all who asked

    def describe(self, uses: Iterable[Use], problems: list[Problem]) -> dict[str, Shape]:
        """Rows of schema.SHAPES of the sizes used and of their families, by `type_key`.

        Each list is asked for once. A subscription that refuses is a problem, though not a fatal
        one: what the names say stands in.
        """
        new = {
            one._replace(instance_type=type_key(one.instance_type)) for one in uses if one.region
        }
        types: dict[tuple[str, str], set[str]] = {}
        for name, region, size in sorted(new - self._asked):
            types.setdefault((name, region), set()).add(size)
        self._asked |= new
        asked = [_Asked(*place, frozenset(names)) for place, names in types.items()]
        for one, (told_of, refusals) in zip(
            asked,
            in_threads(self._listed, asked, self._access.settings.max_concurrency),
            strict=True,
        ):
            problems += refusals
            if told_of is not None:
                for row in told_of.shapes:
                    self._known.setdefault(type_key(row["x_InstanceType"]), row)
                before = self._offered.get(one.region, told_of.offered)
                self._offered[one.region] = before & told_of.offered
        return self._known

    def shapes(
        self,
        resources: pa.Table,
        problems: list[Problem],
        held: pa.Table | None = None,
    ) -> pa.Table:
        """The sizes in use and all of their families, which one may move to; and, of all others
        that are known, those that cannot be had in some region (schema.SHAPES, x_NotOfferedIn).

        A size cannot be had in a region whose list does not name it, or that any of the
        subscriptions with machines there may not use. Where no list was to be had, what the lake
        holds of it stands.

        A burstable size of which nobody knows what it sustains is left out: taken for one with full
        CPUs, it would be recommended where it cannot serve.

        Args:
            resources: schema.RESOURCES, as `inventory.resources` gives them: then no call is made.
            problems: what cannot be had is added.
            held: the lake's shapes; None = it holds none.
        """
        columns = [resources.column(name).to_pylist() for name in _USE_COLUMNS]
        uses = (Use(*row) for row in zip(*columns, strict=True) if all(row))
        rows = {}
        for name, row in self.describe(uses, problems).items():
            if _is_burstable(row["x_InstanceType"]) and row["x_BurstableBaselinePercent"] is None:
                what = "burstable, and what it sustains is not known: no machine is moved to it"
                problems.append(Problem(f"{CALL} {row['x_InstanceType']}", what))
            else:
                rows[name] = row
        before = {
            type_key(row["x_InstanceType"]): row
            for row in (held.to_pylist() if held else ())
            if row["x_Source"] == SOURCE
        }
        marked = [row for _, row in sorted(self._marked(rows, before).items())]
        return pa.Table.from_pylist(marked, schema=schema.SHAPES)

    def _marked(self, rows: Mapping[str, Shape], before: Mapping[str, Shape]) -> dict[str, Shape]:
        """The rows with the regions where they cannot be had, and those of other sizes of which
        that is or was so.

        Args:
            before: what earlier collects told.
        """
        marked = {}
        for name in {*_spellings(), *before, *rows}:
            known = before.get(name, {})
            lacking = set((known.get("x_NotOfferedIn") or "").split()) - self._offered.keys()
            lacking |= {place for place, there in self._offered.items() if name not in there}
            if name in rows or lacking or known.get("x_NotOfferedIn"):
                row = rows.get(name) or known or built_in(name) | {"x_Source": SOURCE}
                marked[name] = row | {"x_NotOfferedIn": " ".join(sorted(lacking)) or None}
        return marked

    def _listed(self, asked: _Asked) -> tuple[_Told | None, list[Problem]]:
        """What the list says, or why it says nothing."""
        refusals: list[Problem] = []
        with told(refusals, f"{asked.subscription_id} {asked.region} {CALL}", fatal=False):
            client = self._access.management(ComputeManagementClient, asked.subscription_id)
            there = f"location eq '{asked.region}'"
            skus = [
                sku
                for sku in listed(lambda: client.resource_skus.list(filter=there), _sku)
                if sku.get("resourceType") == "virtualMachines" and sku.get("name")
            ]
            if not skus:  # no region is without: it says nothing
                return None, []
            wanted = {sku.get("family") for sku in skus if type_key(sku["name"]) in asked.types}
            mine = (shape(sku) for sku in skus if sku.get("family") in wanted)
            offered = {type_key(sku["name"]) for sku in skus if not is_closed(sku, asked.region)}
            return _Told([row for row in mine if row], frozenset(offered)), []
        return None, refusals


def shape(sku: Sku) -> Shape | None:
    """The schema.SHAPES row of one entry of a region's list; None where it has no vCPUs."""
    name = sku["name"]
    told = {one.get("name"): one.get("value") for one in sku.get("capabilities") or ()}
    known = built_in(name)
    vcpus = _number(told, "vCPUsAvailable") or _number(told, "vCPUs")  # fewer: constrained vCPUs
    if not vcpus:
        return None
    threads = _number(told, "vCPUsPerCore")
    listed = {
        "ProviderName": azure_sizes.PROVIDER,
        "x_InstanceType": name,
        "x_vCPUs": vcpus,
        "x_PhysicalCores": vcpus / threads if threads else None,
        "x_MemoryGiB": _number(told, "MemoryGB"),  # GiB, whatever it is called
        "x_Architecture": _ARCHITECTURES.get(told.get("CpuArchitectureType") or ""),
        "x_LocalDiskGiB": _local_disk_gib(told),
        "x_Family": known.get("x_Family") or sku.get("family"),
        "x_Source": SOURCE,
    }
    if not known.get("x_GPUCount") and (cards := _number(told, "GPUs")):
        listed |= {"x_GPUCount": max(1, int(cards)), "x_GPUModel": _card(name)}
    told_of = {column: value for column, value in listed.items() if value is not None}
    return dict.fromkeys(schema.SHAPES.names) | known | told_of


def _sku(sku: Sku) -> str:
    """Which it is: other kinds of things have sizes of their own."""
    return f"{sku.get('resourceType')} {sku.get('name')}"


def is_closed(sku: Sku, region: str) -> bool:
    """Whether the subscription may not use that size there: by its offer, or for want of room.

    A size that is closed in some of its zones is open in the others.
    """
    zones = {
        zone
        for place in sku.get("locationInfo") or ()
        if region_key(place.get("location") or "") == region
        for zone in place.get("zones") or ()
    }
    shut: set[str] = set()
    for restriction in sku.get("restrictions") or ():
        info = restriction.get("restrictionInfo") or {}
        places = info.get("locations") or restriction.get("values") or ()
        if restriction.get("type") == "Zone":
            shut |= set(info.get("zones") or ())
        elif region in map(region_key, places):
            return True
    return bool(zones) and zones <= shut


def built_in(instance_type: str) -> Shape:
    """What the size's name stands for (schema.SHAPES), in whatever case; {} = it does not say."""
    name = _spellings().get(type_key(instance_type), instance_type)
    found = azure_sizes.shape(name)
    if found is None:
        return {}
    return {
        "ProviderName": azure_sizes.PROVIDER,
        "x_InstanceType": name,
        "x_vCPUs": found.vcpus,
        "x_PhysicalCores": found.physical_cores,
        "x_MemoryGiB": found.memory_gib,
        "x_Architecture": found.architecture,
        "x_GPUModel": found.gpu_model,
        "x_GPUCount": found.gpu_count or None,
        "x_GPUMemoryGiB": found.gpu_memory_gib,
        "x_BurstableBaselinePercent": found.burstable_baseline_percent,
        "x_NetworkGbps": found.network_gbps,
        "x_LocalDiskGiB": found.local_disk_gib,
        "x_Family": found.family,
        "x_CurrentGeneration": found.current_generation,
    }


@cache
def _spellings() -> dict[str, str]:
    """Sizes as Azure writes them, by `type_key`: people create machines in any case."""
    table = builtin.read(provider_key(azure_sizes.PROVIDER), "shapes")
    names = [] if table is None else table.column("x_InstanceType").to_pylist()
    return {type_key(name): name for name in names}


def _is_burstable(instance_type: str) -> bool:
    name = azure_sizes.parse(instance_type)
    return name is not None and name.letters == "B"


def _card(instance_type: str) -> str | None:
    """The card that the name carries: Standard_NC40ads_H100_v5."""
    name = azure_sizes.parse(instance_type)
    return name.extra.strip("_") or None if name else None


def _local_disk_gib(told: Mapping[str, str | None]) -> float | None:
    """The temporary disk and the NVMe ones; both are told in MiB."""
    parts = [_number(told, name) for name in ("MaxResourceVolumeMB", "NvmeDiskSizeInMiB")]
    found = [part for part in parts if part is not None]
    return round(sum(found) / _MIB_PER_GIB, 1) if found else None


def _number(told: Mapping[str, str | None], name: str) -> float | None:
    try:
        return float(told.get(name) or "")
    except ValueError:
        return None

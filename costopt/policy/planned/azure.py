"""What Azure's resources of a plan are made of, as the provider hashicorp/azurerm has them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from costopt.policy.planned.contents import Contents, Disk, Machine, Reader, Seen
from costopt.policy.planned.values import Values

_IOPS: Final = 3000
_THROUGHPUT: Final = 125
"""What the GiB of a Premium SSD v2 hold: learn.microsoft.com/azure/virtual-machines/disks-types,
"Premium SSD v2 performance" (read 2026-11). More is billed apart."""
_CLUSTERS: Final = ("azurerm_kubernetes_cluster",)


def region(seen: Seen) -> str | None:
    """Its location; a node pool's is its cluster's."""
    own = seen.text("location")
    if own or seen.planned.kind != "azurerm_kubernetes_cluster_node_pool":
        return own and "".join(own.split()).casefold()
    name = "kubernetes_cluster_id"
    cluster = seen.other(name, seen.text(name), _CLUSTERS)
    return region(cluster) if cluster else None


def _system(seen: Seen) -> str:
    windows = "windows" in seen.planned.kind or seen.text("os_type") == "Windows"
    return "Windows" if windows or seen.values.blocks("os_profile_windows_config") else "Linux"


def _spot(values: Values) -> str:
    return "spot has no list price" if values.text("priority") in ("Spot", "Low") else ""


def _machine(seen: Seen) -> Contents:
    values = seen.values
    kind = values.text("size") or values.text("vm_size")
    machine = Machine(kind, _system(seen), apart=_spot(values))
    disks = {"OS disk": _disk(_os_disk(values))}
    for number, one in enumerate(values.blocks("storage_data_disk")):
        disks[f"disk {one.text('name') or number}"] = _disk(one)
    return Contents(region(seen), machine, disks=disks)


def _os_disk(values: Values) -> Values:
    return values.block("os_disk" if values.has("os_disk") else "storage_os_disk")


def _disk(one: Values) -> Disk:
    kind = one.text("storage_account_type") or one.text("managed_disk_type")
    more = (one.number("disk_iops_read_write") or 0) > _IOPS
    more = more or (one.number("disk_mbps_read_write") or 0) > _THROUGHPUT
    apart = "more IOPS or throughput is billed apart" if more else ""
    return Disk(kind, one.number("disk_size_gb"), apart)


def _managed_disk(seen: Seen) -> Contents:
    return Contents(region(seen), disks={"disk": _disk(seen.values)})


def _scale_set(seen: Seen) -> Contents:
    kind = seen.text("sku_name") or seen.text("sku")  # the first: of an orchestrated one
    return _machines(seen, kind, seen.values.number("instances"), "data_disk")


def _old_scale_set(seen: Seen) -> Contents:
    """azurerm_virtual_machine_scale_set, as it was before version 3 of the provider."""
    sku = seen.values.block("sku")
    return _machines(seen, sku.text("name"), sku.number("capacity"), "storage_profile_data_disk")


def _machines(seen: Seen, kind: str | None, count: Decimal | None, data: str) -> Contents:
    values = seen.values
    old = values.block("storage_profile_os_disk")
    os_disk = values.block("os_disk") if values.has("os_disk") else old
    disks = {"OS disk": _disk(os_disk)}
    for number, one in enumerate(values.blocks(data)):
        disks[f"disk {one.text('name') or number}"] = _disk(one)
    return Contents(region(seen), Machine(kind, _system(seen), apart=_spot(values)), count, disks)


def _nodes(values: Values) -> tuple[Machine, Decimal | None, dict[str, Disk]]:
    system = "Windows" if values.text("os_type") == "Windows" else "Linux"
    machine = Machine(values.text("vm_size"), system, apart=_spot(values))
    count = values.number("node_count")
    if count is None:
        count = values.number("min_count")  # where it scales by itself
    return machine, count, {"OS disk": Disk(None, values.number("os_disk_size_gb"))}


def _node_pool(seen: Seen) -> Contents:
    return Contents(region(seen), *_nodes(seen.values))


def _cluster(seen: Seen) -> Contents:
    """With its first pool of nodes; the free tier's control plane costs nothing."""
    tier = seen.text("sku_tier")
    told = {} if tier == "Free" else {"control plane": "no list price of it is known"}
    return Contents(region(seen), *_nodes(seen.values.block("default_node_pool")), told)


KINDS: Final[Mapping[str, Reader]] = {
    "azurerm_virtual_machine": _machine,
    "azurerm_linux_virtual_machine": _machine,
    "azurerm_windows_virtual_machine": _machine,
    "azurerm_managed_disk": _managed_disk,
    "azurerm_virtual_machine_scale_set": _old_scale_set,
    "azurerm_linux_virtual_machine_scale_set": _scale_set,
    "azurerm_windows_virtual_machine_scale_set": _scale_set,
    "azurerm_orchestrated_virtual_machine_scale_set": _scale_set,
    "azurerm_kubernetes_cluster": _cluster,
    "azurerm_kubernetes_cluster_node_pool": _node_pool,
}
"""Kind -> what it is made of."""

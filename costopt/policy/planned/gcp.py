"""What Google's resources of a plan are made of, as the provider hashicorp/google has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from costopt.policy.planned.contents import Contents, Disk, Machine, Reader, Seen, last
from costopt.policy.planned.values import Values

_TEMPLATES: Final = (
    "google_compute_instance_template",
    "google_compute_region_instance_template",
)
_CLUSTERS: Final = ("google_container_cluster",)
_ZONE: Final = re.compile(r"(.+-[a-z]+\d+)-[a-z]")


def region(seen: Seen) -> str | None:
    """Its own, its zone's or location's; else the provider's."""
    own = [last(seen.text(name)) for name in ("zone", "location", "region")]
    given = [last(seen.setting(name)) for name in ("zone", "region")]
    place = next((one for one in (*own, *reversed(given)) if one), None)
    return _region_of(place) if place else None


def _region_of(place: str) -> str:
    zone = _ZONE.fullmatch(place)
    return zone[1] if zone else place


def _machine(values: Values) -> Machine:
    scheduling = values.block("scheduling")
    model = scheduling.text("provisioning_model") or ""
    spot = model == "SPOT" or _on(scheduling, "preemptible") or _on(values, "preemptible")
    apart = "spot has no list price" if spot or _on(values, "spot") else ""
    cards = values.blocks("guest_accelerator")
    counts = [one.number("count") for one in cards]
    known = [int(count) for count in counts if count is not None]
    return Machine(
        last(values.text("machine_type")),
        gpu_model=last(cards[0].text("type")) if cards else None,
        gpu_count=sum(known) if len(known) == len(counts) else None,
        apart=apart,
    )


def _on(values: Values, name: str) -> bool:
    return values.flag(name) is True


def _instance(seen: Seen) -> Contents:
    values = seen.values
    boot = values.block("boot_disk").block("initialize_params")
    disks = {"boot disk": Disk(last(boot.text("type")), boot.number("size"))}
    local = len(values.blocks("scratch_disk"))
    return Contents(region(seen), _machine(values), disks=disks, others=_local(local))


def _local(count: int) -> dict[str, str]:
    return {"local SSDs": "no list price of them is known"} if count else {}


def _disk(seen: Seen) -> Contents:
    values = seen.values
    apart = "provisioned IOPS are billed apart" if values.number("provisioned_iops") else ""
    disk = Disk(last(values.text("type")), values.number("size"), apart)
    return Contents(region(seen), disks={"disk": disk})


def _group(seen: Seen) -> Contents:
    """Machines of the template that the plan holds, too."""
    versions = seen.values.blocks("version")
    count = seen.values.number("target_size")
    names = {version.text("instance_template") for version in versions}
    if len(versions) > 1:
        return Contents(region(seen), Machine(None, apart="machines of several templates"), count)
    name = names.pop() if names else seen.text("instance_template")
    template = seen.other("version", name, _TEMPLATES) or seen.other(
        "instance_template", name, _TEMPLATES
    )
    if template is None:
        return Contents(region(seen), Machine(None), count)
    disks = {
        f"disk {one.text('device_name') or number}": Disk(
            last(one.text("disk_type")), one.number("disk_size_gb")
        )
        for number, one in enumerate(template.values.blocks("disk"))
    }
    return Contents(region(seen), _machine(template.values), count, disks)


def _node_pool(seen: Seen) -> Contents:
    """`node_count` is of each zone: registry.terraform.io, google_container_node_pool."""
    values = seen.values
    count = values.number("node_count")
    if count is None:
        count = values.number("initial_node_count")
    cluster = seen.other("cluster", seen.text("cluster"), _CLUSTERS)
    named = len(values.texts("node_locations")) or None
    zones = named or (_zones(cluster) if cluster else None)
    place = region(cluster) if cluster and not seen.text("location") else region(seen)
    return _nodes(place, values.block("node_config"), count, zones)


def _cluster(seen: Seen) -> Contents:
    """Its control plane, and its first pool of nodes unless that is removed at once."""
    fee = {"control plane": "no list price of it is known"}
    if _on(seen.values, "remove_default_node_pool"):
        return Contents(region(seen), others=fee)
    values = seen.values
    if _on(values, "enable_autopilot"):
        return Contents(region(seen), others=fee | {"pods": "they are billed by what they request"})
    count = values.number("initial_node_count")
    made = _nodes(region(seen), values.block("node_config"), count, _zones(seen))
    return replace(made, others=fee)


def _nodes(place: str | None, node: Values, count: Decimal | None, zones: int | None) -> Contents:
    """`count` nodes in each of so many zones."""
    disk = Disk(last(node.text("disk_type")), node.number("disk_size_gb"))
    total = None if count is None or zones is None else count * zones
    return Contents(place, _machine(node), total, {"boot disk": disk})


def _zones(cluster: Seen) -> int | None:
    """In how many zones a cluster has nodes; None = not known: Google chooses a region's.

    A cluster of one zone names those beside it only.
    """
    place = last(cluster.text("location"))
    beside = len(cluster.values.texts("node_locations"))
    if place and _ZONE.fullmatch(place):
        return beside + 1
    return beside or None


KINDS: Final[Mapping[str, Reader]] = {
    "google_compute_instance": _instance,
    "google_compute_disk": _disk,
    "google_compute_instance_group_manager": _group,
    "google_compute_region_instance_group_manager": _group,
    "google_container_node_pool": _node_pool,
    "google_container_cluster": _cluster,
}
"""Kind -> what it is made of."""

"""What AWS's resources of a plan are made of, as the provider hashicorp/aws has them (3 to 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from costopt.policy.planned.contents import Contents, Disk, Machine, Reader, Seen
from costopt.policy.planned.values import Values

_ZONE: Final = re.compile(r"(.+-\d+)[a-z]")
_IOPS: Final = 3000
_THROUGHPUT: Final = 125
"""What a gp3 volume's GiB hold, whatever its size: docs.aws.amazon.com/ebs, "General Purpose SSD
volumes" (read 2026-11). More is billed apart."""
_ROOTS: Final = frozenset({"/dev/xvda", "/dev/sda1"})
"""Where images have their root disk: docs.aws.amazon.com/AWSEC2, "Device names for volumes"."""
_TEMPLATES: Final = ("aws_launch_template", "aws_launch_configuration")


def region(seen: Seen) -> str | None:
    """Its own, its zone's, its ARN's; else the provider's."""
    values = seen.values
    zones = (values.text("availability_zone"), *values.texts("availability_zones"))
    found = {match[1] for zone in zones if zone and (match := _ZONE.fullmatch(zone))}
    arn = (values.text("arn") or "").split(":")
    of_arn = arn[3] if len(arn) > 5 and arn[0] == "arn" else None
    own = values.text("region") or (found.pop() if len(found) == 1 else None)
    return own or of_arn or seen.setting("region")


def _instance(seen: Seen) -> Contents:
    values, template = seen.values, _template(seen)
    machine = _machine(values, template.values if template else None)
    return Contents(region(seen), machine, disks=dict(_disks(values, template)))


def _machine(values: Values, template: Values | None) -> Machine:
    """A template's attributes hold where the machine has none of its own."""
    both = [values, *([template] if template else [])]
    types = [kind for one in both if (kind := one.text("instance_type"))]
    market = [one.block("instance_market_options").text("market_type") for one in both]
    tenancy = [one.text("tenancy") or one.block("placement").text("tenancy") for one in both]
    apart = ""
    if "spot" in market or any(one.text("spot_price") for one in both):
        apart = "spot has no list price"
    elif next((one for one in tenancy if one), "default") != "default":
        apart = "there is no list price of dedicated machines"
    return Machine(types[0] if types else None, apart=apart)


def _disks(values: Values, template: Seen | None) -> Iterator[tuple[str, Disk]]:
    """The root disk is there even if nothing is told of it: it is its image's then."""
    mapped = template.values.blocks("block_device_mappings") if template else ()
    root = values.blocks("root_block_device")
    if root or not any(one.text("device_name") in _ROOTS for one in mapped):
        yield "root disk", _disk(root[0] if root else None)
    if values.is_unknown("ebs_block_device"):
        return  # none but those that its image has
    for number, one in enumerate(values.blocks("ebs_block_device")):
        yield f"disk {one.text('device_name') or number}", _disk(one)
    for number, one in enumerate(mapped):
        yield f"disk {one.text('device_name') or number}", _disk(one.block("ebs"))


def _disk(one: Values | None) -> Disk:
    if one is None:
        return Disk(None, None)
    kind = one.text("volume_type") or one.text("type")
    size = one.number("volume_size") or one.number("size")
    more = (one.number("iops") or 0) > _IOPS or (one.number("throughput") or 0) > _THROUGHPUT
    return Disk(kind, size, "more IOPS or throughput is billed apart" if more else "")


def _volume(seen: Seen) -> Contents:
    return Contents(region(seen), disks={"disk": _disk(seen.values)})


def _template(seen: Seen) -> Seen | None:
    block = seen.values.block("launch_template")
    name = block.text("id") or block.text("name") or seen.text("launch_configuration")
    for attribute in ("launch_template", "launch_configuration"):
        if found := seen.other(attribute, name, _TEMPLATES):
            return found
    return None


def _scaling_group(seen: Seen) -> Contents:
    """As many machines as are wanted; where that is left open, the fewest that there may be, with
    which AWS begins (CreateAutoScalingGroup, DesiredCapacity)."""
    values = seen.values
    count = values.number("desired_capacity")
    if count is None:
        count = values.number("min_size")
    if (values.text("desired_capacity_type") or "units") != "units":
        count = None  # it counts vCPUs, or memory
    if values.blocks("mixed_instances_policy"):
        why = "machines of several types, or spot"
        return Contents(region(seen), Machine(None, apart=why), count)
    template = _template(seen)
    if template is None:
        return Contents(region(seen), Machine(None), count)
    machine = _machine(template.values, None)
    return Contents(region(seen), machine, count, dict(_disks(template.values, template)))


def _node_group(seen: Seen) -> Contents:
    values = seen.values
    count = values.block("scaling_config").number("desired_size")
    template = _template(seen)
    types = values.texts("instance_types")
    own = template.text("instance_type") if template else None
    apart = "spot has no list price" if values.text("capacity_type") == "SPOT" else ""
    if len(set(types)) > 1:
        apart = apart or "machines of several types"
    machine = Machine(types[0] if types else own, apart=apart)
    disk = Disk(None, values.number("disk_size"))
    return Contents(region(seen), machine, count, {"root disk": disk})


def _cluster(seen: Seen) -> Contents:
    return Contents(region(seen), others={"control plane": "no list price of it is known"})


def _spot(seen: Seen) -> Contents:
    machine = Machine(seen.text("instance_type"), apart="spot has no list price")
    return Contents(region(seen), machine, Decimal(1), dict(_disks(seen.values, None)))


KINDS: Final[Mapping[str, Reader]] = {
    "aws_instance": _instance,
    "aws_spot_instance_request": _spot,
    "aws_ebs_volume": _volume,
    "aws_autoscaling_group": _scaling_group,
    "aws_eks_node_group": _node_group,
    "aws_eks_cluster": _cluster,
}
"""Kind -> what it is made of."""

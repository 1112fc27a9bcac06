"""Azure's schedules as Terraform resources.

Source: registry documentation of hashicorp/azurerm, azurerm_monitor_autoscale_setting,
azurerm_dev_test_global_vm_shutdown_schedule, azurerm_resource_group (data source).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from costopt.report.artefacts.schedules import azure_auto_shutdown, azure_autoscale
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.ids import azure_machine, scale_set
from costopt.report.artefacts.schedules.terraform.hcl import Block, Raw
from costopt.report.artefacts.schedules.zones import windows_name


def groups(held: Sequence[Scheduled]) -> Iterator[Block]:
    """azurerm_monitor_autoscale_setting for every scale set."""
    for one in held:
        found = scale_set(one)
        assert found is not None, "only scale sets come here"
        yield _resource_group(one, found.group)
        attributes = {
            "name": one.name,
            "resource_group_name": found.group,
            "location": Raw(f"data.azurerm_resource_group.{one.name}.location"),
            "target_resource_id": one.resource_id,
        }
        blocks = tuple(_profile(profile) for profile in azure_autoscale.profiles(one))
        yield Block("resource", ("azurerm_monitor_autoscale_setting", one.name), attributes, blocks)


def machines(held: Sequence[Scheduled]) -> Iterator[Block]:
    """azurerm_dev_test_global_vm_shutdown_schedule for every machine."""
    for one in held:
        found = azure_machine(one)
        assert found is not None, "only machines come here"
        yield _resource_group(one, found.group)
        attributes = {
            "virtual_machine_id": one.resource_id,
            "location": Raw(f"data.azurerm_resource_group.{one.name}.location"),
            "enabled": True,
            "daily_recurrence_time": azure_auto_shutdown.recurrence_time(one),
            "timezone": windows_name(one.plan.time_zone),
        }
        blocks = (Block("notification_settings", (), {"enabled": False}),)
        labels = ("azurerm_dev_test_global_vm_shutdown_schedule", one.name)
        yield Block("resource", labels, attributes, blocks)


def _resource_group(one: Scheduled, group: str) -> Block:
    return Block("data", ("azurerm_resource_group", one.name), {"name": group})


def _profile(profile: dict[str, Any]) -> Block:
    count = int(profile["capacity"]["default"])
    blocks = [Block("capacity", (), {"default": count, "minimum": count, "maximum": count})]
    if when := profile.get("recurrence"):
        schedule = when["schedule"]
        weekly = {
            "timezone": schedule["timeZone"],
            "days": schedule["days"],
            "hours": schedule["hours"],
            "minutes": schedule["minutes"],
        }
        blocks.append(Block("recurrence", (), weekly))
    if when := profile.get("fixedDate"):
        fixed = {"timezone": when["timeZone"], "start": when["start"], "end": when["end"]}
        blocks.append(Block("fixed_date", (), fixed))
    return Block("profile", (), {"name": profile["name"]}, tuple(blocks))

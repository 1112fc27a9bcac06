"""Azure's schedules as Terraform resources.

Source: registry documentation of hashicorp/azurerm, azurerm_monitor_autoscale_setting,
azurerm_dev_test_global_vm_shutdown_schedule, azurerm_resource_group (data source).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costopt.report.artefacts.schedules import arm, azure_auto_shutdown, azure_autoscale
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.ids import azure_machine, scale_set
from costopt.report.artefacts.schedules.terraform.hcl import Block, Raw
from costopt.report.artefacts.schedules.zones import windows_name


def group(one: Scheduled) -> Iterator[Block]:
    """azurerm_monitor_autoscale_setting of a scale set."""
    found = scale_set(one)
    assert found is not None, "only scale sets come here"
    location, data = _location(one, found.group)
    yield from data
    attributes = {
        "name": one.name,
        "resource_group_name": found.group,
        "location": location,
        "target_resource_id": one.resource_id,
    }
    blocks = tuple(_profile(profile) for profile in azure_autoscale.profiles(one))
    yield Block("resource", ("azurerm_monitor_autoscale_setting", one.name), attributes, blocks)


def machine(one: Scheduled) -> Iterator[Block]:
    """azurerm_dev_test_global_vm_shutdown_schedule of a machine."""
    found = azure_machine(one)
    assert found is not None, "only machines come here"
    location, data = _location(one, found.group)
    yield from data
    attributes = {
        "virtual_machine_id": one.resource_id,
        "location": location,
        "enabled": True,
        "daily_recurrence_time": azure_auto_shutdown.recurrence_time(one),
        "timezone": windows_name(one.plan.time_zone),
    }
    blocks = (Block("notification_settings", (), {"enabled": False}),)
    labels = ("azurerm_dev_test_global_vm_shutdown_schedule", one.name)
    yield Block("resource", labels, attributes, blocks)


def _location(one: Scheduled, group: str) -> tuple[str | Raw, list[Block]]:
    """The resource's region, or its group's where it is unknown, and what that is read from."""
    if region := arm.region(one):
        return region, []
    read = Raw(f"data.azurerm_resource_group.{one.name}.location")
    return read, [Block("data", ("azurerm_resource_group", one.name), {"name": group})]


def _profile(profile: dict[str, Any]) -> Block:
    counts = {name: int(profile["capacity"][name]) for name in ("default", "minimum", "maximum")}
    blocks = [Block("capacity", (), counts), *(_rule(rule) for rule in profile["rules"])]
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


def _rule(rule: dict[str, Any]) -> Block:
    trigger, action = rule["metricTrigger"], rule["scaleAction"]
    metric = {
        "metric_name": trigger["metricName"],
        "metric_resource_id": trigger["metricResourceUri"],
        "time_grain": trigger["timeGrain"],
        "statistic": trigger["statistic"],
        "time_window": trigger["timeWindow"],
        "time_aggregation": trigger["timeAggregation"],
        "operator": trigger["operator"],
        "threshold": trigger["threshold"],
    }
    step = {
        "direction": action["direction"],
        "type": action["type"],
        "value": action["value"],
        "cooldown": action["cooldown"],
    }
    return Block(
        "rule", (), {}, (Block("metric_trigger", (), metric), Block("scale_action", (), step))
    )

"""Google's schedules as Terraform resources.

Source: registry documentation of hashicorp/google, google_compute_resource_policy,
google_compute_resource_policy_attachment, google_compute_autoscaler and
google_compute_region_autoscaler (scaling_schedules).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costopt.report.artefacts.schedules import gcp_instance_schedule, gcp_mig
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.gcp_instance_schedule import Policy
from costopt.report.artefacts.schedules.terraform.hcl import Block, Raw


def group(one: Scheduled) -> Iterator[Block]:
    """google_compute_autoscaler, or that of a region.

    An autoscaler that exists must be imported, and its own signal and greatest number kept.
    """
    where = gcp_mig.full_name(one)
    policy = gcp_mig.policy(one)
    schedules = tuple(_scaling(name, told) for name, told in policy["scalingSchedules"].items())
    signal = Block("cpu_utilization", (), {"target": Raw("0.6")})
    sizes = {
        "min_replicas": policy["minNumReplicas"],
        "max_replicas": max(one.peak, one.recommendation.replicas or 0),
    }
    managers = f"projects/{where.project}/{where.scope}s/{where.place}/instanceGroupManagers"
    kind = "google_compute_autoscaler"
    yield Block(
        "resource",
        (kind if where.scope == "zone" else "google_compute_region_autoscaler", one.name),
        {
            "name": where.name,
            "project": where.project,
            where.scope: where.place,
            "target": f"{managers}/{where.name}",
        },
        (Block("autoscaling_policy", (), sizes, (signal, *schedules)),),
        comment="keep the signal and the greatest number of the autoscaler that exists",
    )


def _scaling(name: str, schedule: dict[str, Any]) -> Block:
    attributes = {
        "name": name,
        "min_required_replicas": schedule["minRequiredReplicas"],
        "schedule": schedule["schedule"],
        "time_zone": schedule["timeZone"],
        "duration_sec": schedule["durationSec"],
    }
    return Block("scaling_schedules", (), attributes)


def machine(one: Scheduled) -> Iterator[Block]:
    """google_compute_resource_policy, and its attachment to the machine.

    Named by its times, too: with them the attachment changes, which goes before its policy does.
    """
    (policy,) = gcp_instance_schedule.policies([one])
    yield _policy(one.name, policy)
    where = gcp_instance_schedule.full_name(one)
    attributes = {
        "name": Raw(f"google_compute_resource_policy.{one.name}.name"),
        "instance": where.name,
        "zone": where.place,
        "project": where.project,
    }
    yield Block("resource", ("google_compute_resource_policy_attachment", one.name), attributes)


def _policy(label: str, policy: Policy) -> Block:
    attributes = {
        "name": f"{label}-{policy.name.removeprefix('costopt-')}",
        "project": policy.project,
        "region": policy.region,
    }
    week = Block(
        "instance_schedule_policy",
        (),
        {"time_zone": policy.time_zone},
        (
            Block("vm_start_schedule", (), {"schedule": policy.starts}),
            Block("vm_stop_schedule", (), {"schedule": policy.stops}),
        ),
    )
    return Block("resource", ("google_compute_resource_policy", label), attributes, (week,))

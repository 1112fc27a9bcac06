"""Google's schedules as Terraform resources.

Source: registry documentation of hashicorp/google, google_compute_resource_policy,
google_compute_resource_policy_attachment, google_compute_autoscaler and
google_compute_region_autoscaler (scaling_schedules).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from costopt.report.artefacts.schedules import gcp_instance_schedule, gcp_mig
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.gcp_instance_schedule import Policy
from costopt.report.artefacts.schedules.terraform.hcl import Block, Raw


def groups(held: Sequence[Scheduled]) -> Iterator[Block]:
    """google_compute_autoscaler, or that of a region, for every group.

    An autoscaler that exists must be imported, and its own signal and greatest number kept.
    """
    for one in held:
        where = gcp_mig.full_name(one)
        policy = gcp_mig.policy(one)
        replicas = one.recommendation.replicas or 0
        schedules = tuple(
            Block(
                "scaling_schedules",
                (),
                {
                    "name": name,
                    "min_required_replicas": schedule["minRequiredReplicas"],
                    "schedule": schedule["schedule"],
                    "time_zone": schedule["timeZone"],
                    "duration_sec": schedule["durationSec"],
                },
            )
            for name, schedule in policy["scalingSchedules"].items()
        )
        signal = Block("cpu_utilization", (), {"target": Raw("0.6")})
        sizes = {
            "min_replicas": policy["minNumReplicas"],
            "max_replicas": max(one.peak, replicas),
        }
        group = f"projects/{where.project}/{where.scope}s/{where.place}/instanceGroupManagers"
        kind = "google_compute_autoscaler"
        yield Block(
            "resource",
            (kind if where.scope == "zone" else "google_compute_region_autoscaler", one.name),
            {
                "name": where.name,
                "project": where.project,
                where.scope: where.place,
                "target": f"{group}/{where.name}",
            },
            (Block("autoscaling_policy", (), sizes, (signal, *schedules)),),
            comment="keep the signal and the greatest number of the autoscaler that exists",
        )


def machines(held: Sequence[Scheduled]) -> Iterator[Block]:
    """google_compute_resource_policy, and its attachment to each machine."""
    for number, policy in enumerate(gcp_instance_schedule.policies(held), 1):
        label = f"costopt-{number}"
        yield _policy(policy, label)
        for one in policy.machines:
            where = gcp_instance_schedule.full_name(one)
            attributes = {
                "name": Raw(f"google_compute_resource_policy.{label}.name"),
                "instance": where.name,
                "zone": where.place,
                "project": where.project,
            }
            yield Block(
                "resource", ("google_compute_resource_policy_attachment", one.name), attributes
            )


def _policy(policy: Policy, label: str) -> Block:
    attributes = {"name": policy.name, "project": policy.project, "region": policy.region}
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

"""AWS's schedules as Terraform resources: the same actions and timers as the templates hold.

Source: registry documentation of hashicorp/aws, aws_autoscaling_schedule (sizes left away mean 0,
-1 means unchanged), aws_autoscaling_policy, aws_scheduler_schedule, aws_iam_role and
aws_iam_role_policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from costopt.report.artefacts.schedules import aws_autoscaling, eventbridge
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.cloudformation import timestamp
from costopt.report.artefacts.schedules.ids import auto_scaling_group, ec2_instance
from costopt.report.artefacts.schedules.terraform.hcl import Block, Call, Raw

DATA: Final = tuple(
    Block("data", (kind, "costopt"))
    for kind in ("aws_partition", "aws_region", "aws_caller_identity")
)
"""What the machines' roles name."""


def group(one: Scheduled) -> Iterator[Block]:
    """aws_autoscaling_schedule for every action, and the aws_autoscaling_policy beside them."""
    for action in aws_autoscaling.actions(one):
        sizes = aws_autoscaling.sizes(action.level)
        attributes: dict[str, object] = {
            "scheduled_action_name": action.name,
            "autoscaling_group_name": auto_scaling_group(one),
            "min_size": sizes["MinSize"],
            "max_size": -1,
            "desired_capacity": sizes.get("DesiredCapacity", -1),
        }
        if action.recurrence:
            attributes |= {
                "recurrence": action.recurrence,
                "time_zone": one.plan.time_zone,
            }
        if action.start:
            attributes["start_time"] = timestamp(action.start)
        if action.end:
            attributes["end_time"] = timestamp(action.end)
        yield Block("resource", ("aws_autoscaling_schedule", action.name), attributes)
    yield _guard(one)


def _guard(one: Scheduled) -> Block:
    metric = {"predefined_metric_type": "ASGAverageCPUUtilization"}
    inner = (Block("predefined_metric_specification", (), metric),)
    target = {"target_value": Raw(f"{one.target_percent:g}")}
    return Block(
        "resource",
        ("aws_autoscaling_policy", one.name),
        {
            "name": aws_autoscaling.GUARD,
            "autoscaling_group_name": auto_scaling_group(one),
            "policy_type": "TargetTrackingScaling",
        },
        (Block("target_tracking_configuration", (), target, inner),),
    )


def machine(one: Scheduled) -> Iterator[Block]:
    """aws_scheduler_schedule for every timer, and the role that they act by."""
    yield from _role(one)
    for timer in eventbridge.timers(one):
        yield _schedule(one, timer)


def _schedule(one: Scheduled, timer: eventbridge.Timer) -> Block:
    attributes: dict[str, object] = {
        "name": timer.name,
        "schedule_expression": timer.expression,
        "schedule_expression_timezone": one.plan.time_zone,
    }
    if timer.start:
        attributes["start_date"] = timestamp(timer.start)
    if timer.end:
        attributes["end_date"] = timestamp(timer.end)
    partition = "${data.aws_partition.costopt.partition}"
    call = eventbridge.CALLS[timer.level]
    target = {
        "arn": Raw(f'"arn:{partition}:scheduler:::aws-sdk:ec2:{call}"'),
        "role_arn": Raw(f"aws_iam_role.{one.name}.arn"),
        "input": Call("jsonencode", json.loads(eventbridge.target_input(one))),
    }
    blocks = (Block("flexible_time_window", (), {"mode": "OFF"}), Block("target", (), target))
    return Block("resource", ("aws_scheduler_schedule", timer.name), attributes, blocks)


def _role(one: Scheduled) -> Iterator[Block]:
    account = Raw("data.aws_caller_identity.costopt.account_id")
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    arn = (
        "arn:${data.aws_partition.costopt.partition}:ec2:${data.aws_region.costopt.name}"
        ":${data.aws_caller_identity.costopt.account_id}:instance/"
    )
    allowed = {
        "Effect": "Allow",
        "Action": ["ec2:StartInstances", "ec2:StopInstances"],
        "Resource": Raw(f'"{arn}{ec2_instance(one)}"'),
    }
    trust = {"Version": "2012-10-17", "Statement": [trusted]}
    yield Block(
        "resource",
        ("aws_iam_role", one.name),
        {"name": one.name, "assume_role_policy": Call("jsonencode", trust)},
    )
    rights = {"Version": "2012-10-17", "Statement": [allowed]}
    attributes = {
        "name": "costopt-start-and-stop",
        "role": Raw(f"aws_iam_role.{one.name}.id"),
        "policy": Call("jsonencode", rights),
    }
    yield Block("resource", ("aws_iam_role_policy", one.name), attributes)

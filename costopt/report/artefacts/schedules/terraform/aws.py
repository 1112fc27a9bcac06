"""AWS's schedules as Terraform resources: the same actions and timers as the templates hold.

Source: registry documentation of hashicorp/aws, aws_autoscaling_schedule (sizes left away mean 0,
-1 means unchanged), aws_scheduler_schedule, aws_iam_role, aws_iam_role_policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from costopt.report.artefacts.schedules import aws_autoscaling, eventbridge
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.cloudformation import timestamp
from costopt.report.artefacts.schedules.ids import auto_scaling_group, ec2_instance
from costopt.report.artefacts.schedules.terraform.hcl import Block, Call, Raw

_ROLE = "costopt-schedules"


def groups(held: Sequence[Scheduled]) -> Iterator[Block]:
    """aws_autoscaling_schedule for every action."""
    for one in held:
        for action in aws_autoscaling.actions(one):
            attributes: dict[str, object] = {
                "scheduled_action_name": action.name,
                "autoscaling_group_name": auto_scaling_group(one),
                "min_size": action.level,
                "max_size": -1,
                "desired_capacity": action.level,
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


def machines(held: Sequence[Scheduled]) -> Iterator[Block]:
    """aws_scheduler_schedule for every timer, and the roles that they act by."""
    for number, part in enumerate(eventbridge.portions_of(held), 1):
        role = f"{_ROLE}-{number}"
        yield from _role(role, part)
        for one in part:
            for timer in eventbridge.timers(one):
                yield _schedule(one, timer, role)


def _schedule(one: Scheduled, timer: eventbridge.Timer, role: str) -> Block:
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
        "role_arn": Raw(f"aws_iam_role.{role}.arn"),
        "input": Call("jsonencode", json.loads(eventbridge.target_input(one))),
    }
    blocks = (Block("flexible_time_window", (), {"mode": "OFF"}), Block("target", (), target))
    return Block("resource", ("aws_scheduler_schedule", timer.name), attributes, blocks)


def _role(name: str, part: Sequence[Scheduled]) -> Iterator[Block]:
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
    found = sorted({str(ec2_instance(one)) for one in part})
    allowed = {
        "Effect": "Allow",
        "Action": ["ec2:StartInstances", "ec2:StopInstances"],
        "Resource": [Raw(f'"{arn}{machine}"') for machine in found],
    }
    if name.endswith("-1"):
        for data in ("aws_partition", "aws_region", "aws_caller_identity"):
            yield Block("data", (data, "costopt"))
    trust = {"Version": "2012-10-17", "Statement": [trusted]}
    yield Block(
        "resource",
        ("aws_iam_role", name),
        {"name_prefix": f"{name}-", "assume_role_policy": Call("jsonencode", trust)},
    )
    rights = {"Version": "2012-10-17", "Statement": [allowed]}
    attributes = {
        "name": "costopt-start-and-stop",
        "role": Raw(f"aws_iam_role.{name}.id"),
        "policy": Call("jsonencode", rights),
    }
    yield Block("resource", ("aws_iam_role_policy", name), attributes)

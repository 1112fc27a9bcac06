"""The clouds' own commands that bring a resource to a level."""

from __future__ import annotations

import shlex

from costopt.report.artefacts.schedules import ids
from costopt.report.artefacts.schedules.base import Scheduled, token


def command(one: Scheduled, level: int) -> list[str] | None:
    """The words of a command that starts, stops or scales it; None: the id says no resource."""
    return _amazon(one, level) or _microsoft(one, level) or _google(one, level) or _kube(one, level)


def as_shell(words: list[str]) -> str:
    """The words as a shell takes them."""
    return shlex.join(words)


def _amazon(one: Scheduled, level: int) -> list[str] | None:
    where = ["--region", token(one.region, "REGION")]
    if machine := ids.ec2_instance(one):
        call = "start-instances" if level else "stop-instances"
        return ["aws", "ec2", call, *where, "--instance-ids", machine]
    if group := ids.auto_scaling_group(one):
        sizes = ["--min-size", str(level), "--desired-capacity", str(level)]
        verb = ["aws", "autoscaling", "update-auto-scaling-group"]
        return [*verb, *where, "--auto-scaling-group-name", group, *sizes]
    return None


def _microsoft(one: Scheduled, level: int) -> list[str] | None:
    if ids.azure_machine(one):  # deallocated: a machine that is only stopped is billed on
        return ["az", "vm", "start" if level else "deallocate", "--ids", one.resource_id]
    if found := ids.scale_set(one):
        at = ["--subscription", found.subscription, "--resource-group", found.group]
        return ["az", "vmss", "scale", *at, "--name", found.name, "--new-capacity", str(level)]
    return None


def _google(one: Scheduled, level: int) -> list[str] | None:
    if found := ids.google_machine(one):
        verb = ["gcloud", "compute", "instances", "start" if level else "stop", found.name]
        return [*verb, "--project", found.project, "--zone", found.place]
    if found := ids.instance_group(one):
        verb = ["gcloud", "compute", "instance-groups", "managed", "resize", found.name]
        size = ["--size", str(level)]
        return [*verb, *size, "--project", found.project, f"--{found.scope}", found.place]
    return None


def _kube(one: Scheduled, level: int) -> list[str] | None:
    if found := ids.workload(one):
        what = f"{found.kind.lower()}/{found.name}"
        size = f"--replicas={level}"
        return ["kubectl", "scale", f"--namespace={found.namespace}", size, what]
    return None

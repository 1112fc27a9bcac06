"""Which machines are not to be sized by their CPU and memory at all."""

from __future__ import annotations

from datetime import timedelta

from costopt.model import Profile, Shape, is_stopped
from costopt.rules import roles
from costopt.rules.base import Case
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.units import counted

Refusal = tuple[str, str]
"""Reason code and detail of a skip."""


def out_of_scope(case: Case, settings: RightsizeSettings) -> Refusal | None:
    """Why this machine is not to be sized by its CPU and memory at all."""
    resource = case.resource
    if is_stopped(resource):
        return "not-running", f"its state is {resource.state}"
    if case.gpu_count:
        return "gpu-machine", "a GPU machine is never sized by its CPU alone"
    group = roles.controller(resource)
    if group and not settings.allow_scaling_groups:
        return "scaling-group", f"{group} decides its size; its members are not sized singly"
    cooldown = timedelta(days=settings.cooldown_days)
    if resource.resized_at and case.as_of - resource.resized_at < cooldown:
        age = f"less than {counted(settings.cooldown_days, 'day', 'g')} ago"
        return "recently-resized", f"resized {resource.resized_at:%Y-%m-%d}, {age}"
    return None


def throttled(shape: Shape, cpu: Profile) -> Refusal | None:
    """A burstable machine out of credits runs at its baseline, so its demand is not seen.

    Signs: it spends nearly all it earns (mean at 90 % of the baseline); or a tenth of the samples
    stand within a point of the baseline, twice as many as within the two points on either side.
    """
    baseline = shape.burstable_baseline_percent
    if baseline is None or cpu.histogram is None or not cpu.count:
        return None
    edge = int(baseline)
    at = sum(cpu.histogram[max(0, edge - 1) : edge + 1])
    beside = sum(cpu.histogram[max(0, edge - 3) : edge + 3]) - at
    pinned = at >= 0.1 * cpu.count and at >= 2 * beside
    if not pinned and cpu.mean < 0.9 * baseline:
        return None
    return (
        "burstable-throttled",
        f"its CPU stands at the {baseline:g} % that {shape.instance_type} sustains "
        f"(mean {cpu.mean:.3g} %), so what it would use is not known",
    )

"""A report's weekly plans as files, in the form that was asked for or in each cloud's own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from costopt.errors import ConfigError
from costopt.model import Report
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import (
    aws_autoscaling,
    azure_auto_shutdown,
    azure_autoscale,
    crontab,
    eventbridge,
    gcp_instance_schedule,
    gcp_mig,
    instance_scheduler,
    keda,
    kubernetes_cronjob,
    terraform,
)
from costopt.report.artefacts.schedules.base import Scheduled, Target, flat, scheduled
from costopt.units import counted

FORMS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        "aws-autoscaling": aws_autoscaling,
        "eventbridge": eventbridge,
        "instance-scheduler": instance_scheduler,
        "azure-autoscale": azure_autoscale,
        "azure-auto-shutdown": azure_auto_shutdown,
        "gcp-instance-schedule": gcp_instance_schedule,
        "gcp-mig": gcp_mig,
        "keda": keda,
        "kubernetes-cronjob": kubernetes_cronjob,
        "crontab": crontab,
        "terraform": terraform,
    }
)
"""Every form, by its name on the command line."""

_BY_ITSELF: Final = (
    aws_autoscaling,
    eventbridge,
    azure_autoscale,
    gcp_instance_schedule,
    gcp_mig,
    kubernetes_cronjob,
    crontab,
)
"""Without a form: the first of these that stands for a resource and does not refuse its plan. They
need nothing that is not there: no solution to install, no operator in the cluster; and each both
starts and stops."""


def artefacts(report: Report, *, form: str | None = None) -> list[Artefact]:
    """The schedules of a report as files of that form; without one, each in its cloud's own.

    Raises:
        ConfigError: no such form.
    """
    targets = _targets(form)
    held: list[list[Scheduled]] = [[] for _ in targets]
    for one in scheduled(report):
        chosen = _chosen(one, targets)
        if chosen is not None:
            held[chosen].append(one)
    return [
        artefact
        for target, ones in zip(targets, held, strict=True)
        for artefact in target.artefacts(ones)
    ]


def left_out(report: Report, *, form: str | None = None) -> list[str]:
    """Sentences about the schedules, and parts of them, that are in none of the files, and why.

    Raises:
        ConfigError: no such form.
    """
    targets = _targets(form)
    told, others = [], 0
    for one in scheduled(report):
        fitting = [target for target in targets if target.stands_for(one)]
        chosen = _chosen(one, targets)
        if not fitting:
            others += 1
        elif chosen is None:
            told.append(f"{one.label}: not written, since {fitting[0].refusal(one)}")
        else:
            told += [f"{one.label}: left out {what}" for what in targets[chosen].missing(one)]
    if others:
        why = f"{form} is not for these resources" if form else "no form knows them by their ids"
        told.append(f"{counted(others, 'schedule')} not written, since {why}")
    return told + flat(report)


def _chosen(one: Scheduled, targets: tuple[Target, ...]) -> int | None:
    """Which target writes it: the first that stands for it and does not refuse."""
    for number, target in enumerate(targets):
        if target.stands_for(one) and target.refusal(one) is None:
            return number
    return None


def _targets(form: str | None) -> tuple[Target, ...]:
    if form is None:
        return _BY_ITSELF
    if form not in FORMS:
        raise ConfigError(f"{form!r} is no form of schedules", hint=f"one of {', '.join(FORMS)}")
    return (FORMS[form],)

"""A report's weekly plans as files, in the form that was asked for or in each cloud's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
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
from costopt.report.artefacts.schedules.base import (
    Scheduled,
    Target,
    flat,
    scheduled,
    single_dates,
)
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

_NAMED: Final = 10  # resources that no form writes

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


def artefacts(
    report: Report, *, form: str | None = None, now: datetime | None = None
) -> list[Artefact]:
    """The schedules of a report as files of that form; without one, each in its cloud's own.

    Args:
        now: when they are written: no single date before it, or about to begin, is in them. None:
            the report's own moment.
    Raises:
        ConfigError: no such form.
    """
    targets = _targets(form)
    held: list[list[Scheduled]] = [[] for _ in targets]
    for one in scheduled(report, now):
        chosen = _chosen(one, targets)
        if chosen is not None:
            held[chosen].append(one)
    return [
        artefact
        for target, ones in zip(targets, held, strict=True)
        for artefact in target.artefacts(ones)
    ]


def left_out(report: Report, *, form: str | None = None, now: datetime | None = None) -> list[str]:
    """Sentences about the schedules, and parts of them, that are in none of the files, and why.

    Raises:
        ConfigError: no such form.
    """
    targets = _targets(form)
    told, others = [], []
    for one in scheduled(report, now):
        fitting = [target for target in targets if target.stands_for(one)]
        chosen = _chosen(one, targets)
        if not fitting:
            others.append(one.label)
        elif chosen is None:
            told.append(f"{one.label}: not written, since {fitting[0].refusal(one)}")
        else:
            near = single_dates(one.near, "that is too near to be deployed in time")
            missing = [*near, *targets[chosen].missing(one)]
            told += [f"{one.label}: left out {what}" for what in missing]
    if others:
        why = f"{form} is not for these resources" if form else "no form knows them by their ids"
        told.append(
            f"{counted(len(others), 'schedule')} not written, since {why}: {_named(others)}"
        )
    return told + flat(report, now)


def _named(labels: Sequence[str]) -> str:
    """The first few by name."""
    shown = sorted(labels)[:_NAMED]
    more = [f"{len(labels) - _NAMED:,} more"] if len(labels) > _NAMED else []
    return ", ".join([*shown, *more])


def first_date(
    report: Report, *, form: str | None = None, now: datetime | None = None
) -> date | None:
    """The first single date in the files, before which they must be deployed; None: there is none.

    Raises:
        ConfigError: no such form.
    """
    targets = _targets(form)
    days = [
        one.plan.days[0].day
        for one in scheduled(report, now)
        if one.plan.days and _chosen(one, targets) is not None
    ]
    return min(days, default=None)


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

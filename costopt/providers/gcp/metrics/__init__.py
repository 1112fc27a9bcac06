"""Cloud Monitoring's metrics: what is asked, what it costs, and the samples.

prepared = prepare(access, projects, resources, settings, known, problems, now=now)  # costs nothing
estimate(prepared)                                                          # what the rest costs
yield from read(prepared, settings, problems)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from google.cloud.monitoring_v3 import MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports import (
    MetricServiceGrpcTransport,
)

from costopt.model import Window
from costopt.providers.base import Estimate, Known, Problem
from costopt.providers.gcp.access import Access
from costopt.providers.gcp.metrics import discovery, plan
from costopt.providers.gcp.metrics.pace import Pause
from costopt.providers.gcp.metrics.reading import Reader
from costopt.providers.gcp.metrics.targets import Target, targets
from costopt.providers.gcp.projects import Project
from costopt.providers.gcp.settings import GcpSettings


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be asked, and through whom."""

    plan: plan.Plan
    access: Access
    client: Any  # MetricServiceClient


def prepare(  # noqa: PLR0917 - all of it is what a collect is made of
    access: Access,
    projects: Sequence[Project],
    resources: pa.Table,
    settings: GcpSettings,
    known: Known,
    problems: list[Problem],
    *,
    now: datetime,
    window: Window | None = None,
) -> Prepared:
    """Find out what there is to ask, by calls that cost nothing (metricDescriptors.list).

    Args:
        projects: those to be read; their ids are the SubAccountId of the resources.
        resources: schema.RESOURCES; machines have `instance_id` in x_Attributes.
        window: only samples that start inside it; None = the days that the settings name.
    """
    client = access.grpc("monitoring", MetricServiceClient, MetricServiceGrpcTransport)
    wanted = {one.project_id for one in projects}
    machines = [one for one in targets(resources) if one.project in wanted]
    prefixes = {one.project: _prefixes(one.project, machines) for one in machines}
    types = discovery.listed(access, client, prefixes, problems, settings.max_concurrency)
    times = _times(settings, window, now)
    return Prepared(plan.planned(machines, types, known, times), access, client)


def read(
    prepared: Prepared,
    settings: GcpSettings,
    problems: list[Problem],
    *,
    pause: Pause = time.sleep,
) -> Iterator[pa.Table]:
    """The samples (schema.METRICS): of a series the earlier ones first, and those of one machine,
    metric and request in one table.

    What fails is a fatal problem, told when all else was given; of a series whose request failed
    nothing later is given.
    """
    reader = Reader(prepared.access, prepared.client, pause)
    try:
        yield from reader.tables(prepared.plan, settings.max_concurrency)
    finally:
        problems += reader.problems()


def estimate(prepared: Prepared) -> Estimate:
    """What reading it costs; nothing is asked for that."""
    return plan.estimate(prepared.plan)


def _prefixes(project: str, machines: Sequence[Target]) -> tuple[str, ...]:
    """Which of the agents' metrics matter in the project."""
    cards = any(one.gpus for one in machines if one.project == project)
    return (discovery.AGENT, discovery.WORKLOAD) if cards else (discovery.AGENT,)


def _times(settings: GcpSettings, window: Window | None, now: datetime) -> plan.Times:
    until = settings.until or now
    start, end = until - timedelta(days=settings.days), until
    if window is not None:
        start, end = window.start, window.end
    return plan.Times(_seconds(start), _seconds(end), _seconds(now))


def _seconds(moment: datetime) -> int:
    """Seconds since 1970, up to the next whole one."""
    return -int(-moment.timestamp() // 1)

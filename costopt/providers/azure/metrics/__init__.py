"""Azure Monitor's metrics: what is asked, what it costs, and the samples.

prepared = prepare(access, subscriptions, resources, settings, known, problems, now=now)
estimate(prepared)                                                        # what the rest may cost
yield from read(prepared, settings, problems, notes)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from costopt.model import Window
from costopt.providers.azure.access import Access
from costopt.providers.azure.costs import limit
from costopt.providers.azure.metrics import discovery, plan, silence
from costopt.providers.azure.metrics.pace import Pace, Pause, budget
from costopt.providers.azure.metrics.reading import Reader
from costopt.providers.azure.metrics.silence import Unit
from costopt.providers.azure.metrics.spare import Spare
from costopt.providers.azure.metrics.targets import targets
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.azure.subscriptions import Subscription
from costopt.providers.base import Estimate, Known, Problem


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be asked, and through whom."""

    plan: plan.Plan
    access: Access
    vain: Mapping[Unit, int]  # until when units were asked in vain before


def prepare(  # noqa: PLR0917 - all of it is what a collect is made of
    access: Access,
    subscriptions: Sequence[Subscription],
    resources: pa.Table,
    settings: AzureSettings,
    known: Known,
    problems: list[Problem],
    *,
    now: datetime,
    window: Window | None = None,
) -> Prepared:
    """Find out what there is to ask. Of machines with GPUs it is asked who else measures them,
    which costs nothing.

    Args:
        subscriptions: those to be read; their ids are the SubAccountId of the resources.
        resources: schema.RESOURCES; machines are told by the form of their ResourceId.
        window: only samples that start inside it; None = the days that the settings name.
    """
    wanted = {one.subscription_id for one in subscriptions}
    machines = [one for one in targets(resources) if one.place.subscription in wanted]
    paces = {name: Pace(budget(settings.cloud), time.sleep) for name in wanted}
    sources = discovery.found(access, machines, paces, problems)
    vain = silence.remembered(known.notes)
    calls = plan.planned(machines, sources, known, vain, _times(settings, window, now))
    return Prepared(calls, access, vain)


def read(
    prepared: Prepared,
    settings: AzureSettings,
    problems: list[Problem],
    notes: dict[str, str],
    *,
    pause: Pause = time.sleep,
) -> Iterator[pa.Table]:
    """The samples (schema.METRICS): of a series the earlier ones first, and those of one machine
    and request in one table.

    What fails is a fatal problem, told when all else was given; of a series whose request failed
    nothing later is given. What Azure may have counted and did not answer is asked for again as far
    as `max_api_cost` allows.

    Args:
        notes: gets what was asked in vain, when all was given.
    """
    names = {call.group.place.subscription for call in prepared.plan.calls}
    paces = {name: Pace(budget(settings.cloud), pause) for name in names}
    spare = Spare(limit(settings) - plan.estimate(prepared.plan).usd)
    reader = Reader(prepared.access, paces, pause, spare)
    try:
        yield from reader.tables(prepared.plan, settings.max_concurrency)
        notes |= silence.after(prepared.vain, reader.answers(prepared.plan))
    finally:
        problems += reader.problems()


def estimate(prepared: Prepared) -> Estimate:
    """What reading it costs; nothing is asked for that."""
    return plan.estimate(prepared.plan)


def _times(settings: AzureSettings, window: Window | None, now: datetime) -> plan.Times:
    until = settings.until or now
    start, end = until - timedelta(days=settings.days), until
    if window is not None:
        start, end = window.start, window.end
    return plan.Times(plan.seconds(start), plan.seconds(end), plan.seconds(now))

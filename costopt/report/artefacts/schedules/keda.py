"""Weekly plans of Kubernetes workloads as cron triggers of a KEDA ScaledObject.

A trigger holds so many replicas from its start to its end, both crons on one wall clock; the
highest trigger counts, and outside all of them the least number does, here the week's lowest
level. Asking a trigger for 0 replicas does nothing, so no trigger stands for hours off. KEDA looks
which of start and end comes next, so an hour that clocks leave out needs nothing. Its crons come
every year, so single dates cannot be said. Only one ScaledObject, and no other autoscaler, may hold
a workload: other triggers belong into this one.

Source: keda.sh, Scalers, "Cron" (timezone, start, end, desiredReplicas as a string) and
ScaledObject specification (minReplicaCount, maxReplicaCount; 100 by default).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import cron
from costopt.report.artefacts.schedules.base import Scheduled, single_dates
from costopt.report.artefacts.schedules.ids import workload
from costopt.report.artefacts.schedules.kubernetes import manifest, metadata, target_of
from costopt.report.artefacts.schedules.timetable import Firing, Run, runs
from costopt.units import MINUTES_PER_DAY

FILE: Final = "keda-scaledobjects.yaml"


def stands_for(one: Scheduled) -> bool:
    """Whether it is a Kubernetes workload that can be scaled."""
    return workload(one) is not None


def refusal(one: Scheduled) -> str | None:
    """A week without changes: nothing is left to say."""
    return None if one.firings else "its week never changes, and KEDA's crons know no single dates"


def missing(one: Scheduled) -> list[str]:
    """Single dates."""
    return single_dates(one.plan.days, "KEDA's crons come every year")


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """One file of ScaledObjects."""
    if not held:
        return []
    data = manifest(map(scaled_object, held))
    return [Artefact(FILE, data, f"kubectl apply -f DIR/{FILE}")]


def scaled_object(one: Scheduled) -> dict[str, Any]:
    """The ScaledObject of one workload."""
    target = target_of(one)
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(one),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": target.kind, "name": target.name},
            "minReplicaCount": one.floor,
            "maxReplicaCount": max(one.peak, one.recommendation.replicas or 0),
            "triggers": [_trigger(run, one.plan.time_zone) for run in runs(one.plan, one.floor)],
        },
    }


def _trigger(run: Run, time_zone: str) -> dict[str, Any]:
    days, end = divmod(run.minute + run.minutes, MINUTES_PER_DAY)
    until = tuple(sorted((weekday + days) % 7 for weekday in run.weekdays))
    return {
        "type": "cron",
        "metadata": {
            "timezone": time_zone,
            "start": cron.weekly(Firing(run.weekdays, run.minute, run.level)),
            "end": cron.weekly(Firing(until, end, run.level)),
            "desiredReplicas": str(run.level),
        },
    }

"""Weekly plans of Kubernetes workloads as CronJobs that scale them: a job for each change.

Their account may read that workload and scale it, nothing else. A time that clocks leave out is not
made up for, so such a change is said again at the hour's end. A CronJob comes every year, so single
dates cannot be said. An autoscaler (HPA) of the workload would scale it back: use KEDA there. A
plan with fewer changes has fewer jobs: those that an earlier one left are pruned, by the label of
the workload's plan.

Source: kubernetes.io, CronJob (spec.timeZone since 1.27; names of at most 52 characters); "Using
RBAC Authorization" (subresources); kubectl scale; kubectl apply (--prune, --prune-allowlist).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import cron, script
from costopt.report.artefacts.schedules.base import Scheduled, single_dates
from costopt.report.artefacts.schedules.ids import workload
from costopt.report.artefacts.schedules.kubernetes import (
    PLAN,
    manifest,
    metadata,
    target_of,
)
from costopt.report.artefacts.schedules.timetable import Firing

FOLDER: Final = "kubernetes-cronjobs"
_FUNCTIONS: Final = f"""\
plan() {{  # NAME
  kubectl apply -f "$1.yaml" -l "{PLAN}=$1" --prune --prune-allowlist=batch/v1/CronJob
}}
"""
IMAGE: Final = "rancher/kubectl:v1.34.1"
"""Any image with kubectl does, within one minor version of the cluster."""


def stands_for(one: Scheduled) -> bool:
    """Whether it is a Kubernetes workload that can be scaled."""
    return workload(one) is not None


def refusal(one: Scheduled) -> str | None:
    """A week without changes: nothing is left to say."""
    return None if one.firings else "its week never changes, and CronJobs know no single dates"


def missing(one: Scheduled) -> list[str]:
    """Single dates."""
    return single_dates(one.plan.days, "CronJobs come every year")


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A file a workload of its account, rights and jobs, and the script that applies them."""
    if not held:
        return []
    files = {f"{one.name}.yaml": manifest(documents(one)) for one in held}
    calls = [f"{script.call('plan', one.name)}  # {one.label}" for one in held]
    told = "Scales workloads by the time of the week"
    return script.folder(FOLDER, files, told, f"{_FUNCTIONS}\n{script.lines(calls)}")


def documents(one: Scheduled) -> Iterator[dict[str, Any]]:
    """The account of one workload, its rights, and its jobs."""
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(one)}
    yield _role(one)
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(one),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": one.name},
        "subjects": [
            {
                "kind": "ServiceAccount",
                "name": one.name,
                "namespace": target_of(one).namespace,
            }
        ],
    }
    for number, firing in enumerate(one.firings, 1):
        yield _job(one, firing, number)


def _role(one: Scheduled) -> dict[str, Any]:
    target = target_of(one)
    scope = {"apiGroups": ["apps"], "resourceNames": [target.name]}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata(one),
        "rules": [
            {**scope, "resources": [target.resource], "verbs": ["get"]},
            {
                **scope,
                "resources": [f"{target.resource}/scale"],
                "verbs": ["get", "patch", "update"],
            },
        ],
    }


def _job(one: Scheduled, firing: Firing, number: int) -> dict[str, Any]:
    target = target_of(one)
    container = {
        "name": "scale",
        "image": IMAGE,
        "args": [
            "scale",
            f"--namespace={target.namespace}",
            f"--replicas={firing.level}",
            f"{target.kind.lower()}/{target.name}",
        ],
    }
    pod = {"serviceAccountName": one.name, "restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(one, f"-{number:03}"),
        "spec": {
            "schedule": cron.weekly(firing),
            "timeZone": one.plan.time_zone,
            # late is better than never, but not after the next change
            "startingDeadlineSeconds": one.plan.slot_minutes * 60,
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"spec": {"backoffLimit": 3, "template": {"spec": pod}}},
        },
    }

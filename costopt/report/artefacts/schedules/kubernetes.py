"""What the manifests of Kubernetes share: YAML that people can read, and a header of plain text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import yaml

from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.ids import Workload, workload

PLAN: Final = "app.kubernetes.io/instance"
"""The label by which all parts of one workload's plan are found again."""


def manifest(documents: Iterable[Any]) -> bytes:
    """One file of those documents."""
    text = yaml.safe_dump_all(documents, sort_keys=False, width=1000, explicit_start=True)
    return text.encode()


def target_of(one: Scheduled) -> Workload:
    """The workload, of a resource that is one."""
    found = workload(one)
    assert found is not None, "only what stands_for() took comes here"
    return found


def metadata(one: Scheduled, ending: str = "") -> dict[str, Any]:
    """Name, namespace, what made it, and of which plan it is a part."""
    return {
        "name": one.name + ending,
        "namespace": target_of(one).namespace,
        "labels": {PLAN: one.name, "app.kubernetes.io/managed-by": "costopt"},
    }

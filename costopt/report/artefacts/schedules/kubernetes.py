"""What the manifests of Kubernetes share: YAML that people can read, and a header of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.ids import Workload, workload


def manifest(held: Sequence[Scheduled], path: str, documents: Iterable[Any]) -> list[Artefact]:
    """One file of those documents; none without resources."""
    if not held:
        return []
    text = yaml.safe_dump_all(documents, sort_keys=False, width=1000, explicit_start=True)
    return [Artefact(path, text.encode(), f"kubectl apply -f DIR/{path}")]


def target_of(one: Scheduled) -> Workload:
    """The workload, of a resource that is one."""
    found = workload(one)
    assert found is not None, "only what stands_for() took comes here"
    return found


def metadata(one: Scheduled, ending: str = "") -> dict[str, Any]:
    """Name, namespace and what made it."""
    return {
        "name": one.name + ending,
        "namespace": target_of(one).namespace,
        "labels": {"app.kubernetes.io/managed-by": "costopt"},
    }

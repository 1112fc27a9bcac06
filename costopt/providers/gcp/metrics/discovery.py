"""Which metrics of agents a project has: descriptors are listed for nothing, points are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from costopt.parallel import in_threads
from costopt.providers.base import Problem
from costopt.providers.gcp.access import Access, told
from costopt.providers.gcp.metrics.catalogue import ENTRIES

_CALL: Final = "monitoring.metricDescriptors.list"
AGENT: Final = "agent.googleapis.com/"
WORKLOAD: Final = "workload.googleapis.com/"
BUILT_IN: Final = frozenset(
    query.metric for entry in ENTRIES if not entry.agent for query in entry.queries
)
"""What every project has."""


def listed(
    access: Access,
    client: Any,
    prefixes: Mapping[str, tuple[str, ...]],
    problems: list[Problem],
    threads: int,
) -> dict[str, frozenset[str]]:
    """The metric types of each project; only those built in for one that does not say.

    Args:
        prefixes: by project, those of the types that matter there.
    """

    def one(project: str) -> tuple[frozenset[str], list[Problem]]:
        failed: list[Problem] = []
        found = set(BUILT_IN)
        with told(failed, f"{project} {_CALL}"):
            for prefix in prefixes[project]:
                found.update(_of_project(access, client, project, prefix))
        return frozenset(found), failed

    projects = sorted(prefixes)
    types = {}
    for project, (found, failed) in zip(projects, in_threads(one, projects, threads), strict=True):
        problems += failed
        types[project] = found
    return types


def _of_project(access: Access, client: Any, project: str, prefix: str) -> set[str]:
    request = {
        "name": f"projects/{project}",
        "filter": f'metric.type = starts_with("{prefix}")',
        "page_size": 10_000,
    }
    pages = access.pages(client.list_metric_descriptors, request)
    return {str(one.type) for page in pages for one in page.metric_descriptors}

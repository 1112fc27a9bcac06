"""What is measured of the GPUs of a machine: which namespaces others send to, and what is in them.

Asked of machines with GPUs only: it takes two calls or three of each, and no other metric needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from azure.mgmt.monitor import MonitorManagementClient

from costopt.parallel import in_threads
from costopt.providers.azure.access import Access, told
from costopt.providers.azure.metrics.catalogue import CUSTOM, Custom, Entry
from costopt.providers.azure.metrics.pace import Pace
from costopt.providers.azure.metrics.targets import Target
from costopt.providers.base import Problem

NAMESPACES: Final = "Microsoft.Insights/metricNamespaces/read"
DEFINITIONS: Final = "Microsoft.Insights/metricDefinitions/read"


class Source(NamedTuple):
    """A namespace of one machine, and what to ask of it."""

    namespace: str
    dimension: str
    entries: tuple[Entry, ...]


def found(
    access: Access,
    targets: Iterable[Target],
    paces: Mapping[str, Pace],
    problems: list[Problem],
) -> dict[str, list[Source]]:
    """The sources of each machine with GPUs, by its id; what is refused is told.

    Args:
        paces: by subscription.
    """
    asked = [one for one in targets if one.gpus and one.silent_since is None]

    def one(target: Target) -> tuple[list[Source], list[Problem]]:
        failed: list[Problem] = []
        sources: list[Source] = []
        with told(failed, f"{target.place.subscription} {NAMESPACES}"):
            sources = _of_machine(access, target, paces[target.place.subscription])
        return sources, failed

    sources = {}
    refused: dict[tuple[str, str], Problem] = {}  # by place and code
    results = in_threads(one, asked, access.settings.max_concurrency)
    for target, (these, failed) in zip(asked, results, strict=True):
        sources[target.resource_id] = these
        for problem in failed:
            key = (problem.where, problem.what.partition(":")[0])
            count = refused[key].count + 1 if key in refused else 1
            refused[key] = replace(refused.get(key, problem), count=count)
    problems += refused.values()
    return sources


def _of_machine(access: Access, target: Target, pace: Pace) -> list[Source]:
    client = access.management(MonitorManagementClient, target.place.subscription)
    pace.turn()
    listed = client.metric_namespaces.list(target.resource_id.lstrip("/"))
    names = sorted({_named(one) for one in listed})
    sources = []
    taken: set[str] = set()
    for custom in CUSTOM:
        for namespace in names:
            if any(part in namespace.lower() for part in custom.namespace):
                pace.turn()
                uri = target.resource_id.lstrip("/")
                definitions = client.metric_definitions.list(uri, metricnamespace=namespace)
                source = _source(custom, namespace, list(definitions), taken)
                taken |= {entry.name for entry in source.entries}
                sources += [source] if source.entries else []
    return sources


def _named(namespace: Any) -> str:
    """What a request has to call it."""
    told = namespace.properties
    return str(told.metric_namespace_name if told else namespace.name)


def _source(custom: Custom, namespace: str, definitions: Sequence[Any], taken: set[str]) -> Source:
    """Of the collector's metrics those that the namespace has, card by card."""
    there = {
        one.name.value
        for one in definitions
        if custom.dimension in {str(by.value).lower() for by in one.dimensions or ()}
    }
    entries = [e for e in custom.entries if e.name not in taken and there.issuperset(e.names)]
    return Source(namespace, custom.dimension, tuple(entries))

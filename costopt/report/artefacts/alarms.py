"""A report's guards as alarms, each where the machine's own metrics are watched."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final

from costopt.model import ActionType, Report
from costopt.report.artefacts import azure, cloudwatch, gcp, prometheus
from costopt.report.artefacts.base import Artefact, Watch, watches
from costopt.report.words import costs_more
from costopt.units import provider_key

_CLOUDS: Final = {"aws": cloudwatch, "azure": azure, "gcp": gcp}
_GONE: Final = {
    ActionType.STOP: ("stops the machine", "stop the machine"),
    ActionType.DELETE: ("deletes it", "delete it"),
}
_LARGER: Final = ("takes a larger machine", "take a larger machine")


def alarms(
    report: Report, *, changed_at: datetime | None = None, instance_label: str = "instance"
) -> dict[str, bytes]:
    """File name -> content: the alarms of every guard, only for the targets that are present.

    Args:
        changed_at: when the changes were or will be made, UTC; default: the report's moment.
        instance_label: the Prometheus label that names a machine.
    """
    made = artefacts(report, changed_at=changed_at, instance_label=instance_label)
    return {one.path: one.data for one in made}


def artefacts(
    report: Report, *, changed_at: datetime | None, instance_label: str
) -> list[Artefact]:
    """The same as `alarms`, with how each file is deployed."""
    routed: dict[str, list[Watch]] = {name: [] for name in (*_CLOUDS, "")}
    for watch in watches(report, changed_at):
        routed[_target(watch)].append(watch)
    found: list[Artefact] = []
    for name, target in _CLOUDS.items():
        found += target.artefacts(routed[name])
    return found + prometheus.artefacts(routed[""], instance_label)


def left_out(report: Report) -> list[str]:
    """Sentences about the recommendations that have no guard, and why that is so."""
    unguarded = [one for one in report.recommendations if not one.guards]
    without = Counter(
        _LARGER if costs_more(one) else _GONE.get(one.action_type) for one in unguarded
    )
    told = []
    for reason in (*_GONE.values(), _LARGER):
        if count := without[reason]:
            single, several = reason
            told.append(
                f"1 recommendation {single} and needs no guard"
                if count == 1
                else f"{count:,} recommendations {several} and need no guard"
            )
    if rest := without[None]:
        plural = "1 recommendation has" if rest == 1 else f"{rest:,} recommendations have"
        told.append(f"{plural} no guard")
    return told


def elsewhere(report: Report) -> int:
    """How many guarded cloud resources are no machine of that cloud by their id.

    Their rules are Prometheus's, which needs node_exporter on them.
    """
    return len(
        {
            watch.recommendation.resource_id
            for watch in watches(report, None)
            if not _target(watch)
            and provider_key(watch.recommendation.current.provider_name) in _CLOUDS
        }
    )


def _target(watch: Watch) -> str:
    """The cloud whose alarms can watch the machine; "" = Prometheus."""
    name = provider_key(watch.recommendation.current.provider_name)
    return name if name in _CLOUDS and _CLOUDS[name].accepts(watch) else ""

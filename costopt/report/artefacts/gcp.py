"""Guards as Google Cloud alert policies with a PromQL condition: the rule itself, exactly.

A threshold condition cannot count: its duration means "without interruption", and one measurement
below the limit starts it anew. PromQL conditions can, and look back far enough (up to 2 years;
announced in July 2026 as a preview, 25 hours before).

Source: cloud.google.com/monitoring/alerts/using-promql (look-back),
cloud.google.com/monitoring/alerts/concepts-indepth (duration),
cloud.google.com/stackdriver/docs/managed-prometheus/promql-differences (as Prometheus 2.44),
cloud.google.com/monitoring/promql (metric names, metadata labels), google.monitoring.v3.AlertPolicy
(lengths, evaluation interval in steps of 30 s), google.cloud.resourcemanager.v3.Project (ids of 6
to 30 characters; numbers).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

from costopt.report import safe
from costopt.report.artefacts.base import Artefact, Watch, by_place, pretty, rule, slug
from costopt.report.artefacts.promql import averaged, counted

FOLDER: Final = "gcp-alert-policies"
_PROJECT: Final = (
    r"(?:[a-z0-9][a-z0-9.-]*\.[a-z][a-z0-9-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
    r"|[1-9][0-9]{0,18}"
)
"""A project's id, which in an old organisation begins with its domain, or its number."""
_INSTANCE: Final = re.compile(
    r"(?:(?://compute\.googleapis\.com|https://(?:www|compute)\.googleapis\.com/compute/v1)/)?"
    rf"projects/(?P<project>{_PROJECT})/zones/(?P<zone>[a-z0-9-]+)"
    r"/instances/(?P<name>[a-z0-9-]+)"
)
_METRICS: Final = {
    "CPU": ("100 * ", "compute_googleapis_com:instance_cpu_utilization", ""),
    "memory": ("", "agent_googleapis_com:memory_percent_used", ', state="used"'),
}
_AGENT: Final = "It needs the Ops Agent, whose memory metric it reads. "


def accepts(watch: Watch) -> bool:
    """Whether the resource is a Compute Engine instance: its number, or its full name."""
    resource_id = watch.recommendation.resource_id
    return _number(resource_id) or _INSTANCE.fullmatch(resource_id) is not None


def artefacts(watches: Sequence[Watch]) -> list[Artefact]:
    """One policy a guard, as `gcloud monitoring policies create --policy-from-file` takes it.

    Machines of several projects: a folder a project, because a policy lives in one.
    """
    places = by_place(watches, _place)
    found = []
    for (project,), held in places.items():
        folder = FOLDER if len(places) == 1 else f"{FOLDER}/{slug(project)}"
        deploy = (
            f"for policy in DIR/{folder}/*.json; do gcloud monitoring policies create "
            f'--project {project} --policy-from-file "$policy" --notification-channels CHANNEL; '
            "done"
        )
        found += [Artefact(f"{folder}/{w.name}.json", pretty(_policy(w)), deploy) for w in held]
    return found


def _policy(watch: Watch) -> dict[str, Any]:
    agent = _AGENT if watch.metric == "memory" else ""
    told = f"{rule(watch)} {agent}The policy counts exactly that, and is silent before and after."
    return {
        "displayName": f"{watch.name}: {watch.label}",
        "documentation": {"content": _plain(told), "mimeType": "text/markdown"},
        "userLabels": {
            "costopt-recommendation": watch.recommendation.recommendation_id,
            "costopt-until": f"{watch.until:%Y-%m-%d}",
        },
        "combiner": "OR",
        "enabled": True,
        "severity": "WARNING",
        "conditions": [
            {
                "displayName": f"{watch.metric} over {watch.guard.limit_percent:g} %",
                "conditionPrometheusQueryLanguage": {
                    "query": counted(_value(watch), watch),
                    "duration": "0s",
                    "evaluationInterval": f"{math.ceil(watch.guard.period_seconds / 30) * 30}s",
                    "ruleGroup": watch.name,
                    "alertRule": watch.name.replace("-", "_"),
                    # the agent's metric may have no data yet when the policy is made
                    "disableMetricValidation": True,
                },
            }
        ],
    }


def _value(watch: Watch) -> str:
    """Mean in percent over the last period; Compute Engine's own CPU metric is a ratio."""
    factor, metric, state = _METRICS[watch.metric]
    series = f'{metric}{{monitored_resource="gce_instance"{state}, {_machine(watch)}}}'
    return f"{factor}avg by (instance_id) ({averaged(series, watch)})"


def _machine(watch: Watch) -> str:
    resource_id = watch.recommendation.resource_id
    if _number(resource_id):
        return f'instance_id="{resource_id}"'
    found = _INSTANCE.fullmatch(resource_id)
    assert found is not None, "only what accepts() took comes here"
    return f'project_id="{found["project"]}", zone="{found["zone"]}", metadata_system_name="' + (
        f'{found["name"]}"'
    )


def _place(watch: Watch) -> tuple[str]:
    """The project: of the instance's own name, else the account on the bill if it can be one."""
    found = _INSTANCE.fullmatch(watch.recommendation.resource_id)
    project = found["project"] if found else watch.recommendation.sub_account_id or ""
    return (project if re.fullmatch(_PROJECT, project) else "PROJECT",)


def _number(resource_id: str) -> bool:
    return re.fullmatch(r"[0-9]+", resource_id) is not None


def _plain(text: str) -> str:
    """Markdown that says just the text; Monitoring's variables (${...}) find nothing to fill in."""
    return re.sub(r"\$(?=\\*\{)", "$ ", safe.markdown(text))

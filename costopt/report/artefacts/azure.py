"""Guards as Azure metric alerts in an ARM template: stricter than the rule, never weaker.

A metric alert with a fixed threshold compares one aggregate of one window; it cannot count windows
(numberOfEvaluationPeriods and minFailingPeriodsToAlert exist for dynamic thresholds and log alerts
only), and it has no last day. So each alert looks at the mean of the last period, every minute, and
fires for every spell over the limit: where the rule allows one sample that is the rule; where it
allows more, a person adds the spells up.

Source: learn.microsoft.com, Microsoft.Insights metricAlerts 2018-03-01 (template reference);
Metric Alerts - Create Or Update (windows, frequencies); Supported metrics for
Microsoft.Compute/virtualMachines (Percentage CPU, Available Memory Percentage: one-minute means);
Template syntax, "Escape characters"; Resource limits (800 resources, 4 MB); Naming rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from costopt.report.artefacts.base import (
    Artefact,
    Watch,
    by_place,
    lasting,
    moment,
    numbered,
    portions,
    pretty,
    rule,
    slug,
)

STEM: Final = "azure-metric-alerts"
_RESOURCES, _BYTES = 800, 4_000_000
_MACHINE: Final = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"/resourceGroups/[\w.()-]{1,90}"
    r"/providers/Microsoft\.Compute/virtualMachines/[\w.-]{1,80}",
    re.IGNORECASE,
)
_WINDOWS: Final = {60: "PT1M", 300: "PT5M", 900: "PT15M", 1800: "PT30M", 3600: "PT1H"}
_SCHEMA: Final = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_ACTIONS: Final = (
    "[if(empty(parameters('actionGroupId')), createArray(), "
    "createArray(createObject('actionGroupId', parameters('actionGroupId'))))]"
)


def accepts(watch: Watch) -> bool:
    """Whether the id is that of a virtual machine; a scale set's instances have no alerts."""
    return _MACHINE.fullmatch(watch.recommendation.resource_id) is not None


def artefacts(watches: Sequence[Watch]) -> list[Artefact]:
    """A template a subscription, more where one would pass Azure's limits."""
    places = by_place(watches, _place)
    found = []
    for (subscription,), held in places.items():
        stem = STEM if len(places) == 1 else f"{STEM}-{slug(subscription)}"
        alerts = [(watch.name, _alert(watch)) for watch in held]
        parts = list(portions(alerts, most=_RESOURCES, most_bytes=_BYTES))
        for number, part in enumerate(parts, 1):
            path = numbered(stem, number, len(parts))
            deploy = (
                f"az deployment group create --subscription {subscription} "
                f"--resource-group GROUP --template-file DIR/{path} "
                "--parameters actionGroupId=ACTION_GROUP_ID"
            )
            found.append(Artefact(path, pretty(_template(list(part.values()))), deploy))
    return found


def _template(resources: list[Any]) -> dict[str, Any]:
    told = "Resource id of the action group to notify; empty: the alerts only show in the portal."
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            "actionGroupId": {
                "type": "string",
                "defaultValue": "",
                "metadata": {"description": told},
            }
        },
        "resources": resources,
    }


def _alert(watch: Watch) -> dict[str, Any]:
    return {
        "type": "Microsoft.Insights/metricAlerts",
        "apiVersion": "2018-03-01",
        "name": watch.name,
        "location": "global",
        "tags": {
            "costopt-recommendation": watch.recommendation.recommendation_id,
            "costopt-until": f"{watch.until:%Y-%m-%d}",
        },
        "properties": {
            "description": f"{rule(watch)} {_promise(watch)}",
            "severity": 2,
            "enabled": True,
            "scopes": [watch.recommendation.resource_id],
            # every minute: so no five minutes of the data's own grid are missed between two looks
            "evaluationFrequency": "PT1M",
            "windowSize": _WINDOWS[_window(watch)],
            "criteria": {
                "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                "allOf": [_criterion(watch)],
            },
            "autoMitigate": True,
            "actions": _ACTIONS,
        },
    }


def _criterion(watch: Watch) -> dict[str, Any]:
    limit = watch.guard.limit_percent
    compared: dict[str, Any] = {
        "metricName": "Percentage CPU",
        "operator": "GreaterThan",
        "threshold": limit,
    }
    if watch.metric == "memory":
        compared = {
            "metricName": "Available Memory Percentage",
            "operator": "LessThan",
            "threshold": round(100 - limit, 6),
        }
    return {
        "criterionType": "StaticThresholdCriterion",
        "name": watch.metric.lower(),
        "metricNamespace": "Microsoft.Compute/virtualMachines",
        **compared,
        "timeAggregation": "Average",
    }


def _promise(watch: Watch) -> str:
    window, allowed = lasting(_window(watch)), watch.guard.samples
    fires = f"This alert fires whenever the mean of {window} is over the limit"
    if allowed > 1:
        fires += f"; metric alerts cannot count: add the time up, {allowed:,} periods use it up"
    return f"{fires}. It knows neither start nor end: delete it after {moment(watch.until)}."


def _window(watch: Watch) -> int:
    """The longest window Azure has that fits a period: over the limit no later than the period."""
    return max((w for w in _WINDOWS if w <= watch.guard.period_seconds), default=60)


def _place(watch: Watch) -> tuple[str]:
    found = _MACHINE.fullmatch(watch.recommendation.resource_id)
    assert found is not None, "only what accepts() took comes here"
    return (found["subscription"].lower(),)

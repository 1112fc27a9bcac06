"""Azure metric alerts: what Azure's own SDK reads in them, and what a name cannot do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from azure.mgmt.monitor.models import (
    MetricAlertResource,
    MetricAlertSingleResourceMultipleMetricCriteria,
)

from costopt.model import Report
from costopt.report.artefacts.alarms import alarms
from tests.report import builders
from tests.report.artefacts import guards


def _template(report: Report) -> dict[str, Any]:
    (data,) = alarms(report).values()
    found = json.loads(data)
    assert isinstance(found, dict)
    return found


def _alerts(report: Report) -> list[MetricAlertResource]:
    """As ARM would see them: the parameter given, so that the expression is a list."""
    found = []
    for resource in _template(report)["resources"]:
        assert resource["type"] == "Microsoft.Insights/metricAlerts"
        resource["properties"]["actions"] = [{"actionGroupId": "/subscriptions/x"}]
        found.append(MetricAlertResource.deserialize(resource))
    return found


def test_the_sdk_reads_both_alerts() -> None:
    cpu, memory = _alerts(builders.report((guards.guarded("Azure"),)))
    for alert in (cpu, memory):
        assert alert.scopes == [guards.AZURE]
        assert alert.enabled
        assert alert.auto_mitigate
        assert alert.window_size == timedelta(minutes=5)
        assert alert.evaluation_frequency == timedelta(minutes=1)
        assert isinstance(alert.criteria, MetricAlertSingleResourceMultipleMetricCriteria)
        (criterion,) = alert.criteria.all_of
        assert criterion.time_aggregation == "Average"
    (over,), (under,) = cpu.criteria.all_of, memory.criteria.all_of
    assert (over.metric_name, over.operator, over.threshold) == (
        "Percentage CPU", "GreaterThan", 90,
    )  # fmt: skip
    assert (under.metric_name, under.operator, under.threshold) == (
        "Available Memory Percentage", "LessThan", 5,
    )  # fmt: skip
    assert "add the time up, 21 periods use it up" in cpu.description
    assert "add the time up" not in memory.description


@pytest.mark.parametrize(
    ("period", "window"), [(60, 1), (300, 5), (600, 5), (900, 15), (20, 1), (86_400, 60)]
)
def test_the_window_is_never_longer_than_the_period(period: int, window: int) -> None:
    """A period over the limit holds a shorter window over it; the other way round it need not."""
    (alert,) = _alerts(builders.report((guards.guarded("Azure", guards.cpu(period=period)),)))
    assert alert.window_size == timedelta(minutes=window)


def test_names_are_no_expressions_and_ids_are_checked() -> None:
    template = _template(guards.evil("Azure"))
    assert len(template["resources"]) == 2 * len(guards.EVIL)
    names = [resource["name"] for resource in template["resources"]]
    assert len(set(names)) == len(names)
    for resource in template["resources"]:
        actions = resource["properties"].pop("actions")
        assert actions.startswith("[if(empty(parameters('actionGroupId'))")
        for text in _texts(resource):
            assert not text.startswith("[")
            assert text.isprintable()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in inner for text in _texts(part)]


def test_a_template_holds_at_most_800_resources_of_one_subscription() -> None:
    rows = tuple(guards.guarded("Azure", resource_id=f"{guards.AZURE}{n}") for n in range(401))
    other = guards.AZURE.replace("0b1f", "1b1f")
    files = alarms(builders.report((*rows, guards.guarded("Azure", resource_id=other))))
    assert [len(json.loads(data)["resources"]) for data in files.values()] == [800, 2, 2]
    assert all(len(data) <= 4_000_000 for data in files.values())

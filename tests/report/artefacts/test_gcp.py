"""Google Cloud alert policies: what Google's own SDK reads in them."""

from __future__ import annotations

import re
from datetime import timedelta

from google.cloud.monitoring_v3 import AlertPolicy

from costopt.model import Report
from costopt.report.artefacts.alarms import alarms
from tests.report import builders
from tests.report.artefacts import guards


def _policies(report: Report) -> dict[str, AlertPolicy]:
    return {name: AlertPolicy.from_json(data.decode()) for name, data in alarms(report).items()}


def test_the_sdk_reads_a_policy_for_each_guard() -> None:
    row = guards.guarded("GCP")
    found = _policies(builders.report((row,)))
    stem = f"gcp-alert-policies/costopt-{row.recommendation_id}"
    assert list(found) == [f"{stem}-cpu.json", f"{stem}-memory.json"]
    for policy in found.values():
        assert policy.enabled
        assert policy.combiner == AlertPolicy.ConditionCombinerType.OR
        assert policy.user_labels["costopt-recommendation"] == row.recommendation_id
        (condition,) = policy.conditions
        asked = condition.condition_prometheus_query_language
        assert asked.evaluation_interval == timedelta(minutes=5)
        assert asked.duration == timedelta(0)
        assert 'zone="europe-west4-a", metadata_system_name="cache-2"' in asked.query
    cpu, memory = found.values()
    assert "100 * avg" in cpu.conditions[0].condition_prometheus_query_language.query
    assert 'state="used"' in memory.conditions[0].condition_prometheus_query_language.query
    assert "Ops Agent" in memory.documentation.content


def test_an_instance_is_found_by_its_number_too() -> None:
    (policy,) = _policies(
        builders.report((guards.guarded("GCP", guards.cpu(), resource_id="47239487"),))
    ).values()
    query = policy.conditions[0].condition_prometheus_query_language.query
    assert 'instance_id="47239487"' in query
    assert "metadata_system_name" not in query


def test_texts_keep_to_the_limits_and_hold_no_variables() -> None:
    found = _policies(guards.evil("GCP"))
    assert len(found) == 2 * len(guards.EVIL)
    assert len({policy.display_name for policy in found.values()}) == len(found)
    for policy in found.values():
        assert len(policy.display_name) <= 512
        assert len(policy.documentation.content.encode()) <= 8192
        assert "${" not in policy.documentation.content
        for key, value in policy.user_labels.items():
            assert re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key)
            assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)
        rule = policy.conditions[0].condition_prometheus_query_language.alert_rule
        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", rule)

"""Google Cloud alert policies: what Google's own SDK reads in them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from google.cloud.monitoring_v3 import AlertPolicy

from costopt.model import Report
from costopt.report.artefacts.alarms import alarms, artefacts
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


def test_a_project_has_a_folder_of_its_own() -> None:
    projects = ("shop-prod-1", "example.com:shop-1", "example-com-shop-1", "123456789012")
    files = alarms(_of_projects(*projects))
    folders = {name.removeprefix("gcp-alert-policies/").split("/")[0] for name in files}
    assert len(folders) == len(projects)
    assert {"shop-prod-1", "example-com-shop-1", "123456789012"} < folders
    assert all(re.fullmatch(r"[a-z0-9-]+", folder) for folder in folders)


@pytest.mark.parametrize("account", ["..", "-flag-x", "a:b", "shop-1;id", "Shop-1", "shop-1\n", ""])
def test_an_account_that_is_no_project_is_left_to_the_reader(account: str) -> None:
    row = guards.guarded("GCP", resource_id="4723948", sub_account_id=account)
    made = artefacts(builders.report((row,)), changed_at=None, instance_label="instance")
    assert all(" --project PROJECT " in one.deploy for one in made)
    known = guards.guarded("GCP", resource_id="projects/shop-1/zones/z/instances/a")
    names = alarms(builders.report((row, known)))
    assert {name.split("/")[1] for name in names} == {"PROJECT", "shop-1"}


def _of_projects(*projects: str) -> Report:
    return builders.report(
        tuple(
            guards.guarded("GCP", resource_id=f"projects/{one}/zones/z/instances/a")
            for one in projects
        )
    )

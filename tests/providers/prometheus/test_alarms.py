"""Alarms of machines that were collected: a real Prometheus takes the rules, and they match."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from costopt.frame.inventory import present
from costopt.model import Guard, Recommendation
from costopt.providers.prometheus import PrometheusProvider, PrometheusSettings
from costopt.report.artefacts.alarms import alarms
from tests.providers.prometheus.conftest import END, NODES
from tests.report import builders

NOW = datetime.fromtimestamp(END, UTC)
SINCE = NOW - timedelta(days=1)


def _guards() -> tuple[Guard, ...]:
    """Limits that every machine is over all day."""
    until = SINCE + timedelta(days=2)
    return tuple(
        Guard(metric, 1.0, 200, 300, 2, until)
        for metric in ("cpu_utilization", "memory_utilization")
    )


def _advised(address: str, label: str) -> list[Recommendation]:
    """A resize of every machine that is collected, with those guards."""
    settings = PrometheusSettings(url=address, until=NOW, days=2, machine_label=label)
    listed = PrometheusProvider(settings).resources()
    return [
        builders.recommendation(
            machine.resource_id,
            resource_name=machine.resource_name,
            current=builders.offer(provider_name=machine.provider_name),
            guards=_guards(),
            tags=machine.tags,
        )
        for machine in present(listed, NOW, "UTC").values()
    ]


def _firing(address: str, query: str) -> list[dict[str, str]]:
    """The labels of what the query gives at the end of the data."""
    asked = urlencode({"query": query, "time": END})
    with urlopen(f"{address}/api/v1/query?{asked}", timeout=30) as answer:
        return [one["metric"] for one in json.load(answer)["data"]["result"]]


@pytest.mark.parametrize("label", ["instance", "nodename"])
def test_a_rule_finds_the_machine_that_was_collected(
    backfilled: str, promtool: str, tmp_path: Path, label: str
) -> None:
    """By whichever label it is listed: node_cpu_seconds_total knows its instance alone."""
    advised = _advised(backfilled, label)
    names = {one.resource_id for one in advised}
    assert names == {node if label == "instance" else f"{node}.example" for node in NODES}
    (data,) = alarms(builders.report(tuple(advised)), changed_at=SINCE).values()
    path = tmp_path / "rules.yml"
    path.write_bytes(data)
    subprocess.run([promtool, "check", "rules", str(path)], check=True, capture_output=True)
    rules = [rule for group in yaml.safe_load(data)["groups"] for rule in group["rules"]]
    assert len(rules) == 2 * len(NODES)
    wanted = {one.recommendation_id: one.resource_id.partition(".")[0] for one in advised}
    for rule in rules:
        node = wanted[rule["labels"]["costopt_recommendation"]]
        assert _firing(backfilled, rule["expr"]) == [{"instance": f"{node}:9100"}]

"""Prometheus rules, and Google's PromQL: read and evaluated by the real promtool."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from costopt.errors import ConfigError
from costopt.model import Recommendation
from costopt.report.artefacts.alarms import alarms
from costopt.report.artefacts.base import rule, watches
from tests.report import builders
from tests.report.artefacts import guards

SINCE = guards.EPOCH + timedelta(hours=12)  # promtool's time starts at 0
START = 12 * 60  # minutes
END = START + 24 * 60  # promtool takes four times as long for two days
GUARD = {"days": 1, "since": SINCE}
MINUTES = END + 60


@dataclass(frozen=True)
class Case:
    """How one target's rules are made from a guard, and what its metrics look like."""

    provider: str
    metric: str
    series: Callable[[str, list[float]], dict[str, str]]  # label value, percent a minute
    labels: dict[str, str]


def _counters(name: str, percent: list[float]) -> dict[str, str]:
    """Two cores' seconds: idle, half of them spent waiting for disks, and busy."""
    idle, busy = [0.0], [0.0]
    for value in percent[1:]:
        idle.append(idle[-1] + 60 * (1 - value / 100))
        busy.append(busy[-1] + 60 * value / 100)
    half, whole = (" ".join(f"{v * f:.4f}" for v in t) for t, f in ((idle, 0.5), (busy, 1)))
    label = json.dumps(name, ensure_ascii=False)
    return {
        f'node_cpu_seconds_total{{cpu="{core}",mode="{mode}",instance={label}}}': text
        for core in (0, 1)
        for mode, text in (("idle", half), ("iowait", half), ("user", whole))
    }


def _meminfo(name: str, percent: list[float]) -> dict[str, str]:
    label = json.dumps(name, ensure_ascii=False)
    return {
        f"node_memory_MemTotal_bytes{{instance={label}}}": " ".join(["1000"] * len(percent)),
        f"node_memory_MemAvailable_bytes{{instance={label}}}": " ".join(
            f"{1000 * (1 - value / 100):.3f}" for value in percent
        ),
    }


def _ratio(_: str, percent: list[float]) -> dict[str, str]:
    labels = (
        'monitored_resource="gce_instance",project_id="shop-1",zone="europe-west4-a",'
        'metadata_system_name="cache-2",instance_id="77"'
    )
    name = "compute_googleapis_com:instance_cpu_utilization"
    return {f"{name}{{{labels}}}": " ".join(f"{value / 100:.4f}" for value in percent)}


CASES = {
    "node_exporter CPU": Case("OnPrem", "cpu", _counters, {"instance": "web-17:9100"}),
    "node_exporter memory": Case("OnPrem", "memory", _meminfo, {"instance": "web-17:9100"}),
    "Google's CPU": Case("GCP", "cpu", _ratio, {"instance_id": "77"}),
}


def _row(case: Case, samples: int, **fields: Any) -> Recommendation:
    guard = guards.cpu if case.metric == "cpu" else guards.memory
    return guards.guarded(case.provider, guard(samples, **GUARD), **fields)


def _rules(row: Recommendation) -> dict[str, Any]:
    """The rules as a Prometheus file; a policy's query becomes the rule it is made of."""
    (data,) = alarms(builders.report((row,))).values()
    found = yaml.safe_load(data)
    if "groups" in found:
        assert isinstance(found, dict)
        return found
    asked = found["conditions"][0]["conditionPrometheusQueryLanguage"]
    alert = {"alert": asked["alertRule"], "expr": asked["query"]}
    return {
        "groups": [
            {"name": asked["ruleGroup"], "interval": asked["evaluationInterval"], "rules": [alert]}
        ]
    }


def _load(over: list[int], *, level: float = 50.0) -> list[float]:
    """Percent a minute: high during the five minutes that end at each minute of `over`."""
    percent = [level] * MINUTES
    for end in over:
        percent[end - 4 : end + 1] = [98.0] * 5
    return percent


def _check(
    promtool: str, folder: Path, row: Recommendation, case: Case,
    percent: list[float], fires: dict[int, bool], name: str = "web-17:9100", step: str = "1m",
) -> None:  # fmt: skip
    """Run promtool's unit test: at each minute, whether the alert fires."""
    rules = _rules(row)
    (alert,) = rules["groups"][0]["rules"]
    firing = {
        "exp_labels": {**alert.get("labels", {}), **case.labels},
        "exp_annotations": {
            key: text.replace('{{ "{{" }}', "{{")
            for key, text in alert.get("annotations", {}).items()
        },
    }
    tests = {
        "interval": step,
        "input_series": [
            {"series": key, "values": values} for key, values in case.series(name, percent).items()
        ],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": alert["alert"],
             "exp_alerts": [firing] if expected else []}
            for minute, expected in fires.items()
        ],
    }  # fmt: skip
    (folder / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    told = {"rule_files": ["rules.yml"], "evaluation_interval": "5m", "tests": [tests]}
    (folder / "test.yml").write_text(yaml.safe_dump(told), encoding="utf-8")
    _run(folder, promtool, "test", "rules", "test.yml")


def _run(folder: Path, *command: str) -> str:
    """What the program said; it must be content."""
    ran = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_fires_at_the_nth_period_and_until_the_end(
    promtool: str, tmp_path: Path, case: Case
) -> None:
    over = [START + 120, START + 300, START + 305, START + 1200]
    fires = {START + 305: False, START + 1195: False, START + 1200: True, END: True, END + 5: False}
    _check(promtool, tmp_path, _row(case, 4), case, _load(over), fires)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_periods_before_the_change_do_not_count(promtool: str, tmp_path: Path, case: Case) -> None:
    before = [START - minutes for minutes in (600, 300, 10, 5, 0)]
    over = [*before, START + 5]  # the first whole period after the change
    fires = {START - 5: False, START: False, START + 5: False, START + 1200: False}
    _check(promtool, tmp_path, _row(case, 2), case, _load(over), fires)
    _check(
        promtool, tmp_path, _row(case, 1), case, _load(over), {START: False, START + 5: True}
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_period_after_the_end_does_not_count(promtool: str, tmp_path: Path, case: Case) -> None:
    over = [START + 60, END + 5, END + 10]
    _check(promtool, tmp_path, _row(case, 2), case, _load(over), {END: False, END + 10: False})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_limit_itself_is_not_over_it(promtool: str, tmp_path: Path, case: Case) -> None:
    """A steady level below the limit never counts; a little above always does."""
    limit = 90 if case.metric == "cpu" else 95
    below, above = _load([], level=limit - 0.5), _load([], level=limit + 0.5)
    _check(promtool, tmp_path, _row(case, 1), case, below, {START + 600: False})
    fires = {START + 45: False, START + 50: True}
    _check(promtool, tmp_path, _row(case, 10), case, above, fires)


def test_the_whole_budget_of_14_days(promtool: str, tmp_path: Path) -> None:
    """Periods of an hour, one sample each: promtool's tests look at 10,000 samples at most."""
    case = CASES["Google's CPU"]
    since = guards.EPOCH + timedelta(days=1)
    row = guards.guarded("GCP", guards.cpu(21, days=14, period=3600, since=since))
    percent = [50.0] * (24 + 14 * 24)
    over = [25 + n * 16 for n in range(21)]  # the last after 13.3 days
    for end in over:
        percent[end] = 98.0
    fires = {60 * (over[-1] - 1): False, 60 * over[-1]: True}
    _check(promtool, tmp_path, row, case, percent, fires, step="1h")


@pytest.mark.parametrize(
    "name",
    ['we"b\\7', "web {{ query `up` }} {{ .Value }}", "(.*)+[a-z]{2}|^$", "日本語のサーバー"],
)
def test_a_name_matches_itself_and_runs_nothing(promtool: str, tmp_path: Path, name: str) -> None:
    case = Case("OnPrem", "cpu", _counters, {"instance": name})
    row = _row(case, 1, resource_name=name)
    (watch,) = watches(builders.report((row,)), None)
    (alert,) = _rules(row)["groups"][0]["rules"]
    assert alert["annotations"]["description"].replace('{{ "{{" }}', "{{") == rule(watch)
    over = [START + 60]
    _check(promtool, tmp_path, row, case, _load(over), {START + 60: True}, name=name)


def test_another_machine_does_not_match(promtool: str, tmp_path: Path) -> None:
    case = CASES["node_exporter CPU"]
    row = _row(case, 1, resource_name="web.17")
    over = [START + 60]
    _check(promtool, tmp_path, row, case, _load(over), {START + 60: False}, name="web-17:9100")


@pytest.mark.parametrize("case", ["node_exporter CPU", "node_exporter memory"])
def test_the_instance_that_was_collected_goes_before_the_names(
    promtool: str, tmp_path: Path, case: str
) -> None:
    """A machine that is listed by its nodename: no metric of node_exporter knows that."""
    instance = "10.0.0.5:9100"
    tags = {"team": "web", "prometheus:instance": instance}
    known = replace(CASES[case], labels={"instance": instance})
    row = _row(known, 1, resource_id="web-17.example", resource_name="web-17.example", tags=tags)
    over, fires = [START + 60], {START + 60: True}
    _check(promtool, tmp_path, row, known, _load(over), fires, name=instance)
    silent = {START + 60: False}
    _check(promtool, tmp_path, row, known, _load(over), silent, name="10.0.0.5:9101")
    _check(promtool, tmp_path, row, known, _load(over), silent, name="10x0.0.5:9100")


def test_another_label_is_asked_for_the_name(promtool: str) -> None:
    row = _row(CASES["node_exporter CPU"], 1, tags={"prometheus:instance": "10.0.0.5:9100"})
    (data,) = alarms(builders.report((row,)), instance_label="host").values()
    assert b'host=~"(?:web-17|' in data
    assert b"10.0.0.5" not in data


def test_a_label_that_no_metric_bears_is_refused() -> None:
    with pytest.raises(ConfigError, match="would never fire") as caught:
        alarms(guards.fleet(), instance_label="nodename")
    assert caught.value.where == "--instance-label"


@pytest.mark.parametrize("name", guards.EVIL)
def test_any_text_may_stand_in_the_tag(promtool: str, tmp_path: Path, name: str) -> None:
    row = _row(CASES["node_exporter CPU"], 1, tags={"prometheus:instance": name})
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(_rules(row)), encoding="utf-8")
    assert "1 rules found" in _run(tmp_path, promtool, "check", "rules", "rules.yml")


def test_promtool_accepts_every_hostile_name(promtool: str, tmp_path: Path) -> None:
    for provider in ("OnPrem", "GCP"):
        report = guards.evil(provider)
        rules = [_rules(builders.replace(row, guards=row.guards[:1])) for row in
                 report.recommendations]  # fmt: skip
        file = tmp_path / "rules.yml"
        file.write_text(yaml.safe_dump({"groups": [g for r in rules for g in r["groups"]]}))
        said = _run(tmp_path, promtool, "check", "rules", file.name)
        assert f"{len(guards.EVIL)} rules found" in said


def test_the_file_itself_is_what_promtool_reads(promtool: str, tmp_path: Path) -> None:
    (data,) = alarms(guards.evil("OnPrem"), instance_label="node").values()
    file = tmp_path / "prometheus-rules.yml"
    file.write_bytes(data)
    said = _run(tmp_path, promtool, "check", "rules", file.name)
    assert f"{2 * len(guards.EVIL)} rules found" in said
    assert data.isascii()
    assert b"instance=" not in data

"""`costopt recommend` on a small fleet in a real lake: advice, filters, stories, errors."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from costopt import pipeline
from costopt.cli.recommend import recommend
from costopt.errors import ConfigError, InsufficientData
from costopt.model import Resource
from costopt.pipeline import Analysis
from costopt.report.json import schema as json_schema
from tests.cli import cellar
from tests.report import builders

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    cellar.fleet(folder)
    return folder


def _run(home: Path, *args: str) -> Result:
    return CliRunner().invoke(recommend, ["--home", str(home), *args], catch_exceptions=True)


def _json(home: Path, *args: str) -> dict[str, Any]:
    result = _run(home, "--format", "json", *args)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    jsonschema.validate(found, json.loads(json_schema()))
    assert isinstance(found, dict)
    return found


def _ids(found: dict[str, Any]) -> list[str]:
    return [one["resource_id"] for one in found["recommendations"]]


def test_json_holds_the_advice_in_order_and_adds_up(home: Path) -> None:
    found = _json(home)
    assert _ids(found) == ["vm-1", "vm-2"]
    web, forgotten = found["recommendations"]
    assert (web["action_type"], forgotten["action_type"]) == ("Rightsize", "Stop")
    assert web["current"]["vcpus"] == 16
    assert web["recommended"]["vcpus"] == 2
    saved = [one["estimated_monthly_savings"]["target"] for one in found["recommendations"]]
    assert saved == [1022, 584]
    summary = found["summary"]
    assert summary["monthly_savings"] == 1606
    assert summary["monthly_spend"] == (16 + 8 + 4 + 4 + 4) * 73
    assert summary["resources"] == len(cellar.RESOURCES)


def test_the_same_data_give_the_same_bytes(home: Path) -> None:
    for name in ("json", "csv", "markdown", "table"):
        first, again = (_run(home, "--format", name) for _ in range(2))
        assert first.exit_code == 0
        assert first.stdout_bytes == again.stdout_bytes


def test_the_table_is_the_default_and_plain_in_a_pipe(home: Path) -> None:
    result = _run(home)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "\x1b" not in result.stdout
    for fact in ("1,606.00", "web-1", "c16 → c2", "forgotten", "stopped", f"--home {home}"):
        assert fact in result.stdout


def test_csv_and_output(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "advice.csv"
    result = _run(home, "--format", "csv", "-o", str(target))
    assert (result.exit_code, result.stdout) == (0, "")
    rows = list(csv.DictReader(io.StringIO(target.read_bytes().decode(), newline="")))
    assert [row["resource_id"] for row in rows] == ["vm-1", "vm-2"]


def test_rules_can_be_asked_singly(home: Path) -> None:
    assert _ids(_json(home, "--rule", "idle")) == ["vm-2"]
    both = _json(home, "--rule", "rightsize", "--rule", "idle")
    assert both == _json(home)


def test_filters_give_a_fleet_of_their_own(home: Path) -> None:
    found = _json(home, "--tag", "team=web", "--provider", "cellar")
    assert _ids(found) == ["vm-1"]
    assert found["summary"]["resources"] == 3
    assert found["summary"]["monthly_spend"] == (16 + 4 + 4) * 73
    assert found["summary"]["monthly_savings"] == 1022
    assert any("team=web" in note for note in found["notes"])
    assert all(skip["resource_id"] != "vm-2" for skip in found["skips"])


def test_a_threshold_and_a_limit(home: Path) -> None:
    assert _ids(_json(home, "--min-monthly-savings", "600")) == ["vm-1"]
    short = _json(home, "--limit", "1")
    assert _ids(short) == ["vm-1"]
    assert short["summary"]["recommendations"] == 2
    told = "not shown, by --limit 1: 1 recommendation worth 584.00 USD a month"
    assert told in short["notes"]
    assert _run(home, "--limit", "1", "--format", "csv").stderr.endswith(f"note: {told}\n")
    assert "and 1 more, worth 584.00 USD" in _run(home, "--limit", "1").stdout


def test_a_setting_for_types_that_nothing_has_is_noted(home: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[rules.rightsize.smt_speedups]\nc44 = 0.63\nc4 = 0.63\n", encoding="utf-8")
    (note,) = [n for n in _json(home, "--config", str(own))["notes"] if "smt_speedups" in n]
    assert note.startswith("rules.rightsize.smt_speedups: 'c44' is no machine type or family")


def test_the_definition_of_idle_is_selectable(home: Path) -> None:
    (one,) = _json(home, "--rule", "idle", "--idle-definition", "aws-co-idle")["recommendations"]
    assert one["evidence"]["definition"] == "aws-co-idle"


def test_skips_are_listed(home: Path) -> None:
    found = _json(home, "--min-monthly-savings", "600")
    assert found["summary"]["skips"] == {"small-saving": 1}
    listed = _run(home, "--min-monthly-savings", "600", "--skips").stdout
    assert "small-saving" in listed
    assert "vm-2" in listed


@pytest.mark.parametrize("wanted", ["vm-1", "web-1", "WEB-1"])
def test_a_story_by_id_or_name(home: Path, wanted: str) -> None:
    story = " ".join(_run(home, "--explain", wanted).stdout.split())
    assert "Rightsize: c16 → c2, saves 1,022.00 USD a month" in story
    assert "1.60 → 0.20 USD an hour (87.5 % less) x 730 h = 1,168.00 → 146.00 a month" in story
    sizes = r"c1 1 16 0\.10 >99 % \S+ c2 2 16 0\.20 <?[\d.]+ % \S+ recommended c4"
    assert re.search(sizes, story)


@pytest.mark.parametrize("resource", cellar.RESOURCES)
def test_everything_has_a_story(home: Path, resource: dict[str, Any]) -> None:
    result = _run(home, "--explain", resource["ResourceId"])
    assert result.exit_code == 0
    assert "What would change the answer" in result.stdout


def test_the_next_step_names_the_resource_as_people_do(home: Path) -> None:
    lines = _run(home).stdout.splitlines()
    assert f"    costopt recommend --home {home} --explain web-1" in lines


@pytest.mark.parametrize(
    "others",
    [
        {"i-2": Resource("i-2", "AWS", "WEB-17", instance_type="m5.large")},  # a second web-17
        {"web-17": Resource("web-17", "AWS", instance_type="m5.large")},  # by its id
    ],
)
def test_a_name_that_several_have_is_no_next_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, others: dict[str, Resource]
) -> None:
    report = builders.report((builders.recommendation(),))
    own = Resource("i-0aa11", "AWS", "web-17", instance_type="m5.4xlarge")
    found = Analysis(
        builders.WINDOW, report.as_of, {"i-0aa11": own} | others, {}, {}, {}, {}, report
    )
    monkeypatch.setattr(pipeline, "analyse", lambda *_: found)
    page = _run(tmp_path).stdout
    assert "--explain i-0aa11" in page


def _error(result: Result) -> ConfigError:
    assert isinstance(result.exception, ConfigError), result.output
    assert result.exception.exit_code == 2
    return result.exception


def test_an_unknown_resource_names_the_nearest(home: Path) -> None:
    assert "did you mean web-1" in _error(_run(home, "--explain", "web-11")).hint
    assert "costopt profile" in _error(_run(home, "--explain", "zzz")).hint


def test_an_ambiguous_name_names_the_ids(home: Path) -> None:
    assert "vm-4, vm-5" in _error(_run(home, "--explain", "twin")).hint


def test_a_filter_that_matches_nothing_says_what_there_is(home: Path) -> None:
    hint = _error(_run(home, "--tag", "team=moon")).hint
    assert "AWS, Cellar" in hint
    assert "team" in hint


def test_an_unknown_rule_names_the_nearest(home: Path) -> None:
    assert "did you mean 'idle'" in _error(_run(home, "--rule", "idel")).hint


@pytest.mark.parametrize(
    "args",
    [
        ("--tag", "team"),
        ("--format", "xml"),
        ("--limit", "-1"),
        ("--as-of", "soon"),
        ("--explain", "vm-1", "--format", "json"),
    ],
)
def test_usage_errors_exit_with_2(home: Path, args: tuple[str, ...]) -> None:
    assert _run(home, *args).exit_code == 2


def test_an_empty_lake_exits_with_3(tmp_path: Path) -> None:
    result = _run(tmp_path)
    assert isinstance(result.exception, InsufficientData)
    assert result.exception.exit_code == 3


def test_the_schema_can_be_had() -> None:
    result = CliRunner().invoke(recommend, ["--schema"])
    assert result.exit_code == 0
    assert result.stdout_bytes == json_schema()


def test_the_documentation_names_every_option() -> None:
    text = (ROOT / "docs" / "recommend.md").read_text(encoding="utf-8")
    for option in recommend.params:
        for name in option.opts:
            assert f"`{name}" in text, f"{name} is not in docs/recommend.md"


def test_every_advice_alone_and_the_plan_that_adds_up(home: Path) -> None:
    plan = json.loads(_run(home, "--format", "json").stdout)
    alone = json.loads(_run(home, "--independent", "--format", "json").stdout)
    steps = sum(Decimal(str(step["monthly_savings"])) for step in plan["steps"])
    assert steps == Decimal(str(plan["summary"]["monthly_savings"]))
    assert alone["steps"] == []
    assert alone["summary"] == plan["summary"]
    assert len(alone["recommendations"]) >= len(plan["recommendations"])
    assert any("do not add up" in note for note in alone["notes"])

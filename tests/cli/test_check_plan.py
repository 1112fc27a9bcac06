"""`costopt check --plan`: what a plan would change, priced and judged, with a lake and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from costopt.cli.check import check
from costopt.errors import InputError
from costopt.report.check.json import schema
from tests.cli import cellar
from tests.policy.planned.plans import change, document

MACHINE = {"instance_type": "g5.12xlarge", "tags": None, "root_block_device": []}
CHANGES = (
    change("aws_instance.big", after=MACHINE),
    change("aws_ebs_volume.old", after={"type": "gp2", "size": 100, "tags": {"a": "b"}}),
    change('aws_eip.x["<b>`"]', after={"tags": {"a": "b"}}),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    cellar.fleet(folder)
    return folder


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document(*CHANGES)))
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(
        check, [*map(str, words)], catch_exceptions=False, standalone_mode=False
    )


def told(*words: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("--format", "json", *words).output)
    jsonschema.validate(found, json.loads(schema()))
    return found


def test_without_a_lake(plan: Path, tmp_path: Path) -> None:
    found = told("--plan", plan, "--home", tmp_path / "none")
    broken = {(one["policy"], one["subject"]) for one in found["findings"]}
    assert broken == {
        ("planned-costly-gpu", "aws_instance.big"),
        ("planned-untagged", "aws_instance.big"),
        ("planned-older-generation", "aws_instance.big"),
        ("planned-gp2-volume", "aws_ebs_volume.old"),
        ("planned-monthly-increase", ""),
    }
    assert [one["address"] for one in found["planned"]] == [one["address"] for one in CHANGES]
    machine, volume, _ = found["planned"]
    assert machine["monthly_before"] == 0
    assert machine["monthly_difference"] == machine["monthly"] > 500
    assert volume["monthly"] is None
    assert volume["unpriced"] == ["disk: no list price of gp2 is known"]
    assert not (tmp_path / "none").exists()


def test_with_a_lake_only_the_plan_is_judged(plan: Path, home: Path) -> None:
    found = told("--plan", plan, "--home", home)
    assert {one["policy"] for one in found["findings"]} >= {"planned-costly-gpu"}
    assert all(one["id"].startswith("planned-") for one in found["policies"])


def test_without_a_plan_no_policy_of_plans_is_asked(home: Path) -> None:
    found = told("--home", home)
    assert not any(one["id"].startswith("planned-") for one in found["policies"])
    assert "planned" not in found


def test_the_difference_by_resource(plan: Path, tmp_path: Path) -> None:
    result = run("--plan", plan, "--home", tmp_path / "none")
    assert result.return_value == 1
    assert "asked of 3 planned changes" in result.output
    assert "of 2 changes no price is known" in result.output
    assert "create  aws_instance.big" in result.output
    assert "not in it: disk: no list price of gp2 is known" in result.output
    comment = run("--plan", plan, "--home", tmp_path / "none", "--format", "markdown").output
    assert "| create | `aws_instance.big` |" in comment
    assert "| unknown | create | `aws_ebs_volume.old` |" in comment
    assert "&lt;b&gt;" in comment
    assert "<b>" not in comment


def test_a_plan_that_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document()))
    result = run("--plan", path, "--home", tmp_path / "none")
    assert result.return_value == 0
    assert "+0.00 USD a month" in result.output


@pytest.mark.parametrize("form", ["text", "markdown", "github", "junit", "gitlab"])
def test_an_address_cannot_speak_to_the_terminal(form: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document(change('aws_eip.x["\x1b[31m\nred"]', after={"tags": {}}))))
    found = run("--plan", path, "--home", tmp_path / "none", "--format", form)
    assert "aws" in found.output
    assert "\x1b" not in found.output
    assert "\nred" not in found.output


def test_what_is_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("{}")
    with pytest.raises(InputError, match="not a Terraform plan"):
        run("--plan", path, "--home", tmp_path / "none")

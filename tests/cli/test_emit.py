"""`costopt recommend --emit alarms`: the files, what is said about them, and usage errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from costopt import pipeline
from costopt.cli.recommend import recommend
from costopt.model import Report
from costopt.pipeline import Analysis
from costopt.report.artefacts.alarms import alarms
from tests.report import builders
from tests.report.artefacts import guards

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command over a report made by hand instead of a lake."""

    def running(report: Report, *args: str) -> Result:
        found = Analysis(builders.WINDOW, report.as_of, {}, {}, {}, {}, {}, report)
        monkeypatch.setattr(pipeline, "analyse", lambda *_: found)
        return CliRunner().invoke(recommend, ["--home", str(tmp_path / "lake"), *args])

    return running


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_it_writes_the_alarms_and_says_how_to_deploy_each(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "my alarms"
    result = run(guards.fleet(), "--emit", "alarms", "--output", str(folder))
    assert (result.exit_code, result.stdout) == (0, "")
    assert _files(folder) == alarms(guards.fleet())
    for part in (
        f"wrote {folder}/cloudwatch-alarms.json",
        f"aws cloudformation deploy --region eu-west-1 --template-file '{folder}'/",
        f"az deployment group create --subscription {guards.SUBSCRIPTION} ",
        f"wrote 2 files in {folder}/gcp-alert-policies",
        "gcloud monitoring policies create --project shop-1 ",
        "promtool check rules",
        "1 recommendation stops the machine and needs no guard",
        "counted from 2026-11-01 00:00 UTC",
    ):
        assert part in result.stderr


def test_the_moment_of_the_change_and_the_label_can_be_given(run: Run, tmp_path: Path) -> None:
    args = ("--emit", "alarms", "-o", str(tmp_path / "out.d"))
    result = run(
        guards.fleet(), *args, "--changed-at", "2026-11-04T09:30", "--instance-label", "node"
    )
    assert result.exit_code == 0
    assert "counted from" not in result.stderr
    moment = datetime(2026, 11, 4, 9, 30, tzinfo=UTC)
    wanted = alarms(guards.fleet(), changed_at=moment, instance_label="node")
    assert _files(tmp_path / "out.d") == wanted
    template = json.loads(wanted["cloudwatch-alarms.json"])
    (first, *_) = template["Resources"].values()
    assert "delete it after 2026-11-18 09:30 UTC" in first["Properties"]["AlarmDescription"]


@pytest.mark.parametrize(
    ("changed_at", "dead"), [("2026-10-18", True), ("2026-10-18T00:01", False)]
)
def test_a_change_so_old_that_its_alarms_are_dead_is_told(
    run: Run, tmp_path: Path, changed_at: str, dead: bool
) -> None:
    result = run(  # as of 2026-11-01; the guards hold for 14 days
        guards.fleet(), "--emit", "alarms", "-o", str(tmp_path), "--changed-at", changed_at
    )
    assert result.exit_code == 0
    told = "warning: 14 days after --changed-at were over on 2026-11-01 00:00 UTC, and it is"
    assert (told in result.stderr) is dead


def test_where_nothing_needs_a_guard_nothing_is_written(run: Run, tmp_path: Path) -> None:
    result = run(builders.report((builders.stop(),)), "--emit", "alarms", "-o", str(tmp_path / "x"))
    assert result.exit_code == 0
    assert "nothing to write: no alarms for these recommendations" in result.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--emit", "alarms"), "add --output DIR"),
        (("--emit", "alarms", "-o", "DIR", "--format", "json"), "leave --format away"),
        (("--emit", "alarms", "-o", "DIR", "--explain", "web-17"), "leave --explain away"),
        (("--emit", "alarms", "-o", "DIR", "--skips"), "leave --skips away"),
        (("--emit", "alarms", "-o", "DIR", "--limit", "0"), "leave --limit away"),
        (("--emit", "alarms", "-o", "FILE"), "is not a folder"),
        (("--emit", "sirens", "-o", "DIR"), "'sirens' is not"),
        (("--format", "json", "-o", "DIR"), "is a folder"),
        (("--changed-at", "2026-11-04"), "--changed-at is for --emit"),
        (("--emit", "alarms", "-o", "DIR", "--instance-label", "a b"), "no Prometheus label"),
    ],
)
def test_what_does_not_go_together_is_refused(
    run: Run, tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    (tmp_path / "FILE").write_text("mine")
    (tmp_path / "DIR").mkdir()
    given: list[Any] = [str(tmp_path / one) if one in ("FILE", "DIR") else one for one in args]
    result = run(guards.fleet(), *given)
    assert result.exit_code == 2
    assert said in result.stderr
    assert list((tmp_path / "DIR").iterdir()) == []
    assert (tmp_path / "FILE").read_text() == "mine"

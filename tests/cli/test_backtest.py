"""`costopt backtest`: what it asks the pipeline for, what it writes, what it refuses."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner, Result

from costopt import cli, pipeline
from costopt.backtest.baselines import baselines
from costopt.cli.backtest import TELLING, backtest
from costopt.errors import ConfigError, InsufficientData
from costopt.report.backtest import schema
from tests.report.backtest import builders

ROOT = Path(__file__).parents[2]


class Replay:
    """Stands in for the pipeline's backtest: keeps what it was asked, answers with a fixture."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def __call__(self, lake: Any, settings: Any, as_of: Any, wanted: Any, progress: Any) -> Any:
        progress("windows")
        self.asked = {
            "lake": lake.root,
            "as_of": as_of,
            "rightsize": dict(settings.rules.get("rightsize", {})),
            **{field.name: getattr(wanted, field.name) for field in fields(wanted)},
        }
        self.asked["baselines"] = tuple(one.name for one in wanted.baselines)
        return builders.with_memory()


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Replay:
    fake = Replay()
    monkeypatch.setattr(pipeline, "backtest", fake, raising=False)
    return fake


def run(*arguments: str) -> Result:
    return CliRunner().invoke(backtest, arguments)


def asked(replay: Replay, *arguments: str) -> dict[str, Any]:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return replay.asked


def test_what_is_asked_for_without_options(replay: Replay, tmp_path: Path) -> None:
    assert asked(replay, "--home", str(tmp_path)) == {
        "lake": tmp_path / "lake",
        "as_of": None,
        "baselines": TELLING,
        "train_days": 14,
        "gap_days": 0,
        "test_days": 14,
        "step_days": 7,
        "ladder": (1.0, 0.5, 0.25, 0.125, 0.0625),
        "seed": 0,
        "rightsize": {},
    }


def test_options_reach_the_pipeline(replay: Replay) -> None:
    found = asked(
        replay, "--train-days", "21", "--gap-days", "1", "--test-days", "7", "--step-days", "3",
        "--ladder", "1,0.75,.5", "--seed", "9", "--risk-budget", "5", "--as-of", "2026-03-01",
    )  # fmt: skip
    assert found["as_of"] == datetime(2026, 3, 1, tzinfo=UTC)
    days = [found[f"{name}_days"] for name in ("train", "gap", "test", "step")]
    assert days == [21, 1, 7, 3]
    assert (found["ladder"], found["seed"]) == ((1.0, 0.75, 0.5), 9)
    assert found["rightsize"] == {"risk_budget_percent": 5.0}


@pytest.mark.parametrize(
    ("word", "kappa"), [("cautious", 2.0), ("default", 0.5), ("bold", 0.2), ("0.35", 0.35)]
)
def test_the_price_of_a_rollback_has_names(replay: Replay, word: str, kappa: float) -> None:
    assert asked(replay, "--rollback-cost", word)["rightsize"] == {"rollback_cost": kappa}


def test_a_flag_leaves_the_other_settings_of_the_rule(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "costopt.toml").write_text("[rules.rightsize]\nlimit_percent = 80\n")
    found = asked(replay, "--rollback-cost", "bold")["rightsize"]
    assert found == {"limit_percent": 80, "rollback_cost": 0.2}


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ([], TELLING),
        (["none"], ()),
        (["vpa", "aws-co", "vpa"], ("vpa", "aws-co")),
        (["vpa", "all"], tuple(baselines())),
        (["AWS-CO", "Vpa", "vpa"], ("aws-co", "vpa")),
        (["NONE"], ()),
    ],
)
def test_which_baselines(replay: Replay, arguments: list[str], chosen: tuple[str, ...]) -> None:
    flags = [part for name in arguments for part in ("--baseline", name)]
    assert asked(replay, *flags)["baselines"] == chosen


def test_the_default_baselines_exist() -> None:
    assert set(TELLING) <= set(baselines())


def test_an_unknown_baseline_names_the_nearest(replay: Replay) -> None:
    error = run("--baseline", "kr-simple").exception
    assert isinstance(error, ConfigError)
    assert error.hint.startswith("did you mean krr-simple")
    assert "azure" not in error.hint  # not all of them
    assert replay.asked == {}
    far = run("--baseline", "zzz").exception
    assert isinstance(far, ConfigError)
    assert far.hint == "costopt backtest --list names them all"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--baseline", "none", "--baseline", "vpa"], "stands alone"),
        (["--ladder", "0.5,0.25"], "begin with 1"),
        (["--ladder", "1,0.5,0.5"], "descend"),
        (["--ladder", "1,0.5,0"], "above 0"),
        (["--ladder", "1,nan"], "descend"),
        (["--ladder", "1,1/0"], "not a list like 1,0.5"),
        (["--ladder", "1,1/2/2"], "not a list like 1,0.5"),
        (["--ladder", "1"], "nothing to choose from"),
        (["-o", "x.pdf"], ".pdf is no format here: json, csv, png, svg or .txt"),
        (["--list", "--format", "png"], "--list is a table or json, not png"),
        (["--ladder", "1;0.5"], "not a list like 1,0.5"),
        (["--ladder", ",".join(str(1 - n / 20) for n in range(17))], "more than 16"),
        (["--rollback-cost", "brave"], "neither a number nor cautious, default, bold"),
        (["--rollback-cost", "-1"], "not above 0 and at most 1000"),
        (["--rollback-cost", "nan"], "not above 0 and at most 1000"),
        (["--risk-budget", "0"], "0<x<=100"),
        (["--risk-budget", "101"], "0<x<=100"),
        (["--train-days", "0"], "x>=1"),
        (["--gap-days", "-1"], "x>=0"),
        (["--format", "pdf"], "pdf"),
    ],
)
def test_what_cannot_be_is_refused(replay: Replay, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert replay.asked == {}


def test_sizes_may_be_fractions(replay: Replay) -> None:
    assert asked(replay, "--ladder", "1,3/4,1/2, 0.25")["ladder"] == (1, 0.75, 0.5, 0.25)


def test_sixteen_sizes_are_taken(replay: Replay) -> None:
    sizes = ",".join(str(1 - n / 20) for n in range(16))
    assert len(asked(replay, "--ladder", sizes)["ladder"]) == 16


@pytest.mark.usefixtures("replay")
def test_the_table_is_the_default_and_plain_in_a_pipe() -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "\x1b" not in result.stdout
    assert "471 machines, 1,840 test windows" in result.stdout
    assert result.stdout == run("--format", "table").stdout


@pytest.mark.usefixtures("replay")
def test_json_keeps_to_the_schema_that_is_printed() -> None:
    found = json.loads(run("--format", "json").stdout)
    printed = run("--schema")
    assert printed.stdout_bytes == schema()
    jsonschema.validate(found, json.loads(printed.stdout))


@pytest.mark.usefixtures("replay")
def test_csv_has_a_row_a_method() -> None:
    text = run("--format", "csv").stdout_bytes.decode()
    names = [row["name"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert names == [score.name for score in builders.with_memory().scores]


@pytest.mark.usefixtures("replay")
@pytest.mark.parametrize(
    ("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("json", b"{"), ("txt", b"\n  4")]
)
def test_the_format_by_the_ending_of_the_file(tmp_path: Path, ending: str, start: bytes) -> None:
    file = tmp_path / f"backtest.{ending}"
    result = run("--output", str(file))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"wrote {file}" in result.stderr
    assert file.read_bytes().startswith(start)


@pytest.mark.usefixtures("replay")
def test_a_picture_to_a_pipe() -> None:
    assert run("--format", "png").stdout_bytes.startswith(b"\x89PNG")


def test_the_list_needs_no_lake(tmp_path: Path) -> None:
    result = run("--home", str(tmp_path / "nothing"), "--list")
    assert result.exit_code == 0
    for baseline in baselines().values():
        assert baseline.name in result.stdout
        assert baseline.title in result.stdout


def test_the_list_for_programs(tmp_path: Path) -> None:
    found = json.loads(run("--list", "--format", "json").stdout)
    assert [one["name"] for one in found] == list(baselines())
    assert all(one["title"] and one["source"] for one in found)
    file = tmp_path / "rules.json"
    assert run("--list", "-o", str(file)).exit_code == 0
    assert json.loads(file.read_bytes()) == found


def test_too_little_data_keeps_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(*_: Any, **__: Any) -> None:
        raise InsufficientData("the lake holds no metrics")

    monkeypatch.setattr(pipeline, "backtest", empty, raising=False)
    error = run().exception
    assert isinstance(error, InsufficientData)
    assert error.exit_code == 3


def test_the_command_is_known() -> None:
    context = click.Context(cli.costopt)
    assert cli.costopt.get_command(context, "backtest") is backtest
    names = list(cli.COMMANDS)
    assert names.index("backtest") > names.index("recommend")


def test_the_documentation_names_every_option() -> None:
    text = (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8")
    for option in backtest.params:
        for name in option.opts:
            assert f"`{name}" in text, f"{name} is not in docs/backtest.md"

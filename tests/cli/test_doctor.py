"""`costopt doctor` on small fleets in a real lake: pages, documents, exit codes, odd names."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from costopt import pipeline, schema
from costopt.cli.doctor import doctor
from costopt.errors import ConfigError, InsufficientData
from costopt.lake.store import Lake
from tests.fakes.fleet import END, FakeFleet, Machine, steady
from tests.pricing.tables import price, prices, shapes

Ask = Callable[..., Result]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ask]:
    """A project with these machines, and `costopt doctor` in it."""
    monkeypatch.chdir(tmp_path)

    def project(*machines: Machine, billed: bool = False) -> Ask:
        if machines:
            fleet = FakeFleet(machines, billed=billed)
            pipeline.collect(fleet, Lake(tmp_path / ".costopt" / "lake"))
        return lambda *arguments: CliRunner().invoke(doctor, arguments)

    return project


GOOD = Machine("i-1", 4, steady(14, 20), memory=steady(14, 50, seed=1))
SHORT = Machine("i-2", 8, steady(2, 20))
HALF = Machine(
    "i-3", 8, np.where(np.arange(14 * 288) % 8 < 3, steady(14, 20), np.nan), columns={
        "ResourceName": "thin", "ProviderName": "AWS",
    },
)  # fmt: skip


def test_what_the_lake_holds_and_how_good_it_is(ask: Callable[..., Ask]) -> None:
    result = ask(GOOD, SHORT, HALF, billed=True)()
    assert result.exit_code == 0, result.output
    said = result.stdout
    assert "3 (AWS 1, Generic 2)" in said
    assert "14 days, 2026-09-21 to 2026-10-04" in said
    assert "Generic: 42 rows of 2026-" in said
    assert "7 prices, 7 shapes" in said
    assert "as of 2026-10-05 00:00 UTC" in said
    assert "cpu_utilization, memory_utilization" in said
    assert "1 of 3 machines can be judged" in said
    assert "short-history: collect more days, or lower quality.min_days" in said
    thin = next(line for line in said.splitlines() if line.strip().startswith("coverage"))
    assert thin.split()[1:5] == ["1", "1", "1", "thin"]


def test_prices_of_lists_are_not_called_ones_own(ask: Callable[..., Ask], tmp_path: Path) -> None:
    asked = ask(GOOD)
    listed = {"ProviderName": "AWS", "x_Source": schema.AWS_LIST}
    lake = Lake(tmp_path / ".costopt" / "lake")
    lake.append("prices", prices(*(price(f"m{n}.large", "0.1", **listed) for n in range(3))))
    lake.append("shapes", shapes({**listed, "x_InstanceType": "m1.large", "x_vCPUs": 2.0}))
    said = asked().stdout
    lines = [line.split() for line in said.splitlines()]
    assert ["Of", "your", "own", "7", "prices,", "7", "shapes"] in lines
    assert ["Of", "providers", "3", "prices,", "1", "shape"] in lines
    document = json.loads(asked("--format", "json").stdout)["lake"]
    assert (document["prices"], document["own_prices"]) == (10, 7)
    assert (document["shapes"], document["own_shapes"]) == (8, 7)


def test_the_same_for_programs(ask: Callable[..., Ask]) -> None:
    result = ask(GOOD, SHORT, HALF)("--format", "json")
    assert result.exit_code == 0
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["lake"]["resources"] == {"AWS": 1, "Generic": 2}
    assert len(found["lake"]["days"]) == 14
    assert found["lake"]["final_until"]["fake"]["cpu_utilization"] == END.isoformat()
    quality = found["quality"]
    assert (quality["usable_machines"], quality["machines"]) == (1, 3)
    assert quality["as_of"] == END.isoformat()
    short, thin = quality["checks"]
    assert (short["check"], short["resources_not_judged"]) == ("short-history", 1)
    assert short["example"]["resource_id"] == "i-2"
    assert thin["check"] == "coverage"
    assert thin["example"]["level"] == "gate"


def test_names_in_the_settings_that_nothing_has_are_told(ask: Callable[..., Ask]) -> None:
    asked = ask(GOOD)
    assert json.loads(asked("--format", "json").stdout)["settings"] == {"warnings": []}
    assert "no effect" not in asked().stdout
    own = Path("own.toml")
    own.write_text("[rules.rightsize.smt_speedups]\nm6ii = 0.63\nm6i = 0.7\n", encoding="utf-8")
    (told,) = json.loads(asked("--format", "json", "--config", str(own)).stdout)["settings"][
        "warnings"
    ]
    assert told.startswith("own.toml: rules.rightsize.smt_speedups: 'm6ii' is no machine type")
    assert "did you mean m6i or " in told
    page = " ".join(asked("--config", str(own)).stdout.split())
    assert "What in the settings has no effect" in page
    assert told in page


def test_a_setting_that_cannot_be_is_refused(ask: Callable[..., Ask]) -> None:
    own = Path("own.toml")
    own.write_text("[rules.rightsize.smt_speedups]\nm6i = 0.2\n", encoding="utf-8")
    error = ask(GOOD)("--config", str(own)).exception
    assert isinstance(error, ConfigError)
    assert "smt_speedups" in error.what


def test_everything_of_one_resource(ask: Callable[..., Ask]) -> None:
    project = ask(GOOD, SHORT, HALF)
    said = project("--resource", "thin").stdout
    assert "i-3 (thin)" in said
    assert "Not judged (coverage): 37.5 % of the samples are there; advice needs 50 %" in said
    assert "cpu_utilization (%)  300 s" in said
    found = json.loads(project("--resource", "i-3", "--format", "json").stdout)
    assert found["not_judged_because"] == "coverage"
    assert found["series"][0]["coverage"] == 0.375
    assert found["findings"][0]["check"] == "coverage"
    fine = project("--resource", "i-1").stdout
    assert "the quality gate found nothing wrong with its data" in fine


def test_a_resource_that_is_not_there(ask: Callable[..., Ask]) -> None:
    error = ask(GOOD, HALF)("--resource", "thinn").exception
    assert isinstance(error, ConfigError)
    assert "did you mean thin?" in str(error)


def test_one_name_for_two_machines(ask: Callable[..., Ask]) -> None:
    twins = [Machine(f"i-{n}", 4, steady(14, 20), columns={"ResourceName": "w"}) for n in (1, 2)]
    error = ask(*twins)("--resource", "w").exception
    assert isinstance(error, ConfigError)
    assert "say which: i-1, i-2" in str(error)


def test_nothing_usable_is_shown_and_then_refused(ask: Callable[..., Ask]) -> None:
    result = ask(SHORT)()
    assert "0 of 1 machine can be judged" in result.stdout
    assert isinstance(result.exception, InsufficientData)
    assert result.exception.exit_code == 3
    assert "1 short-history" in str(result.exception)


def test_data_grow_old(ask: Callable[..., Ask]) -> None:
    project = ask(GOOD)
    later = (END + timedelta(days=4)).isoformat()
    result = project("--as-of", later)
    assert "4.0 days behind" in result.stdout
    assert isinstance(result.exception, InsufficientData)
    earlier = (END - timedelta(days=1)).isoformat()
    assert "after the moment judged from" in project("--as-of", earlier).stdout


def test_an_empty_lake(ask: Callable[..., Ask]) -> None:
    project = ask()
    result = project()
    assert "Samples         none" in result.stdout
    assert isinstance(result.exception, InsufficientData)
    assert json.loads(project("--format", "json").stdout)["quality"] is None


def test_names_cannot_steer_the_terminal(ask: Callable[..., Ask]) -> None:
    evil = "web\x1b[2J\x1b]0;owned\x07\u202e1"
    machine = Machine("i-\x1b[31m9", 4, steady(2, 20), columns={"ResourceName": evil})
    project = ask(GOOD, machine)
    for arguments in ((), ("--resource", evil), ("--format", "json")):
        said = project(*arguments).stdout
        assert "\x1b" not in said
        assert "\u202e" not in said
    assert "web1" in project().stdout
    example = json.loads(project("--format", "json").stdout)["quality"]["checks"][0]["example"]
    assert example["resource_id"] == machine.resource_id


def test_written_to_a_file(ask: Callable[..., Ask], tmp_path: Path) -> None:
    result = ask(GOOD)("--output", str(tmp_path / "health.txt"))
    assert result.stdout == ""
    assert "What the lake holds" in (tmp_path / "health.txt").read_text()
    assert "nothing wrong with any of their data" in (tmp_path / "health.txt").read_text()

"""`costopt move --on-prem` on the demo's GPU pool that should be on machines of one's own."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pyarrow.compute as pc
import pytest
from click import UsageError
from click.testing import CliRunner, Result

from costopt.cli.move import move
from costopt.errors import ConfigError, InputError, InsufficientData
from costopt.lake.store import Lake
from costopt.model import Window
from costopt.providers.demo import DemoProvider, Placement
from costopt.providers.demo.samples import samples
from costopt.report.json import schema
from tests.conftest import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "onprem.toml"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two machines of the pool: inventory, bill, and two weeks of metrics."""
    folder = tmp_path_factory.mktemp("own")
    demo = DemoProvider()
    truth = demo.truth()
    mine = [m for m in demo.machines if truth[m.resource_id].placement is Placement.REPATRIATE]
    ids = [machine.resource_id for machine in mine]
    lake = Lake(folder / "lake")
    listed = demo.resources()
    lake.append("resources", listed.filter(pc.is_in(listed["ResourceId"], pc.cast(ids, "string"))))
    lake.append_charges(
        table.filter(pc.is_in(table["ResourceId"], pc.cast(ids, "string")))
        for table in demo.charges(None)
    )
    end = demo.window.end
    lake.append_metrics(
        "demo", samples(mine, Window(end - timedelta(days=15), end), end, demo.seed)
    )
    return folder


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(
        move, [*words, "--home", str(home)], catch_exceptions=False, standalone_mode=False
    )


def test_the_page(home: Path) -> None:
    page = run(home, "--on-prem", str(EXAMPLE)).output
    assert "On machines of one's own" in page
    assert "batch-infer, 2 machines" in page
    assert "l40s-4: 2 to buy, for 120,000 USD" in page
    assert "from 30 % of the hours on" in page
    assert "rack-64: 12 owned; whether to keep them is not known" in page
    assert "own machines" not in run(home).output.lower()


def test_json_and_markdown(home: Path) -> None:
    told = json.loads(run(home, "--on-prem", str(EXAMPLE), "--format", "json").output)
    jsonschema.validate(told, json.loads(schema()))
    own = [one for one in told["recommendations"] if one["action_type"] == "x_Repatriate"]
    assert len(own) == 2
    for one in own:
        assert one["recommended"]["provider_name"] == "own"
        used = one["evidence"]["utilization"]
        assert used["measured"] == pytest.approx(1.0)
        assert used["break_even"] == pytest.approx(0.2996, abs=5e-3)  # and its traffic
        assert one["evidence"]["busy"]["metric"] == "gpu_sm_active"
    assert any("l40s-4: 2 machines take the place" in note for note in told["notes"])
    text = run(home, "--on-prem", str(EXAMPLE), "--format", "markdown").output
    assert "**l40s-4: 2 to buy, for 120,000 USD**" in text


def test_explain_has_the_figures_too(home: Path) -> None:
    story = run(home, "--on-prem", str(EXAMPLE), "--explain", "batch-infer").output
    assert "It goes to machines of one's own" in story
    assert "It stays" not in story
    assert "l40s-4: 2 to buy" in story
    assert "Paid back" in story


def test_the_classes_are_in_the_json(home: Path) -> None:
    told = json.loads(run(home, "--on-prem", str(EXAMPLE), "--format", "json").output)
    cards, mid, racks = told["own_machines"]
    assert [one["name"] for one in (cards, mid, racks)] == ["h100-8", "l40s-4", "rack-64"]
    assert (mid["to_buy"], mid["spares"], mid["capex"]) == (2, 0, 120_000)
    assert mid["as_paid"]["break_even_utilization"] == pytest.approx(0.30, abs=0.01)
    assert mid["measured_utilization"] == pytest.approx(1.0)
    saved = sum(one["estimated_monthly_savings"]["target"] for one in told["recommendations"]
                if one["action_type"] == "x_Repatriate")  # fmt: skip
    assert mid["yearly_saving"] == pytest.approx(12 * saved, abs=1)
    assert 0 < mid["yearly_saving_low"] < mid["yearly_saving"]
    assert mid["paid_back_on"] is not None
    assert mid["sensitivity"][0]["figure"] == "price"
    assert mid["keeping"] is None
    assert racks["keeping"]["owned"] == 12
    assert racks["keeping"]["idle"] is None
    assert racks["to_buy"] == 0
    assert racks["why"].startswith("nothing of the fleet")
    plain = json.loads(run(home, "--format", "json").output)
    assert plain["own_machines"] == []


def test_a_class_has_a_story(home: Path) -> None:
    story = run(home, "--on-prem", str(EXAMPLE), "--explain", "l40s-4").output
    assert "What they take the place of" in story
    assert "What the break-even hangs on" in story
    assert "rack-64" not in story
    racks = run(home, "--on-prem", str(EXAMPLE), "--explain", "rack-64").output
    assert "keeping one costs" in racks
    with pytest.raises(ConfigError, match="called 'rack-65'") as caught:
        run(home, "--on-prem", str(EXAMPLE), "--explain", "rack-65")
    assert "rack-64" in caught.value.hint


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_picture(home: Path, tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / f"own.{suffix}"
    run(home, "--on-prem", str(EXAMPLE), "--own-picture", str(picture))
    begins = {"png": b"\x89PNG", "svg": b"<?xml"}[suffix]
    assert picture.read_bytes().startswith(begins)


def test_what_cannot_be(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give both"):
        run(home, "--own-picture", "own.png")
    with pytest.raises(UsageError, match="png or"):
        run(home, "--on-prem", str(EXAMPLE), "--own-picture", "own.pdf")
    with pytest.raises(InputError, match="no such file"):
        run(home, "--on-prem", str(tmp_path / "none.toml"))
    small = tmp_path / "small.toml"
    small.write_text(EXAMPLE.read_text().replace('"H100"', '"T4"').replace('"L40S"', '"T4"'))
    with pytest.raises(InsufficientData, match="nothing to draw"):
        run(home, "--on-prem", str(small), "--own-picture", str(tmp_path / "own.png"))

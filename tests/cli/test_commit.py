"""`costopt commit` on the demo's bill: formats, filters, stories, pictures, errors."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from costopt.cli.commit import commit
from costopt.errors import ConfigError, InsufficientData
from costopt.lake.store import Lake
from costopt.providers.demo import DemoProvider
from costopt.report.json import schema


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's inventory and bill, no metrics: purchases need none."""
    folder = tmp_path_factory.mktemp("commit")
    provider = DemoProvider(instances=120, days=42, seed=7)
    lake = Lake(folder / "lake")
    lake.append("resources", provider.resources())
    lake.append_charges(provider.charges(None))
    return folder


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(
        commit, [*words, "--home", str(home)], catch_exceptions=False, standalone_mode=False
    )


def test_the_page(home: Path) -> None:
    page = run(home).output
    assert "24 purchases worth" in page
    # By the bill's own plan, and by the rates of the snapshot.
    for scope in ("aws/compute-savings-plan", "aws/us-east-1/p4d/", "gcp/europe-west4/n2/"):
        assert scope in page
    assert "ri-catalog (Reserved Instance): 30.5 % used in the last 4 weeks" in page
    assert "no-commitment-price" in page
    assert f"costopt commit --home {home} --explain" in page


def test_json_keeps_to_the_published_schema(home: Path) -> None:
    told = json.loads(run(home, "--format", "json").output)
    jsonschema.validate(told, json.loads(schema()))
    summary = told["summary"]
    saved = sum(r["estimated_monthly_savings"]["target"] for r in told["recommendations"])
    assert summary["monthly_savings"] == pytest.approx(saved)
    assert 0 < saved < summary["monthly_spend"]
    assert told["recommendations"][0]["resource_id"] == "aws/us-east-1/p4d/reserved-instances"
    assert told["window"]["end"] == "2026-11-02T00:00:00Z"


def test_one_provider(home: Path) -> None:
    told = json.loads(run(home, "--provider", "GCP", "--format", "json").output)
    # Of a series in a region they cost less than the flexible ones that the bill shows.
    assert {r["resource_id"] for r in told["recommendations"]} == {
        f"gcp/{series}/resource-cud"
        for series in (
            "europe-west4/a2", "europe-west4/e2", "europe-west4/g2", "europe-west4/n2",
            "us-central1/e2", "us-central1/n2",
        )
    }  # fmt: skip
    assert told["skips"] == []
    told = json.loads(run(home, "--provider", "azure", "--format", "json").output)
    assert {s["resource_id"].split("/")[0] for s in told["skips"]} == {"azure"}
    with pytest.raises(ConfigError, match="names no provider 'oci'"):
        run(home, "--provider", "oci")


def test_term_and_payment(home: Path) -> None:
    assert "Nothing to buy." in run(home, "--term", "3yr").output
    same = run(home, "--term", "1yr", "--format", "csv").output
    assert same == run(home, "--format", "csv").output


def test_as_of_an_earlier_moment(home: Path) -> None:
    page = run(home, "--as-of", "2026-09-20").output
    assert "short-history" in page
    assert "Nothing to buy." in page
    with pytest.raises(InsufficientData):
        run(home, "--as-of", "2020-01-01")


def test_explain(home: Path) -> None:
    text = run(home, "--explain", "aws/compute-savings-plan").output
    assert "the bill: compute-plan takes 28 % off there" in text
    assert "What to buy, and when" in text
    held = run(home, "--explain", "ri-catalog").output
    assert "What can be done with it" in held
    assert "lapse" in held
    with pytest.raises(ConfigError, match="nothing here is called 'ri-catalogue'"):
        run(home, "--explain", "ri-catalogue")


def test_a_picture(home: Path, tmp_path: Path) -> None:
    for name, start in (("c.png", b"\x89PNG"), ("c.svg", b"<?xml")):
        result = run(home, "--picture", str(tmp_path / name))
        assert result.stdout == ""
        assert (tmp_path / name).read_bytes().startswith(start)
    wrong = CliRunner().invoke(commit, ["--picture", "c.pdf", "--home", str(home)])
    assert wrong.exit_code == 2
    assert ".png or .svg" in wrong.output


def test_settings_of_the_rule(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "costopt.toml"
    config.write_text("[rules.commit]\nleast_weeks = 20\n")
    assert "short-history" in run(home, "--config", str(config)).output
    config.write_text("[rules.commit]\nleast_week = 20\n")
    with pytest.raises(ConfigError, match="least_week"):
        run(home, "--config", str(config))


def test_without_a_bill(tmp_path: Path) -> None:
    with pytest.raises(InsufficientData, match="no bill"):
        run(tmp_path)

"""`costopt move` on a small fleet in a real lake: formats, filters, where it may go, errors."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from costopt import schema
from costopt.cli.move import move
from costopt.errors import ConfigError, InsufficientData
from costopt.lake.packed import compact
from costopt.lake.store import Lake
from costopt.report.json import schema as json_schema

END = datetime(2026, 8, 24, tzinfo=UTC)
PERIOD, SAMPLES = 900, 15 * 96
TILES = ("i-0aaa1", "i-0aaa2")
PAPERS, LAB = "i-0bbb1", "i-0ccc1"
REGIONS = {"us-west-1": "0.8", "us-west-2": "0.4", "eu-central-1": "0.8", "eu-west-1": "0.4"}
"""What the one type costs an hour. Of a type whose speed nobody knows, only itself will do."""


def _resource(resource_id: str, name: str, region: str, **tags: str) -> dict[str, Any]:
    return {
        "ProviderName": "AWS", "ResourceId": resource_id, "ResourceName": name,
        "SubAccountId": "123456789012", "RegionId": region, "x_InstanceType": "m9.test",
        "x_vCPUs": 16.0, "x_MemoryGiB": 64.0, "x_State": "running", "x_TimeZone": "UTC",
        "x_OperatingSystem": "Linux", "Tags": tags,
    }  # fmt: skip


RESOURCES = [
    *(_resource(one, f"tiles-{n}", "us-west-1", app="tiles") for n, one in enumerate(TILES)),
    _resource(PAPERS, "papers-0", "eu-central-1", app="papers", residency="DE", owner="ada"),
    _resource(LAB, "lab-0", "us-west-2", app="lab", team="lab", owner="ada"),
]


def _samples(resource_id: str) -> pa.Table:
    """Busy throughout: nothing is idle, and nothing too large."""
    start = END - timedelta(seconds=PERIOD * SAMPLES)
    busy = 62 + np.random.default_rng(1).uniform(0, 4, SAMPLES)
    return pa.Table.from_pydict(
        {
            "ResourceId": [resource_id] * SAMPLES,
            "MetricName": ["cpu_utilization"] * SAMPLES,
            "Statistic": ["mean"] * SAMPLES,
            "Timestamp": [start + timedelta(seconds=PERIOD * n) for n in range(SAMPLES)],
            "PeriodSeconds": [PERIOD] * SAMPLES,
            "Value": busy.astype(np.float32),
            "x_Device": [None] * SAMPLES,
        },
        schema=schema.METRICS,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    lake = Lake(folder / "lake")
    rows = [{name: row.get(name) for name in schema.RESOURCES.names} for row in RESOURCES]
    lake.append("resources", pa.Table.from_pylist(rows, schema=schema.RESOURCES))
    own = {"ProviderName": "AWS", "x_InstanceType": "m9.test"}
    shape = own | {"x_vCPUs": 16.0, "x_MemoryGiB": 64.0, "x_Architecture": "x86_64"}
    prices = [
        own
        | {"RegionId": region, "PricingCategory": "Standard", "ListUnitPrice": Decimal(price),
           "PricingCurrency": "USD", "x_OperatingSystem": "Linux", "x_ValidFrom": END.date()}
        for region, price in REGIONS.items()
    ]  # fmt: skip
    lake.append("shapes", schema.conform(pa.Table.from_pylist([shape]), schema.SHAPES))
    lake.append("prices", pa.Table.from_pylist(prices, schema=schema.PRICES))
    lake.append_metrics("files", [_samples(row["ResourceId"]) for row in RESOURCES])
    compact(lake)
    return folder


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(
        move, [*words, "--home", str(home)], catch_exceptions=False, standalone_mode=False
    )


def told(home: Path, *words: str) -> dict[str, Any]:
    found = json.loads(run(home, "--format", "json", *words).stdout)
    jsonschema.validate(found, json.loads(json_schema()))
    assert isinstance(found, dict)
    return found


def gone(home: Path, *words: str) -> dict[str, str]:
    return {
        one["resource_id"]: one["recommended"]["region_id"]
        for one in told(home, *words)["recommendations"]
    }


def test_the_page(home: Path) -> None:
    """Two machines at 0.4 less an hour: 584 a month."""
    page = run(home).output
    assert "AWS us-west-1 → AWS us-west-2" in page
    row = next(line for line in page.splitlines() if "tiles, 2 machines" in line)
    assert row.split()[0] == "584.00"
    assert "residency" in page
    assert f"costopt move --home {home} --explain tiles" in page


def test_json_keeps_to_the_published_schema(home: Path) -> None:
    found = told(home)
    assert {one["resource_id"] for one in found["recommendations"]} == set(TILES)
    assert {one["action_type"] for one in found["recommendations"]} == {"x_MoveRegion"}
    summary = found["summary"]
    assert summary["monthly_savings"] == 584
    assert summary["monthly_spend"] == 3 * 584 + 292
    assert summary["monthly_spend_after"] == 2 * 584 + 292
    assert summary["skips"] == {"residency": 1}


def test_files(home: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(home, "--format", "csv").stdout)))
    assert [row["recommended_region_id"] for row in rows] == ["us-west-2"] * 2
    run(home, "-o", str(tmp_path / "moves.md"))
    assert "| 584.00 | `tiles` | 2 machines |" in (tmp_path / "moves.md").read_text()


def test_where_it_may_go(home: Path) -> None:
    assert gone(home, "--place", "eu-west-1") == {}  # too far from Oregon's neighbour
    assert gone(home, "--region", "us-west-2") == dict.fromkeys(TILES, "us-west-2")
    assert gone(home, "--to", "azure") == {}
    with pytest.raises(ConfigError, match="no prices of a provider 'amazone'"):
        run(home, "--to", "amazone")
    with pytest.raises(ConfigError, match="'Atlantis' is no region"):
        run(home, "--place", "Atlantis")


def test_what_is_worth_a_move(home: Path) -> None:
    """24 + 2 x 4 hours at 90 are 2,880, and half a month of both places: 584 a month pay for that
    in half a year, and not in four months."""
    assert gone(home, "--horizon-months", "4") == {}
    few = told(home, "--min-monthly-savings", "584.01")
    assert few["recommendations"] == []
    assert few["summary"]["skips"] == {"residency": 1, "small-saving": 2}
    assert gone(home, "--min-monthly-savings", "584") == dict.fromkeys(TILES, "us-west-2")


def test_a_part_of_the_fleet(home: Path) -> None:
    part = told(home, "--tag", "team=lab")
    assert part["recommendations"] == []
    assert part["summary"]["monthly_spend"] == 292
    assert set(gone(home, "--provider", "aws", "--tag", "app=tiles")) == set(TILES)
    with pytest.raises(ConfigError, match="no resource with provider gcp"):
        run(home, "--provider", "gcp")


def test_explain(home: Path) -> None:
    for wanted in ("tiles", "tiles-1", TILES[0]):
        assert "Going there, once, USD" in run(home, "--explain", wanted).output
    assert "must stay within DE" in " ".join(run(home, "--explain", "papers").output.split())
    assert "costs least where it is" in " ".join(run(home, "--explain", "lab").output.split())
    with pytest.raises(ConfigError, match="no group and no machine is called 'tilse'") as error:
        run(home, "--explain", "tilse")
    assert "tiles" in str(error.value)


def test_a_name_of_several_groups_is_asked_back(home: Path) -> None:
    """All machines of both have it; "lab" is a label, and so means that group alone."""
    with pytest.raises(ConfigError, match="'ada' means 2 groups") as error:
        run(home, "--explain", "ada")
    assert "--explain one of them: lab, papers" in str(error.value)


def test_a_picture(home: Path, tmp_path: Path) -> None:
    for name, start in (("m.png", b"\x89PNG"), ("m.svg", b"<?xml")):
        done = run(home, "--picture", str(tmp_path / name))
        assert done.stdout == run(home).stdout  # the table is printed all the same
        assert (tmp_path / name).read_bytes().startswith(start)
    both = run(home, "--picture", str(tmp_path / "b.png"), "--format", "json")
    assert json.loads(both.stdout)["recommendations"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--picture", "m.pdf"], ".png or .svg"),
        (["--explain", "tiles", "--format", "json"], "leave --format away"),
        (["--explain", "tiles", "--tag", "app=tiles"], "one group"),
        (["--skips", "--format", "csv"], "--skips"),
        (["-o", "moves.pdf"], "no format"),
        (["--horizon-months", "0"], "horizon-months"),
    ],
)
def test_what_does_not_go_together(home: Path, words: list[str], said: str) -> None:
    result = CliRunner().invoke(move, [*words, "--home", str(home)])
    assert result.exit_code == 2
    assert said in result.output


def test_settings_of_the_rule(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "costopt.toml"
    config.write_text('[rules.move]\nstay = ["tiles"]\n')
    assert gone(home, "--config", str(config)) == {}
    config.write_text("[rules.move]\nstays = 1\n")
    with pytest.raises(ConfigError, match="stays"):
        run(home, "--config", str(config))


def test_an_empty_lake(tmp_path: Path) -> None:
    with pytest.raises(InsufficientData):
        run(tmp_path)

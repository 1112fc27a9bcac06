"""`costopt recommend --compare-vendor` on a lake that holds what a vendor said."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from costopt import schema
from costopt.cli.recommend import recommend
from costopt.errors import InsufficientData
from costopt.lake.store import Lake
from costopt.report import json as json_format
from costopt.report import vendor
from tests.cli.cellar import END, PROVIDER, RESOURCES, fleet

KEY = {"ProviderName": PROVIDER, "SubAccountId": "a-1", "x_Source": "AWS Compute Optimizer",
       "x_Scope": "basement instances", "x_ObservedAt": END}  # fmt: skip


def _told(resource: str, action: str, to: str | None, saves: int, **more: Any) -> dict[str, Any]:
    """A vendor's word on one of the fleet."""
    return KEY | {
        "x_RecommendationId": resource, "ResourceId": resource, "x_Action": action,
        "x_InstanceType": to, "x_MonthlySavings": Decimal(saves), "BillingCurrency": "USD",
        "x_Finding": "Overprovisioned", "x_LookbackDays": 14.0,
    } | more  # fmt: skip


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fleet in an account, of which no vendor was asked."""
    folder = tmp_path_factory.mktemp("bare")
    fleet(folder)
    rows = [
        {name: (row | {"SubAccountId": "a-1"}).get(name) for name in schema.RESOURCES.names}
        for row in RESOURCES
    ]
    Lake(folder / "lake").append("resources", pa.Table.from_pylist(rows, schema=schema.RESOURCES))
    return folder


@pytest.fixture(scope="module")
def home(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "home"
    shutil.copytree(bare, folder)
    rows = [KEY, _told("vm-1", "resize", "c8", 584), _told("vm-3", "resize", "c1", 219)]
    table = pa.Table.from_pylist(rows, schema=schema.VENDOR_RECOMMENDATIONS)
    Lake(folder / "lake").append_listings(table)
    return folder


def _run(home: Path, *args: str) -> Result:
    command = ["--home", str(home), "--compare-vendor", *args]
    return CliRunner().invoke(recommend, command, catch_exceptions=True)


def _json(home: Path, *args: str) -> dict[str, Any]:
    result = _run(home, "--format", "json", *args)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    jsonschema.validate(found, json.loads(vendor.schema()))
    assert isinstance(found, dict)
    return found


def _verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {one["resource_id"]: one["verdict"] for one in found["compared"]}


def test_each_resource_on_which_either_has_advice(home: Path) -> None:
    found = _json(home)
    expected = {"vm-1": "same direction", "vm-2": "only us", "vm-3": "only them"}
    assert _verdicts(found) == expected
    busy = next(one for one in found["compared"] if one["resource_id"] == "vm-3")
    assert busy["vendor_judged"]["undo_risk"] > 0.9  # 70 % of 4 vCPUs do not fit on 1
    assert not busy["vendor_judged"]["holds"]
    assert "undo risk" in busy["why"]
    totals = found["totals"]
    assert totals["claimed_monthly_savings"] == 584 + 219
    assert totals["supported_monthly_savings"] == 584
    assert totals["our_monthly_savings"] == 1022 + 584


def test_the_table_is_the_default(home: Path) -> None:
    result = _run(home)
    assert result.exit_code == 0, result.output
    for fact in ("Vendors claim", "803.00", "web-1", "c16", "c8", "only them", "only us"):
        assert fact in result.stdout


def test_a_part_of_the_fleet(home: Path) -> None:
    assert _verdicts(_json(home, "--tag", "team=data")) == {"vm-2": "only us"}
    assert _verdicts(_json(home, "--provider", "cellar")) == _verdicts(_json(home))
    assert len(_json(home, "--limit", "1")["compared"]) == 1


def test_files_are_written_as_they_end(home: Path, tmp_path: Path) -> None:
    for ending, start in (("csv", b"verdict,"), ("md", b"## AWS"), ("json", b"{"), ("txt", b"\n")):
        file = tmp_path / f"compared.{ending}"
        assert _run(home, "-o", str(file)).exit_code == 0
        assert file.read_bytes().startswith(start)


def test_nothing_collected_is_said_with_what_to_do(bare: Path) -> None:
    result = _run(bare)
    assert isinstance(result.exception, InsufficientData)
    assert result.exception.exit_code == 3
    assert "costopt collect aws, gcp or azure" in result.exception.hint


@pytest.mark.parametrize(
    "more",
    [("--rule", "idle"), ("--skips",), ("--explain", "web-1"), ("--emit", "alarms", "-o", "x")],
    ids=" ".join,
)
def test_what_does_not_go_with_it(home: Path, more: tuple[str, ...]) -> None:
    result = _run(home, *more)
    assert result.exit_code == 2
    assert f"leave {more[0]} away" in result.output


def test_it_changes_none_of_our_advice(home: Path, bare: Path) -> None:
    def advice(folder: Path) -> bytes:
        command = ["--home", str(folder), "--format", "json"]
        return CliRunner().invoke(recommend, command).stdout_bytes

    assert advice(home) == advice(bare)


def test_the_story_of_a_resource_tells_the_vendors_word(home: Path, bare: Path) -> None:
    def story(folder: Path) -> str:
        return CliRunner().invoke(recommend, ["--home", str(folder), "--explain", "web-1"]).stdout

    assert "What the vendor says" not in story(bare)
    told = story(home)
    assert told.startswith(story(bare))
    assert "Resize, c8, 584.00 USD, Overprovisioned" in told


def test_each_has_its_own_schema() -> None:
    ask = CliRunner().invoke
    assert ask(recommend, ["--compare-vendor", "--schema"]).stdout_bytes == vendor.schema()
    assert ask(recommend, ["--schema"]).stdout_bytes == json_format.schema()

"""`costopt prices rates`: what is paid beside machines, and the user's own above it."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from costopt import schema
from costopt.cli.prices import prices
from costopt.errors import ConfigError
from costopt.lake.store import Lake
from costopt.pricing.rates import Rates


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(prices, ["rates", *arguments], catch_exceptions=False)


def rows(*arguments: str) -> list[dict[str, Any]]:
    document = json.loads(run(*arguments, "--format", "json").stdout)
    assert document["schema_version"] == "1"
    found: list[dict[str, Any]] = document["rates"]
    return found


def keep(*given: dict[str, Any]) -> None:
    usual = {"ProviderName": "AWS", "x_RateKind": "egress-internet", "PricingCurrency": "USD"}
    table = pa.Table.from_pylist([{**usual, **row} for row in given], schema=schema.RATES)
    Lake(Path(".costopt") / "lake").append("rates", table)


def test_a_table_with_day_and_source() -> None:
    result = run("gcp", "--region", "europe-west3")
    lines = result.stdout.splitlines()
    assert " ".join(lines[0].split()) == "Provider Region For a From GiB Price As of Source"
    plain = " ".join(lines[1].split())
    assert plain.startswith("GCP europe-west3 GiB-month of disk 0.12 USD 2026-08-21")
    assert "included" in lines[2]
    assert "source 1" in result.stdout
    assert "pd-balanced" in result.stdout
    assert "older than 180 days" in result.stderr  # traffic is of March 2025


def test_json_has_exact_amounts() -> None:
    found = rows("hetzner")
    assert found[0] == {
        "provider_name": "Hetzner",
        "region_id": None,
        "kind": "block-storage",
        "list_unit_price": 0.0572,
        "currency": "EUR",
        "from_gib": 0,
        "valid_from": "2026-05-27",
        "source": "Hetzner Cloud API (/v1/pricing), net of VAT, as read by devantler-tech",
    }
    assert 0.000976562 in {row["list_unit_price"] for row in found}


def test_csv_reads_back_as_a_file_of_rates() -> None:
    text = run("aws", "--format", "csv").stdout
    table = list(csv.DictReader(io.StringIO(text)))
    assert list(table[0]) == schema.RATES.names
    assert len(table) == len(Rates().listed("aws"))
    assert {row["x_RateKind"] for row in table} == {
        "block-storage", "egress-internet", "egress-region", "egress-zone",
    }  # fmt: skip


def test_without_a_provider_all_of_them() -> None:
    assert {row["provider_name"] for row in rows()} >= {"AWS", "Azure", "GCP", "Hetzner", "Nebius"}


def test_ones_own_stand_above_and_what_is_refused_is_told() -> None:
    keep(
        {"RegionId": "eu-west-1", "ListUnitPrice": Decimal("0.05"), "x_Source": "contract"},
        {"ListUnitPrice": Decimal(90)},
        {"ListUnitPrice": Decimal(1), "x_RateKind": "disk"},
    )
    result = run("aws", "--region", "eu-west-1", "--format", "json")
    paid = [
        row
        for row in json.loads(result.stdout)["rates"]
        if row["kind"] == "egress-internet"
    ]  # fmt: skip
    assert [(row["list_unit_price"], row["source"]) for row in paid] == [(0.05, "contract")]
    assert "refused rate: egress-internet (AWS, every region) at 90.00 USD: 581 times" in (
        result.stderr
    )
    assert "refused rate: AWS: 'disk' is no kind of rate" in result.stderr


def test_nothing_known_says_what_there_is() -> None:
    with pytest.raises(ConfigError, match="no rates of a provider 'nobody'") as caught:
        run("nobody")
    assert "aws, azure" in (caught.value.hint or "")


def test_no_rate_of_a_region() -> None:
    keep({"ProviderName": "OnPrem", "RegionId": "cellar", "ListUnitPrice": Decimal("0.01")})
    assert [row["region_id"] for row in rows("onprem")] == ["cellar"]
    with pytest.raises(ConfigError, match="no rates of a region 'mars'"):
        run("onprem", "--region", "mars")

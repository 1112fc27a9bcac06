"""`costopt prices update gcp`: into the lake from a catalogue on loopback, and again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from costopt.cli.prices import prices
from costopt.errors import ConfigError
from costopt.lake.store import Lake
from tests.fakes.gcp_catalogue import NAME
from tests.fakes.gcp_cloud import Cloud, cloud
from tests.fakes.gcp_rest import error

CORE, RAM = "N2 Instance Core running in Belgium", "N2 Instance Ram running in Belgium"


@pytest.fixture
def gcp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    monkeypatch.chdir(tmp_path)
    with cloud() as made:
        made.catalogue.add(CORE, "0.034773", "europe-west1")
        made.catalogue.add(RAM, "0.004661", "europe-west1")
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(prices, ["update", "gcp", *arguments], catch_exceptions=False)


def held() -> dict[tuple[str, str], Decimal]:
    return {
        (row["RegionId"], row["x_InstanceType"]): row["ListUnitPrice"]
        for row in Lake(Path(".costopt/lake")).read("prices").to_pylist()
    }


def test_composed_prices_come_into_the_lake_and_twice_adds_nothing(gcp: Cloud) -> None:
    first = run("--region", "europe-west1", "--region", "europe-west9")
    assert first.exit_code == 4
    assert "europe-west9, " in first.stderr
    assert "MISSING: no such region in the list; did you mean europe-west1?" in first.stderr
    # 4 x 0.034773 + 16 x 0.004661
    assert held()["europe-west1", "n2-standard-4"] == Decimal("0.213668")
    assert {region for region, _ in held()} == {"europe-west1"}
    again = run("--region", "all")
    assert again.exit_code == 0
    assert ": 0 new prices, " in again.stderr


def test_a_list_that_is_refused_is_told(gcp: Cloud) -> None:
    gcp.rest.rules.append(
        lambda call: (
            error(403, "Cloud Billing API has not been used.", "accessNotConfigured")
            if call.name == NAME
            else None
        )
    )
    result = run("--region", "europe-west1")
    assert result.exit_code == 4
    assert "MISSING: cloudbilling.skus.list: " in result.stderr
    assert held() == {}


def test_without_regions_and_machines_it_says_what_to_do(gcp: Cloud) -> None:
    with pytest.raises(ConfigError, match="the lake holds no GCP resources"):
        run()

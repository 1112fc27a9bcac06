"""`costopt prices update aws`: into the lake from a server of one's own, and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from costopt import schema
from costopt.cli.prices import prices
from costopt.errors import ConfigError, ProviderError
from costopt.lake.store import Lake
from costopt.pricing.catalogue import Catalogue
from costopt.providers.aws.prices.source import OVERRIDE
from tests.fakes.aws_cloud import environment
from tests.fakes.price_list import PriceListServer, on_demand, reserved, savings_rate

LADDER = {"m5.large": 1, "m5.xlarge": 2, "m5.2xlarge": 4, "m5.4xlarge": 8}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PriceListServer]:
    monkeypatch.chdir(tmp_path)
    with PriceListServer() as running, environment() as patch:
        patch.setenv("AWS_ENDPOINT_URL", running.url)
        patch.setenv(OVERRIDE, running.url)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
        yield running


def run(*arguments: str) -> Result:
    return CliRunner().invoke(prices, ["update", "aws", *arguments], catch_exceptions=False)


def lake() -> Lake:
    return Lake(Path(".costopt/lake"))


def held() -> dict[tuple[str, str, str | None], Decimal]:
    return {
        (row["RegionId"], row["x_InstanceType"], row["x_Term"]): row["ListUnitPrice"]
        for row in lake().read("prices").to_pylist()
    }


def ladder(region: str = "eu-west-1", cents: str = "0.107") -> list[dict[str, str]]:
    return [
        on_demand(name, str(Decimal(cents) * n), region=region) for name, n in LADDER.items()
    ]  # fmt: skip


def test_prices_come_into_the_lake_and_twice_adds_nothing(server: PriceListServer) -> None:
    server.offer([*ladder(), *reserved("m5.large", hourly="0.067")])
    first = run("--region", "eu-west-1")
    assert first.exit_code == 0
    assert "eu-west-1, AWS price list of 2026-09-25T18:44:47Z" in first.stderr
    assert "5 new prices" in first.stderr
    assert held()["eu-west-1", "m5.2xlarge", None] == Decimal("0.428")
    assert held()["eu-west-1", "m5.large", "1yr no-upfront"] == Decimal("0.067")
    files = sorted(Path(".costopt/lake/prices").iterdir())
    second = run("--region", "eu-west-1")
    assert "the list has not changed since it was read" in second.stderr
    Path(".costopt/lake/aws_price_lists.json").unlink()
    third = run("--region", "eu-west-1")
    assert "0 new prices, 5 unchanged" in third.stderr
    assert sorted(Path(".costopt/lake/prices").iterdir()) == files


def test_the_catalogue_takes_them_over_the_snapshot(server: PriceListServer) -> None:
    server.offer(ladder(cents="0.099"))
    run("--region", "eu-west-1")
    catalogue = Catalogue.load(lake().read("prices"), lake().read("shapes"))
    found = catalogue.price("AWS", "eu-west-1", "m5.large")
    assert found is not None
    assert (found.list_unit_price, found.source) == (Decimal("0.099"), "AWS price list")
    assert catalogue.refusals == ()


def test_a_type_that_is_new_comes_with_its_shape(server: PriceListServer) -> None:
    server.offer([on_demand("m99.large", "0.1")])
    assert "1 new price, 1 new type" in run("--region", "eu-west-1").stderr
    catalogue = Catalogue.load(lake().read("prices"), lake().read("shapes"))
    shape = catalogue.shape("AWS", "m99.large")
    assert shape is not None
    assert (shape.vcpus, shape.memory_gib) == (2, 8)


def test_refused_and_unreadable_rows_are_told(server: PriceListServer) -> None:
    server.offer([*ladder(), on_demand("m5.8xlarge", "1712"), on_demand("m5.12xlarge", "0")])
    told = run("--region", "eu-west-1").stderr
    assert "refused price: m5.8xlarge (eu-west-1, Linux, on demand) at 1,712.00 USD: " in told
    assert "what is known of the type there" in told
    assert "1 row left out: a price of zero" in told
    assert ("eu-west-1", "m5.8xlarge", None) not in held()


def test_a_region_that_fails_leaves_the_others_and_code_4(server: PriceListServer) -> None:
    server.offer(ladder())
    server.offer(ladder("us-east-1", "0.096"), "us-east-1").cut_at = 3000
    server.offer(ladder("us-west-2", "0.096"), "us-west-2")
    result = run("--region", "eu-west-1", "--region", "us-east-1", "--region", "us-west-2")
    assert result.exit_code == 4
    assert "us-east-1, AWS price list: MISSING" in result.stderr
    assert "1 list could not be read; the others are kept" in result.stderr
    assert {region for region, _, _ in held()} == {"eu-west-1", "us-west-2"}


def test_without_regions_those_of_the_lakes_machines_are_updated(server: PriceListServer) -> None:
    server.offer(ladder())
    server.offer(ladder("us-east-1"), "us-east-1")
    rows = [
        {"ProviderName": "AWS", "ResourceId": "i-1", "RegionId": "eu-west-1"},
        {"ProviderName": "AWS", "ResourceId": "i-2", "RegionId": None},
        {"ProviderName": "Microsoft", "ResourceId": "vm", "RegionId": "westeurope"},
    ]
    lake().append("resources", pa.Table.from_pylist(rows, schema=schema.RESOURCES))
    assert run().exit_code == 0
    assert {region for region, _, _ in held()} == {"eu-west-1"}


def test_without_regions_and_machines_it_says_what_to_do(server: PriceListServer) -> None:
    with pytest.raises(ConfigError, match="no region to update") as caught:
        run()
    assert "--region all" in caught.value.hint
    assert server.seen == []


def test_the_demos_lake_is_left_alone(server: PriceListServer) -> None:
    lake().append("resources", schema.empty(schema.RESOURCES))
    Path(".costopt/lake/demo.json").write_text("{}")
    with pytest.raises(ConfigError, match="demo fleet"):
        run("--region", "eu-west-1")


def test_savings_plans_stand_beside_reserved_terms(server: PriceListServer) -> None:
    server.offer([*ladder(), *reserved("m5.large", hourly="0.067")])
    server.savings([savings_rate("m5.large", "0.0776")])
    result = run("--region", "eu-west-1", "--savings-plans")
    assert result.exit_code == 0
    assert held()["eu-west-1", "m5.large", "1yr no-upfront compute-savings-plan"] == (
        Decimal("0.0776")
    )
    assert held()["eu-west-1", "m5.large", "1yr no-upfront"] == Decimal("0.067")


def test_spot_prices_come_by_credentials(server: PriceListServer) -> None:
    server.offer(ladder())
    lately = datetime.now(UTC) - timedelta(hours=1)
    server.spot = [
        (name, "Linux/UNIX", "eu-west-1a", f"{Decimal('0.04') * n}", lately)
        for name, n in LADDER.items()
    ]
    result = run("--region", "eu-west-1", "--spot")
    assert result.exit_code == 0
    rows = lake().read("prices").to_pylist()
    found = {
        row["x_InstanceType"]: row["ListUnitPrice"]
        for row in rows
        if row["PricingCategory"] == "Dynamic"
    }
    assert found == {name: Decimal("0.04") * n for name, n in LADDER.items()}
    assert "spot price history" in result.stderr
    assert "very-secret" not in result.output


def test_spot_prices_that_are_refused_leave_the_lists(server: PriceListServer) -> None:
    server.offer(ladder())
    server.denied = {"DescribeSpotPriceHistory"}
    result = run("--region", "eu-west-1", "--spot")
    assert result.exit_code == 4
    assert "UnauthorizedOperation" in result.stderr
    assert len(held()) == 4


def test_without_credentials_the_lists_are_kept(
    server: PriceListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.offer(ladder())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ProviderError, match="AWS does not let us in"):
        run("--region", "eu-west-1", "--spot")
    assert len(held()) == 4


def test_what_a_list_says_cannot_draw_on_the_terminal(server: PriceListServer) -> None:
    file = server.offer([on_demand("m5.\x1b[2Jlarge", "1"), *ladder()])
    file.data = file.data.replace(b"2026-09-25T18:44:47Z", b"\x1b[31m\xe2\x80\xae2026")
    told = run("--region", "eu-west-1", "--region", "\x1b[31mnone").stderr
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_a_kill_in_the_middle_leaves_the_lake_readable(server: PriceListServer) -> None:
    """Killed while the second region is sent: the first is there, and a second run completes it."""
    server.offer(ladder())
    slow = server.offer(ladder("us-east-1", "0.096"), "us-east-1")
    slow.wait = threading.Event()
    command = [sys.executable, "-m", "costopt", "prices", "update", "aws"]
    with subprocess.Popen(
        [*command, "--region", "eu-west-1", "--region", "us-east-1"], env=dict(os.environ)
    ) as process:
        assert slow.begun.wait(60)
        process.send_signal(signal.SIGKILL)
    slow.wait.set()
    assert {region for region, _, _ in held()} == {"eu-west-1"}
    slow.wait = None
    again = run("--region", "eu-west-1", "--region", "us-east-1")
    assert again.exit_code == 0
    assert {region for region, _, _ in held()} == {"eu-west-1", "us-east-1"}
    assert len(held()) == 8

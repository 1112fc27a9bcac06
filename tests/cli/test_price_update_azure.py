"""`costopt prices update azure`: into the lake from a server of one's own, and again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import click
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from costopt import schema
from costopt.cli.prices import prices
from costopt.errors import ConfigError
from costopt.lake.store import Lake
from costopt.pricing.catalogue import Catalogue
from costopt.providers import answers
from costopt.providers.azure.prices.source import OVERRIDE
from tests.fakes.azure_arm import Answer
from tests.fakes.azure_retail import Item, Retail, around, item, retail

LADDER = (2, 4, 8, 16)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Retail]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)
    with retail() as running:
        monkeypatch.setenv(OVERRIDE, running.url)
        yield running


def run(*arguments: str) -> Result:
    return CliRunner().invoke(prices, ["update", "azure", *arguments], catch_exceptions=False)


def lake() -> Lake:
    return Lake(Path(".costopt/lake"))


def held() -> dict[tuple[str, str, str], Decimal]:
    return {
        (row["RegionId"], row["x_InstanceType"], row["PricingCurrency"]): row["ListUnitPrice"]
        for row in lake().read("prices").to_pylist()
        if row["PricingCategory"] == "Standard" and row["x_OperatingSystem"] == "Linux"
    }


def ladder(region: str = "westeurope") -> list[Item]:
    return [item(f"Standard_D{n}s_v5", round(0.0575 * n, 4), region) for n in LADDER]


def test_prices_come_into_the_lake_and_twice_adds_nothing(listed: Retail) -> None:
    listed.items, listed.page = [some for one in ladder() for some in around(one)], 7
    first = run("--region", "West Europe")
    assert first.exit_code == 0
    assert "westeurope, Azure Retail Prices of " in first.stderr
    assert " (127.0.0.1): 24 new prices" in first.stderr  # four sizes, six kinds of price
    assert held()["westeurope", "Standard_D8s_v5", "USD"] == Decimal("0.46")
    files = sorted(Path(".costopt/lake/prices").iterdir())
    second = run("--region", "westeurope")
    assert "westeurope, Azure Retail Prices: its list was read today already" in second.stderr
    Path(".costopt/lake/azure_price_lists.json").unlink()
    third = run("--region", "westeurope")
    assert "0 new prices, 24 unchanged" in third.stderr
    assert sorted(Path(".costopt/lake/prices").iterdir()) == files


def test_the_catalogue_takes_them_over_the_snapshot(listed: Retail) -> None:
    listed.items = [*around(item("Standard_D4s_v5", 0.21)), *ladder()[2:]]
    run("--region", "westeurope")
    catalogue = Catalogue.load(lake().read("prices"), lake().read("shapes"))
    found = catalogue.price("Microsoft", "West Europe", "d4s_v5")
    assert found is not None
    assert (found.list_unit_price, found.source) == (Decimal("0.21"), "Azure Retail Prices")
    windows = catalogue.price("Azure", "westeurope", "Standard_D4s_v5", operating_system="Windows")
    assert windows is not None
    assert windows.list_unit_price == Decimal("0.399")
    assert catalogue.refusals == ()


def test_prices_in_another_currency_stand_beside_dollars(listed: Retail) -> None:
    listed.items, listed.rates = ladder(), {"EUR": 0.9}
    assert run("--region", "westeurope").exit_code == 0
    assert run("--region", "westeurope", "--currency", "eur").exit_code == 0
    assert held()["westeurope", "Standard_D4s_v5", "USD"] == Decimal("0.23")
    assert held()["westeurope", "Standard_D4s_v5", "EUR"] == Decimal("0.207")


def test_a_currency_that_azure_does_not_have_is_told(listed: Retail) -> None:
    listed.items = ladder()
    result = run("--region", "westeurope", "--currency", "XXX")
    assert result.exit_code == 4
    assert "MISSING: 127.0.0.1/api/retail/prices: prices in XXX were asked for" in result.stderr
    with pytest.raises(click.BadParameter, match="no currency, like EUR"):
        CliRunner().invoke(
            prices, ["update", "azure", "--currency", "€"],
            standalone_mode=False, catch_exceptions=False,
        )  # fmt: skip


def test_refused_and_unreadable_prices_are_told(listed: Retail) -> None:
    listed.items = [
        *ladder(), item("Standard_D32s_v5", 1840.0), item("Standard_D48s_v5", 0.0),
        item("Standard_D64s_v5", -1.0),
    ]  # fmt: skip
    told = run("--region", "westeurope").stderr
    assert (
        "refused price: Standard_D32s_v5 (westeurope, Linux, on demand) at 1,840.00 USD: " in told
    )
    assert "1 row left out: a price of zero" in told
    assert "1 row left out: a price below zero" in told
    assert sorted(size for _, size, _ in held()) == sorted(f"Standard_D{n}s_v5" for n in LADDER)


def test_a_region_that_fails_leaves_the_others_and_code_4(listed: Retail) -> None:
    listed.items = [*ladder(), *ladder("eastus"), *ladder("northeurope")]
    listed.page = 2
    listed.door.rules.append(
        lambda call: (
            Answer(500, b"", {"Retry-After": "0"})
            if "'eastus'" in call.query["$filter"] and call.query.get("$skip") == "2"
            else None
        )
    )
    regions = ("westeurope", "eastus", "northeurope", "chinaeast2")
    result = run(*(word for name in regions for word in ("--region", name)))
    assert result.exit_code == 4
    assert "eastus, Azure Retail Prices: MISSING: " in result.stderr
    assert "chinaeast2, Azure Retail Prices: MISSING: Azure China has a list" in result.stderr
    assert "2 lists could not be read; the others are kept" in result.stderr
    assert {region for region, _, _ in held()} == {"westeurope", "northeurope"}


def test_all_regions_are_updated(listed: Retail) -> None:
    listed.items = [item("Standard_B2s", 0.04, name) for name in ("westeurope", "eastus")]
    assert run("--region", "all").exit_code == 0
    assert {region for region, _, _ in held()} == {"westeurope", "eastus"}


def test_without_regions_those_of_the_lakes_machines_are_updated(listed: Retail) -> None:
    listed.items = [*ladder(), *ladder("eastus")]
    rows = [
        {"ProviderName": "Microsoft", "ResourceId": "vm", "RegionId": "westeurope"},
        {"ProviderName": "Azure", "ResourceId": "vm2", "RegionId": None},
        {"ProviderName": "AWS", "ResourceId": "i-1", "RegionId": "eu-west-1"},
    ]
    lake().append("resources", pa.Table.from_pylist(rows, schema=schema.RESOURCES))
    assert run().exit_code == 0
    assert {region for region, _, _ in held()} == {"westeurope"}


def test_without_regions_and_machines_it_says_what_to_do(listed: Retail) -> None:
    with pytest.raises(ConfigError, match="the lake holds no Azure resources") as caught:
        run()
    assert "costopt collect azure" in caught.value.hint
    assert listed.asked == []


def test_what_a_list_says_cannot_draw_on_the_terminal(listed: Retail) -> None:
    listed.items = [item("Standard_D4s\x1b[2J_v5", 1.0), *ladder()]
    told = run("--region", "westeurope", "--region", "\x1b[31mnone").stderr
    assert "1 row left out: no size's name" in told
    assert "\x1b" not in told

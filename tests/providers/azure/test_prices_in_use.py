"""What a collect asks of prices: the lists of the regions in use, and what of them is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from costopt import schema
from costopt.providers import answers
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.access import Access
from costopt.providers.azure.prices import in_use
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Problem
from costopt.providers.held import Held
from tests.fakes.azure_arm import Answer
from tests.fakes.azure_cloud import Tenant
from tests.fakes.azure_retail import Retail, around, behind, item, retail

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOTHING = Held("Azure", schema.empty(schema.PRICES), schema.empty(schema.SHAPES))
Row = dict[str, object]


@pytest.fixture
def prices(monkeypatch: pytest.MonkeyPatch) -> Iterator[Retail]:
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)
    with retail() as running:
        yield running


def machine(name: str, size: str | None, region: str | None = "westeurope", **other: object) -> Row:
    return {
        "ProviderName": "Azure",
        "ResourceId": f"/subscriptions/1/{name}",
        "RegionId": region,
        "x_InstanceType": size,
    } | other


def look(
    prices: Retail, *machines: Row, held: Held = NOTHING, **more: object
) -> tuple[list[dict], list[Problem]]:
    settings = AzureSettings(**{"endpoint": prices.url, "max_attempts": 2, **more})
    problems: list[Problem] = []
    resources = pa.Table.from_pylist(list(machines), schema=schema.RESOURCES)
    table = in_use(Access(settings), resources, held, settings, problems, now=NOON)
    assert table.schema.equals(schema.PRICES)
    return table.to_pylist(), problems


def sizes(found: list[dict]) -> list[str]:
    return sorted({row["x_InstanceType"] for row in found})


def test_sizes_in_use_and_their_families_in_their_regions(prices: Retail) -> None:
    for region in ("westeurope", "eastus", "northeurope"):
        for size in ("D2s_v5", "D4s_v5", "D2ads_v5", "E2s_v5", "E4-2s_v5", "B2s"):
            prices.items.append(item(f"Standard_{size}", 0.1, region))
    found, problems = look(
        prices,
        machine("a", "Standard_D4s_v5"),
        machine("b", "standard_e4s_v5", "eastus"),
        machine("c", None, "northeurope"),
        machine("d", "m5.large", "northeurope", ProviderName="AWS"),
        machine("e", "Standard_D4s_v5", None),
    )
    assert {(row["RegionId"], row["x_InstanceType"]) for row in found} == {
        ("westeurope", "Standard_D2s_v5"),
        ("westeurope", "Standard_D4s_v5"),
        ("eastus", "Standard_E2s_v5"),
        ("eastus", "Standard_E4-2s_v5"),
    }
    assert problems == []
    assert len(prices.asked) == 2  # a list a region in use


def test_a_size_whose_name_tells_no_family_brings_itself(prices: Retail) -> None:
    prices.items = [item("Basic_A1", 0.1), item("Basic_A2", 0.2)]
    found, problems = look(prices, machine("a", "Basic_A1"))
    assert (sizes(found), problems) == (["Basic_A1"], [])


def test_every_kind_of_price_comes(prices: Retail) -> None:
    plan = [{"retailPrice": 0.1, "unitPrice": 0.1, "term": "1 Year"}]
    prices.items = around(item("Standard_D4s_v5", 0.23, savingsPlan=plan))
    found, _ = look(prices, machine("a", "Standard_D4s_v5"))
    kinds = {(row["PricingCategory"], row["x_OperatingSystem"], row["x_Term"]) for row in found}
    assert len(found) == len(kinds)
    assert {
        ("Standard", "Linux", None),
        ("Standard", "Windows", None),
        ("Dynamic", "Linux", None),
        ("Committed", "Linux", "1yr no-upfront"),
        ("Committed", "Linux", "1yr no-upfront compute-savings-plan"),
    } <= kinds
    assert {row["x_ValidFrom"] for row in found} == {date(2026, 11, 23)}


def test_prices_are_in_the_currency_asked_for(prices: Retail) -> None:
    prices.items, prices.rates = [item("Standard_D4s_v5", 0.23)], {"EUR": 0.9}
    found, _ = look(prices, machine("a", "Standard_D4s_v5"), currency="EUR")
    assert [(row["ListUnitPrice"], row["PricingCurrency"]) for row in found] == [
        (Decimal("0.207"), "EUR")
    ]


def test_a_region_that_fails_is_told_and_the_others_are_kept(prices: Retail) -> None:
    prices.items = [item("Standard_D4s_v5", 0.23, region) for region in ("westeurope", "eastus")]
    prices.door.rules.append(
        lambda call: Answer(503, b"") if "'westeurope'" in call.query["$filter"] else None
    )
    machines = [machine(name, "Standard_D4s_v5", name) for name in ("westeurope", "eastus")]
    found, problems = look(prices, *machines)
    assert [row["RegionId"] for row in found] == ["eastus"]
    (problem,) = problems
    assert problem.fatal
    assert problem.where == "westeurope 127.0.0.1/api/retail/prices"
    assert problem.what == "the server answers 503"


def test_half_a_list_gives_nothing(prices: Retail) -> None:
    prices.items = [item(f"Standard_D{n}s_v5", 0.05 * n) for n in (2, 4, 8)]
    prices.page = 1
    prices.door.rules.append(
        lambda call: Answer(404, b"") if call.query.get("$skip") == "2" else None
    )
    found, problems = look(prices, machine("a", "Standard_D2s_v5"))
    assert found == []
    assert [problem.fatal for problem in problems] == [True]


def test_a_region_without_a_price_is_told(prices: Retail) -> None:
    found, problems = look(prices, machine("a", "Standard_D2s_v5"))
    assert found == []
    assert [(p.what, p.fatal) for p in problems] == [
        ("the list holds no price of the sizes in use, in USD", False)
    ]


def test_chinas_list_is_not_asked_for(prices: Retail) -> None:
    found, problems = look(prices, machine("a", "Standard_D2s_v5", "chinanorth3"), cloud="china")
    assert (found, prices.asked) == ([], [])
    assert "Azure China has a list of another form" in problems[0].what
    assert not problems[0].fatal


def test_nothing_in_use_asks_for_nothing(prices: Retail) -> None:
    assert look(prices) == ([], [])
    assert prices.asked == []


def test_the_same_in_whichever_order(prices: Retail) -> None:
    for region in ("westeurope", "eastus", "northeurope"):
        prices.items += around(item("Standard_D4s_v5", 0.23, region))
    machines = [machine(n, "Standard_D4s_v5", n) for n in ("westeurope", "eastus", "northeurope")]
    first = look(prices, *machines)
    prices.items.reverse()
    prices._chosen.clear()
    assert look(prices, *machines[::-1], max_concurrency=1) == first


def test_a_collect_brings_the_prices_of_what_it_found(azure: Tenant) -> None:
    """Everything by the one address: the machines by Resource Manager, the list without a token."""
    azure.machine(azure.subscription("shop"), "web", "Standard_D4s_v5")
    prices = behind(azure.door)
    prices.items = [item("Standard_D2s_v5", 0.115), item("Standard_E2s_v5", 0.152)]
    provider = AzureProvider(AzureSettings(endpoint=azure.url, max_attempts=2))
    assert sizes(provider.prices().to_pylist()) == ["Standard_D2s_v5"]
    assert "authorization" not in prices.asked[0].headers
    skipping = AzureProvider(AzureSettings(endpoint=azure.url, skip=("prices",)))
    assert skipping.prices().num_rows == 0


# -- what the lake holds --------------------------------------------------------------------------


def held(*rows: dict[str, object]) -> Held:
    return Held(
        "Azure", pa.Table.from_pylist(list(rows), schema=schema.PRICES), schema.empty(schema.SHAPES)
    )


def test_what_an_earlier_collect_brought_is_not_brought_again(prices: Retail) -> None:
    prices.items = around(item("Standard_D4s_v5", 0.23))
    first, _ = look(prices, machine("a", "Standard_D4s_v5"))
    assert look(prices, machine("a", "Standard_D4s_v5"), held=held(*first)) == ([], [])
    dearer = [row | {"ListUnitPrice": row["ListUnitPrice"] * 2} for row in first]
    assert look(prices, machine("a", "Standard_D4s_v5"), held=held(*dearer)) == (first, [])


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"RegionId": None, "x_OperatingSystem": None},
        {"ProviderName": "Microsoft", "RegionId": "West Europe", "x_InstanceType": "d4s_v5"},
        {"x_Source": "what we negotiated"},
    ],
)
def test_a_price_of_the_users_own_is_not_replaced(prices: Retail, own: dict[str, object]) -> None:
    prices.items = [item("Standard_D4s_v5", 0.23), item("Standard_D2s_v5", 0.115)]
    theirs = {
        "ProviderName": "Azure",
        "RegionId": "westeurope",
        "x_InstanceType": "Standard_D4s_v5",
        "x_OperatingSystem": "Linux",
        "PricingCategory": "Standard",
        "ListUnitPrice": Decimal("0.15"),
        "PricingCurrency": "USD",
    } | own
    found, _ = look(prices, machine("a", "Standard_D4s_v5"), held=held(theirs))
    assert sizes(found) == ["Standard_D2s_v5"]


@pytest.mark.parametrize(
    "until", [datetime(2021, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)]
)
def test_prices_are_todays_up_to_whenever_samples_go(prices: Retail, until: datetime) -> None:
    size = "Standard_D4s_v5"
    prices.items += [
        item(size, 0.4, effectiveStartDate="2015-01-01T00:00:00Z",
             effectiveEndDate="2022-01-01T00:00:00Z"),
        item(size, 0.2, effectiveStartDate="2022-01-01T00:00:00Z"),
    ]  # fmt: skip
    found, problems = look(prices, machine("a", size), until=until)
    assert [row["ListUnitPrice"] for row in found] == [Decimal("0.2")]
    assert [row["x_ValidFrom"] for row in found] == [NOON.date()]
    assert problems == []

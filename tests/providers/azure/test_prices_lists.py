"""An update of a lake's Azure prices, region by region; and against prices of June 2026."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from costopt import schema
from costopt.providers import answers
from costopt.providers.azure.prices import rows
from costopt.providers.azure.prices.refresh import lists
from costopt.providers.azure.prices.source import OVERRIDE, RetailPrices
from costopt.providers.held import Held
from costopt.providers.listed import ALL, Memory, Part
from tests.fakes.azure_arm import Answer
from tests.fakes.azure_retail import Item, Retail, around, item, retail

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LADDER = (2, 4, 8, 16, 32)


@pytest.fixture
def prices(monkeypatch: pytest.MonkeyPatch) -> Iterator[Retail]:
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)
    with retail() as running:
        monkeypatch.setenv(OVERRIDE, running.url)
        yield running


def nothing() -> Held:
    return Held("Azure", schema.empty(schema.PRICES), schema.empty(schema.SHAPES))


def update(
    *regions: str,
    held: Held | None = None,
    memory: Memory | None = None,
    moment: datetime = NOON,
    currency: str = "USD",
) -> list[Part]:
    return list(
        lists(
            regions or ("westeurope",), currency, held or nothing(), memory or Memory(),
            lambda what, size: None, moment=moment,
        )
    )  # fmt: skip


def ladder(region: str = "westeurope") -> list[Item]:
    return [item(f"Standard_D{n}s_v5", round(0.0575 * n, 4), region) for n in LADDER]


def of(part: Part) -> dict[str, Decimal]:
    rows = part.prices.to_pylist()
    return {row["x_InstanceType"]: row["ListUnitPrice"] for row in rows if not row["x_Term"]}


def test_a_part_says_what_it_is(prices: Retail) -> None:
    prices.items = [*ladder(), item("Standard_E2s_v5", 0.0)]
    (part,) = update()
    assert (part.region, part.source, part.host) == ("westeurope", rows.SOURCE, "127.0.0.1")
    assert part.published == "2026-11-23"
    assert part.left_out == {"a price of zero": 1}
    assert of(part)["Standard_D8s_v5"] == Decimal("0.46")
    assert part.shapes.num_rows == 0  # the snapshot knows them
    assert set(part.prices.column("x_Source").to_pylist()) <= schema.PUBLISHED


def test_a_slip_of_a_thousand_is_refused_and_named(prices: Retail) -> None:
    prices.items = [*ladder(), item("Standard_D64s_v5", 3680.0)]
    (part,) = update()
    assert [one.price.instance_type for one in part.refused] == ["Standard_D64s_v5"]
    assert "Standard_D64s_v5" not in of(part)


def test_a_size_that_is_new_comes_with_what_its_name_says(prices: Retail) -> None:
    prices.items = [item("Standard_D4ads_v9", 0.3), item("Standard_Q4_v9", 0.3)]
    (part,) = update()
    (shape,) = part.shapes.to_pylist()
    assert (shape["x_InstanceType"], shape["x_vCPUs"], shape["x_MemoryGiB"]) == (
        "Standard_D4ads_v9", 4, 16,
    )  # fmt: skip
    assert shape["x_Source"] in schema.PUBLISHED
    assert sorted(of(part)) == ["Standard_D4ads_v9", "Standard_Q4_v9"]


def test_a_region_that_fails_leaves_the_others(prices: Retail) -> None:
    prices.items = [*ladder(), *ladder("eastus")]
    prices.page = 2
    prices.door.rules.append(
        lambda call: (
            Answer(404, b"")
            if "'eastus'" in call.query["$filter"] and "$skip" in call.query
            else None
        )
    )
    failed, fine = update("eastus", "westeurope")
    assert failed.failed == "127.0.0.1/api/retail/prices: the server answers 404"
    assert (failed.prices.num_rows, failed.stamp) == (0, None)
    assert len(of(fine)) == len(LADDER)


def test_a_region_without_prices_is_told_with_its_likes(prices: Retail) -> None:
    (part,) = update("westeurop")
    assert "no price of a machine there, in USD; did you mean westeurope" in part.failed
    (part,) = update("westeurope")
    assert part.failed.endswith("no price of a machine there, in USD")


def test_all_regions_are_those_that_sell_machines(prices: Retail) -> None:
    prices.items = [item("Standard_B2s", 0.04, name) for name in ("westeurope", "eastus")]
    assert [part.region for part in update(ALL)] == ["eastus", "westeurope"]
    assert [part.region for part in update(ALL, "chinaeast2")] == [
        "chinaeast2", "eastus", "westeurope",
    ]  # fmt: skip


def test_where_nobody_says_which_regions_there_are_all_is_missing(prices: Retail) -> None:
    prices.door.rules.append(lambda call: Answer(404, b""))
    (part,) = update(ALL)
    assert (part.region, part.failed) == (
        "all", "127.0.0.1/api/retail/prices: the server answers 404",
    )  # fmt: skip


def test_chinas_list_is_told_of_and_not_asked_for(prices: Retail) -> None:
    (part,) = update("chinaeast2")
    assert "Azure China has a list of another form" in part.failed
    assert prices.asked == []


def test_a_list_is_read_once_a_day(prices: Retail) -> None:
    prices.items, prices.rates = ladder(), {"EUR": 0.9}
    memory = Memory()
    (first,) = update()
    assert first.stamp is not None
    memory.keep(*first.stamp)
    remembered, asked = Memory(memory.dump()), len(prices.asked)
    held = Held("Azure", first.prices, first.shapes)
    (second,) = update(held=held, memory=remembered)
    assert second.current == "its list was read today already"
    assert len(prices.asked) == asked
    (bare,) = update(memory=remembered)  # a lake without its prices: they are read again
    assert bare.prices.num_rows == len(LADDER)
    (euros,) = update(held=held, memory=remembered, currency="EUR")
    assert euros.prices.num_rows == len(LADDER)
    (tomorrow,) = update(held=held, memory=remembered, moment=NOON + timedelta(days=1))
    assert (tomorrow.current, tomorrow.unchanged, tomorrow.prices.num_rows) == (
        "", len(LADDER), 0,
    )  # fmt: skip
    (renewed,) = update(held=held, memory=remembered, moment=NOON + timedelta(days=30))
    assert renewed.prices.num_rows == len(LADDER)


def test_prices_of_ones_own_are_never_replaced(prices: Retail) -> None:
    prices.items = ladder()
    (first,) = update()
    own = first.prices.to_pylist()[0] | {"ListUnitPrice": Decimal("0.05"), "x_Source": None}
    held = Held("Azure", pa.Table.from_pylist([own], schema=schema.PRICES), first.shapes)
    (second,) = update(held=held)
    assert (second.own, second.prices.num_rows) == (1, len(LADDER) - 1)


def test_progress_names_the_region_and_what_was_read(prices: Retail) -> None:
    prices.items, prices.page = ladder(), 3
    seen: list[tuple[str, int]] = []
    watched = lists(
        ["westeurope"], "USD", nothing(), Memory(), lambda *step: seen.append(step), moment=NOON
    )
    assert len(list(watched)) == 1
    assert [what for what, _ in seen] == ["Azure Retail Prices of westeurope"] * 2
    assert 0 < seen[0][1] < seen[1][1]


# -- against prices of June 2026 ------------------------------------------------------------------


def listed_in_june(folder: Path) -> list[dict[str, str]]:
    path = folder / "prices" / "karpenter_vm_prices_2026.csv.gz"
    if not path.exists():
        pytest.skip(f"no {path.name} in ../shared/data/prices")
    with gzip.open(path, "rt") as file:
        return [row for row in csv.DictReader(file) if row["provider"] == "azure"]


def _served(prices: Retail, june: Sequence[dict[str, str]]) -> dict[tuple[str, str], Decimal]:
    """The prices among others, one in fifty with all that is listed beside it; those to be found.

    What has no name of a size is a dedicated host, or a placeholder of the list.
    """
    expected = {}
    for number, row in enumerate(june):
        name = row["instance_type"].strip()
        one = item(row["instance_type"], float(row["usd_hour"]), row["region"])
        if name.startswith(("Standard_", "Basic_")):
            prices.items += around(one) if number % 50 == 0 else [one]
            if Decimal(row["usd_hour"]) > 0:
                expected[row["region"], name] = Decimal(row["usd_hour"])
        else:
            prices.items.append(one | {"productName": f"{one['productName']} Dedicated Host"})
    return expected


def test_the_on_demand_prices_of_57_regions_come_out_as_they_are(
    prices: Retail, real_data: Path
) -> None:
    june = listed_in_june(real_data)
    expected = _served(prices, june)
    by_region: dict[str, list[Item]] = {}
    for one in prices.items:
        by_region.setdefault(one["armRegionName"], []).append(one)
    found, refused = {}, 0
    with RetailPrices() as way:
        assert way.regions() == sorted(by_region)
        for region, prices.items in by_region.items():
            pages = way.machines(region, "USD")
            told = rows.read((one for page in pages for one in page.items), region, "USD", NOON)
            refused += told.left_out["a price of zero"]
            for price in told.prices:
                if (price.pricing_category, price.operating_system) == ("Standard", "Linux"):
                    found[region, price.instance_type] = price.list_unit_price
    assert len(by_region) == 57
    assert found == expected
    assert len(june) - len(expected) == 68 + 2551
    assert refused >= 68

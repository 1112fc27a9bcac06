"""The public price list over HTTP: what is read, what is left out, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from costopt import schema
from costopt.providers.aws.prices import ec2, savings_plans
from costopt.providers.aws.prices.refresh import lists
from costopt.providers.aws.prices.source import OVERRIDE, PriceList
from costopt.providers.held import Held
from costopt.providers.listed import Memory, Part
from tests.fakes.price_list import (
    PriceListServer,
    on_demand,
    reserved,
    savings_rate,
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceListServer]:
    with PriceListServer() as running:
        monkeypatch.setenv(OVERRIDE, running.url)
        yield running


def silent(_: object, __: int = 0) -> None:
    pass


def nothing() -> Held:
    return Held("AWS", schema.empty(schema.PRICES), schema.empty(schema.SHAPES))


def update(*regions: str, held: Held | None = None, memory: Memory | None = None) -> list[Part]:
    found = lists(regions or ("eu-west-1",), ["AmazonEC2"], held or nothing(), memory or Memory(),
                  silent)  # fmt: skip
    return list(found)


def read(server: PriceListServer, rows: list[dict[str, str]], region: str = "eu-west-1") -> Any:
    server.offer(rows, region)
    partition = "cn" if region.startswith("cn-") else "aws"
    with PriceList(partition) as source:
        path = source.regions("AmazonEC2")[region]
        with source.open(path) as file:
            assert file is not None
            return ec2.read(file, region, silent)


def by_name(offered: Any) -> dict[tuple[str, str, str | None], Decimal]:
    return {
        (p.instance_type, p.operating_system, p.term): p.list_unit_price for p in offered.prices
    }


# -- what is read ----------------------------------------------------------------------------


def test_on_demand_prices_of_each_system_are_read_exactly(server: PriceListServer) -> None:
    offered = read(
        server,
        [
            on_demand("m5.large", "0.1070000000"),
            on_demand("m5.large", "0.1990000000", "Windows"),
            on_demand("m5.large", "0.1358000000", "RHEL"),
            on_demand("m5.large", "0.1633000001", "SUSE"),
            on_demand(
                "c5.metal", "4.6080000000", **{"Product Family": "Compute Instance (bare metal)"}
            ),
        ],
    )
    assert by_name(offered) == {
        ("m5.large", "Linux", None): Decimal("0.107"),
        ("m5.large", "Windows", None): Decimal("0.199"),
        ("m5.large", "RHEL", None): Decimal("0.1358"),
        ("m5.large", "SUSE", None): Decimal("0.1633000001"),
        ("c5.metal", "Linux", None): Decimal("4.608"),
    }
    one = offered.prices[0]
    assert (one.provider_name, one.region_id, one.currency) == ("AWS", "eu-west-1", "USD")
    assert (one.pricing_category, one.valid_from) == ("Standard", date(2026, 9, 1))
    assert offered.published == "2026-09-25T18:44:47Z"
    assert not offered.left_out


@pytest.mark.parametrize(
    "other",
    [
        {"Tenancy": "Dedicated", "usageType": "EU-DedicatedUsage:m5.large"},
        {"Tenancy": "Host"},
        {"CapacityStatus": "UnusedCapacityReservation", "usageType": "EU-UnusedBox:m5.large"},
        {"CapacityStatus": "AllocatedCapacityReservation", "usageType": "EU-Reservation:m5.large"},
        {"Pre Installed S/W": "SQL Web", "operation": "RunInstances:0202"},
        {"License Model": "Bring your own license", "operation": "RunInstances:0800"},
        {"License Model": "Bring your own license"},
        {"Product Family": "Dedicated Host"},
        {"Product Family": "Storage"},
        {"usageType": "EU-EBSOptimized:m5.large"},
        {"operation": "RunInstances:00g0"},
    ],
)
def test_other_things_under_a_machines_name_are_no_prices(
    server: PriceListServer, other: dict[str, str]
) -> None:
    offered = read(server, [on_demand("m5.large", "0.5", **other), on_demand("m5.xlarge", "0.214")])
    assert by_name(offered) == {("m5.xlarge", "Linux", None): Decimal("0.214")}


def test_reserved_terms_spread_the_fee_over_their_hours(server: PriceListServer) -> None:
    offered = read(
        server,
        [
            *reserved("m5.large", hourly="0.0670000000"),
            *reserved("m5.large", hourly="0.0320000000", upfront="281", payment="Partial Upfront"),
            *reserved("m5.large", hourly="0", upfront="1314", length="3yr", payment="All Upfront"),
            *reserved("m5.large", hourly="0.0770000000", kind="convertible"),
        ],
    )
    assert by_name(offered) == {
        ("m5.large", "Linux", "1yr no-upfront"): Decimal("0.067"),
        # 281 / 8,760 = 0.03207762557...
        ("m5.large", "Linux", "1yr partial-upfront"): Decimal("0.0640776256"),
        ("m5.large", "Linux", "3yr all-upfront"): Decimal("0.05"),  # 1,314 / 26,280
        ("m5.large", "Linux", "1yr no-upfront convertible"): Decimal("0.077"),
    }
    assert {p.pricing_category for p in offered.prices} == {"Committed"}


def test_half_a_reserved_term_is_no_price(server: PriceListServer) -> None:
    offered = read(
        server,
        [
            on_demand("m5.large", "0.107"),
            *reserved("m5.large", hourly="0.03", payment="Partial Upfront"),
            *reserved("m5.large", hourly=None, upfront="500", payment="All Upfront"),
            *reserved("m5.large", hourly="0.05", payment="Heavy Utilization"),
            *reserved("m5.large", hourly="0.05", length="20yr"),
            *reserved("m5.large", hourly="0", length="3yr"),
        ],
    )
    assert by_name(offered) == {("m5.large", "Linux", None): Decimal("0.107")}
    assert offered.left_out == {
        "a term without its fee or its hourly rate": 2,
        "a term of another kind": 2,
        "a price of zero": 1,
    }


def test_of_two_prices_of_one_thing_the_later_counts(server: PriceListServer) -> None:
    rows = [
        on_demand("m5.large", "0.107", SKU="B", EffectiveDate="2026-08-01"),
        on_demand("m5.large", "0.100", SKU="A", EffectiveDate="2026-09-01"),
    ]
    key = ("m5.large", "Linux", None)
    assert by_name(read(server, rows))[key] == Decimal("0.1")
    assert by_name(read(server, rows[::-1]))[key] == Decimal("0.1")


def test_rows_that_cannot_be_read_are_counted_by_reason(server: PriceListServer) -> None:
    hostile = '=cmd|"\x1b[31m\n;DROP TABLE\u202e'
    offered = read(
        server,
        [
            on_demand("m5.large", "0.107"),
            on_demand("m5.xlarge", "0.0000000000"),
            on_demand("m5.2xlarge", "NaN"),
            on_demand("m5.4xlarge", "-1"),
            on_demand("m5.8xlarge", "1E400"),
            on_demand("m5.12xlarge", "1.5", Unit="Quantity"),
            on_demand("m5.16xlarge", "1.5", Currency="EUR"),
            on_demand("m5.24xlarge", "1.5", **{"Region Code": "us-east-1"}),
            on_demand(hostile, "1.5"),
            on_demand("../../etc/passwd", "1.5"),
        ],
    )
    assert by_name(offered) == {("m5.large", "Linux", None): Decimal("0.107")}
    assert offered.left_out == {
        "a price of zero": 1,
        "no price of an hour": 4,
        "not in USD": 1,
        "of another region": 1,
        "no machine type's name": 2,
    }


def test_chinas_list_is_in_yuan(server: PriceListServer) -> None:
    row = {"Currency": "CNY", "usageType": "CNN1-BoxUsage:m5.large"}
    offered = read(
        server,
        [
            on_demand("m5.large", "0.915", region="cn-north-1", **row),
            on_demand("m5.xlarge", "0.2", region="cn-north-1", Currency="USD"),
        ],
        "cn-north-1",
    )
    assert [(p.currency, p.list_unit_price) for p in offered.prices] == [("CNY", Decimal("0.915"))]
    assert offered.left_out == {"not in CNY": 1}
    assert server.seen[0] == "GET /offers/v1.0/cn/AmazonEC2/current/region_index.json"


def test_savings_plans_rates_are_read_by_kind_and_payment(server: PriceListServer) -> None:
    server.savings(
        [
            savings_rate("m5.large", "0.0776"),
            savings_rate(
                "m5.large", "0.0431", LeaseContractLength="3", PurchaseOption="All Upfront",
                **{"Product Family": "EC2InstanceSavingsPlans"},
            ),
            savings_rate("m5.large", "0.09", DiscountedUsageType="EU-DedicatedUsage:m5.large"),
            savings_rate("m5.large", "0.09", DiscountedUsageType="EU-UnusedBox:m5.large"),
            savings_rate("m5.large", "0.09", DiscountedServiceCode="AmazonECS"),
            savings_rate("m5.large", "0.3", DiscountedOperation="RunInstances:0006"),
            savings_rate("m5.xlarge", "0"),
            savings_rate("m5.xlarge", "0.1", DiscountedRegionCode="eu-west-2"),
            savings_rate("m5.xlarge", "0.1", PurchaseOption="Barter"),
        ]
    )  # fmt: skip
    with PriceList("aws") as source:
        path = source.regions("AWSComputeSavingsPlan")["eu-west-1"]
        with source.open(path) as file:
            assert file is not None
            prices, left_out = savings_plans.read(file, "eu-west-1", silent)
    assert {p.term: p.list_unit_price for p in prices} == {
        "1yr no-upfront compute-savings-plan": Decimal("0.0776"),
        "3yr all-upfront instance-savings-plan": Decimal("0.0431"),
    }
    assert left_out == {"a price of zero": 1, "of another region": 1, "a term of another kind": 1}


def test_a_type_that_the_catalogue_lacks_gets_a_shape(server: PriceListServer) -> None:
    (part,) = _updated(
        server,
        on_demand("m5.large", "0.107"),
        on_demand(
            "m99gd.4xlarge", "0.9", vCPU="16", Memory="1,952.5 GiB",
            **{
                "Physical Processor": "AWS Graviton9 Processor",
                "Storage": "2 x 950 NVMe SSD",
                "Network Performance": "Up to 12500 Megabit",
                "Physical Cores": "16",
            },
        ),
        on_demand("g99.xlarge", "1.5", GPU="0.5", **{"Instance Family": "GPU instance"}),
        on_demand("trn99.xlarge", "1.5", **{"Instance Family": "Machine Learning ASIC Instances"}),
        on_demand("t99.large", "0.08"),
    )  # fmt: skip
    shapes = {row["x_InstanceType"]: row for row in part.shapes.to_pylist()}
    # m5.large is known; of t99 nobody knows what it sustains, of trn99 how many chips it has.
    assert sorted(shapes) == ["g99.xlarge", "m99gd.4xlarge"]
    found = shapes["m99gd.4xlarge"]
    assert (found["x_vCPUs"], found["x_MemoryGiB"], found["x_PhysicalCores"]) == (16, 1952.5, 16)
    assert (found["x_Architecture"], found["x_NetworkGbps"]) == ("arm64", 12.5)
    assert found["x_LocalDiskGiB"] == 1769.5  # 1,900 x 1000^3 / 1024^3
    assert (found["x_Family"], found["x_CurrentGeneration"]) == ("m99gd", True)
    assert shapes["g99.xlarge"]["x_GPUCount"] == 1
    assert len(part.prices) == 5  # all of them have a price


def _updated(server: PriceListServer, *rows: dict[str, str]) -> list[Part]:
    server.offer(rows)
    return update()


# -- the sanity gate, and what the lake holds ------------------------------------------------


def test_a_slip_of_a_thousand_is_refused_and_named(server: PriceListServer) -> None:
    sizes = {"m5.large": 1, "m5.xlarge": 2, "m5.2xlarge": 4, "m5.4xlarge": 8, "m5.8xlarge": 16}
    rows = [on_demand(name, str(Decimal("0.107") * n)) for name, n in sizes.items()]
    (part,) = _updated(server, *rows, on_demand("m5.12xlarge", str(Decimal("0.107") * 24_000)))
    assert [one.price.instance_type for one in part.refused] == ["m5.12xlarge"]
    assert sorted(part.prices.column("x_InstanceType").to_pylist()) == sorted(sizes)


def test_prices_held_already_are_not_given_again(server: PriceListServer) -> None:
    (first,) = _updated(server, on_demand("m5.large", "0.107"), on_demand("m5.xlarge", "0.214"))
    held = Held("AWS", first.prices, first.shapes)
    server.offer(
        [
            on_demand("m5.large", "0.107", EffectiveDate="2026-09-20"),  # only the day is new
            on_demand("m5.xlarge", "0.200", EffectiveDate="2026-09-20"),
        ]
    )
    (second,) = update(held=held)
    assert second.prices.column("x_InstanceType").to_pylist() == ["m5.xlarge"]
    assert second.unchanged == 1
    server.offer([on_demand("m5.large", "0.107", EffectiveDate="2026-10-01")])
    (third,) = update(held=held)
    assert third.prices.column("x_ValidFrom").to_pylist() == [date(2026, 10, 1)]


@pytest.mark.parametrize("region", ["eu-west-1", None])
def test_prices_of_ones_own_are_never_replaced(server: PriceListServer, region: str | None) -> None:
    (first,) = _updated(server, on_demand("m5.large", "0.107"), on_demand("m5.xlarge", "0.214"))
    own = first.prices.to_pylist()[0] | {
        "ListUnitPrice": Decimal("0.05"), "x_Source": None, "RegionId": region,
        "x_OperatingSystem": "Linux/UNIX", "ProviderName": "Amazon Web Services",
    }  # fmt: skip
    held = Held("AWS", first.prices.from_pylist([own], schema=schema.PRICES), first.shapes)
    (second,) = update(held=held)
    assert second.prices.column("x_InstanceType").to_pylist() == ["m5.xlarge"]
    assert second.own == 1


def test_a_file_that_has_not_changed_is_not_read_again(server: PriceListServer) -> None:
    memory = Memory()
    (first,) = _updated(server, on_demand("m5.large", "0.107"))
    assert first.stamp is not None
    memory.keep(*first.stamp)
    remembered = Memory(memory.dump())
    held = Held("AWS", first.prices, first.shapes)
    (second,) = update(held=held, memory=remembered)
    assert second.current
    assert not len(second.prices)
    (bare,) = update(memory=remembered)  # a lake without its prices: they are read again
    assert len(bare.prices) == 1
    server.offer([on_demand("m5.large", "0.1")], etag='"two"')
    (third,) = update(held=held, memory=remembered)
    assert third.prices.column("ListUnitPrice").to_pylist() == [Decimal("0.1")]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"costopt": "0", "files": 3}', b"\xff"])
def test_a_damaged_memory_counts_as_none(text: bytes) -> None:
    assert Memory(text).find("pricing.us-east-1.amazonaws.com AmazonEC2 eu-west-1") is None


def test_days_that_are_none_are_left_open(server: PriceListServer) -> None:
    (part,) = _updated(server, on_demand("m5.large", "0.107", EffectiveDate="soon"))
    assert part.prices.column("x_ValidFrom").to_pylist() == [None]

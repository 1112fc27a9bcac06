"""What a collect asks of prices: the spot market and single products, for what is in use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import boto3
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt import schema
from costopt.providers.aws import prices
from costopt.providers.aws.access import Account
from costopt.providers.aws.prices import products, spot
from costopt.providers.aws.prices.systems import SYSTEMS, system
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from costopt.providers.held import Held
from tests.fakes.aws_cloud import environment
from tests.fakes.price_list import PriceListServer, product

NOON = datetime(2026, 9, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINUX = SYSTEMS[0]


@pytest.fixture
def server() -> Iterator[PriceListServer]:
    with PriceListServer() as running, environment() as patch:
        patch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running


@pytest.fixture
def account(server: PriceListServer) -> Account:
    return _account("123456789012")


def _account(account_id: str) -> Account:
    settings = AwsSettings(max_attempts=2, until=NOON)
    return Account(account_id, "", boto3.Session(), settings)


def _machine(resource_id: str, instance_type: str, **other: str | None) -> dict[str, str | None]:
    return {
        "ProviderName": "AWS",
        "ResourceId": resource_id,
        "SubAccountId": "123456789012",
        "RegionId": "eu-west-1",
        "x_InstanceType": instance_type,
        "x_OperatingSystem": "Linux",
        "x_PricingCategory": "Standard",
    } | other


def _resources(*rows: dict[str, str | None]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema.RESOURCES)


NOTHING = Held("AWS", schema.empty(schema.PRICES), schema.empty(schema.SHAPES))


def _in_use(
    account: Account, *rows: dict[str, str | None], held: Held = NOTHING
) -> tuple[list[dict], list[Problem]]:
    problems: list[Problem] = []
    table = prices.in_use([account], _resources(*rows), held, account.settings, problems)
    assert table.schema.equals(schema.PRICES)
    return table.to_pylist(), problems


# -- spot ------------------------------------------------------------------------------------


def test_a_spot_price_is_the_mean_of_a_day_and_of_the_zones(
    server: PriceListServer, account: Account
) -> None:
    server.spot = [
        # 6 hours of the 24 at 0.04 (set long before), then 0.02: (6 x 0.04 + 18 x 0.02) / 24
        ("m5.large", "Linux/UNIX", "eu-west-1a", "0.040000", NOON - 300 * HOUR),
        ("m5.large", "Linux/UNIX", "eu-west-1a", "0.020000", NOON - 18 * HOUR),
        ("m5.large", "Linux/UNIX", "eu-west-1b", "0.035000", NOON - 30 * HOUR),
        ("m5.large", "Windows", "eu-west-1a", "0.110000", NOON - 30 * HOUR),
        ("m5.xlarge", "Linux/UNIX", "eu-west-1a", "0.070000", NOON - 2 * HOUR),  # new: since then
    ]
    found = spot.prices(account, "eu-west-1", NOON)
    assert {(p.instance_type, p.operating_system): p.list_unit_price for p in found} == {
        ("m5.large", "Linux"): Decimal("0.03"),  # (0.025 + 0.035) / 2
        ("m5.large", "Windows"): Decimal("0.11"),
        ("m5.xlarge", "Linux"): Decimal("0.07"),
    }
    assert {(p.pricing_category, p.valid_from) for p in found} == {("Dynamic", date(2026, 9, 25))}
    assert server.seen.count("DescribeSpotPriceHistory") == 3  # five entries, two a page


@given(
    st.lists(
        st.tuples(st.integers(0, 48), st.integers(1, 10**6)), min_size=1, unique_by=lambda s: s[0]
    )
)
def test_the_mean_over_a_day_is_that_of_its_minutes(steps: list[tuple[int, int]]) -> None:
    """Against the plain reckoning: the price of each half hour that had one, averaged."""
    dated = [(NOON - n * HOUR / 2, Decimal(price)) for n, price in steps]
    halves = [NOON - n * HOUR / 2 for n in range(48, 0, -1)]
    held = [
        max((one for one in dated if one[0] <= half), default=None, key=lambda one: one[0])
        for half in halves
    ]
    expected = [price for one in held if one for price in [one[1]]]
    found = spot._mean(dated, NOON)
    if not expected:
        assert found is None
    else:
        assert found is not None
        assert abs(found - sum(expected, Decimal()) / len(expected)) < Decimal("1e-15")


def test_what_is_no_spot_price_is_passed_over(server: PriceListServer, account: Account) -> None:
    server.spot = [
        ("m5.large", "Linux/UNIX", "eu-west-1a", "free", NOON - HOUR),
        ("m5.large", "Linux/UNIX", "eu-west-1a", "0", NOON - HOUR),
        ("=m5;rm", "Linux/UNIX", "eu-west-1a", "0.1", NOON - HOUR),
        ("m5.large", "Linux/UNIX", "eu-west-1a", "0.1", NOON),  # none held before the end
    ]
    assert spot.prices(account, "eu-west-1", NOON) == []


def test_many_types_are_asked_for_in_parts(server: PriceListServer, account: Account) -> None:
    types = [f"m{n}.large" for n in range(250)]
    server.page = 1000
    server.spot = [(name, "Linux/UNIX", "eu-west-1a", "0.1", NOON - HOUR) for name in types]
    assert len(spot.prices(account, "eu-west-1", NOON, types, [LINUX])) == 250
    assert server.seen.count("DescribeSpotPriceHistory") == 3


def test_chinas_spot_prices_are_in_yuan(server: PriceListServer, account: Account) -> None:
    server.spot = [("m5.large", "Linux/UNIX", "cn-north-1a", "0.3", NOON - HOUR)]
    assert [p.currency for p in spot.prices(account, "cn-north-1", NOON)] == ["CNY"]


# -- single products -------------------------------------------------------------------------


def test_a_single_price_is_looked_up(server: PriceListServer, account: Account) -> None:
    server.products = [
        product("m99.large", "0.5", tenancy="Dedicated"),  # filters taken loosely
        product("m99.large", "0.9", usagetype="EU-UnusedBox:m99.large"),
        product("m99.large", "0.1230000000"),
    ]
    found = products.price(account, "m99.large", "eu-west-1", LINUX)
    assert found is not None
    assert (found.list_unit_price, found.operating_system) == (Decimal("0.123"), "Linux")
    assert found.valid_from == date(2026, 9, 1)
    assert server.seen.count("GetProducts") == 2  # three products, two a page


@pytest.mark.parametrize(
    "offers",
    [
        [],
        [product("m99.large", "0.1", region="us-east-1")],
        [product("m99.large", "0.1", currency="EUR")],
        [product("m99.large", "0.0000000000")],
        [product("m99.large", "-1")],
    ],
)
def test_no_price_is_none(server: PriceListServer, account: Account, offers: list[dict]) -> None:
    server.products = offers
    assert products.price(account, "m99.large", "eu-west-1", LINUX) is None


# -- what is in use --------------------------------------------------------------------------


def test_only_what_the_catalogue_lacks_is_asked_for(
    server: PriceListServer, account: Account
) -> None:
    server.products = [
        product("m5.large", "0.199", operation="RunInstances:0002"),
        product("m99.large", "0.123"),
    ]
    found, problems = _in_use(
        account,
        _machine("i-1", "m5.large"),  # the snapshot has it
        _machine("i-2", "m5.large", x_OperatingSystem="Windows"),
        _machine("i-3", "m99.large", x_OperatingSystem=None),
        _machine("i-4", "m99.large"),
        _machine("i-5", "m99.large", x_OperatingSystem="Solaris"),
        _machine("i-6", "m99.large", RegionId=None),
        _machine("arn:aws:rds:eu-west-1:1:db:x", "db.m99.large"),
        _machine("i-7", "-x;rm *"),
    )
    assert [
        (row["x_InstanceType"], row["x_OperatingSystem"], row["ListUnitPrice"]) for row in found
    ] == [("m5.large", "Windows", Decimal("0.199")), ("m99.large", "Linux", Decimal("0.123"))]
    assert problems == []
    assert server.seen == ["GetProducts"] * 2


def test_spot_machines_bring_their_market(server: PriceListServer, account: Account) -> None:
    server.page = 100
    server.spot = [
        (name, system_name, "eu-west-1a", "0.03", NOON - HOUR)
        for name in ("m5.large", "c5.large", "r5.large")
        for system_name in ("Linux/UNIX", "Windows")
    ]
    found, problems = _in_use(
        account,
        _machine("i-1", "m5.large", x_PricingCategory="Dynamic"),
        _machine("i-2", "c5.large", x_PricingCategory="Dynamic"),
        _machine("i-3", "r5.large"),
    )
    assert [(row["x_InstanceType"], row["PricingCategory"]) for row in found] == [
        ("c5.large", "Dynamic"),
        ("m5.large", "Dynamic"),
    ]
    assert problems == []
    assert server.seen == ["DescribeSpotPriceHistory"]


def test_a_refusal_is_told_and_the_rest_is_kept(server: PriceListServer, account: Account) -> None:
    server.denied = {"GetProducts"}
    server.spot = [("m5.large", "Linux/UNIX", "eu-west-1a", "0.03", NOON - HOUR)]
    found, problems = _in_use(
        account,
        _machine("i-1", "m5.large", x_PricingCategory="Dynamic"),
        _machine("i-2", "m99.large"),
    )
    assert [row["PricingCategory"] for row in found] == ["Dynamic"]
    assert [problem.where for problem in problems] == [
        "123456789012 eu-west-1 pricing:GetProducts m99.large"
    ]
    assert problems[0].fatal
    assert "AccessDeniedException" in problems[0].what


def test_the_same_whoever_asks_and_in_whichever_order(server: PriceListServer) -> None:
    server.products = [product("m99.large", "0.123"), product("m98.large", "0.2")]
    accounts = [_account("2"), _account("1")]
    rows = [
        _machine("i-1", "m99.large", SubAccountId="1"),
        _machine("i-2", "m98.large", SubAccountId="2"),
        _machine("i-3", "m98.large", SubAccountId="gone"),
    ]
    settings = accounts[0].settings
    tables = [
        prices.in_use(order, _resources(*things), NOTHING, settings, [])
        for order, things in ((accounts, rows), (accounts[::-1], rows[::-1]))
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].num_rows == 2


def test_nobody_to_ask_and_nothing_in_use_are_no_prices(account: Account) -> None:
    machine, settings = _resources(_machine("i-1", "m99.large")), account.settings
    assert prices.in_use([], machine, NOTHING, settings, []) == schema.empty(schema.PRICES)
    assert prices.in_use([account], _resources(), NOTHING, settings, []).num_rows == 0


# -- what the lake holds ---------------------------------------------------------------------


def _held(*rows: dict[str, object]) -> Held:
    plain = {
        "ProviderName": "AWS",
        "RegionId": "eu-west-1",
        "x_InstanceType": "m99.large",
        "x_OperatingSystem": "Linux",
        "PricingCategory": "Standard",
        "ListUnitPrice": Decimal("0.05"),
        "PricingCurrency": "USD",
        "x_ValidFrom": date(2026, 9, 1),
    }
    made = [plain | row for row in rows]
    return Held(
        "AWS", pa.Table.from_pylist(made, schema=schema.PRICES), schema.empty(schema.SHAPES)
    )


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"RegionId": None, "x_OperatingSystem": None},
        {"ProviderName": "Amazon Web Services", "RegionId": "EU-West-1"},
        {"x_Source": "what we negotiated"},
    ],
)
def test_a_price_of_the_users_own_is_not_replaced(
    server: PriceListServer, account: Account, own: dict[str, object]
) -> None:
    server.products = [product("m99.large", "0.123"), product("m98.large", "0.2")]
    server.spot = [("m99.large", "Linux/UNIX", "eu-west-1a", "0.03", NOON - HOUR)]
    machines = [
        _machine("i-1", "m99.large"),
        _machine("i-2", "m98.large"),
        _machine("i-3", "m99.large", x_PricingCategory="Dynamic"),
    ]
    found, problems = _in_use(account, *machines, held=_held(own))
    assert [(row["x_InstanceType"], row["PricingCategory"]) for row in found] == [
        ("m98.large", "Standard"),
        ("m99.large", "Dynamic"),  # what they pay on demand says nothing of the spot market
    ]
    assert problems == []
    found, _ = _in_use(account, *machines, held=_held(own, own | {"PricingCategory": "Dynamic"}))
    assert [row["x_InstanceType"] for row in found] == ["m98.large"]


def test_what_an_earlier_collect_brought_is_no_price_of_the_users_own(
    server: PriceListServer, account: Account
) -> None:
    server.products = [product("m99.large", "0.123")]
    server.spot = [("m99.large", "Linux/UNIX", "eu-west-1a", "0.03", NOON - HOUR)]
    machines = [
        _machine("i-1", "m99.large"),
        _machine("i-2", "m99.large", x_PricingCategory="Dynamic"),
    ]
    first, _ = _in_use(account, *machines)
    assert {row["x_Source"] for row in first} <= schema.PUBLISHED
    assert _in_use(account, *machines, held=_held(*first)) == ([], [])
    dearer = [row | {"ListUnitPrice": row["ListUnitPrice"] * 2} for row in first]
    assert _in_use(account, *machines, held=_held(*dearer)) == (first, [])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (None, "Linux"),
        ("Linux/UNIX", "Linux"),
        ("Linux/UNIX (Amazon VPC)", "Linux"),
        ("Red Hat Enterprise Linux", "RHEL"),
        ("rhel", "RHEL"),
        ("SUSE Linux", "SUSE"),
        ("Ubuntu Pro", "Ubuntu Pro"),
        ("Windows", "Windows"),
        ("Windows with SQL Server Web", None),
        ("", None),
    ],
)
def test_systems_by_their_names(text: str | None, name: str | None) -> None:
    found = system(text)
    assert (found.name if found else None) == name

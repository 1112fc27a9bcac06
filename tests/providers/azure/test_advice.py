"""What Azure Advisor recommends, as Azure's own client reads it from a fake of ARM."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Advised
from tests.fakes.azure_advice import ACTION
from tests.fakes.azure_arm import forbidding, unregistered
from tests.fakes.azure_cloud import Tenant, guid


def provider(azure: Tenant, **more: object) -> AzureProvider:
    return AzureProvider(AzureSettings(**{"endpoint": azure.url, "max_attempts": 1, **more}))


def rows(table: pa.Table) -> list[dict[str, Any]]:
    schema.conform(table, schema.VENDOR_RECOMMENDATIONS)
    told: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="strict")
    return [row for row in told if row["x_RecommendationId"]]


def test_a_machine_of_low_usage(azure: Tenant) -> None:
    vm = azure.machine(azure.subscription("shop"), "Web-1", "Standard_D4s_v5")
    azure.advisor.machine(
        vm, "Standard_D4s_v5", "Standard_D2s_v5", annual="1900.80", lookbackPeriod="14",
        recommendationType="SkuChange",
    )  # fmt: skip
    made = provider(azure)
    assert isinstance(made, Advised)
    (row,) = rows(made.advice())
    row.pop("x_ObservedAt")
    assert row == {
        "ProviderName": "Azure",
        "SubAccountId": guid(1),
        "x_Source": "Azure Advisor",
        "x_Scope": "",
        "x_RecommendationId": f"{vm}/providers/Microsoft.Advisor/recommendations/r0".lower(),
        "ResourceId": vm.lower(),
        "x_Action": "resize",
        "x_InstanceType": "Standard_D2s_v5",
        "x_MonthlySavings": Decimal("158.4"),
        "BillingCurrency": "EUR",
        "x_Finding": "SkuChange",
        "x_Reasons": ["Right-size or shutdown underutilized virtual machines"],
        "x_LookbackDays": 14.0,
        "x_UpdatedAt": datetime(2026, 10, 27, 3, 17, 32, 765613, tzinfo=UTC),
        "x_Attributes": {
            "current_type": "Standard_D4s_v5",
            "description": "Do so.",
            "impact": "High",
        },
    }
    assert vm.lower() in made.resources().column("ResourceId").to_pylist()
    assert made.problems == []


@pytest.mark.parametrize(
    ("target", "more", "action", "chosen"),
    [
        ("Standard_D2s_v5", {}, "resize", "Standard_D2s_v5"),
        ("Standard_E2s_v5", {}, "change-family", "Standard_E2s_v5"),
        ("Standard_D8-2s_v5", {}, "resize", "Standard_D8-2s_v5"),
        ("Shutdown", {}, "stop", None),
        ("", {"recommendationType": "Shutdown"}, "stop", None),
        ("", {"recommendedSkuName": "Standard_B2s"}, "change-family", "Standard_B2s"),
        ("", {}, "other", None),
    ],
)
def test_what_it_says_in_our_words(
    azure: Tenant, target: str, more: dict[str, str], action: str, chosen: str | None
) -> None:
    vm = azure.machine(azure.subscription("shop"), "web", "Standard_D4s_v5")
    azure.advisor.machine(vm, "Standard_D4s_v5", target, **more)
    (row,) = rows(provider(azure).advice())
    assert (row["x_Action"], row["x_InstanceType"]) == (action, chosen)


@pytest.mark.parametrize(
    ("stated", "month"),
    [
        ({"annualSavingsAmount": "120", "savingsAmount": "11", "savingsCurrency": "USD"}, "10"),
        ({"savingsAmount": "11.5", "savingsCurrency": "USD"}, "11.5"),
        ({"annualSavingsAmount": "-24", "savingsCurrency": "USD"}, "-2"),
        ({"annualSavingsAmount": "NaN", "savingsCurrency": "USD"}, None),
        ({"annualSavingsAmount": "a lot", "savingsCurrency": "USD"}, None),
        ({"annualSavingsAmount": "1e9999999", "savingsCurrency": "USD"}, None),
        ({"savingsAmount": "12,345.67", "savingsCurrency": "usd"}, "12345.67"),
        ({"savingsAmount": "-1,234,567", "savingsCurrency": "USD"}, "-1234567"),
        ({"savingsAmount": "1,234", "savingsCurrency": "USD"}, None),  # or 1.234 in Berlin?
        ({"savingsAmount": "12.345,67", "savingsCurrency": "USD"}, None),
        ({"annualSavingsAmount": "120"}, None),  # of which currency?
        ({}, None),
    ],
)
def test_what_it_saves_is_of_a_month(
    azure: Tenant, stated: dict[str, str], month: str | None
) -> None:
    vm = azure.machine(azure.subscription("shop"), "web", "Standard_D4s_v5")
    azure.advisor.machine(vm, "Standard_D4s_v5", "Standard_D2s_v5", **stated)
    (row,) = rows(provider(azure).advice())
    assert row["x_MonthlySavings"] == (None if month is None else Decimal(month))


def test_what_is_no_machine(azure: Tenant) -> None:
    one = azure.subscription("shop")
    disk = azure.add(one, "Microsoft.Compute/disks", "Loose")
    azure.advisor.add(
        disk, "Microsoft.Compute/disks", "48eda464-1485-4dcf-a674-d0905df5054a",
        "Review disks that aren't attached to a VM", annual="60", suppressed=True,
    )  # fmt: skip
    azure.advisor.add(
        f"/subscriptions/{one}", "Microsoft.Subscriptions/subscriptions", "84b1a508",
        "Consider virtual machine reserved instance", annual="999", term="P3Y", displayQty="4",
    )  # fmt: skip
    found = {row["x_Action"]: row for row in rows(provider(azure).advice())}
    assert found["delete"]["ResourceId"] == disk.lower()
    assert found["delete"]["x_Attributes"]["suppressed"] == "true"
    commitment = found["buy-commitment"]
    assert commitment["ResourceId"] is None
    assert commitment["x_Attributes"] == {
        "description": "Do so.", "impact": "High", "quantity": "4", "term": "P3Y"
    }  # fmt: skip


def test_pages_of_every_subscription_are_read(azure: Tenant) -> None:
    """Pages are of two."""
    for name in ("a", "b"):
        one = azure.subscription(name)
        for number in range(5):
            vm = azure.machine(one, f"vm-{number}", "Standard_D4s_v5")
            azure.advisor.machine(vm, "Standard_D4s_v5", "Standard_D2s_v5")
    table = provider(azure).advice()
    assert len(rows(table)) == 10
    assert table.num_rows == 12
    assert azure.door.counted()[ACTION] == 6


def test_a_subscription_that_refuses_stops_no_other(azure: Tenant) -> None:
    names = [azure.subscription(name) for name in ("shut", "never-used", "shop")]
    for name in names:
        vm = azure.machine(name, "web", "Standard_D4s_v5")
        azure.advisor.machine(vm, "Standard_D4s_v5", "Standard_D2s_v5")
    azure.door.rules.append(forbidding(names[0], ACTION))
    azure.door.rules.append(unregistered(names[1], "Microsoft.Advisor"))
    made = provider(azure)
    table = made.advice()
    assert {row["SubAccountId"] for row in rows(table)} == {names[2]}
    asked = set(table.column("SubAccountId").to_pylist())
    assert asked == {names[2]}  # where it is not registered, its silence means nothing
    assert [(one.where, one.fatal) for one in made.problems] == [
        (f"{names[0]} {ACTION}", False),
        (f"{names[1]} {ACTION}", False),
    ]
    assert "costopt doctor azure --policy" in made.problems[0].what
    assert "Microsoft.Advisor is not registered" in made.problems[1].what


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine's clock is nine hours ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_east")
@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-10-27T03:17:32", datetime(2026, 10, 27, 3, 17, 32, tzinfo=UTC)),
        ("2026-10-27T03:17:32+02:00", datetime(2026, 10, 27, 1, 17, 32, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),  # .NET's way to say never
        ("9999-12-31T23:59:59", None),
    ],
)
def test_when_it_last_looked(azure: Tenant, told: str, meant: datetime | None) -> None:
    _advised(azure, 1)
    azure.advisor.items[0]["properties"]["lastUpdated"] = told
    made = provider(azure)
    (row,) = rows(made.advice())
    assert row["x_UpdatedAt"] == meant
    assert made.problems == []


@pytest.mark.parametrize("more", [{"skip": ("advice",)}, {"dry_run": True}])
def test_it_can_be_left_out(azure: Tenant, more: dict[str, object]) -> None:
    assert provider(azure, **more).advice().num_rows == 0
    assert azure.door.calls == []


def _advised(azure: Tenant, count: int) -> str:
    """A subscription with so many machines to be resized."""
    one = azure.subscription("shop")
    for number in range(count):
        vm = azure.machine(one, f"vm-{number}", "Standard_D4s_v5")
        azure.advisor.machine(vm, "Standard_D4s_v5", "Standard_D2s_v5")
    return one


def test_a_page_that_expired_is_asked_for_anew_and_nothing_comes_twice(azure: Tenant) -> None:
    _advised(azure, 5)
    made = provider(azure)
    assert made.resources().num_rows == 5  # asked before, and not what expires
    azure.door.pages.expiring = 2
    found = rows(made.advice())
    assert len({row["x_RecommendationId"] for row in found}) == len(found) == 5
    assert made.problems == []


def test_half_a_listing_is_none(azure: Tenant) -> None:
    one = _advised(azure, 5)
    made = provider(azure)
    assert made.resources().num_rows == 5
    azure.door.pages.expiring = 99
    assert made.advice().num_rows == 0  # not even that it was asked
    (problem,) = made.problems
    assert problem.where == f"{one} {ACTION}"
    assert problem.what == "InvalidSkipToken: The skip token has expired."


def test_a_subscription_that_refuses_everything_is_told_once(azure: Tenant) -> None:
    shut, shop = azure.subscription("shut"), _advised(azure, 1)
    azure.door.rules.append(forbidding(shut))
    made = provider(azure)
    table = made.advice()
    made.resources()
    assert set(table.column("SubAccountId").to_pylist()) == {shop}
    assert [(one.where, one.fatal) for one in made.problems] == [(shut, True)]


def test_what_advisor_leaves_empty_is_missing(azure: Tenant) -> None:
    one = _advised(azure, 1)
    extended = azure.advisor.items[0]["properties"]["extendedProperties"]
    extended |= {"recommendationType": None, "annualSavingsAmount": None}
    made = provider(azure)
    found = [row for row in rows(made.advice()) if row["x_RecommendationId"]]
    assert [(row["SubAccountId"], row["x_Action"], row["x_MonthlySavings"]) for row in found] == [
        (one, "resize", None)
    ]
    assert made.problems == []


def test_what_advisor_garbles_is_told(azure: Tenant) -> None:
    one = _advised(azure, 1)
    azure.advisor.items[0]["properties"]["lastUpdated"] = "yesterday"
    made = provider(azure)
    assert made.advice().num_rows == 0
    (problem,) = made.problems
    assert problem.where == f"{one} {ACTION}"
    assert problem.what.startswith("Unreadable: ")

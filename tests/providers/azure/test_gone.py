"""What is known and no longer listed: gone, unless something was refused where it stood."""

from __future__ import annotations

from typing import Any

import pytest

from costopt.providers.azure.inventory.gone import gone
from costopt.providers.base import Problem
from tests.fakes.azure_cloud import guid

SHOP = guid(1)
GROUP = f"/subscriptions/{SHOP}/resourcegroups/rg/providers"
MACHINE = f"{GROUP}/microsoft.compute/virtualmachines/web"


def row(resource_id: str = MACHINE, **more: Any) -> dict[str, Any]:
    return {
        "ResourceId": resource_id,
        "SubAccountId": SHOP,
        "RegionId": "westeurope",
        "x_State": "running",
        "x_ObservedAt": "then",
        **more,
    }


def found(*known: dict[str, Any], listed: tuple[str, ...] = (), **more: Any) -> list[Any]:
    asked = {"subscriptions": {SHOP}, "regions": (), "problems": (), **more}
    return list(gone(known, listed, **asked))


@pytest.mark.parametrize(
    "resource_id",
    [
        MACHINE,
        f"{GROUP}/microsoft.compute/disks/data",
        f"{GROUP}/microsoft.compute/snapshots/old",
        f"{GROUP}/microsoft.compute/virtualmachinescalesets/pool",
        f"{GROUP}/microsoft.compute/virtualmachinescalesets/pool/virtualmachines/3",
        f"{GROUP}/microsoft.network/publicipaddresses/ip",
        f"{GROUP}/microsoft.network/natgateways/nat",
        f"{GROUP}/microsoft.network/loadbalancers/lb",
    ],
)
def test_what_is_not_listed_is_terminated_and_otherwise_as_it_was(resource_id: str) -> None:
    old = row(resource_id, x_InstanceType="Standard_D2s_v5")
    assert found(old) == [old | {"x_State": "terminated", "x_ObservedAt": None}]
    assert found(old, listed=(resource_id,)) == []


@pytest.mark.parametrize(
    "known",
    [
        row(SubAccountId=guid(2)),  # not looked into
        row(x_State="terminated"),  # told before
        row(f"{GROUP}/microsoft.sql/servers/db"),  # of a kind that is not listed
        row("my-own-server"),
    ],
)
def test_of_others_nothing_is_said(known: dict[str, Any]) -> None:
    assert found(known) == []


def test_only_in_the_regions_looked_into() -> None:
    assert found(row(), regions=("eastus",)) == []
    assert len(found(row(), regions=("eastus", "westeurope"))) == 1


def test_where_anything_was_refused_nothing_is_gone() -> None:
    refused = Problem(f"{SHOP} Microsoft.Compute/disks/read", "AuthorizationFailed", fatal=True)
    assert found(row(), problems=[refused]) == []
    elsewhere = Problem(f"{guid(2)} Microsoft.Compute/disks/read", "no", fatal=True)
    told = Problem(f"{SHOP} westeurope Microsoft.Compute/skus/read", "no")
    assert len(found(row(), problems=[elsewhere, told])) == 1


def test_what_is_in_a_subscription_that_shows_nothing_is_unseen() -> None:
    old = row(SubAccountId=guid(2))
    assert found(old, unseen={guid(2)}) == [old | {"x_State": "unseen", "x_ObservedAt": None}]
    told_before = row(SubAccountId=guid(2), x_State="unseen")
    terminated = row(SubAccountId=guid(2), x_State="terminated")
    assert found(told_before, terminated, unseen={guid(2)}) == []
    assert found(row(x_State="unseen"))[0]["x_State"] == "terminated"  # it is seen, and not there

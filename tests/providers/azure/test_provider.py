"""The provider as a whole: what it gives, and what it takes from the lake."""

from __future__ import annotations

import pyarrow as pa

from costopt import schema
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Checked, Known, Paid, Resuming
from tests.fakes.azure_arm import forbidding
from tests.fakes.azure_cloud import populate


def provider(azure, **more: object) -> AzureProvider:
    return AzureProvider(AzureSettings(**{"endpoint": azure.url, "max_attempts": 1, **more}))


def test_it_is_built_without_a_call(azure) -> None:
    made = provider(azure)
    assert isinstance(made, Resuming)
    assert isinstance(made, Paid)
    assert isinstance(made, Checked)
    assert azure.door.calls == []


def test_resources_and_shapes_cost_one_look(azure) -> None:
    populate(azure, azure.subscription("shop"))
    made = provider(azure)
    assert made.resources().num_rows == made.resources().num_rows > 10
    asked = len(azure.door.calls)
    assert made.shapes().column("x_NotOfferedIn").null_count == 7  # Dsv5 and Esv5
    assert len(azure.door.calls) == asked
    assert made.problems == []


def test_what_the_lake_holds_and_is_no_longer_listed_is_terminated(azure) -> None:
    name = azure.subscription("shop")
    ids = populate(azure, name)
    known = provider(azure).resources().to_pylist(maps_as_pydicts="strict")
    del azure.things[ids["web"].lower()]
    later = provider(azure)
    later.resume(Known(resources=known))
    states = {row["ResourceId"]: row["x_State"] for row in later.resources().to_pylist()}
    assert {one for one, state in states.items() if state == "terminated"} == {ids["web"].lower()}
    assert len(states) == len(known)

    azure.door.rules.append(forbidding(action="Microsoft.Compute/disks/read"))
    unsure = provider(azure)
    unsure.resume(Known(resources=known))
    assert ids["web"].lower() not in unsure.resources().column("ResourceId").to_pylist()


def test_a_shape_of_the_users_own_stands(azure) -> None:
    populate(azure, azure.subscription("shop"))
    own = {"ProviderName": "azure", "x_InstanceType": "standard_d4s_v5", "x_vCPUs": 3.0}
    made = provider(azure)
    made.resume(Known(shapes=pa.Table.from_pylist([own], schema=schema.SHAPES)))
    names = made.shapes().column("x_InstanceType").to_pylist()
    assert "Standard_D4s_v5" not in names
    assert "Standard_D8s_v5" in names


def test_what_is_left_out_is_not_asked_for(azure) -> None:
    made = provider(azure, skip=("metrics", "charges", "prices"))
    assert made.prices().num_rows == 0
    assert azure.door.calls == []


def test_a_dry_run_says_what_there_is_and_asks_for_no_more(azure) -> None:
    populate(azure, azure.subscription("shop"))
    made = provider(azure, dry_run=True)
    estimate = made.estimate()
    assert estimate.usd > 0  # the metrics; the rest is free
    assert estimate.lines[:3] == ("in 1 subscription:", "Disk: 2", "IP address: 2")
    assert "Virtual machine: 10" in estimate.lines
    asked = len(azure.door.calls)
    assert list(made.metrics(None)) == list(made.charges(None)) == []
    assert len(azure.door.calls) == asked
    (metrics,) = provider(azure).estimate().lines
    assert metrics in estimate.lines
    assert provider(azure, skip=("metrics",)).estimate().lines == ()


def test_what_a_lost_subscription_held_is_unseen_until_it_is_seen_again(azure) -> None:
    azure.subscription("shop")
    old = azure.subscription("old")
    vm = azure.machine(old, "vm", "Standard_D4s_v5").lower()
    known = provider(azure).resources().to_pylist(maps_as_pydicts="strict")
    lost = azure.subscriptions.pop(old)

    def collected(known: list[dict[str, object]]) -> tuple[list[dict[str, object]], list[bool]]:
        made = provider(azure)
        made.resume(Known(resources=known))
        rows = made.resources().to_pylist(maps_as_pydicts="strict")
        return rows, [one.fatal for one in made.problems]

    rows, fatal = collected(known)
    assert [(row["ResourceId"], row["x_State"]) for row in rows] == [(vm, "unseen")]
    assert fatal == [True]
    assert collected(rows) == ([], [])  # told before
    azure.subscriptions[old] = lost
    again, fatal = collected(rows)
    assert [(row["ResourceId"], row["x_State"]) for row in again] == [(vm, "running")]
    assert fatal == []

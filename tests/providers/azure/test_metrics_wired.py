"""A tenant whose machines Azure Monitor measures: what the provider makes of both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from costopt.errors import ProviderError
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Known
from tests.fakes.azure_cloud import Tenant, populate
from tests.fakes.azure_monitor import Monitor
from tests.providers.aws.watching import Collected

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
"""Azure Monitor keeps 93 days: a fixed moment would be gone some day."""


@pytest.fixture
def monitor(azure: Tenant) -> Iterator[Monitor]:
    """Of what is in the tenant; the regions of scale sets are those of their sets."""
    made = Monitor(NOW + timedelta(hours=1))
    azure.door.services.insert(0, made.service)
    populate(azure, azure.subscription("shop"))
    for thing in azure.things.values():
        if thing["type"].lower().endswith("virtualmachines"):
            hardware = thing["properties"]["hardwareProfile"]
            made.add(thing["id"], memory=GIB[hardware["vmSize"].lower()])
    return made


GIB = {
    **{f"standard_d{vcpus}s_v5": 4 * vcpus for vcpus in (2, 4, 8)},
    "standard_e2s_v5": 16,
}


def _provider(azure: Tenant, **more: object) -> AzureProvider:
    given = {"endpoint": azure.url, "max_attempts": 1, "until": NOW, "days": 1, **more}
    return AzureProvider(AzureSettings(**given))


def _collected(provider: AzureProvider) -> Collected:
    return Collected(list(provider.metrics(None)), provider.problems, notes=provider.notes)


def test_every_machine_that_is_listed_is_measured(azure: Tenant, monitor: Monitor) -> None:
    provider = _provider(azure)
    collected = _collected(provider)
    listed = provider.resources().to_pylist()
    measured = {key[0] for key in collected.samples}
    assert measured == {row["ResourceId"] for row in listed if row["x_InstanceType"]}
    assert collected.problems == []
    types = {a.namespace for a in monitor.asked}
    assert len(types) == len(monitor.asked) == 2  # machines, and those of scale sets


def test_the_next_collect_asks_for_what_is_new_only(azure: Tenant, monitor: Monitor) -> None:
    first = _collected(_provider(azure, until=NOW - timedelta(hours=2)))
    monitor.asked.clear()
    second = _provider(azure)
    second.resume(first.held())
    later = _collected(second)
    assert min(a.start for a in monitor.asked) >= (NOW - timedelta(hours=3)).timestamp()
    whole = _collected(_provider(azure))
    begin = min(key[3] for key in whole.samples)
    before = {key: value for key, value in first.samples.items() if key[3] >= begin}
    assert before | later.samples == whole.samples


def test_a_machine_deallocated_long_ago_is_not_asked(azure: Tenant, monitor: Monitor) -> None:
    off = next(one for one in azure.things.values() if one["name"] == "off")
    statuses = off["properties"]["instanceView"]["statuses"]
    assert statuses[1]["code"] == "PowerState/deallocated"
    statuses[0]["time"] = (NOW - timedelta(days=3)).isoformat()
    provider = _provider(azure)
    _collected(provider)
    row = next(one for one in provider.resources().to_pylist() if one["ResourceName"] == "off")
    at = dict(row["x_Attributes"])["stopped_at"]
    assert datetime.fromisoformat(at) == NOW - timedelta(days=3)
    asked = {one for a in monitor.asked for one in a.ids}
    assert off["id"].lower() not in asked
    assert len(asked) > 5


def test_when_azure_took_away_a_spot_machine_is_not_known(azure: Tenant, monitor: Monitor) -> None:
    spot = next(one for one in azure.things.values() if one["name"] == "spot")
    spot["properties"]["instanceView"]["statuses"] = [
        {"code": "ProvisioningState/succeeded", "time": (NOW - timedelta(days=3)).isoformat()},
        {"code": "PowerState/deallocated"},
    ]
    provider = _provider(azure)
    _collected(provider)
    row = next(one for one in provider.resources().to_pylist() if one["ResourceName"] == "spot")
    assert row["x_State"] == "stopped"
    assert "stopped_at" not in dict(row["x_Attributes"])
    assert row["ResourceId"] in {one for a in monitor.asked for one in a.ids}


def test_a_window_and_nothing_known(azure: Tenant, monitor: Monitor) -> None:
    provider = _provider(azure, skip=("charges", "prices"))
    provider.resume(Known())
    assert provider.estimate().usd > 0
    assert isinstance(next(iter(provider.metrics(None))), pa.Table)


def test_above_the_limit_no_metric_is_asked_for(azure: Tenant, monitor: Monitor) -> None:
    provider = _provider(azure, max_api_cost=0)
    with pytest.raises(ProviderError, match="above the limit of") as caught:
        provider.estimate()
    assert "--max-api-cost" in str(caught.value.hint)
    assert list(provider.metrics(None)) == []
    assert monitor.asked == []
    assert provider.resources().num_rows > 5
    dry = _provider(azure, max_api_cost=0, dry_run=True)
    assert dry.estimate().usd > 0
    assert list(dry.metrics(None)) == []
    assert monitor.asked == []


def test_who_did_not_ask_what_it_costs_is_held_to_the_limit_too(
    azure: Tenant, monitor: Monitor
) -> None:
    with pytest.raises(ProviderError, match="above the limit of"):
        list(_provider(azure, max_api_cost=0).metrics(None))
    assert monitor.asked == []

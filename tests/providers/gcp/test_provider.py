"""The provider put together: what it offers, what it pays for, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from costopt.errors import ProviderError
from costopt.providers.base import Checked, Paid, Provider, Resuming
from costopt.providers.gcp import GcpProvider
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes import gcp_monitoring
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_monitoring import Monitoring

PROJECT = "shop-prod-1"
MACHINE = f"//compute.googleapis.com/projects/{PROJECT}/zones/europe-west1-b/instances/web-1"


@pytest.fixture
def monitored(gcp: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monitoring]:
    """One machine, measured."""
    made = gcp.project(PROJECT).instance("web-1")
    series = gcp_monitoring.machine(PROJECT, str(made["id"]))
    with gcp_monitoring.served(Monitoring(datetime.now(UTC), series)) as url:
        monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", url)
        yield Monitoring(datetime.now(UTC), series)


def provider(**more: Any) -> GcpProvider:
    return GcpProvider(GcpSettings(**{"project": (PROJECT,), "days": 1, "max_attempts": 1, **more}))


def test_it_keeps_all_four_contracts() -> None:
    made = provider()
    assert made.name == "gcp"
    as_provider: Provider = made
    assert as_provider.problems == []
    assert isinstance(made, Resuming)
    assert isinstance(made, Paid)
    assert isinstance(made, Checked)


def test_samples_belong_to_the_machines_that_are_listed(monitored: Monitoring) -> None:
    made = provider()
    assert made.resources().column("ResourceId").to_pylist() == [MACHINE]
    tables = list(made.metrics(None))
    found = {(row["ResourceId"], row["MetricName"]) for t in tables for row in t.to_pylist()}
    assert (MACHINE, "cpu_utilization") in found
    assert {resource for resource, _ in found} == {MACHINE}
    assert made.problems == []


def test_the_paid_calls_wait_for_leave(monitored: Monitoring) -> None:
    made = provider(max_api_cost=0, days=730)
    with pytest.raises(ProviderError, match=r"above the limit of \$0.00: ") as caught:
        made.estimate()
    assert "--max-api-cost" in str(caught.value.hint)
    assert list(made.metrics(None)) == []


def test_a_dry_run_pays_for_nothing(monitored: Monitoring) -> None:
    made = provider(max_api_cost=0, dry_run=True, days=730)
    told = made.estimate()
    assert told.usd > 0
    assert told.lines[-1] == "dry run: none of these calls is made"
    assert list(made.metrics(None)) == []
    assert made.resources().num_rows == 1


def test_metrics_can_be_left_out(gcp: Cloud) -> None:
    gcp.project(PROJECT).instance("web-1")
    made = provider(skip=("metrics",))  # nobody serves Cloud Monitoring here
    assert made.estimate().usd == 0
    assert list(made.metrics(None)) == []


def test_everything_is_listed_once(gcp: Cloud) -> None:
    gcp.project(PROJECT).instance("web-1")
    made = provider()
    first = made.resources()
    made.shapes()
    assert made.resources().equals(first)
    assert set(gcp.rest.counted().values()) == {1}


def test_prices_are_of_the_types_that_are_listed(gcp: Cloud) -> None:
    """Also of a type of one's own making."""
    project = gcp.project(PROJECT)
    project.instance("web-1", machine_type="n2-standard-4")
    project.instance("shop-1", machine_type="n2-custom-2-4096")
    for name, price in (("N2", "0.03"), ("N2 Custom", "0.04")):
        gcp.catalogue.add(f"{name} Instance Core running in Belgium", price, "europe-west1")
        gcp.catalogue.add(f"{name} Instance Ram running in Belgium", "0.005", "europe-west1")
    made = provider()
    found = {row["x_InstanceType"]: row["ListUnitPrice"] for row in made.prices().to_pylist()}
    assert found["n2-standard-4"] == Decimal("0.2")
    assert found["n2-custom-2-4096"] == Decimal("0.1")
    assert {name.split("-")[0] for name in found} == {"n2"}
    assert made.problems == []
    assert provider(skip=("prices",)).prices().num_rows == 0

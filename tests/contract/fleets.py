"""A small working fleet of each provider, for the obligations that all of them share.

Each is a context: while it is open, the providers that it makes find their cloud on loopback. What
a test does to the cloud in between (throttling, refusing) it does by the clouds' own fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt.providers.aws import AwsProvider
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Provider
from costopt.providers.demo import DemoProvider
from costopt.providers.files import FilesProvider, FilesSettings
from costopt.providers.gcp import GcpProvider
from costopt.providers.gcp.settings import GcpSettings
from costopt.providers.prometheus import PrometheusProvider
from costopt.providers.prometheus.settings import PrometheusSettings
from tests.fakes import (
    aws_account,
    aws_cloud,
    azure_cloud,
    azure_export,
    azure_monitor,
    azure_retail,
    bill_export,
    gcp_catalogue,
    gcp_cloud,
    gcp_export,
    gcp_monitoring,
    prometheus,
)
from tests.frame.test_bill import SOUND

Build = Callable[[Path], Provider]
"""A provider that has read nothing yet; the folder is its own, and may hold what an earlier one
wrote there."""

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
"""Clouds keep five minutes for some weeks: a fixed moment would be gone some day."""


@contextmanager
def files() -> Iterator[Build]:
    """Three machines in CSV."""
    noon = datetime(2024, 7, 1, 12, tzinfo=UTC)
    lines = "".join(
        f"i-{n % 3},{(noon + timedelta(minutes=5 * n)).isoformat()},{n % 90},{n % 70}\n"
        for n in range(900)
    )
    texts = {
        "resources": "ProviderName,ResourceId,vcpus\nAWS,i-0,2\nAWS,i-1,4\nAWS,i-2,8\n",
        "metrics": f"ResourceId,Timestamp,cpu_utilization,network_in\n{lines}",
        "charges": ",".join(SOUND)
        + "\n"
        + ",".join('"' + str(v or "").replace('"', '""') + '"' for v in SOUND.values()),
        "prices": "provider,instance_type,hourly_price,currency\nOnPrem,g1,0.05,USD\n",
        "shapes": "provider,instance_type,vcpus\nOnPrem,g1,1\n",
    }

    def build(folder: Path) -> Provider:
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text)
        return FilesProvider(FilesSettings(**{name: folder / f"{name}.csv" for name in texts}))

    yield build


@contextmanager
def demo() -> Iterator[Build]:
    """The built-in fleet, small."""
    yield lambda folder: DemoProvider(instances=12, days=8, seed=1)


@contextmanager
def aws() -> Iterator[Build]:
    """Two machines on a moto, and the demo's bill in a bucket."""
    with aws_cloud.cloud(NOW):
        aws_account.machines(aws_account.own(), "us-east-1", "m5.large", 2)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="bills")
        bill = pa.concat_tables(DemoProvider(instances=3, days=8).charges(None))
        months = pc.strftime(bill.column("BillingPeriodStart"), "%Y-%m")
        for month in set(months.to_pylist()):
            bill_export.data_export(
                lambda key, content: s3.put_object(Bucket="bills", Key=key, Body=content),
                "focus",
                month,
                [bill_export.focus_parquet(bill.filter(pc.equal(months, month)))],
            )
        yield lambda folder: AwsProvider(
            AwsSettings(
                region=("us-east-1",),
                days=2,
                until=NOW,
                export=("s3://bills/focus",),
                max_attempts=1,
            )
        )


@contextmanager
def azure() -> Iterator[Build]:
    """Two machines of a subscription, and the demo's bill in a folder."""
    with azure_cloud.cloud() as tenant:
        shop = tenant.subscription("shop")
        size = azure_cloud.sku("Standard_D4s_v5", "standardDSv5Family", 4, 16)
        tenant.sizes[azure_cloud.REGION] = [size]
        monitor = azure_monitor.Monitor(NOW)
        for n in range(2):
            monitor.add(tenant.machine(shop, f"web-{n}", "Standard_D4s_v5"))
        tenant.door.services.append(monitor.service)
        prices = azure_retail.behind(tenant.door)
        prices.items = azure_retail.around(azure_retail.item("Standard_D4s_v5", 0.23))
        bill = _demo_bill("Microsoft")
        months = pc.strftime(bill.column("BillingPeriodStart"), "%Y-%m")

        def build(folder: Path) -> Provider:
            def put(name: str, content: bytes) -> None:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)

            for month in set(months.to_pylist()):
                content = azure_export.focus_parquet(bill.filter(pc.equal(months, month)))
                azure_export.delivered(
                    put, "focus", month, [content], kind="FocusCost", suffix="snappy.parquet"
                )
            return AzureProvider(
                AzureSettings(
                    endpoint=tenant.url,
                    days=2,
                    until=NOW,
                    export=(str(folder / "focus"),),
                    max_attempts=1,
                )
            )

        yield build


@contextmanager
def gcp() -> Iterator[Build]:
    """Two machines of a project, and the demo's bill in a file."""
    with gcp_cloud.cloud() as made, pytest.MonkeyPatch.context() as patch:
        shop = made.project("shop-prod-1")
        machines = [shop.instance(f"web-{n}", machine_type="n2-standard-8") for n in range(2)]
        catalogue = gcp_catalogue.Catalogue()
        catalogue.add("N2 Instance Core running in Belgium", "0.034773", "europe-west1")
        catalogue.add("N2 Instance Ram running in Belgium", "0.004661", "europe-west1")
        catalogue.routes(made.rest)
        series = [
            one
            for machine in machines
            for one in gcp_monitoring.machine("shop-prod-1", str(machine["id"]), agent=True)
        ]
        lines = gcp_export.lines(_demo_bill("Google Cloud").to_pylist(maps_as_pydicts="strict"))
        with gcp_monitoring.served(gcp_monitoring.Monitoring(NOW, series)) as url:
            patch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", url)

            def build(folder: Path) -> Provider:
                export = folder / "export.parquet"
                export.write_bytes(gcp_export.parquet(lines))
                return GcpProvider(
                    GcpSettings(
                        project=("shop-prod-1",),
                        days=2,
                        until=NOW,
                        export=(str(export),),
                        max_attempts=1,
                    )
                )

            yield build


@contextmanager
def scraped() -> Iterator[Build]:
    """Two machines that a Prometheus knows, and what they cost."""
    with prometheus.serving(prometheus.small_fleet()) as server:
        until = datetime.fromtimestamp(prometheus.NOON, UTC)

        def build(folder: Path) -> Provider:
            hosts = folder / "hosts.yml"
            hosts.write_text(prometheus.HOSTS)
            settings = PrometheusSettings(url=server.url, until=until, hosts=hosts)
            return PrometheusProvider(settings)

        yield build


def _demo_bill(provider: str) -> pa.Table:
    bill = pa.concat_tables(DemoProvider(instances=20).charges(None))
    return bill.filter(pc.equal(bill.column("ProviderName"), provider))


FLEETS = {
    "aws": aws,
    "azure": azure,
    "demo": demo,
    "files": files,
    "gcp": gcp,
    "prometheus": scraped,
}

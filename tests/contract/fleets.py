"""A small working fleet of each provider, for the obligations that all of them share.

Each is a context: while it is open, the providers that it makes find their cloud on loopback. What
a test does to the cloud in between (throttling, refusing) it does by the clouds' own fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

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
    aws_front,
    aws_wire,
    azure_arm,
    azure_cloud,
    azure_export,
    azure_monitor,
    azure_retail,
    bill_export,
    gcp_catalogue,
    gcp_cloud,
    gcp_export,
    gcp_monitoring,
    gcp_rest,
    prometheus,
)
from tests.frame.test_bill import SOUND


class Refusal(NamedTuple):
    """One part of several that is refused."""

    named: str  # what the problem has to name
    lost: Callable[[Mapping[str, Any]], bool]  # whether a packed row is of that part


@dataclass(frozen=True)
class Fleet:
    """A provider's working cloud, and what a test may do to it."""

    build: Callable[..., Provider]
    """A provider that has read nothing yet, of a folder of its own, which may hold what an earlier
    one wrote there; further settings by name."""
    empty: Callable[[Path], Provider] | None = None
    """One that is let in and finds nothing; None = there is no such thing."""
    throttle: Callable[[], None] | None = None
    """Refuses bursts of the next calls, each with a word on when to come again; None = no calls."""
    refuse: Callable[[], Refusal] | None = None
    """Refuses one part of several; None = there are none."""
    many: Callable[[Path, str, int], dict[str, Any]] | None = None
    """Settings (arguments, where it has none) of one that finds so many machines; "resources" or
    "metrics" is what will be asked for."""
    lost_if_empty: bool = False
    """Whether finding nothing is an error."""
    crowd: int = 10_000
    """How many are many resources: fewer where the fake is slow."""
    mend: Callable[[], None] = lambda: None
    """All as it was."""


NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
"""Clouds keep five minutes for some weeks: a fixed moment would be gone some day."""


@contextmanager
def files() -> Iterator[Fleet]:
    """Three machines in CSV."""
    noon = datetime(2024, 7, 1, 12, tzinfo=UTC)
    lines = "".join(
        f"i-{n % 3},{(noon + timedelta(minutes=5 * (n // 3))).isoformat()},{n % 90},{n % 70}\n"
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

    def written(folder: Path, texts: Mapping[str, str]) -> Provider:
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text)
        return FilesProvider(FilesSettings(**{name: folder / f"{name}.csv" for name in texts}))

    heads = {name: text.partition("\n")[0] + "\n" for name, text in texts.items()}

    def many(folder: Path, part: str, count: int) -> dict[str, Any]:
        head, *_ = texts[part].splitlines()
        moments = [noon + timedelta(minutes=5 * n) for n in range(288)]
        rows = {
            "resources": lambda n: f"AWS,i-{n},2\n",
            "metrics": lambda n: "".join(f"i-{n},{at.isoformat()},{n % 90},7\n" for at in moments),
        }
        with (folder / f"{part}-{count}.csv").open("w") as file:
            file.write(f"{head}\n")
            file.writelines(rows[part](n) for n in range(count))
        return {part: file.name}

    yield Fleet(
        build=lambda folder, **more: written(folder, texts),
        many=many,
        empty=lambda folder: written(folder, heads),
    )


@contextmanager
def demo() -> Iterator[Fleet]:
    """The built-in fleet, small."""
    yield Fleet(
        build=lambda folder, **more: DemoProvider(instances=12, days=8, seed=1),
        many=lambda folder, part, count: {"instances": count, "days": 1},
    )


@contextmanager
def aws() -> Iterator[Fleet]:
    """Two machines of two regions on a moto, and the demo's bill in a bucket."""
    regions = ("eu-west-1", "us-east-1")
    with aws_cloud.cloud(NOW) as made:
        for region in regions:
            aws_account.machines(aws_account.own(), region, "m5.large")
        ec2 = boto3.client("ec2", region_name=regions[0])
        far = {one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]}
        far |= {one["Attachments"][0]["InstanceId"] for one in ec2.describe_volumes()["Volumes"]}
        _in_a_bucket(pa.concat_tables(DemoProvider(instances=3, days=8).charges(None)))
        given = {"days": 2, "until": NOW, "max_attempts": 1}

        def build(folder: Path, **more: Any) -> Provider:
            asked = {"region": regions, "export": ("s3://bills/focus",), **given, **more}
            return AwsProvider(AwsSettings(**asked))

        def throttle() -> None:
            left = [503]

            def rule(call: aws_front.Call) -> aws_front.Answer | None:
                if call.service != "ec2" or not left:
                    return None
                return aws_front.refused(call, "RequestLimitExceeded", "Slow down.", left.pop())

            made.front.rules.insert(0, rule)
            # of one: when botocore gives up, seconds go by
            made.metrics.throttled = _bursts(len(made.metrics.asked), 1)

        def refuse() -> Refusal:
            made.front.rules.insert(
                0,
                lambda call: (
                    aws_front.refused(call, "UnauthorizedOperation", "Not for you.")
                    if call.region == regions[0]
                    else None
                ),
            )
            return Refusal(regions[0], lambda row: row["ResourceId"] in far)

        def mend() -> None:
            made.ordinary()
            made.metrics.throttled = lambda number: False

        def many(folder: Path, part: str, count: int) -> dict[str, Any]:
            listed = aws_wire.paged_instances([f"i-{n:017x}" for n in range(count)])
            region = "eu-west-2" if count < 100 else "eu-central-1"
            made.front.rules.insert(0, lambda call: listed(call) if call.region == region else None)
            return {**given, "days": 1, "region": [region]}

        def empty(folder: Path) -> Provider:
            return AwsProvider(AwsSettings(**given, region=("eu-west-3",)))

        yield Fleet(build, empty, throttle, refuse, many, mend=mend)


def _in_a_bucket(bill: pa.Table) -> None:
    """An export of the bill, a file a month."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bills")
    months = pc.strftime(bill.column("BillingPeriodStart"), "%Y-%m")
    for month in set(months.to_pylist()):
        bill_export.data_export(
            lambda key, content: s3.put_object(Bucket="bills", Key=key, Body=content),
            "focus",
            month,
            [bill_export.focus_parquet(bill.filter(pc.equal(months, month)))],
        )


@contextmanager
def azure() -> Iterator[Fleet]:
    """Two machines of two subscriptions, and the demo's bill in a folder."""
    with azure_cloud.cloud() as tenant:
        shop, bank, bare = (tenant.subscription(name) for name in ("shop", "bank", "bare"))
        size = azure_cloud.sku("Standard_D4s_v5", "standardDSv5Family", 4, 16)
        tenant.sizes[azure_cloud.REGION] = [size]
        monitor = azure_monitor.Monitor(NOW, retry_after="0.01")
        for subscription in (shop, bank):
            monitor.add(tenant.machine(subscription, "web", "Standard_D4s_v5"))
        tenant.door.services.append(monitor.service)
        prices = azure_retail.behind(tenant.door)
        prices.items = azure_retail.around(azure_retail.item("Standard_D4s_v5", 0.23))
        bill = _demo_bill("Microsoft")
        given = {"endpoint": tenant.url, "days": 2, "until": NOW, "max_attempts": 1}

        def build(folder: Path, **more: Any) -> Provider:
            _in_a_folder(bill, folder)
            asked = {"subscription": (shop, bank), "export": (str(folder / "focus"),)}
            return AzureProvider(AzureSettings(**asked, **{**given, **more}))

        def throttle() -> None:
            tenant.door.rules.append(azure_arm.throttling(4))
            burst = _bursts(len(monitor.asked))
            monitor.refuses = lambda asked, number: 429 * burst(number)

        def refuse() -> Refusal:
            tenant.door.rules.append(azure_arm.forbidding(bank))
            return Refusal(bank, lambda row: f"/{bank}/" in row["ResourceId"])

        def mend() -> None:
            tenant.door.reset()
            tenant.door.pages.size = 2  # as fakes have it: many pages
            monitor.refuses = lambda asked, number: 0

        def many(folder: Path, part: str, count: int) -> dict[str, Any]:
            crowd = tenant.subscription(f"crowd-{count}")
            for n in range(count):
                monitor.add(tenant.machine(crowd, f"web-{n}", "Standard_D4s_v5"))
            tenant.door.pages.size = 500
            return {**given, "days": 1, "subscription": [crowd]}

        def empty(folder: Path) -> Provider:
            return AzureProvider(AzureSettings(**given, subscription=(bare,)))

        yield Fleet(build, empty, throttle, refuse, many, mend=mend)


def _in_a_folder(bill: pa.Table, folder: Path) -> None:
    """An export of the bill, a file a month."""

    def put(name: str, content: bytes) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    months = pc.strftime(bill.column("BillingPeriodStart"), "%Y-%m")
    for month in set(months.to_pylist()):
        content = azure_export.focus_parquet(bill.filter(pc.equal(months, month)))
        azure_export.delivered(
            put, "focus", month, [content], kind="FocusCost", suffix="snappy.parquet"
        )


@contextmanager
def gcp() -> Iterator[Fleet]:
    """Two machines of two projects, and the demo's bill in a file."""
    with gcp_cloud.cloud() as made, pytest.MonkeyPatch.context() as patch:
        names = ("shop-prod-1", "bank-prod-1")
        series = []
        for project in (made.project(name) for name in names):
            machine = project.instance("web", machine_type="n2-standard-8")
            series += gcp_monitoring.machine(project.project_id, str(machine["id"]), agent=True)
        made.project("bare-prod-1")
        catalogue = gcp_catalogue.Catalogue()
        catalogue.add("N2 Instance Core running in Belgium", "0.034773", "europe-west1")
        catalogue.add("N2 Instance Ram running in Belgium", "0.004661", "europe-west1")
        catalogue.routes(made.rest)
        bill = gcp_export.parquet(
            gcp_export.lines(_demo_bill("Google Cloud").to_pylist(maps_as_pydicts="strict"))
        )
        service = gcp_monitoring.Monitoring(NOW, series, retry_after=0.01)
        given = {"days": 2, "until": NOW, "max_attempts": 1}

        def build(folder: Path, **more: Any) -> Provider:
            export = folder / "export.parquet"
            export.write_bytes(bill)
            asked = {"project": names, "export": (str(export),), **given, **more}
            return GcpProvider(GcpSettings(**asked))

        def throttle() -> None:
            said = gcp_rest.error(429, "Slow down.", "rateLimitExceeded", headers=_SOON)
            made.fail("compute", said, times=3)
            made.fail("cloudbilling", said, times=2)
            service.throttled = _bursts(len(service.asked))

        def refuse() -> Refusal:
            made.refuse(names[1])
            service.denied = lambda project: project == names[1]
            return Refusal(names[1], lambda row: f"/{names[1]}/" in row["ResourceId"])

        def mend() -> None:
            made.rest.rules.clear()
            service.throttled = lambda number: False
            service.denied = lambda project: False

        def many(folder: Path, part: str, count: int) -> dict[str, Any]:
            crowd = made.project(f"crowd-{count}")
            for n in range(count):
                machine = crowd.instance(f"web-{n}", machine_type="n2-standard-8")
                if part == "metrics":
                    service.series += gcp_monitoring.machine(crowd.project_id, str(machine["id"]))
            return {**given, "days": 1, "project": [crowd.project_id]}

        def empty(folder: Path) -> Provider:
            return GcpProvider(GcpSettings(**given, project=("bare-prod-1",)))

        with gcp_monitoring.served(service) as url:
            patch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", url)
            yield Fleet(build, empty, throttle, refuse, many, mend=mend)


@contextmanager
def scraped() -> Iterator[Fleet]:
    """Two machines that a Prometheus knows, and what they cost."""
    bare = prometheus.Scripted()
    with ExitStack() as open_ones:
        server, _ = (
            open_ones.enter_context(prometheus.serving(one))
            for one in (prometheus.small_fleet(), bare)
        )
        until = datetime.fromtimestamp(prometheus.NOON, UTC)

        def build(folder: Path, **more: Any) -> Provider:
            hosts = folder / "hosts.yml"
            hosts.write_text(prometheus.HOSTS)
            settings = {"url": server.url, "until": until, "hosts": hosts, **more}
            return PrometheusProvider(PrometheusSettings(**settings))

        def throttle() -> None:
            burst = _bursts(len(server.asked))
            busy = prometheus.Reply(429, b"too many requests", _SOON)
            server.reply = lambda asked: busy if burst(len(server.asked)) else None

        def refuse() -> Refusal:
            closed = prometheus.Reply(403, b"not for you")
            metric = "receive_bytes"
            server.reply = lambda asked: (
                closed
                if asked.path.endswith("query_range") and metric in asked.form["query"]
                else None
            )
            return Refusal("network_in", lambda row: row["MetricName"] == "network_in")

        def mend() -> None:
            server.reply = lambda asked: None

        def many(folder: Path, part: str, count: int) -> dict[str, Any]:
            crowd = open_ones.enter_context(prometheus.serving(prometheus.small_fleet(count)))
            return {"url": crowd.url, "until": until, "days": 1}

        def empty(folder: Path) -> Provider:
            return PrometheusProvider(PrometheusSettings(url=bare.url, until=until))

        yield Fleet(build, empty, throttle, refuse, many, True, 2_500, mend)


_SOON = {"Retry-After": "0"}


def _bursts(now: int, length: int = 2) -> Callable[[int], bool]:
    """Whether the request of a number is turned away: the next ones, and as many a little later."""
    return lambda number: 0 <= number - now < 8 and (number - now) % 4 < length


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

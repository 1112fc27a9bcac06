"""One machine by all its names, and Kubernetes nodes as the machines that a cloud bills."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.frame.inventory import present
from costopt.lake.held import held
from costopt.lake.store import Lake
from costopt.pipeline import collect
from costopt.providers.files import FilesProvider, FilesSettings
from costopt.providers.prometheus import PrometheusProvider, PrometheusSettings
from costopt.providers.prometheus.kubernetes import nodes
from costopt.providers.prometheus.names import Names, host
from tests.fakes.prometheus import DAY, NOON, Scripted, Told, serving

NODE = "ip-10-0-1-7.eu-west-1.compute.internal"
INFO = {
    "node": NODE,
    "internal_ip": "10.0.1.7",
    "provider_id": "aws:///eu-west-1a/i-0123456789abcdef0",
}
LABELS = {
    "node": NODE,
    "label_node_kubernetes_io_instance_type": "m6i.2xlarge",
    "label_topology_kubernetes_io_region": "eu-west-1",
    "label_eks_amazonaws_com_nodegroup": "workers",
    "label_eks_amazonaws_com_capacityType": "SPOT",
    "label_kubernetes_io_arch": "amd64",
}


@pytest.mark.parametrize(
    ("instance", "name"),
    [
        ("web-1:9100", "web-1"),
        ("10.0.0.1:9100", "10.0.0.1"),
        ("web-1", "web-1"),
        ("[fd00::1]:9100", "fd00::1"),
        ("fd00::1", "fd00::1"),
        ("https://x", "https://x"),
        ("", ""),
    ],
)
def test_the_host_of_an_instance(instance: str, name: str) -> None:
    assert host(instance) == name


@given(st.text(max_size=40))
def test_any_instance_has_a_host(instance: str) -> None:
    assert host(instance) in instance


def test_a_card_belongs_to_the_machine_that_its_exporter_names() -> None:
    names = Names("instance", {})
    target = {"instance": "10.0.0.5:9100", "job": "node"}
    names.learn([{**target, "nodename": "gpu-1.dc.example"}], [target])
    for given_name in ("gpu-1", "gpu-1.dc.example", "10.0.0.5"):
        labels = {"instance": "172.16.3.9:9400", "job": "dcgm", "Hostname": given_name}
        assert names.owner(labels, "dcgm") == "10.0.0.5"
    other = {"instance": "172.16.3.9:9400", "job": "dcgm", "Hostname": "gpu-2"}
    assert names.owner(other, "dcgm") == "gpu-2"


def test_a_name_that_two_machines_share_names_neither() -> None:
    names = Names("instance", {})
    targets = [{"instance": f"10.0.0.{n}:9100", "job": "node"} for n in (1, 2, 3)]
    names.learn([{**t, "nodename": "localhost"} for t in targets], targets)
    labels = {"instance": "172.16.3.9:9400", "Hostname": "localhost"}
    assert names.owner(labels, "dcgm") == "localhost"


def test_a_node_is_what_its_provider_bills() -> None:
    infos = [
        INFO,
        {"node": "gke-1", "provider_id": "gce://proj/europe-west4-b/gke-1"},
        {"node": "aks-1", "provider_id": "azure:///subscriptions/S/resourceGroups/r/providers/P/v"},
        {"node": "kind", "provider_id": "kind://docker/kind/node"},
    ]
    found = nodes(infos, [LABELS])
    aws = found[NODE]
    assert (aws.provider_name, aws.resource_id, aws.region_id, aws.instance_type) == (
        "AWS",
        "i-0123456789abcdef0",
        "eu-west-1",
        "m6i.2xlarge",
    )
    assert (aws.scaling_group, aws.spot, aws.architecture) == ("workers", True, "x86_64")
    gke = found["gke-1"]
    assert gke.resource_id == (
        "//compute.googleapis.com/projects/proj/zones/europe-west4-b/instances/gke-1"
    )
    assert gke.region_id == "europe-west4"
    assert found["aks-1"].resource_id == "/subscriptions/S/resourceGroups/r/providers/P/v"
    assert found["kind"].resource_id is None


def cluster() -> Scripted:
    """Two nodes without node_exporter; one is an EC2 instance."""
    kubelets = {
        NODE: {"instance": "10.0.1.7:10250", "job": "kubelet", "node": NODE, "id": "/"},
        "bare-1": {"instance": "10.0.1.8:10250", "job": "kubelet", "id": "/"},  # by its address
    }
    told = [Told("max by (instance", {}, lambda at: 30.0)]  # samples an hour
    told += [
        Told("kube_node_info", INFO, lambda at: 1.0),
        Told("kube_node_info", {"node": "bare-1", "internal_ip": "10.0.1.8"}, lambda at: 1.0),
        Told(
            "kube_node_status_capacity", {"node": "bare-1", "instance": "ksm:8080"}, lambda at: 8.0
        ),
        Told("kube_node_labels", LABELS, lambda at: 1.0),
    ]
    for labels in kubelets.values():
        told += [
            Told("machine_cpu_cores", labels, lambda at: 8.0),
            Told("machine_memory_bytes", labels, lambda at: 31.4 * 1024**3),
            Told("container_memory_working_set", labels, lambda at: 7.85),
            Told("container_cpu_usage", labels, lambda at: 2.0),
        ]
    names = ["kube_node_info", "kube_node_labels", "machine_cpu_cores", "machine_memory_bytes",
             "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"]  # fmt: skip
    return Scripted(told=told, names=names)


def provider(server: Scripted, **given: object) -> PrometheusProvider:
    until = datetime.fromtimestamp(NOON, UTC)
    settings = PrometheusSettings(url=server.url, until=until, days=1, **given)  # type: ignore[arg-type]
    return PrometheusProvider(settings)


def test_nodes_without_node_exporter_are_measured_by_the_kubelet() -> None:
    with serving(cluster()) as server:
        source = provider(server)
        rows = {row["ResourceId"]: row for row in source.resources().to_pylist()}
        table = pa.concat_tables(source.metrics(None))
    assert set(rows) == {"i-0123456789abcdef0", "bare-1"}
    cloud, bare = rows["i-0123456789abcdef0"], rows["bare-1"]
    assert (cloud["ProviderName"], cloud["RegionId"], cloud["x_InstanceType"]) == (
        "AWS",
        "eu-west-1",
        "m6i.2xlarge",
    )
    assert (cloud["x_PricingCategory"], cloud["x_ScalingGroup"]) == ("Dynamic", "workers")
    assert (bare["ProviderName"], bare["x_vCPUs"], bare["x_MemoryGiB"]) == ("OnPrem", 8.0, 32.0)
    values = {(row["ResourceId"], row["MetricName"]): row["Value"] for row in table.to_pylist()}
    for unique in rows:
        assert values[unique, "cpu_utilization"] == pytest.approx(25)  # 2 of 8 cores
        assert values[unique, "memory_utilization"] == pytest.approx(25)  # 7.85 of 31.4 GiB
    assert table.num_rows == 2 * 2 * DAY // 600  # scraped every two minutes: ten for a period
    assert [p.where for p in source.problems] == ["Kubernetes nodes"]


def _cloud(folder: Path) -> FilesProvider:
    """The node as its cloud's own collect lists it."""
    path = folder / "resources.csv"
    path.write_text(
        "ProviderName,SubAccountId,RegionId,ResourceId,ResourceType,x_InstanceType,x_vCPUs,x_State\n"
        "AWS,123456789012,eu-west-1,i-0123456789abcdef0,Instance,m6i.2xlarge,8,running\n"
    )
    return FilesProvider(FilesSettings(resources=path))


def _node_rows(lake: Lake) -> list[dict[str, object]]:
    rows = lake.read("resources").to_pylist()
    return [row for row in rows if row["ResourceId"] == "i-0123456789abcdef0"]


def test_a_node_that_its_cloud_lists_has_that_row_alone(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    collect(_cloud(tmp_path), lake)
    with serving(cluster()) as server:
        for _ in range(2):
            source = provider(server)
            collect(source, lake)
            assert source.problems == []
    (row,) = _node_rows(lake)
    assert row["ResourceType"] == "Instance"
    measured = {series.resource_id for series in held(lake)}
    assert measured == {"i-0123456789abcdef0", "bare-1"}  # its samples stand under the cloud's id


def test_the_cloud_s_own_row_takes_the_place_of_ours_for_good(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with serving(cluster()) as server:
        for turn in range(3):
            source = provider(server)
            collect(source, lake)
            assert [p.where for p in source.problems] == (["Kubernetes nodes"] if turn == 0 else [])
            collect(_cloud(tmp_path), lake)
    assert [row["ResourceType"] for row in _node_rows(lake)] == ["Kubernetes node", "Instance"]
    now = present(lake.read("resources"), datetime.now(UTC), "UTC")["i-0123456789abcdef0"]
    assert now.sub_account_id == "123456789012"
    assert now.resized_at is None  # the same size, told by another: its past counts


def test_cards_without_their_memory_are_cards_all_the_same() -> None:
    """Unseen, their machine would be sized by its CPU alone."""
    card = {"instance": "gpu-1:9400", "UUID": "GPU-1", "modelName": "NVIDIA L4"}
    told = [
        Told("max by (instance", {}, lambda at: 60.0),
        Told("DCGM_FI_DEV_GPU_UTIL{} * 0", card, lambda at: 1e8),
        Told("DCGM_FI_DEV_", card, lambda at: 0.0),
    ]
    with serving(Scripted(told=told, names=["DCGM_FI_DEV_GPU_UTIL"])) as server:
        (row,) = provider(server).resources().to_pylist()
    assert (row["ResourceId"], row["x_GPUModel"], row["x_GPUCount"]) == ("gpu-1", "L4", 1)
    assert row["x_GPUMemoryGiB"] is None

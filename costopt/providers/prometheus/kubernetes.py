"""Kubernetes nodes as kube-state-metrics tells of them, and which machine of a cloud each is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from costopt.providers.prometheus.queries import Labels

_ARCHITECTURES: Final[Mapping[str, str]] = {
    "amd64": "x86_64",
    "x86_64": "x86_64",
    "arm64": "arm64",
    "aarch64": "arm64",
}
# kube-state-metrics writes label a.b/c-d as label_a_b_c_d, and only those it is told to
# (--metric-labels-allowlist); the older names are of Kubernetes before 1.17.
_TYPE: Final = ("node_kubernetes_io_instance_type", "beta_kubernetes_io_instance_type")
_REGION: Final = ("topology_kubernetes_io_region", "failure_domain_beta_kubernetes_io_region")
_ARCHITECTURE: Final = ("kubernetes_io_arch", "beta_kubernetes_io_arch")
_GROUP: Final = (
    "eks_amazonaws_com_nodegroup",
    "karpenter_sh_nodepool",
    "cloud_google_com_gke_nodepool",
    "kubernetes_azure_com_agentpool",
    "agentpool",
)
_SPOT: Final = {
    "eks_amazonaws_com_capacityType": "SPOT",
    "eks_amazonaws_com_capacitytype": "SPOT",
    "karpenter_sh_capacity_type": "spot",
    "cloud_google_com_gke_spot": "true",
    "kubernetes_azure_com_scalesetpriority": "spot",
}
_AWS: Final = re.compile(r"aws:///([a-z0-9-]+)/(i-[0-9a-f]+)")
_GCE: Final = re.compile(r"gce://([^/]+)/([^/]+)/([^/]+)")
_AZURE: Final = re.compile(r"azure://(/subscriptions/.+)")


@dataclass(frozen=True, slots=True)
class Node:
    """One node."""

    name: str
    address: str  # its internal IP; "" = not told
    provider_name: str | None  # AWS | GCP | Azure; None = a machine of one's own, or not told
    resource_id: str | None  # as the provider's bill names it
    region_id: str | None
    instance_type: str | None
    architecture: str | None
    scaling_group: str | None
    spot: bool


def nodes(infos: Iterable[Labels], labels: Iterable[Labels]) -> dict[str, Node]:
    """Every node by name.

    Args:
        infos: of kube_node_info.
        labels: of kube_node_labels; what is not exported stays unknown.
    """
    more: dict[str, dict[str, str]] = {}
    for one in labels:
        more.setdefault(name_of(one), {}).update(one)
    return {name: _node(name, one, more.get(name, {})) for one in infos if (name := name_of(one))}


def name_of(labels: Labels) -> str:
    """The node that a series of kube-state-metrics or the kubelet is about; "" = none.

    A scrape that does not honour labels keeps the series' own under exported_.
    """
    return labels.get("exported_node") or labels.get("node") or ""


def architecture(machine: str | None) -> str | None:
    """The catalogue's word for what uname or Kubernetes call it."""
    return _ARCHITECTURES.get((machine or "").casefold())


def _node(name: str, info: Labels, labels: Labels) -> Node:
    provider, unique, region = _cloud(info.get("provider_id", ""))
    return Node(
        name=name,
        address=info.get("internal_ip", ""),
        provider_name=provider,
        resource_id=unique,
        region_id=_first(labels, _REGION) or region,
        instance_type=_first(labels, _TYPE),
        architecture=architecture(_first(labels, _ARCHITECTURE)),
        scaling_group=_first(labels, _GROUP),
        spot=any(labels.get(f"label_{key}") == value for key, value in _SPOT.items()),
    )


def _first(labels: Labels, keys: Iterable[str]) -> str | None:
    return next((found for key in keys if (found := labels.get(f"label_{key}"))), None)


def _cloud(provider_id: str) -> tuple[str | None, str | None, str | None]:
    """Provider, ResourceId and region that a node's provider id names."""
    if found := _AWS.fullmatch(provider_id):
        region = re.match(r"[a-z]+(-[a-z]+)+-\d+", found[1])
        return "AWS", found[2], region[0] if region else None
    if found := _GCE.fullmatch(provider_id):
        project, zone, name = found.groups()
        unique = f"//compute.googleapis.com/projects/{project}/zones/{zone}/instances/{name}"
        return "GCP", unique, zone.rpartition("-")[0]
    if found := _AZURE.fullmatch(provider_id):
        return "Azure", found[1], None
    return None, None, None

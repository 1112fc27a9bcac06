"""What an id says a resource is: only ids go into files as identifiers, and only such as match."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from costopt.report.artefacts.schedules.base import Scheduled

_INSTANCE: Final = re.compile(
    r"(?:arn:aws[a-z-]*:ec2:[a-z0-9-]+:[0-9]{12}:instance/)?(?P<id>i-[0-9a-f]{8,17})"
)
_GROUP_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:autoscaling:[a-z0-9-]+:[0-9]{12}:autoScalingGroup:[0-9a-f-]+"
    r":autoScalingGroupName/(?P<name>.+)"
)
_GROUP_NAME: Final = re.compile(
    r"(?!arn:|i-[0-9a-f]{8,17}$)[ -9;-~]{1,255}"
)  # no colon, by the API
_AZURE: Final = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"/resourceGroups/(?P<group>[\w.()-]{1,90})"
    r"/providers/Microsoft\.Compute/(?P<kind>virtualMachines|virtualMachineScaleSets)"
    r"/(?P<name>[\w.-]{1,80})",
    re.IGNORECASE | re.ASCII,
)
_PROJECT: Final = (
    r"(?:[a-z0-9][a-z0-9.-]*\.[a-z][a-z0-9-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[1-9][0-9]{0,18}"
)
_GOOGLE: Final = re.compile(
    r"(?:(?://compute\.googleapis\.com|https://(?:www|compute)\.googleapis\.com/compute/v1)/)?"
    rf"projects/(?P<project>{_PROJECT})/(?P<scope>zone|region)s/(?P<place>[a-z0-9-]+)"
    r"/(?P<kind>instances|instanceGroupManagers)/(?P<name>[a-z0-9-]+)"
)
_WORD: Final = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_WORKLOAD: Final = re.compile(
    r"(?:/apis/apps/v1/namespaces/|(?:[^/\s]+/)?)"  # of the API's own path, else a cluster's name
    rf"(?P<namespace>{_WORD})/(?P<kind>(?i:deployment|statefulset|replicaset))s?"
    rf"/(?P<name>{_WORD})"
)
_KINDS: Final = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "replicaset": "ReplicaSet",
}


class AzureId(NamedTuple):
    """The parts of an ARM id."""

    subscription: str
    group: str
    name: str


class GoogleId(NamedTuple):
    """The parts of a Compute Engine resource's full name."""

    project: str
    scope: str  # "zone" or "region"
    place: str
    name: str

    @property
    def region(self) -> str:
        """The region: a zone's name less its last part."""
        return self.place if self.scope == "region" else self.place.rpartition("-")[0]


class Workload(NamedTuple):
    """A Kubernetes workload that can be scaled."""

    namespace: str
    kind: str  # Deployment
    name: str

    @property
    def resource(self) -> str:
        """deployments: the API's plural."""
        return f"{self.kind.lower()}s"


def ec2_instance(one: Scheduled) -> str | None:
    """i-0123456789abcdef0, of an EC2 instance's id or ARN."""
    found = _INSTANCE.fullmatch(one.resource_id)
    return found["id"] if found and not one.is_group else None


def auto_scaling_group(one: Scheduled) -> str | None:
    """An EC2 Auto Scaling group's name, of its name or ARN; a name has no controls and no colon."""
    if not one.is_group or one.provider != "aws" or workload(one):
        return None
    arn = _GROUP_ARN.fullmatch(one.resource_id)
    # a name that stands for groups of several places tells where, before the name itself
    plain = one.resource_id.removeprefix(f"{one.account}/{one.region}/")
    found = _GROUP_NAME.fullmatch(arn["name"] if arn else plain)
    return found[0] if found else None


def azure_machine(one: Scheduled) -> AzureId | None:
    """A virtual machine's ARM id in parts."""
    return None if one.is_group else _azure(one, "virtualmachines")


def scale_set(one: Scheduled) -> AzureId | None:
    """A virtual machine scale set's ARM id in parts."""
    return _azure(one, "virtualmachinescalesets") if one.is_group else None


def google_machine(one: Scheduled) -> GoogleId | None:
    """A Compute Engine instance's full name in parts."""
    return None if one.is_group else _google(one, "instances")


def instance_group(one: Scheduled) -> GoogleId | None:
    """A managed instance group's full name in parts, of a zone or a region."""
    return _google(one, "instanceGroupManagers") if one.is_group else None


def workload(one: Scheduled) -> Workload | None:
    """A workload: namespace/deployment/name, a cluster before it or not, or the API's own path."""
    found = _WORKLOAD.fullmatch(one.resource_id) if one.is_group else None
    if found is None:
        return None
    return Workload(found["namespace"], _KINDS[found["kind"].lower()], found["name"])


def _azure(one: Scheduled, kind: str) -> AzureId | None:
    found = _AZURE.fullmatch(one.resource_id)
    if found is None or found["kind"].lower() != kind:
        return None
    return AzureId(found["subscription"].lower(), found["group"], found["name"])


def _google(one: Scheduled, kind: str) -> GoogleId | None:
    found = _GOOGLE.fullmatch(one.resource_id)
    if found is None or found["kind"] != kind:
        return None
    return GoogleId(found["project"], found["scope"], found["place"], found["name"])

"""What keeps a machine alive, and what it may be standing by for."""

from __future__ import annotations

import pytest

from costopt.model import Resource, is_stopped
from costopt.rules.roles import controller, managed_service, standby_word


@pytest.mark.parametrize(
    ("state", "stopped"),
    [
        ("stopped", True),
        ("Stopped", True),
        ("TERMINATED", True),
        ("VM deallocated", True),
        ("PowerState/deallocated", True),
        ("running", False),
        ("PowerState/running", False),
        ("something new", False),
        (None, False),
    ],
)
def test_states_of_all_clouds(state: str | None, stopped: bool) -> None:
    assert is_stopped(Resource("a", "AWS", state=state)) is stopped


@pytest.mark.parametrize(
    ("tags", "group"),
    [
        ({"aws:autoscaling:groupName": "web"}, "aws:autoscaling:groupName web"),
        ({"kubernetes.io/cluster/prod": ""}, "kubernetes.io/cluster/prod"),
        ({"goog-gke-node": ""}, "goog-gke-node"),
        ({"aks-managed-poolName": "np1"}, "aks-managed-poolName np1"),
        ({"Name": "web", "note": "karpenter.sh/nodepool"}, None),
    ],
)
def test_controllers_by_their_tags(tags: dict[str, str], group: str | None) -> None:
    assert controller(Resource("a", "AWS", tags=tags)) == group


def test_a_scaling_group_is_named() -> None:
    assert controller(Resource("a", "AWS", scaling_group="asg-7")) == "scaling group asg-7"


@pytest.mark.parametrize(
    ("instance_type", "service", "managed"),
    [
        ("db.m5.large", None, "db.m5.large"),
        ("cache.r6g.large", "Amazon ElastiCache", "Amazon ElastiCache"),
        (None, "Amazon Relational Database Service", "Amazon Relational Database Service"),
        (None, "Cloud SQL", "Cloud SQL"),
        ("m5.large", "Amazon Elastic Compute Cloud", None),
        ("m5.large", None, None),
    ],
)
def test_managed_services(
    instance_type: str | None, service: str | None, managed: str | None
) -> None:
    resource = Resource("a", "AWS", instance_type=instance_type, service_name=service)
    assert managed_service(resource) == managed


@pytest.mark.parametrize(
    ("name", "tags", "word"),
    [
        ("db-7", {}, "db"),
        ("PG_Standby", {}, "pg"),
        ("web-3", {"role": "vpn gateway"}, "vpn"),
        ("web-3", {"db": "no"}, None),  # a key says what is asked, not what it is
        ("dbadmin", {}, None),
        ("adapter", {}, None),
        (None, {}, None),
    ],
)
def test_words_of_standing_by(name: str | None, tags: dict[str, str], word: str | None) -> None:
    assert standby_word(Resource("a", "AWS", resource_name=name, tags=tags)) == word

"""Scaling groups as cases: who belongs to which, and what they cost together."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from costopt.model import Resource
from costopt.rules.base import Case
from costopt.rules.groups import by_group, group_case, group_of
from tests.rules.builders import billed, case, samples

_VMSS = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/web"
_ZONE = "//compute.googleapis.com/projects/p/zones/europe-west4-a"


@pytest.mark.parametrize(
    ("resource_id", "more", "group"),
    [
        ("i-1", {}, "web"),
        (f"{_VMSS}/virtualMachines/3", {}, _VMSS),
        ("i-1", {"attributes": {"billed_as": _VMSS}}, _VMSS),
        (f"{_ZONE}/instances/web-1", {}, f"{_ZONE}/instanceGroupManagers/web"),
        ("i-1", {"scaling_group": None}, ""),
        ("vol-1", {"vcpus": None}, ""),
    ],
)
def test_a_members_group(resource_id: str, more: dict[str, Any], group: str) -> None:
    given = {"vcpus": 4.0, "scaling_group": "web", **more}
    assert group_of(Resource(resource_id, "AWS", **given)) == group


def _member(name: str, **resource: Any) -> Case:
    cost = billed("100", monthly="120", committed_share=0.5 if name == "a" else 0.0)
    return case(
        "g4", samples(28, 20.0), resource_id=name, cost=cost, scaling_group="web", **resource
    )


def test_one_name_in_two_regions_means_two_groups() -> None:
    members = [
        _member("b", region_id="r2"),
        _member("a", region_id="r1"),
        _member("c", region_id="r1"),
    ]
    found = by_group(members)
    assert {key: [m.resource.resource_id for m in some] for key, some in found.items()} == {
        "/r1/web": ["a", "c"],
        "/r2/web": ["b"],
    }


def test_a_group_costs_what_its_members_do_those_gone_by_now_too() -> None:
    gone = _member("c", state="terminated")
    members = [_member("a", tags={"app": "x", "n": "1"}), _member("b", tags={"app": "x", "n": "2"})]
    one = group_case("web", [*members, gone])
    assert one is not None
    assert one.replicas == 2
    assert one.cost is not None
    assert (one.cost.monthly, one.cost.compute) == (Decimal(360), Decimal(300))
    assert one.cost.committed_share == pytest.approx(50 / 300)
    assert one.resource.tags == {"app": "x"}
    assert one.resource.instance_type is None
    assert one.replica is not None
    assert one.replica.instance_type == "g4"
    assert group_case("web", [gone]) is None
    foreign = [members[0], replace(members[1], cost=billed("1", currency="EUR"))]
    other = group_case("web", foreign)
    assert other is not None
    assert other.cost is None

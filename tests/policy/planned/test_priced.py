"""What planned changes cost: each part has a price, or the reason why there is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from costopt.errors import InputError
from costopt.policy.planned import terraform
from costopt.policy.planned.priced import Priced, priced
from costopt.pricing.catalogue import Catalogue
from tests.policy.planned.plans import HERE, REAL, catalogue, change, plan


def one(*changes: dict[str, Any], **more: Any) -> Priced:
    """The first of them that changes."""
    return priced(plan(*changes, **more), catalogue())[0]


def amounts(found: Priced) -> tuple[str | None, str | None]:
    """Before and after, as text without zeros at the end."""
    told = (found.monthly_before, found.monthly)
    before, after = (None if one is None else f"{one.normalize():f}" for one in told)
    return before, after


GP3 = {"volume_type": "gp3", "volume_size": 100}
MACHINE = {"instance_type": "m5.large", "root_block_device": [GP3]}


def test_a_machine_with_its_disks_by_hand() -> None:
    """0.096 x 730 = 70.08; 100 GiB x 0.08 = 8."""
    found = one(change("aws_instance.a", after=MACHINE))
    assert amounts(found) == ("0", "78.08")
    assert found.unpriced == ()
    assert found.hourly == Decimal("0.106959")
    assert found.region == "us-east-1"


def test_another_size_and_the_end_of_one() -> None:
    larger = MACHINE | {"instance_type": "m5.xlarge"}
    found = one(change("aws_instance.a", "update", before=MACHINE, after=larger))
    assert amounts(found) == ("78.08", "148.16")
    assert found.difference == Decimal("70.08")
    gone = one(change("aws_instance.a", "delete", before=MACHINE))
    assert (amounts(gone), gone.difference) == (("78.08", "0"), Decimal("-78.08"))


def test_what_is_known_on_one_side_only_is_left_out_of_both() -> None:
    after = {"instance_type": "m5.xlarge"}
    found = one(
        change(
            "aws_instance.a",
            "delete create",
            before=MACHINE,
            after=after,
            unknown={"root_block_device": True},
        )
    )
    assert amounts(found) == ("70.08", "140.16")
    assert found.unpriced == ("root disk: its size is not known",)


@pytest.mark.parametrize(
    ("kind", "after", "why"),
    [
        ("aws_instance", {}, "machine: its type is not known"),
        ("aws_instance", {"instance_type": "m5.huge"},
         "machine: no list price of m5.huge in us-east-1 is known"),
        ("aws_instance", {"instance_type": "m5.large", "tenancy": "dedicated"},
         "machine: there is no list price of dedicated machines"),
        ("aws_instance",
         {"instance_type": "m5.large", "instance_market_options": [{"market_type": "spot"}]},
         "machine: spot has no list price"),
        ("aws_spot_instance_request", {"instance_type": "m5.large"},
         "machine: spot has no list price"),
        ("aws_ebs_volume", {"type": "gp2", "size": 8}, "disk: no list price of gp2 is known"),
        ("aws_ebs_volume", {"type": "gp3"}, "disk: its size is not known"),
        ("aws_ebs_volume", {"size": 8}, "disk: its type is not known"),
        ("aws_ebs_volume", {"type": "gp3", "size": 8, "iops": 4000},
         "disk: more IOPS or throughput is billed apart"),
        ("aws_ebs_volume", {"type": "gp3", "size": 8, "availability_zone": "mars-east-1a"},
         "disk: no list price of gp3 in mars-east-1 is known"),
        ("aws_eip", {}, "no list price of aws_eip is known"),
        ("aws_nat_gateway", {}, "no list price of aws_nat_gateway is known"),
        ("aws_db_instance", {"instance_class": "db.t3.micro"},
         "no list price of aws_db_instance is known"),
        ("aws_vpc_endpoint", {}, "no list price of aws_vpc_endpoint is known"),
        ("aws_eks_cluster", {}, "control plane: no list price of it is known"),
        ("azurerm_windows_virtual_machine",
         {"size": "Standard_D2s_v5", "location": "westeurope"},
         "machine: no list price of Standard_D2s_v5 with Windows in westeurope is known"),
        ("azurerm_linux_virtual_machine", {"size": "Standard_D2s_v5"},
         "machine: its region is not known"),
        ("azurerm_linux_virtual_machine",
         {"size": "Standard_D2s_v5", "location": "West Europe", "priority": "Spot"},
         "machine: spot has no list price"),
        ("google_compute_instance",
         {"machine_type": "n1-standard-4", "zone": "europe-west4-a",
          "guest_accelerator": [{"type": "nvidia-tesla-t4", "count": 1}]},
         "machine: no list price of cards that are added to a type is known"),
        ("google_compute_instance",
         {"machine_type": "n2-standard-4", "zone": "europe-west4-a",
          "scheduling": [{"preemptible": True}]},
         "machine: spot has no list price"),
        ("google_compute_region_instance_group_manager", {"region": "europe-west4"},
         "machine: its type is not known"),
        ("hcloud_server", {"server_type": "cx22"}, "no list price of hcloud_server is known"),
    ],
)  # fmt: skip
def test_what_has_no_price_says_why_and_is_not_nothing(
    kind: str, after: dict[str, Any], why: str
) -> None:
    found = one(change(f"{kind}.a", after=after))
    assert found.monthly is None
    assert found.difference is None
    assert found.unpriced[0] == why


@pytest.mark.parametrize(
    "kind", ["aws_iam_role", "aws_launch_template", "azurerm_subnet", "random_id", "aws_vpc"]
)
def test_what_costs_nothing_by_itself(kind: str) -> None:
    found = one(change(f"{kind}.a", after={}))
    assert (found.monthly, found.unpriced) == (0, ())


@pytest.mark.parametrize(
    ("after", "unknown", "region"),
    [
        ({"region": "eu-west-1", "availability_zone": "us-west-2b"}, {}, "eu-west-1"),
        ({"availability_zone": "us-west-2b"}, {}, "us-west-2"),
        ({"arn": "arn:aws:ec2:ap-south-1:1:instance/i-1"}, {}, "ap-south-1"),
        ({}, {"availability_zone": True, "arn": True}, "us-east-1"),
    ],
)
def test_regions(after: dict[str, Any], unknown: dict[str, Any], region: str) -> None:
    assert one(change("aws_instance.a", after=after, unknown=unknown)).region == region


GROUP = {"desired_capacity": 3, "min_size": 1}
TEMPLATE = {
    "name": "web",
    "instance_type": "m5.large",
    "block_device_mappings": [{"device_name": "/dev/xvda", "ebs": [GP3]}],
}
REFERENCE = [{"id": {"references": ["aws_launch_template.web.id", "aws_launch_template.web"]}}]


def made_of(*addresses: str) -> dict[str, Any]:
    resources = [
        {"address": address, "expressions": {"launch_template": REFERENCE}} for address in addresses
    ]
    region = {"aws": {"expressions": {"region": {"constant_value": "us-east-1"}}}}
    return {"provider_config": region, "root_module": {"resources": resources}}


def test_a_group_of_a_template_that_is_made_with_it() -> None:
    """3 x (70.08 + 8)."""
    found = one(
        change("aws_autoscaling_group.g", after=GROUP, unknown={"launch_template": [{"id": True}]}),
        change("aws_launch_template.web", after=TEMPLATE),
        configuration=made_of("aws_autoscaling_group.g"),
    )
    assert amounts(found) == ("0", "234.24")


def test_a_group_of_a_template_that_is_there_and_stays() -> None:
    known = TEMPLATE | {"id": "lt-1"}
    group = {"min_size": 2, "launch_template": [{"id": "lt-1"}]}
    found = one(
        change("aws_launch_template.web", "no-op", before=known, after=known),
        change("aws_autoscaling_group.g", after=group, unknown={"desired_capacity": True}),
    )
    assert amounts(found) == ("0", "156.16")


def test_of_several_templates_it_is_the_one_with_the_same_index() -> None:
    larger = TEMPLATE | {"instance_type": "m5.xlarge"}
    group = change('aws_autoscaling_group.g["b"]', after=GROUP)
    several = (
        change('aws_launch_template.web["a"]', after=TEMPLATE),
        change('aws_launch_template.web["b"]', after=larger),
    )
    configuration = made_of("aws_autoscaling_group.g")
    assert amounts(one(group, *several, configuration=configuration)) == ("0", "444.48")
    odd = change("aws_autoscaling_group.g[7]", after=GROUP)
    assert one(odd, *several, configuration=configuration).monthly is None


def test_a_template_of_another_module_is_not_taken() -> None:
    group = change("module.a.aws_autoscaling_group.g", after=GROUP)
    found = one(group, change("module.b.aws_launch_template.web", after=TEMPLATE))
    assert found.unpriced == ("machine: its type is not known",)


@pytest.mark.parametrize(
    ("group", "why"),
    [
        (GROUP | {"mixed_instances_policy": [{}, {"a": 1}]}, "machines of several types, or spot"),
        (GROUP | {"desired_capacity_type": "vcpu"}, "how many there are is not known"),
    ],
)
def test_groups_that_have_no_price(group: dict[str, Any], why: str) -> None:
    found = one(
        change("aws_autoscaling_group.g", after=group),
        change("aws_launch_template.web", after=TEMPLATE),
        configuration=made_of("aws_autoscaling_group.g"),
    )
    assert found.monthly is None
    assert found.unpriced[0] == f"machine: {why}"


@pytest.mark.parametrize(
    ("kind", "after", "where"),
    [
        ("aws_instance", {"instance_type": 7}, "after.instance_type: needs a text, not a number"),
        ("aws_ebs_volume", {"size": "big"}, "after.size: needs a number, not a text"),
        ("aws_ebs_volume", {"size": -1}, "after.size: needs a number from 0"),
        ("aws_ebs_volume", {"size": 1e300}, "after.size: needs a number from 0"),
        ("aws_ebs_volume", {"size": True}, "after.size: needs a number, not true or false"),
        ("aws_instance", {"root_block_device": [[1]]},
         "after.root_block_device.0: needs a block, not a list"),
        ("aws_instance", {"root_block_device": "x"}, "needs a list of blocks, not a text"),
        ("aws_eks_node_group", {"instance_types": {"a": 1}}, "needs a list, not an object"),
        ("aws_eks_node_group", {"instance_types": [1]}, "needs a list of texts, not a list"),
        ("google_compute_instance", {"scheduling": [{"preemptible": "yes"}]},
         "scheduling.0.preemptible: needs true or false, not a text"),
    ],
)  # fmt: skip
def test_attributes_of_another_kind_are_told_with_their_place(
    kind: str, after: dict[str, Any], where: str
) -> None:
    with pytest.raises(InputError) as caught:
        one(change(f"{kind}.a", after=after))
    assert f"plan.json: resource_changes.0 ({kind}.a).after" in str(caught.value)
    assert where in str(caught.value)


def test_a_scale_set_of_the_old_kind() -> None:
    """4 x 83.95."""
    sku = [{"name": "Standard_D2s_v5", "capacity": 4}]
    after = {"location": "westeurope", "sku": sku}
    found = one(change("azurerm_virtual_machine_scale_set.s", after=after))
    assert amounts(found) == ("0", "335.8")


def test_nodes_stand_where_their_cluster_stands() -> None:
    """Azure: 2 x 83.95. Google: a cluster of one zone and one beside it: 2 x 156.074."""
    nodes = {"vm_size": "Standard_D2s_v5", "node_count": 2, "kubernetes_cluster_id": "/c"}
    cluster = {"id": "/c", "location": "westeurope", "sku_tier": "Free"}
    stays = change("azurerm_kubernetes_cluster.c", "no-op", before=cluster, after=cluster)
    found = one(change("azurerm_kubernetes_cluster_node_pool.p", after=nodes), stays)
    assert amounts(found) == ("0", "167.9")
    nodes = {
        "cluster": "main",
        "node_count": 1,
        "node_config": [{"machine_type": "n2-standard-4"}],
    }
    cluster = {"name": "main", "location": "europe-west4-a", "node_locations": ["europe-west4-b"]}
    stays = change("google_container_cluster.c", "no-op", before=cluster, after=cluster)
    found = one(change("google_container_node_pool.p", after=nodes), stays)
    assert amounts(found) == ("0", "312.148")


BY_HAND = {
    # 2 x (0.096 x 730 + 100 x 0.08) = 156.16, volume 500 x 0.08 = 40, one m5.xlarge less: -140.16
    "aws": ("56", 1),
    # machine 0.115 x 730 = 83.95, scale set 3 x 83.95 = 251.85, disk 256 x 0.09 = 23.04
    "azure": ("358.84", 1),
    # machine 0.2138 x 730 + 50 x 0.11 = 161.574; nodes 2 x 3 x (156.074 + 100 x 0.11) = 1002.444
    "gcp": ("1164.018", 2),
}


@pytest.mark.parametrize(("name", "total", "unpriced"), [(k, *v) for k, v in BY_HAND.items()])
def test_whole_plans_by_hand(name: str, total: str, unpriced: int) -> None:
    found = priced(terraform.read(HERE / f"{name}.json"), catalogue())
    known = [one.difference for one in found if one.difference is not None]
    assert sum(known) == Decimal(total)
    assert len(found) - len(known) == unpriced


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/data/terraform_plans")
@pytest.mark.parametrize("version", ["0.12", "0.14"])
def test_real_machines_cost_what_infracost_says(version: str) -> None:
    """Six t3.nano more at 0.0052 an hour: 6 x 3.796, as the breakdown beside it has them (Instance
    usage). What it has beyond that has no list price here: gp2 root disks, whose size the plan
    does not tell either (it takes 8 GB), and the database."""
    plan_ = terraform.read(REAL / f"terraform_v{version}_plan.json")
    found = priced(plan_, Catalogue.load())
    machines = [one for one in found if one.planned.kind == "aws_instance"]
    assert sum(one.difference or 0 for one in machines) == Decimal("22.776")
    assert {one.unpriced for one in machines} == {("root disk: its size is not known",)}
    databases = [one for one in found if one.planned.kind == "aws_db_instance"]
    assert [one.monthly for one in databases] == [None, None]
    assert all(one.monthly == 0 for one in found if one not in (*machines, *databases))

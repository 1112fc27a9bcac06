"""Fills a moto account with one of each thing that the inventory lists, by boto3 over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import boto3

Clients = Callable[[str, str], Any]
"""(service, region) -> client of one account."""

MANAGEMENT = "123456789012"
"""The account of moto's ordinary credentials."""


def own() -> Clients:
    """Clients of the account that the environment's credentials are of."""
    return lambda service, region: boto3.client(service, region_name=region)


def member(account_id: str) -> Clients:
    """Clients of another account: moto keeps accounts apart by assumed role."""
    role = f"arn:aws:iam::{account_id}:role/filler"
    answer = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="filler")
    keys = answer["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return lambda service, region: session.client(service, region_name=region)


def organization(names: Iterable[str]) -> dict[str, str]:
    """Makes an organization with one member account a name; account ids by name."""
    client = boto3.client("organizations")
    client.create_organization(FeatureSet="ALL")
    made = {}
    for name in names:
        answer = client.create_account(AccountName=name, Email=f"{name}@example.com")
        made[name] = answer["CreateAccountStatus"]["AccountId"]
    return made


def machines(
    clients: Clients,
    region: str,
    instance_type: str,
    count: int = 1,
    tags: dict[str, str] | None = None,
    **more: object,
) -> list[str]:
    """Runs instances; their ids.

    Args:
        more: as RunInstances takes it.
    """
    ec2 = clients("ec2", region)
    given = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    answer = ec2.run_instances(
        ImageId=_image(ec2),
        InstanceType=instance_type,
        MinCount=count,
        MaxCount=count,
        TagSpecifications=[{"ResourceType": "instance", "Tags": given}] if given else [],
        **more,
    )
    return [instance["InstanceId"] for instance in answer["Instances"]]


def populate(clients: Clients, region: str) -> dict[str, str]:
    """One of each thing; ResourceIds by a nickname of ours. Root disks are not named."""
    ids = _machines(clients, region)
    ids |= _disks(clients("ec2", region), region, ids["web"])
    ids |= _network(clients("ec2", region), ids["web"])
    ids |= _balancers(clients, region, ids["web"])
    answer = clients("rds", region).create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.r5.large",
        Engine="postgres",
        AllocatedStorage=100,
        MultiAZ=True,
        Tags=[{"Key": "team", "Value": "shop"}],
    )
    return ids | {"database": answer["DBInstance"]["DBInstanceArn"]}


def _machines(clients: Clients, region: str) -> dict[str, str]:
    one = {
        "web": ("m5.xlarge", {"Name": "web", "aws:autoscaling:groupName": "asg-web"}, {}),
        "arm": ("m6g.large", {"Name": "arm"}, {"Monitoring": {"Enabled": True}}),
        "train": ("p4d.24xlarge", {"team": "ml"}, {}),
        "small": ("t3.micro", {}, {"Placement": {"Tenancy": "dedicated"}}),
        "batch": ("c5.2xlarge", {"Name": "batch"}, {}),
        "gone": ("c5.large", {}, {}),
        "spot": ("m5.large", {}, {"InstanceMarketOptions": {"MarketType": "spot"}}),
    }
    ids = {
        nickname: machines(clients, region, kind, 1, tags, **more)[0]
        for nickname, (kind, tags, more) in one.items()
    }
    ec2 = clients("ec2", region)
    ec2.stop_instances(InstanceIds=[ids["batch"]])
    ec2.terminate_instances(InstanceIds=[ids["gone"]])
    return ids


def _disks(ec2: Any, region: str, machine: str) -> dict[str, str]:
    data = ec2.create_volume(
        AvailabilityZone=f"{region}a", Size=200, VolumeType="gp3", Iops=4000, Throughput=250
    )["VolumeId"]
    ec2.attach_volume(VolumeId=data, InstanceId=machine, Device="/dev/sdf")
    loose = ec2.create_volume(
        AvailabilityZone=f"{region}a",
        Size=500,
        VolumeType="gp2",
        TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "forgotten"}]}
        ],
    )["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=loose, Description="before the move")["SnapshotId"]
    return {"data": data, "loose": loose, "snapshot": snapshot}


def _network(ec2: Any, machine: str) -> dict[str, str]:
    free = ec2.allocate_address(Domain="vpc")["AllocationId"]
    held = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=held, InstanceId=machine)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=free)["NatGateway"]["NatGatewayId"]
    spare = ec2.allocate_address(Domain="vpc")["AllocationId"]
    return {"held": held, "of-nat": free, "spare": spare, "nat": nat}


def _balancers(clients: Clients, region: str, machine: str) -> dict[str, str]:
    subnets = [one["SubnetId"] for one in clients("ec2", region).describe_subnets()["Subnets"]]
    v2, v1 = clients("elbv2", region), clients("elb", region)
    made = v2.create_load_balancer(
        Name="shop", Subnets=subnets[:2], Tags=[{"Key": "team", "Value": "shop"}]
    )["LoadBalancers"][0]
    group = v2.create_target_group(
        Name="shop", Protocol="HTTP", Port=80, VpcId=made["VpcId"], TargetType="instance"
    )["TargetGroups"][0]["TargetGroupArn"]
    v2.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    listener = {"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 80}
    v1.create_load_balancer(
        LoadBalancerName="old", Listeners=[listener], AvailabilityZones=[f"{region}a"]
    )
    v1.register_instances_with_load_balancer(
        LoadBalancerName="old", Instances=[{"InstanceId": machine}]
    )
    account = made["LoadBalancerArn"].split(":")[4]
    arn = f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/old"
    return {"balancer": made["LoadBalancerArn"], "classic": arn}


def _image(ec2: Any) -> str:
    """An image of the account's own: without one, moto warns."""
    found = ec2.describe_images(Owners=["self"])["Images"]
    if found:
        return str(found[0]["ImageId"])
    return str(ec2.register_image(Name="plain", Architecture="x86_64")["ImageId"])

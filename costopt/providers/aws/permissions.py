"""What a collect has to be granted: the least IAM policy, and each action tried by a harmless call.

Every action that the code calls is in `PERMISSIONS`, and nothing more: a test holds one against the
other. All of them read. Cost Explorer is not tried, as each answer costs $0.01.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from botocore.exceptions import ClientError

from costopt.parallel import in_threads
from costopt.providers.aws import advice
from costopt.providers.aws.access import DENIED, FAILURES, Account, denied, partition, said
from costopt.providers.aws.organization import accounts
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Check, Problem

Attempt = Callable[[Account, str], object]
Where = Literal["region", "account", "home", "export"]


class _Lacking(Exception):
    """What a collect would look for is not there, though nothing is refused."""


class Permission(NamedTuple):
    """One action."""

    action: str  # as IAM spells it
    attempt: Attempt | None  # a call that needs it; None: no harmless one by itself
    where: Where = "region"
    """Asked in every region, once an account, of the own account alone, there of each export."""
    wanted: Callable[[AwsSettings], bool] = lambda settings: True
    untried: str = ""  # why there is no attempt; "" where listing the accounts is one


def _call(service: str, operation: str, **asked: Any) -> Attempt:
    def attempt(account: Account, region: str) -> object:
        return getattr(account.client(service, region), operation)(**asked)

    return attempt


_ONE_TYPE: Final = [{"Name": "instance-type", "Values": ["m5.large"]}]
"""A filter, by which a region without that type answers nothing rather than an error."""


def _spot(account: Account, region: str) -> object:
    now = datetime.now(UTC)
    client = account.client("ec2", region)
    return client.describe_spot_price_history(
        StartTime=now - timedelta(hours=1), EndTime=now, MaxResults=1, Filters=_ONE_TYPE
    )


def _metrics(account: Account, region: str) -> object:
    """Billed as one metric, a thousandth of a cent: of none that exists."""
    now = datetime.now(UTC)
    stat = {
        "Metric": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"},
        "Period": 300,
        "Stat": "Average",
    }
    return account.client("cloudwatch", region).get_metric_data(
        MetricDataQueries=[{"Id": "m0", "MetricStat": stat}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now,
    )


def _advice(operation: str) -> Attempt:
    """An account that never opted in lacks no permission."""

    def attempt(account: Account, region: str) -> object:
        try:
            return getattr(account.client(advice.SERVICE, region), operation)(maxResults=1)
        except ClientError as error:
            if not advice.is_not_opted_in(error):
                raise
            return None

    return attempt


def _export(account: Account, address: str) -> object:
    """Two are listed: the first may be the empty object by which the console shows a folder."""
    bucket, prefix = _bucket(address)
    client = account.client("s3")
    listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=2)
    filled = [one["Key"] for one in listed.get("Contents", ()) if one["Size"]]
    if not filled:
        raise _Lacking("nothing below this prefix; a new export's first delivery takes up to a day")
    return client.get_object(Bucket=bucket, Key=filled[0], Range="bytes=0-0")


def _with_metrics(settings: AwsSettings) -> bool:
    return "metrics" not in settings.skip


def _with_prices(settings: AwsSettings) -> bool:
    return "prices" not in settings.skip


def _with_advice(settings: AwsSettings) -> bool:
    return "advice" not in settings.skip


def _with_export(settings: AwsSettings) -> bool:
    return bool(settings.export) and "charges" not in settings.skip


def _with_explorer(settings: AwsSettings) -> bool:
    return settings.cost_explorer


_DEAR: Final = "each answer costs $0.01"

PERMISSIONS: Final = (
    Permission("ec2:DescribeRegions", _call("ec2", "describe_regions"), "account"),
    Permission("ec2:DescribeInstances", _call("ec2", "describe_instances", MaxResults=5)),
    Permission(
        "ec2:DescribeInstanceTypes",
        _call("ec2", "describe_instance_types", MaxResults=5, Filters=_ONE_TYPE),
    ),
    Permission("ec2:DescribeVolumes", _call("ec2", "describe_volumes", MaxResults=5)),
    Permission(
        "ec2:DescribeSnapshots",
        _call("ec2", "describe_snapshots", OwnerIds=["self"], MaxResults=5),
    ),
    Permission("ec2:DescribeAddresses", _call("ec2", "describe_addresses")),
    Permission("ec2:DescribeNatGateways", _call("ec2", "describe_nat_gateways", MaxResults=5)),
    Permission("ec2:DescribeReservedInstances", _call("ec2", "describe_reserved_instances")),
    Permission("ec2:DescribeSpotPriceHistory", _spot, wanted=_with_prices),
    Permission(
        "elasticloadbalancing:DescribeLoadBalancers",
        _call("elbv2", "describe_load_balancers", PageSize=1),
    ),
    Permission(
        "elasticloadbalancing:DescribeTags",
        None,
        untried="it asks for a load balancer by name",
    ),
    Permission(
        "elasticloadbalancing:DescribeTargetGroups",
        _call("elbv2", "describe_target_groups", PageSize=1),
    ),
    Permission("rds:DescribeDBInstances", _call("rds", "describe_db_instances", MaxRecords=20)),
    Permission(
        "rds:DescribeReservedDBInstances",
        _call("rds", "describe_reserved_db_instances", MaxRecords=20),
    ),
    Permission("cloudwatch:ListMetrics", _call("cloudwatch", "list_metrics"), wanted=_with_metrics),
    Permission("cloudwatch:GetMetricData", _metrics, wanted=_with_metrics),
    Permission(
        "savingsplans:DescribeSavingsPlans",
        _call("savingsplans", "describe_savings_plans", maxResults=1),
        "account",
    ),
    Permission(
        "pricing:GetProducts",
        _call("pricing", "get_products", ServiceCode="AmazonEC2", MaxResults=1),
        "account",
        _with_prices,
    ),
    *(
        Permission(call.name, _advice(call.operation), "account", _with_advice)
        for call in advice.CALLS
    ),
    Permission("s3:ListBucket", _export, "export", _with_export),
    Permission("s3:GetObject", None, "export", _with_export, "a byte is read beside s3:ListBucket"),
    Permission("ce:GetCostAndUsage", None, "home", _with_explorer, _DEAR),
    Permission("ce:GetReservationUtilization", None, "home", _with_explorer, _DEAR),
    Permission("ce:GetSavingsPlansUtilizationDetails", None, "home", _with_explorer, _DEAR),
    Permission("organizations:ListAccounts", None, "home", lambda asked: asked.organization),
    Permission("sts:AssumeRole", None, "home", lambda asked: asked.organization),
)
"""sts:GetCallerIdentity needs no permission."""

_OWN: Final = ("home", "export")
"""Asked of the own account alone."""


def checks(settings: AwsSettings) -> Iterator[Check]:
    """Each action tried in every account and region that a collect would look into.

    Several at a time, and told in the order of accounts, actions and regions.

    Raises:
        ProviderError: there are no credentials, or the organization's members cannot be listed.
    """
    problems: list[Problem] = []
    entered = accounts(settings, problems)
    yield from (_unentered(problem) for problem in problems)
    yield from in_threads(_tried, _trials(entered), settings.max_concurrency)
    for one in PERMISSIONS:
        if one.untried and one.wanted(settings):
            yield Check(one.action, "", True, f"not tried: {one.untried}", tried=False)


def _unentered(problem: Problem) -> Check:
    refused = problem.what.partition(":")[0] in DENIED  # what AWS said begins with its code
    return Check("sts:AssumeRole", problem.where, False, problem.what, refused)


class _Trial(NamedTuple):
    permission: Permission | None  # None: the account let us in
    account: Account
    place: str  # region or address of an export


def _trials(entered: list[Account]) -> Iterator[_Trial]:
    for account in entered:
        yield _Trial(None, account, account.home_region)
        regions = [account.home_region]
        for permission in PERMISSIONS:
            if permission.attempt and _asked(permission, account):
                places = _places(permission.where, account, regions)
                yield from (_Trial(permission, account, place) for place in places)
            if permission.action == "ec2:DescribeRegions":
                regions = _regions(account) or regions


def _places(where: Where, account: Account, regions: Sequence[str]) -> Sequence[str]:
    if where == "export":
        return account.settings.export
    return regions if where == "region" else regions[:1]


def _asked(permission: Permission, account: Account) -> bool:
    if permission.where in _OWN and not account.is_home:
        return False
    return permission.wanted(account.settings)


def _regions(account: Account) -> list[str]:
    try:
        return list(account.regions())
    except FAILURES:
        return []  # the check of DescribeRegions told so


def _tried(trial: _Trial) -> Check:
    permission, account, place = trial
    if permission is None:
        return Check("sts:GetCallerIdentity", account.account_id, True, "")
    assert permission.attempt
    told = place if permission.where in ("region", "export") else ""
    where = f"{account.account_id} {told}".rstrip()
    try:
        permission.attempt(account, place)
    except _Lacking as lacking:
        return Check(permission.action, where, False, str(lacking))
    except FAILURES as error:
        refused = denied(error)
        hint = "; grant it (costopt doctor aws --policy)" if refused else ""
        return Check(permission.action, where, False, f"{said(error)}{hint}", refused)
    return Check(permission.action, where, True, "")


def policy(settings: AwsSettings) -> str:
    """The IAM policy as JSON; with --organization also the role that each member needs."""
    wanted = [one for one in PERMISSIONS if one.wanted(settings)]
    here = {"Version": "2012-10-17", "Statement": _statements(wanted, settings)}
    if not settings.organization:
        return json.dumps(here, indent=2) + "\n"
    members = [one for one in wanted if one.where not in _OWN]
    role = {
        "RoleName": settings.role_name,
        "AssumeRolePolicyDocument": _trust(settings),
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": _statements(members, settings),
        },
    }
    return json.dumps({"OwnAccount": here, "EachMember": role}, indent=2) + "\n"


def _statements(wanted: list[Permission], settings: AwsSettings) -> list[dict[str, Any]]:
    """Reading knows no resources but for buckets and roles."""
    arn = f"arn:{partition(settings)}"
    resources: dict[str, Any] = {
        "s3:ListBucket": [f"{arn}:s3:::{_bucket(one)[0]}" for one in settings.export],
        "s3:GetObject": [f"{arn}:s3:::{'/'.join(_bucket(one))}*" for one in settings.export],
        "sts:AssumeRole": [f"{arn}:iam::*:role/{settings.role_name}"],
    }
    everywhere = sorted(one.action for one in wanted if one.action not in resources)
    first = {"Sid": "Read", "Effect": "Allow", "Action": everywhere, "Resource": "*"}
    return [first] + [
        {"Effect": "Allow", "Action": [one.action], "Resource": sorted(set(resources[one.action]))}
        for one in wanted
        if one.action in resources
    ]


def _trust(settings: AwsSettings) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition(settings)}:iam::OWN-ACCOUNT-ID:root"},
        "Action": "sts:AssumeRole",
    }
    if settings.external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": settings.external_id}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _bucket(address: str) -> tuple[str, str]:
    """Bucket and prefix of an s3:// address, as the collect splits it: ? and # are of the name."""
    bucket, _, path = address.removeprefix("s3://").partition("/")
    prefix = path.strip("/")
    return bucket, f"{prefix}/" if prefix else ""

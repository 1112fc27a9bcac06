"""The least policy against the calls that the code really makes, and each action tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pyarrow as pa
import pytest
from click.testing import CliRunner

from costopt import pipeline
from costopt.cli import costopt
from costopt.lake.store import Lake
from costopt.providers.aws import AwsProvider
from costopt.providers.aws.access import own_account
from costopt.providers.aws.permissions import PERMISSIONS, policy
from costopt.providers.aws.prices import products, systems
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.demo import DemoProvider
from tests.fakes import aws_account, bill_export
from tests.fakes.aws_cloud import Cloud, cloud
from tests.fakes.aws_front import Answer, Call, refused

BUCKET = "s3://bills/exports/focus"
REGION = "us-east-1"


@pytest.fixture(scope="module")
def everything() -> Iterator[Cloud]:
    """A cloud with one of each thing, a member account, and a bucket of bills."""
    with cloud(datetime.now(UTC)) as made:
        aws_account.populate(aws_account.own(), REGION)
        aws_account.organization(["member"])
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="bills")
        charges = pa.concat_tables(DemoProvider(instances=3, days=2).charges(None))
        bill_export.data_export(
            lambda key, content: s3.put_object(Bucket="bills", Key=key, Body=content),
            "exports/focus",
            "2026-10",
            [bill_export.focus_parquet(charges)],
        )
        yield made


@pytest.fixture
def aws(everything: Cloud) -> Cloud:
    everything.ordinary()
    return everything


def settings(**more: object) -> AwsSettings:
    return AwsSettings(**{"region": (REGION,), "days": 1, "max_attempts": 1, **more})


def action(call: Call) -> str:
    """What IAM calls the permission for it."""
    service = {"monitoring": "cloudwatch"}.get(call.service, call.service)
    if service == "s3":
        return "s3:ListBucket" if "list-type" in call.path else "s3:GetObject"
    return f"{service}:{call.action.rpartition('/')[2]}"


def paid(call: Call) -> Answer | None:
    """Cost Explorer with nothing to tell."""
    if call.service != "ce":
        return None
    empty = {"ResultsByTime": [], "UtilizationsByTime": [], "SavingsPlansUtilizationDetails": []}
    body = json.dumps({**empty, "TimePeriod": {"Start": "", "End": ""}}).encode()
    return Answer(200, body, "application/x-amz-json-1.1")


def regions(call: Call) -> Answer | None:
    """One region is enabled: moto builds each of AWS's anew, which takes seconds."""
    if call.action != "DescribeRegions":
        return None
    one = f"<item><regionName>{REGION}</regionName></item>"
    return Answer(200, f"<R><regionInfo>{one}</regionInfo></R>".encode())


def bought(call: Call) -> Answer | None:
    """A savings plan and a reservation, so that their use is asked for."""
    if call.service == "savingsplans":
        plan = {
            "savingsPlanId": "sp-1",
            "savingsPlanArn": "arn:aws:savingsplans::123456789012:savingsplan/sp-1",
            "start": "2026-01-01T00:00:00.000Z",
            "end": "2027-01-01T00:00:00.000Z",
            "state": "active",
            "commitment": "0.5",
            "termDurationInSeconds": 31536000,
            "currency": "USD",
            "savingsPlanType": "Compute",
            "paymentOption": "No Upfront",
        }
        return Answer(200, json.dumps({"savingsPlans": [plan]}).encode(), "application/json")
    if call.action == "DescribeReservedInstances":
        one = (
            "<item><reservedInstancesId>r-1</reservedInstancesId><instanceCount>1</instanceCount>"
            "<instanceType>m5.large</instanceType><state>active</state><scope>Region</scope>"
            "<start>2026-01-01T00:00:00.000Z</start><end>2027-01-01T00:00:00.000Z</end>"
            "<duration>31536000</duration><usagePrice>0.0</usagePrice>"
            "<fixedPrice>500.0</fixedPrice><currencyCode>USD</currencyCode>"
            "<offeringClass>standard</offeringClass><offeringType>All Upfront</offeringType>"
            "<productDescription>Linux/UNIX</productDescription></item>"
        )
        return Answer(200, f"<R><reservedInstancesSet>{one}</reservedInstancesSet></R>".encode())
    return None


def test_the_policy_is_what_the_code_calls_and_nothing_more(aws: Cloud, tmp_path: Path) -> None:
    """Both ways of a bill, an organization, and all there is: every call that the code can make."""
    aws.front.rules[:0] = [paid, bought, regions]
    ways = [
        settings(organization=True, cost_explorer=True),
        settings(export=(BUCKET,)),
    ]
    for number, asked in enumerate(ways):
        provider = AwsProvider(asked)
        pipeline.collect(provider, Lake(tmp_path / str(number)))
    list(AwsProvider(settings(region=())).checks())
    # asked of types in use that the built-in catalogue does not price
    linux = systems.system("Linux")
    assert linux is not None
    products.price(own_account(settings()), "m99.large", REGION, linux)

    called = {action(call) for call in aws.front.calls} - {"sts:GetCallerIdentity"}
    assert called == {one.action for one in PERMISSIONS}


def test_the_policy_follows_the_settings() -> None:
    plain = json.loads(policy(settings()))
    (read,) = plain["Statement"]
    assert read["Resource"] == "*"
    assert "ec2:DescribeInstances" in read["Action"]
    assert not {"ce:GetCostAndUsage", "sts:AssumeRole", "s3:GetObject"} & set(read["Action"])
    assert all(
        name.split(":")[1].startswith(("Describe", "Get", "List")) for name in read["Action"]
    )

    bills = json.loads(policy(settings(export=("s3://a-bucket/some/prefix",), skip=("metrics",))))
    by_action = {s["Action"][0]: s["Resource"] for s in bills["Statement"] if len(s["Action"]) == 1}
    assert by_action == {
        "s3:ListBucket": ["arn:aws:s3:::a-bucket"],
        "s3:GetObject": ["arn:aws:s3:::a-bucket/some/prefix/*"],
    }
    assert "cloudwatch:GetMetricData" not in bills["Statement"][0]["Action"]


@pytest.mark.parametrize(
    ("region", "start"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_names_begin_with_the_partition_of_the_region(
    region: str, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {"organization": True, "export": ("s3://a-bucket/a?b/x#y/",)}
    names = set(_arns(json.loads(policy(settings(region=(region,), **asked)))))
    assert names == {
        f"arn:{start}:s3:::a-bucket",
        f"arn:{start}:s3:::a-bucket/a?b/x#y/*",
        f"arn:{start}:iam::*:role/costopt",
        f"arn:{start}:iam::OWN-ACCOUNT-ID:root",
    }
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert set(_arns(json.loads(policy(settings(region=(), **asked))))) == names
    nobody = settings(region=(region,), profile="nobody", **asked)
    assert all(name.startswith("arn:aws:") for name in _arns(json.loads(policy(nobody))))


def _arns(document: object) -> Iterator[str]:
    if isinstance(document, str) and document.startswith("arn:"):
        yield document
    elif isinstance(document, dict | list):
        for part in document.values() if isinstance(document, dict) else document:
            yield from _arns(part)


def test_members_get_a_role_that_asks_for_the_external_id() -> None:
    asked = settings(organization=True, role_name="reader", external_id="e-1")
    both = json.loads(policy(asked))
    own = {name for s in both["OwnAccount"]["Statement"] for name in s["Action"]}
    member = {n for s in both["EachMember"]["PolicyDocument"]["Statement"] for n in s["Action"]}
    assert {"organizations:ListAccounts", "sts:AssumeRole"} <= own - member
    trust = both["EachMember"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "e-1"}}
    assert both["EachMember"]["RoleName"] == "reader"


def test_each_action_is_tried_where_it_is_needed(aws: Cloud) -> None:
    found = list(AwsProvider(settings(export=(BUCKET,))).checks())
    assert all(check.passed for check in found), [c for c in found if not c.passed]
    tried = {check.name for check in found}
    untried = {one.action for one in PERMISSIONS if one.attempt is None}
    assert tried >= {one.action for one in PERMISSIONS if one.wanted(settings())} - untried
    assert "s3:ListBucket" in tried
    changing = [call.name for call in aws.front.calls if "Create" in call.action]
    assert changing == []


@pytest.mark.parametrize("action", ["ec2:DescribeVolumes", "monitoring:GetMetricData"])
def test_what_is_refused_is_named_with_what_to_do(aws: Cloud, action: str) -> None:
    def deny(call: Call) -> Answer | None:
        if call.name != action:
            return None
        code = "UnauthorizedOperation" if call.service == "ec2" else "AccessDeniedException"
        return refused(call, code, "You are not authorized to perform this operation.")

    aws.front.rules.insert(0, deny)
    failed = [check for check in AwsProvider(settings()).checks() if not check.passed]
    assert [one.name for one in failed] == [action.replace("monitoring", "cloudwatch")]
    assert "not authorized" in failed[0].detail
    assert failed[0].refused
    assert "costopt doctor aws --policy" in failed[0].detail


def test_an_export_without_anything_is_a_failed_check(aws: Cloud) -> None:
    """Not even in a folder that only the console shows, nor next to one that is named alike."""
    s3 = boto3.client("s3")
    s3.put_object(Bucket="bills", Key="empty/", Body=b"")
    s3.put_object(Bucket="bills", Key="marked/", Body=b"")
    s3.put_object(Bucket="bills", Key="marked/a?b/x#y/part", Body=b"bill")
    there = (BUCKET, f"{BUCKET}/", "s3://bills", "s3://bills/marked", "s3://bills/marked/a?b/x#y")
    lacking = ("s3://bills/nothing-there", "s3://bills/empty", "s3://bills/exports/foc")
    found = list(AwsProvider(settings(export=there + lacking)).checks())
    tried = [one for one in found if one.name == "s3:ListBucket"]
    assert [one.where.partition(" ")[2] for one in tried] == [*there, *lacking]
    assert [one.passed for one in tried] == [True] * len(there) + [False] * len(lacking)
    assert all("nothing below this prefix" in one.detail for one in tried[len(there) :])
    assert not any(one.refused for one in tried)


def test_checks_come_in_order_however_many_are_tried_at_a_time(aws: Cloud) -> None:
    asked = {"region": ("us-east-1", "eu-west-1")}
    one, many = (list(AwsProvider(settings(max_concurrency=n, **asked)).checks()) for n in (1, 8))
    assert one == many
    volumes = [check.where.split()[1] for check in one if check.name == "ec2:DescribeVolumes"]
    assert volumes == ["eu-west-1", "us-east-1"]
    assert aws.front.most_at_once > 1


def test_a_member_that_refuses_is_a_failed_check(aws: Cloud) -> None:
    def deny(call: Call) -> Answer | None:
        if call.action == "AssumeRole":
            return refused(call, "AccessDenied", "not authorized to perform: sts:AssumeRole")
        return None

    aws.front.rules.insert(0, deny)
    failed = [c for c in AwsProvider(settings(organization=True)).checks() if not c.passed]
    assert [(one.name, one.refused) for one in failed] == [("sts:AssumeRole", True)]


def test_the_page_says_what_is_not_tried_and_repeats_the_options(aws: Cloud) -> None:
    asked = ["--region", "us-east-1", "--cost-explorer", "--skip", "advice", "--skip", "prices"]
    asked += ["--max-attempts", "1"]
    done = CliRunner().invoke(costopt, ["doctor", "aws", *asked])
    assert done.exit_code == 0, done.output
    assert f"Next: costopt collect aws {' '.join(asked)}" in done.output
    for action in ("ce:GetCostAndUsage", "elasticloadbalancing:DescribeTags"):
        line = next(at for at in done.output.splitlines() if f" {action}" in at)
        assert line.split()[0] == "--"
    assert "not tried: each answer costs $0.01" in done.output
    assert not aws.front.counted().get("ce:GetCostAndUsage")


def test_the_page_of_the_docs_shows_this_policy(docs: Callable[[str], str]) -> None:
    shown = docs("providers/aws.md").split("```json\n")[1].split("```")[0]
    assert json.loads(shown) == json.loads(policy(settings(export=("s3://my-bills/focus",))))


@pytest.fixture
def docs() -> Callable[[str], str]:
    root = Path(__file__).parents[3] / "docs"
    return lambda name: (root / name).read_text()

"""What `costopt collect aws` takes, and what it refuses before any call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from costopt.cli import costopt
from costopt.providers.aws.settings import AwsSettings


@pytest.mark.parametrize("name", ["costopt", "finops/reader", "a/b/c", "x" * 64])
def test_a_role_may_have_a_path(name: str) -> None:
    assert AwsSettings(role_name=name).role_name == name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"role_name": "*"}, "no name of a role"),
        ({"role_name": "arn:aws:iam::123456789012:role/x"}, "no ARN"),
        ({"role_name": "x/"}, "no name of a role"),
        ({"role_name": ""}, "no name of a role"),
        ({"region": ("mars",)}, "'mars' is no region, like eu-west-1"),
        ({"region": ("us-east-1; rm -rf",)}, "no region"),
        ({"export": ("https://bucket/prefix",)}, "not an address like s3://bucket/prefix"),
        ({"export": ("s3://my-bucket*/x",)}, "not an address"),
        ({"external_id": "e-1"}, "roles of --organization"),
        ({"days": 0}, "greater than or equal to 1"),
        ({"max_api_cost": float("nan")}, "greater than or equal to 0"),
    ],
)
def test_what_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AwsSettings(**given)


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "ap-southeast-4", "cn-north-1"])
def test_regions(region: str) -> None:
    assert AwsSettings(region=(region,)).region == (region,)


@pytest.mark.parametrize(
    "text", ["2026-11-13", "2026-11-13T00:00:00Z", "2026-11-13T02:00:00+02:00"]
)
def test_moments_are_utc_where_they_name_no_zone(text: str) -> None:
    assert AwsSettings(until=text).until == datetime(2026, 11, 13, tzinfo=UTC)


@pytest.mark.parametrize("address", ["s3://my-bills", "s3://my-bills/", "s3://my.bills/a/b c/x#y"])
def test_exports(address: str) -> None:
    assert AwsSettings(export=(address,)).export == (address,)


def test_what_is_refused_is_not_echoed_with_its_signature() -> None:
    signed = "https://b.s3.amazonaws.com/x?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE&X-Amz-Signature=ab"
    done = CliRunner().invoke(costopt, ["collect", "aws", "--export", signed])
    assert done.exit_code == 2
    assert "not an address like s3://bucket/prefix" in " ".join(done.output.split())
    assert "IOSFODNN7" not in done.output
    assert "=ab" not in done.output

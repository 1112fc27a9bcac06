"""Ways into AWS: credentials, roles, retries, and errors without secrets."""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError, ProxyConnectionError
from botocore.loaders import create_loader

from costopt.errors import ConfigError, ProviderError
from costopt.providers.aws import access
from costopt.providers.base import Problem
from tests.fakes.aws_front import Answer, Call, refused

MEMBER = "111111111111"


def test_the_own_account_is_known_by_its_number(front, settings) -> None:
    assert access.own_account(settings()).account_id == "123456789012"
    assert front.counted() == {"sts:GetCallerIdentity": 1}


def test_without_credentials_it_says_how_to_check(front, settings, monkeypatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ProviderError, match="Unable to locate credentials") as caught:
        access.own_account(settings())
    assert "aws sts get-caller-identity" in caught.value.hint
    with pytest.raises(ProviderError, match="nobody"):
        access.own_account(settings(profile="nobody"))
    assert front.calls == []


def test_what_accepts_and_never_answers_is_given_up_soon(aws_environment, settings, monkeypatch):
    assert access._FIRST_WAIT * access._FIRST_ATTEMPTS < 30  # seconds, without the pause between
    monkeypatch.setattr(access, "_FIRST_WAIT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ProviderError, match="AWS does not let us in: Read timeout"):
            access.own_account(settings(max_attempts=8))
        silent.settimeout(0.1)
        for _ in range(access._FIRST_ATTEMPTS):
            silent.accept()[0].close()
        with pytest.raises(TimeoutError):  # nobody else had called
            silent.accept()


@pytest.mark.parametrize(
    "address", ["not a url", "http://h:port", "http://joe:PLANTED/x@host", "http://[::1"]
)
def test_an_address_that_is_none_is_a_word_on_the_configuration(
    aws_environment, settings, monkeypatch, address
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(ConfigError, match="AWS configuration cannot be used") as caught:
        access.own_account(settings())
    assert "PLANTED" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_address_of_one_service_that_is_none(front, settings, monkeypatch) -> None:
    home = access.own_account(settings())
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "not a url")
    with pytest.raises(ConfigError, match="AWS configuration cannot be used"):
        home.client("ec2", "eu-west-1")


def test_configuration_that_cannot_be_read(
    aws_environment, settings, monkeypatch, tmp_path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    config.write_text("[default]\ncredential_process = echo PLANTED no JSON\n")
    with pytest.raises(ConfigError, match="credential_process") as caught:
        access.own_account(settings())
    config.write_text("[default\nPLANTED\n")
    with pytest.raises(ConfigError, match="configuration cannot be read") as broken:
        access.own_account(settings())
    assert str(config) in str(broken.value)
    assert "PLANTED" not in f"{caught.value} {broken.value}"


def test_no_client_lacks_a_region(front, settings, monkeypatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    home = access.own_account(settings(organization=True))
    member = access.member_account(home, MEMBER, "shop")
    assert member.client("sts").get_caller_identity()["Account"] == MEMBER
    assert {call.region for call in front.calls} == {access.HOME_REGION}


def test_ones_own_region_is_asked_where_any_would_do(front, settings, monkeypatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")  # where us-east-1 is forbidden, say
    home = access.own_account(settings())
    home.regions()
    access.member_account(home, MEMBER, "shop").regions()
    assert {call.region for call in front.calls} == {"eu-central-1"}


def test_a_region_is_looked_into_once(front, settings) -> None:
    asked = access.own_account(settings(region=("eu-west-1", "us-east-1", "eu-west-1")))
    assert asked.regions() == ("eu-west-1", "us-east-1")
    every = access.own_account(settings())
    assert every.regions() == every.regions() == tuple(sorted(every.regions()))
    assert "eu-central-1" in every.regions()
    assert front.counted()["ec2:DescribeRegions"] == 1


def test_a_members_role_is_assumed_with_the_external_id(front, settings) -> None:
    home = access.own_account(
        settings(organization=True, role_name="finops-reader", external_id="told-by-phone")
    )
    member = access.member_account(home, MEMBER, "shop")
    assert front.counted() == {"sts:GetCallerIdentity": 1}  # nothing before it is used
    assert member.client("sts").get_caller_identity()["Account"] == MEMBER
    member.client("ec2", "eu-west-1").describe_regions()
    (assumed,) = [call for call in front.calls if call.action == "AssumeRole"]
    assert assumed.fields["RoleArn"] == f"arn:aws:iam::{MEMBER}:role/finops-reader"
    assert assumed.fields["ExternalId"] == "told-by-phone"
    assert assumed.fields["RoleSessionName"] == "costopt"
    assert assumed.key_id == "testing"


def test_a_members_credentials_are_renewed_when_they_run_out(front, settings) -> None:
    def soon_over(call: Call) -> Answer | None:
        if call.action != "AssumeRole":
            return None
        until = datetime.now(UTC) + timedelta(minutes=5)  # botocore renews 10 minutes before
        given = front.counted()[call.name]
        return Answer(200, _ASSUMED.format(key=f"ASIA{given}", until=until.isoformat()).encode())

    front.rules.append(soon_over)
    member = access.member_account(access.own_account(settings()), MEMBER, "shop")
    for _ in range(3):
        member.client("ec2").describe_regions()
    used = [call.key_id for call in front.calls if call.action == "DescribeRegions"]
    assert len(set(used)) == 3


def test_accounts_share_what_is_large(front, settings, monkeypatch) -> None:
    monkeypatch.setattr("botocore.session.create_loader", create_loader)  # one a session, as ever
    home = access.own_account(settings())
    member = access.member_account(home, MEMBER, "shop")
    loaders = [one.session._session.get_component("data_loader") for one in (home, member)]
    assert loaders[0] is loaders[1]
    monkeypatch.setattr(access, "_KEPT_CLIENTS", 2)
    first = home.client("ec2", "eu-west-1")
    assert home.client("ec2", "eu-west-1") is first
    others = [member.client("ec2", "eu-west-1"), member.client("ec2", "eu-west-2")]
    assert first not in others
    assert member.client("ec2", "eu-west-2") is others[1]
    assert home.client("ec2", "eu-west-1") is not first  # let go, and made again


@pytest.mark.parametrize("attempts", [1, 2])
def test_what_is_throttled_is_tried_as_often_as_set(front, settings, attempts) -> None:
    front.rules.append(
        lambda call: (
            refused(call, "RequestLimitExceeded", "slow down", 503)
            if call.service == "ec2"
            else None
        )
    )
    home = access.own_account(settings(max_attempts=attempts))
    client = home.client("ec2")
    assert client.meta.config.retries == {"mode": "adaptive", "total_max_attempts": attempts}
    with pytest.raises(ClientError, match="RequestLimitExceeded"):
        client.describe_volumes()
    assert front.counted()["ec2:DescribeVolumes"] == attempts


_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_TOKEN = "IQoJb3JpZ2luX2VjEJr" + "x7+/Q9" * 40 + "=="


@pytest.mark.parametrize(
    "message",
    [
        f"GET https://b.s3.amazonaws.com/k?X-Amz-Signature=abc123&X-Amz-Security-Token={_TOKEN}",
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101&Signature=abc123",
        f"The Canonical String should have been 'GET / x-amz-security-token:{_TOKEN} host:ec2'",
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/2026, Signature=abc123",
        "authorization: Bearer abc123",
        f'{{"SecretAccessKey": "{_SECRET}", "SessionToken": "{_TOKEN}"}}',
        f"aws_secret_access_key = {_SECRET}",
        f"the helper said {_SECRET} and {_TOKEN}",
        "You are not authorized. Encoded authorization failure message: abc123_xyz-",
        "the key ASIAIOSFODNN7EXAMPLE has expired",
    ],
)
def test_errors_are_told_without_secrets(message: str) -> None:
    told = access.said(ClientError({"Error": {"Code": "Refused", "Message": message}}, "Call"))
    assert told.startswith("Refused: ")
    assert "***" in told
    for secret in (_SECRET, _TOKEN[:30], "IOSFODNN7EXAMPLE", "abc123"):
        assert secret not in told


def test_a_proxys_password_is_not_told() -> None:
    error = ProxyConnectionError(proxy_url="http://me:hunter2@proxy:3128")
    assert "hunter2" not in access.said(error)
    assert "proxy:3128" in access.said(error)


def test_what_is_no_secret_is_told() -> None:
    message = (
        "User: arn:aws:sts::123456789012:assumed-role/costopt/costopt is not authorized to perform:"
        "\nec2:DescribeVolumes because no identity-based policy allows the action"
    )
    error = ClientError({"Error": {"Code": "ExpiredToken", "Message": message}}, "DescribeVolumes")
    assert access.said(error) == f"ExpiredToken: {' '.join(message.split())}"
    assert len(access.said(ClientError({"Error": {"Message": "long " * 999}}, "C"))) == 300


def test_a_refusal_is_a_problem_and_the_rest_goes_on(front, settings) -> None:
    front.rules.append(
        lambda call: (
            refused(call, "UnauthorizedOperation", "no")
            if call.action == "DescribeVolumes"
            else None
        )
    )
    client = access.own_account(settings()).client("ec2")
    problems: list[Problem] = []
    with access.told(problems, "here ec2:DescribeVolumes"):
        client.describe_volumes()
    assert problems == [
        Problem("here ec2:DescribeVolumes", "UnauthorizedOperation: no", fatal=True)
    ]
    with pytest.raises(ClientError) as caught:
        client.describe_volumes()
    assert access.denied(caught.value)


def test_no_log_at_any_level_holds_credentials(front, settings, monkeypatch, caplog) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": _SECRET, "AWS_SESSION_TOKEN": _TOKEN}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    caplog.set_level(logging.DEBUG)
    home = access.own_account(settings(external_id="told-by-phone", organization=True))
    member = access.member_account(home, MEMBER, "shop")
    member.client("ec2").describe_regions()
    logging.getLogger("of.others").debug("heard")
    text = caplog.text
    assert "heard" in text
    for secret in (*secrets.values(), "Signature=", "told-by-phone", "X-Amz-Security-Token"):
        assert secret not in text


def test_a_refused_role_is_not_logged(front, settings, caplog) -> None:
    def no(call: Call) -> Answer | None:
        if call.action != "AssumeRole":
            return None
        return refused(call, "AccessDenied", f"https://x?X-Amz-Signature=PLANTED key {_SECRET}")

    front.rules.append(no)
    caplog.set_level(logging.DEBUG)
    member = access.member_account(access.own_account(settings()), MEMBER, "shop")
    problems: list[Problem] = []
    with access.told(problems, MEMBER):
        member.enter()
    assert problems
    for secret in ("PLANTED", _SECRET):
        assert secret not in caplog.text
        assert secret not in str(problems)


_ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>t</SessionToken><Expiration>{until}</Expiration></Credentials></AssumeRoleResult>
</AssumeRoleResponse>"""

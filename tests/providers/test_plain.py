"""What a cloud said may be shown: whatever way a secret is spelt, it is struck out."""

from __future__ import annotations

import json
import logging
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.providers.plain import plain, silenced

BASE64 = string.ascii_letters + string.digits + "/+"
NAMES = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "Signature",
    "SessionToken",
    "aws_session_token",
    "SecretAccessKey",
    "AWS_SECRET_ACCESS_KEY",
    "AWSAccessKeyId",
    "password",
    "client_secret",
    "AccountKey",
    "access_token",
    "api_key",
]
WAYS = [
    "https://b.example/k?{name}={secret}&x=1",
    "https://b.example/k?a=1%26{name}%3D{secret}%26x%3D1",
    "https%253A%252F%252Fb.example%253F{name}%253d{secret}",
    "{name}: {secret}",
    "{name} {secret}",
    "the {name} = '{secret}' is wrong",
    "{name} => {secret}",
    '{{"{name}": "{secret}"}}',
    '{{\\"{name}\\":\\"{secret}\\"}}',
    "<{name}>{secret}</{name}>",
    "[{name}]={secret}",
    "http://joe:{secret}@proxy.example:3128/",
    "http://joe:pw/{secret}@proxy.example",
]

secrets = st.builds(
    lambda text, digit: f"{text[:5]}{digit}{text[5:]}",
    st.text(BASE64, min_size=10, max_size=120),
    st.sampled_from(string.digits),
)


@given(st.sampled_from(NAMES), st.sampled_from(WAYS), secrets, st.integers(0, 2))
def test_a_secret_never_passes(name: str, way: str, secret: str, encoded: int) -> None:
    for _ in range(encoded):
        secret = quote(secret, safe="")
    told = plain(way.format(name=name, secret=secret))
    assert secret not in told
    assert secret[:8] not in told
    assert secret[-8:] not in told


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16))
def test_a_keys_number_never_passes(key: str) -> None:
    for text in ("key AKIA{} is old", "x%2FASIA{}%2F2026", "?c=AKIA{}/2026", json.dumps("ASIA{}")):
        assert key not in plain(text.format(key))


@pytest.mark.parametrize(
    "text",
    [
        "The security token included in the request is invalid.",
        "Signature expired: it is now later than the time allowed",
        "The request signature we calculated does not match the signature you provided.",
        "User: arn:aws:sts::123456789012:assumed-role/costopt/costopt is not authorized to perform",
        "https://s3.eu-west-1.amazonaws.com/bucket/prefix",
        "http://proxy:3128 cannot be reached",
        "Credential should be scoped to a valid region.",
    ],
)
def test_what_is_no_secret_is_told(text: str) -> None:
    assert plain(text) == text


def test_what_speaks_with_clouds_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    silenced()
    caplog.set_level(logging.DEBUG)
    for name in ("botocore.credentials", "httpcore.http11", "hpack.table", "urllib3", "httpx"):
        logging.getLogger(name).critical("signed")
    assert caplog.text == ""

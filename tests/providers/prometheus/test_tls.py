"""Certificates, theirs and ours: what is let through, and what people are told when it is not."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from costopt.errors import ConfigError, ProviderError
from tests.fakes.certificates import Authority, Certificate, server_side
from tests.fakes.prometheus import serving
from tests.providers.prometheus.test_client import Waits, answering, ask


@pytest.fixture
def house(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "house")


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "other")


@pytest.fixture
def server(house: Authority) -> Certificate:
    return house.issue("server")


def refusal(tls: ssl.SSLContext, **given: object) -> tuple[str, str]:
    """What was wrong and what to do, said at once: the next try would fail alike."""
    waits = Waits()
    with serving(answering(), tls=tls) as fake, pytest.raises(ProviderError) as caught:
        ask(fake.url, waits, **given)
    assert waits == []
    assert fake.asked == []
    assert caught.value.where == f"{fake.url}/api/v1/query"
    return caught.value.what, caught.value.hint


def test_a_server_that_a_known_authority_signed_is_trusted(
    house: Authority, server: Certificate
) -> None:
    with serving(answering(), tls=server_side(server)) as fake:
        assert ask(fake.url, ca_file=house.certificate)


def test_a_server_that_nobody_known_signed_is_not(
    house: Authority, other: Authority, server: Certificate
) -> None:
    what, hint = refusal(server_side(server))
    assert what == "no trusted connection: unable to get local issuer certificate"
    assert hint.startswith("--ca-file")
    what, _ = refusal(server_side(server), ca_file=other.certificate)
    assert what == "no trusted connection: unable to get local issuer certificate"


def test_a_certificate_that_ran_out_is_called_so(house: Authority) -> None:
    old = house.issue("old", valid_days=-1)
    what, hint = refusal(server_side(old), ca_file=house.certificate)
    assert what == "no trusted connection: certificate has expired"
    assert hint == "the server needs a new certificate; --ca-file does not help"


def test_a_server_may_demand_our_certificate(house: Authority, server: Certificate) -> None:
    """mTLS: both sides show one."""
    own = house.issue("costopt")
    with serving(answering(), tls=server_side(server, clients=house)) as fake:
        assert ask(
            fake.url,
            ca_file=house.certificate,
            cert_file=own.certificate,
            key_file=own.key,
        )


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_demanded_certificate_that_is_not_given_is_asked_for(
    house: Authority, server: Certificate, version: ssl.TLSVersion
) -> None:
    tls = server_side(server, clients=house)
    tls.maximum_version = version
    what, hint = refusal(tls, ca_file=house.certificate)
    assert what in (
        "it demands a certificate of ours: certificate required",
        "it demands a certificate of ours: handshake failure",
    )
    assert hint == "--cert-file and --key-file show one that its authority signed"


def test_our_certificate_of_a_stranger_is_refused(
    house: Authority, other: Authority, server: Certificate
) -> None:
    own = other.issue("costopt")
    what, hint = refusal(
        server_side(server, clients=house),
        ca_file=house.certificate, cert_file=own.certificate, key_file=own.key,
    )  # fmt: skip
    assert what == "it does not accept our certificate: unknown ca"
    assert hint == "--cert-file and --key-file show one that its authority signed"


def test_our_certificate_that_ran_out_is_refused(house: Authority, server: Certificate) -> None:
    own = house.issue("costopt", valid_days=-1)
    what, hint = refusal(
        server_side(server, clients=house),
        ca_file=house.certificate, cert_file=own.certificate, key_file=own.key,
    )  # fmt: skip
    assert what == "it does not accept our certificate: certificate expired"
    assert "--cert-file" in hint


def test_a_certificate_and_another_s_key_are_refused_before_any_request(
    house: Authority, server: Certificate
) -> None:
    own = house.issue("costopt")
    with (
        serving(answering(), tls=server_side(server)) as fake,
        pytest.raises(ConfigError, match="certificate cannot be used") as caught,
    ):
        ask(fake.url, cert_file=own.certificate, key_file=server.key)
    assert str(own.certificate) in caught.value.where


def test_a_port_without_tls_is_called_so() -> None:
    with serving(answering()) as fake, pytest.raises(ProviderError, match="speaks no TLS") as error:
        ask(fake.url.replace("http:", "https:"))
    assert "http://" in error.value.hint

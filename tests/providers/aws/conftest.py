"""An AWS on loopback: moto over HTTP, one server a test module, and the settings to collect it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from costopt.providers.aws.settings import AwsSettings
from tests.fakes import aws_cloud, aws_front
from tests.providers.aws.bills import Store, bucket


@pytest.fixture(scope="module")
def aws_environment() -> Iterator[pytest.MonkeyPatch]:
    """Throw-away credentials, and nothing of this machine's own AWS configuration."""
    with aws_cloud.environment() as patch:
        yield patch


@pytest.fixture(scope="module")
def aws_server(aws_environment: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty moto, to which every boto3 client made meanwhile talks."""
    with aws_cloud.empty_moto() as url:
        aws_environment.setenv("AWS_ENDPOINT_URL", url)
        yield url


@pytest.fixture
def front(aws_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[aws_front.Front]:
    """A door before that moto, which counts the calls and refuses what a test tells it to."""
    with aws_front.opened(behind=aws_server) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.url)
        yield door


@pytest.fixture
def settings() -> Callable[..., AwsSettings]:
    """Settings with few attempts: moto answers what it does not know with 500, which is retried."""

    def made(**more: object) -> AwsSettings:
        return AwsSettings(**{"max_attempts": 2, **more})

    return made


@pytest.fixture
def store(aws_server: str, settings: Callable[..., AwsSettings]) -> Store:
    """A bucket for bills, empty."""
    return bucket(settings)

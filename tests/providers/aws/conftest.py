"""An AWS on loopback: moto over HTTP, one server a test module, and the settings to collect it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from costopt.providers.aws.settings import AwsSettings
from tests.fakes import aws_front


@pytest.fixture(scope="module")
def aws_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """Throw-away credentials, and nothing of this machine's own AWS configuration."""
    nothing = tmp_path_factory.mktemp("aws") / "none"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        for name, value in _environment(nothing).items():
            patch.setenv(name, value)
        yield patch


@pytest.fixture(scope="module")
def aws_server(aws_environment: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty moto, to which every boto3 client made meanwhile talks."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    aws_environment.setenv("AWS_ENDPOINT_URL", url)
    httpx.post(f"{url}/moto-api/reset").raise_for_status()
    yield url
    server.stop()


@pytest.fixture
def front(aws_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[aws_front.Front]:
    """A door before that moto, which counts the calls and refuses what a test tells it to."""
    door = aws_front.Front(behind=aws_server)
    server = aws_front.serve(door)
    monkeypatch.setenv("AWS_ENDPOINT_URL", door.url)
    yield door
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings() -> Callable[..., AwsSettings]:
    """Settings with few attempts: moto answers what it does not know with 500, which is retried."""

    def made(**more: object) -> AwsSettings:
        return AwsSettings(**{"max_attempts": 2, **more})

    return made


def _environment(nothing: Path) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(nothing),
        "AWS_SHARED_CREDENTIALS_FILE": str(nothing),
        "AWS_EC2_METADATA_DISABLED": "true",
        # else every region holds 1,300 snapshots of images; aws_account makes an image of its own
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }

"""A whole AWS on loopback: moto behind its door, CloudWatch with the real limits, and commitments.

One address for every service, as AWS_ENDPOINT_URL wants it. Machines are quiet: their figures are a
twentieth of what the CloudWatch stub would give.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

import httpx
import pytest
from botocore.loaders import create_loader
from moto.server import ThreadedMotoServer

from tests.fakes import aws_front, cloudwatch
from tests.fakes.aws_advice import Optimizer
from tests.fakes.aws_front import Answer, Call

QUIET = 0.05


class QuietCloudWatch(cloudwatch.CloudWatch):
    """The stub, its values scaled down."""

    def _points(self, *asked: Any) -> Any:
        times, values = super()._points(*asked)
        return times, values * (1 if asked[2] == "SampleCount" else QUIET)


@dataclass
class Cloud:
    """What a test sees of it."""

    front: aws_front.Front
    metrics: QuietCloudWatch
    members: dict[str, str] = field(default_factory=dict)  # account ids by name, where there are
    optimizer: Optimizer = field(default_factory=Optimizer)  # recommends nothing

    @property
    def url(self) -> str:
        return self.front.url

    def ordinary(self) -> None:
        """Nothing refused; what moto lacks is answered."""
        self.front.reset()
        self.optimizer = Optimizer()
        self.front.rules += [self._measured, self._advised, _bought, _priced]

    def _advised(self, call: Call) -> Answer | None:
        return self.optimizer(call)

    def _measured(self, call: Call) -> Answer | None:
        if call.service != "monitoring":
            return None
        status, body = self.metrics.answer(call.action, call.body, call.key_id, call.region)
        return Answer(status, body, "application/x-amz-json-1.0")


@contextmanager
def cloud(now: datetime) -> Iterator[Cloud]:
    """Serve it, empty, to every boto3 client made meanwhile, here and in processes started here."""
    with empty_moto() as behind, aws_front.opened(behind) as front, environment() as patch:
        made = Cloud(front, QuietCloudWatch(now))
        made.ordinary()
        patch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made


@contextmanager
def empty_moto() -> Iterator[str]:
    """The URL of a moto that holds nothing.

    All motos of a process hold the same accounts, so what another test module left is let go.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else it writes a line a request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    httpx.post(f"{url}/moto-api/reset").raise_for_status()
    try:
        yield url
    finally:
        server.stop()


@contextmanager
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Throw-away credentials, and nothing of this machine's own AWS configuration."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
            patch.delenv(name, raising=False)
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        # what botocore reads of the services takes longer than most tests: once, not a session
        patch.setattr("botocore.session.create_loader", _loader)
        yield patch


_loader: Final = cache(create_loader)


_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # else every region holds 1,300 snapshots of images; aws_account makes an image of its own
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}


def _bought(call: Call) -> Answer | None:
    """Nothing: moto knows neither reservations nor savings plans."""
    if call.action == "DescribeReservedInstances":
        return Answer(200, b"<R><reservedInstancesSet/></R>")
    if call.action == "DescribeReservedDBInstances":
        result = "<DescribeReservedDBInstancesResult><ReservedDBInstances/>"
        return Answer(200, f"<R>{result}</DescribeReservedDBInstancesResult></R>".encode())
    if call.service == "savingsplans":
        return Answer(200, json.dumps({"savingsPlans": []}).encode(), "application/json")
    return None


def _priced(call: Call) -> Answer | None:
    if call.service != "pricing":
        return None
    body = json.dumps({"FormatVersion": "aws_v1", "PriceList": []}).encode()
    return Answer(200, body, "application/x-amz-json-1.1")

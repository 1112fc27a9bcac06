"""A Google Cloud on loopback, empty for each test, and a way in that never waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from costopt.providers.gcp.access import Access
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes import gcp_cloud

Opened = Callable[..., Access]


@pytest.fixture
def gcp() -> Iterator[gcp_cloud.Cloud]:
    """The cloud."""
    with gcp_cloud.cloud() as made:
        yield made


@pytest.fixture
def waits() -> list[float]:
    """Seconds that were to be waited for, one after the other."""
    return []


@pytest.fixture
def opened(gcp: gcp_cloud.Cloud, waits: list[float]) -> Iterator[Opened]:
    """Makes the way in by settings."""
    made: list[Access] = []

    def opened(**more: object) -> Access:
        made.append(Access(GcpSettings(**more), pause=waits.append))
        return made[-1]

    yield opened
    for access in made:
        access.close()

"""A tenant of Azure on loopback, and ways to look into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from costopt.providers.azure.access import Access
from costopt.providers.azure.settings import AzureSettings
from tests.fakes.azure_cloud import Tenant, cloud


@pytest.fixture
def azure() -> Iterator[Tenant]:
    """Empty, of two things a page."""
    with cloud() as tenant:
        yield tenant


@pytest.fixture
def access(azure: Tenant) -> Callable[..., Access]:
    """The way into that tenant, with few attempts."""

    def made(**more: object) -> Access:
        return Access(AzureSettings(**{"endpoint": azure.url, "max_attempts": 2, **more}))

    return made

"""A tenant of Azure on loopback, and ways to look into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from costopt.providers.azure.access import Access
from costopt.providers.azure.inventory import resources
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.azure.shapes import Sizes
from costopt.providers.azure.subscriptions import subscriptions
from costopt.providers.base import Problem
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


class Inventory:
    """What one look into the tenant gave."""

    def __init__(self, access: Access) -> None:
        self.problems: list[Problem] = []
        self.sizes = Sizes(access)
        entered = subscriptions(access, self.problems)
        self.table: pa.Table = resources(access, entered, self.sizes, self.problems)
        self.rows: dict[str, dict[str, Any]] = {
            row["ResourceId"]: row for row in self.table.to_pylist(maps_as_pydicts="strict")
        }


@pytest.fixture
def look(access: Callable[..., Access]) -> Callable[..., Inventory]:
    """Looks into the tenant, with such settings."""
    return lambda **more: Inventory(access(**more))

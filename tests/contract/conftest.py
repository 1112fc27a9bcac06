"""Every registered provider before a small cloud of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from costopt import registry
from costopt.providers.base import Provider
from tests.contract.fleets import FLEETS, Fleet


@pytest.fixture(scope="package", params=registry.names("provider"))
def opened(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """One cloud at a time, for all obligations."""
    assert request.param in FLEETS, f"give the provider {request.param!r} a fleet"
    with FLEETS[request.param]() as fleet:
        yield fleet


@pytest.fixture
def fleet(opened: Fleet) -> Iterator[Fleet]:
    """It, undisturbed when a test begins and when it has ended."""
    opened.mend()
    yield opened
    opened.mend()


@pytest.fixture
def build(fleet: Fleet, tmp_path: Path) -> Callable[..., Provider]:
    """Makes providers that have read nothing yet."""
    return lambda **more: fleet.build(tmp_path, **more)

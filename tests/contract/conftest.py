"""Every registered provider before a small cloud of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from costopt import registry
from costopt.lake.store import Lake
from costopt.providers.base import Provider
from tests.contract.collected import Alone, collect
from tests.contract.fleets import FLEETS, Fleet


@pytest.fixture(scope="package", params=registry.names("provider"))
def opened(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """One cloud at a time, for all obligations."""
    assert request.param in FLEETS, f"give the provider {request.param!r} a fleet"
    with FLEETS[request.param]() as fleet:
        fleet.mend()
        yield fleet


@pytest.fixture
def fleet(opened: Fleet) -> Iterator[Fleet]:
    """It, undisturbed when a test begins and when it has ended."""
    yield opened
    opened.mend()


@pytest.fixture
def build(fleet: Fleet, tmp_path: Path) -> Callable[..., Provider]:
    """Makes providers that have read nothing yet."""
    return lambda **more: fleet.build(tmp_path, **more)


@dataclass(frozen=True)
class Told:
    """All that a provider tells of its undisturbed fleet."""

    resources: pa.Table
    shapes: pa.Table
    prices: pa.Table
    charges: tuple[pa.Table, ...]
    metrics: tuple[pa.Table, ...]


@pytest.fixture(scope="package")
def told(opened: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Read once, for all tests that only look at it."""
    provider = opened.build(tmp_path_factory.mktemp("told"))
    return Told(
        provider.resources(),
        provider.shapes(),
        provider.prices(),
        tuple(provider.charges(None)),
        tuple(provider.metrics(None)),
    )


@pytest.fixture(scope="package")
def alone(opened: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """One collect of everything into a lake, likewise."""
    folder = tmp_path_factory.mktemp("alone")
    held, done = collect(opened.build(folder), folder / "lake")
    assert not [problem for problem in done.problems if problem.fatal]
    return Alone(Lake(folder / "lake"), held, done)

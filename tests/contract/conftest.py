"""Every registered provider before a small cloud of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pytest

from costopt import registry
from costopt.lake.store import Lake
from costopt.providers.base import Provider
from tests.contract.collected import Alone, collect
from tests.contract.fleets import FLEETS, Fleet


@dataclass(frozen=True)
class Told:
    """All that a provider tells of its undisturbed fleet."""

    resources: pa.Table
    shapes: pa.Table
    prices: pa.Table
    charges: tuple[pa.Table, ...]
    metrics: tuple[pa.Table, ...]


@dataclass(frozen=True)
class Opened:
    """A provider's cloud, and what many tests only look at, read once."""

    fleet: Fleet
    folder: Path

    @cached_property
    def told(self) -> Told:
        provider = self.fleet.build(self.folder)
        return Told(
            provider.resources(),
            provider.shapes(),
            provider.prices(),
            tuple(provider.charges(None)),
            tuple(provider.metrics(None)),
        )

    @cached_property
    def alone(self) -> Alone:
        lake = self.folder / "lake"
        held, done = collect(self.fleet.build(self.folder), lake)
        assert not [problem for problem in done.problems if problem.fatal]
        return Alone(Lake(lake), held, done)


@pytest.fixture(scope="package")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Opened]]:
    """Each cloud, opened when it is first asked for."""
    found: dict[str, Opened] = {}
    with ExitStack() as stack:

        def of(name: str) -> Opened:
            if name not in found:
                assert name in FLEETS, f"give the provider {name!r} a fleet"
                fleet = stack.enter_context(FLEETS[name]())
                fleet.mend()
                found[name] = Opened(fleet, tmp_path_factory.mktemp(name))
            return found[name]

        yield of


@pytest.fixture(params=registry.names("provider"))
def opened(request: pytest.FixtureRequest, clouds: Callable[[str], Opened]) -> Opened:
    """One provider after the other, for all obligations."""
    return clouds(request.param)


@pytest.fixture
def told(opened: Opened) -> Told:
    """What its provider tells."""
    return opened.told


@pytest.fixture
def alone(opened: Opened) -> Alone:
    """One collect of everything into a lake."""
    return opened.alone


@pytest.fixture
def fleet(opened: Opened) -> Iterator[Fleet]:
    """It, undisturbed when a test begins and when it has ended."""
    yield opened.fleet
    opened.fleet.mend()


@pytest.fixture
def build(fleet: Fleet, tmp_path: Path) -> Callable[..., Provider]:
    """Makes providers that have read nothing yet."""
    return lambda **more: fleet.build(tmp_path, **more)

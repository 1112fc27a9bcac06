"""The demo fleet as a provider like any other: seeded, without network, account or clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

import pyarrow as pa

from costopt.errors import ConfigError
from costopt.model import Window
from costopt.providers.base import Problem
from costopt.providers.demo import inventory, tariff
from costopt.providers.demo.bill import charges
from costopt.providers.demo.clock import midnight
from costopt.providers.demo.commitments import held
from costopt.providers.demo.machines import Leftover, Machine, leftovers, machines
from costopt.providers.demo.samples import samples
from costopt.providers.demo.truth import Truth

DEFAULT_END: Final = datetime(2026, 11, 2, tzinfo=UTC)
"""A Monday: six weeks back from it lie a month's end, Gandhi Jayanti, Columbus Day, the end of
European summer time (25 October) and of the American one (1 November)."""


class DemoProvider:
    """A generated fleet of a company on AWS, Google Cloud, Azure and its own data centre.

    The same arguments give the same tables, byte for byte. A machine and its samples do not
    depend on how many others there are; commitments are sized by the fleet that they were bought
    for, so what covers which machine does.

    Args:
        instances: machines; disks and addresses come on top.
        days: of metrics, up to `end`; the bill begins with the first day's month.
        seed: another seed is another company of the same kind.
        end: midnight UTC; default `DEFAULT_END`.
    Raises:
        ConfigError: no machines, no days, or `end` is not a UTC midnight.
    """

    name = "demo"

    def __init__(
        self,
        instances: int = 133,
        days: int = 42,
        seed: int = 7,
        end: datetime | None = None,
    ) -> None:
        moment = end or DEFAULT_END
        if instances < 1 or days < 1 or seed < 0:
            raise ConfigError("a demo fleet needs 1 machine, 1 day and a seed of 0 at least")
        if moment.utcoffset() != timedelta(0) or moment != moment.replace(
            hour=0, minute=0, second=0, microsecond=0
        ):
            raise ConfigError(f"the demo's data end at a UTC midnight, not at {moment}")
        self.problems: list[Problem] = []
        self.window = Window(moment - timedelta(days=days), moment)
        self.seed = seed
        self.instances = instances

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """Every machine, in the order in which the deck deals them."""
        return machines(self.instances, self.seed, self.window.end)

    @cached_property
    def leftovers(self) -> tuple[Leftover, ...]:
        """Disks and addresses that no machine uses."""
        return leftovers(self.instances, self.seed)

    def truth(self) -> dict[str, Truth]:
        """What every resource really is, by ResourceId: what advice is scored against."""
        return inventory.truth(self.machines, self.leftovers)

    def resources(self) -> pa.Table:
        """Machines, disks, addresses and commitments; the resized machine has two rows
        (schema.RESOURCES)."""
        end = self.window.end
        return inventory.resources(self.machines, self.leftovers, held(self.machines), end)

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        """Samples inside `window`, day by day in chunks of machines (schema.METRICS)."""
        inside = self._inside(window)
        if inside is not None:
            yield from samples(self.machines, inside, self.window.end, self.seed)

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        """The bill of the months that touch `window`, up to the last day (schema.CHARGES)."""
        inside = self._inside(window)
        if inside is not None:
            start = inside.start.date().replace(day=1)
            last = (inside.end - timedelta(microseconds=1)).date().replace(day=28)
            until = min(self.window.end, midnight((last + timedelta(days=7)).replace(day=1)))
            opened = self.window.start.date().replace(day=1)
            yield from charges(self.machines, self.leftovers, start, until, opened)

    def prices(self) -> pa.Table:
        """The own data centre's rates; the catalogue knows the clouds' (schema.PRICES)."""
        return tariff.onprem_prices()

    def shapes(self) -> pa.Table:
        """The own data centre's host classes (schema.SHAPES)."""
        return tariff.onprem_shapes()

    def _inside(self, window: Window | None) -> Window | None:
        """The part of the window that has data."""
        if window is None:
            return self.window
        start = max(window.start, self.window.start)
        end = min(window.end, self.window.end)
        return Window(start, end) if start < end else None

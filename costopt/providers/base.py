"""What a provider owes: tables in the common frame, streamed, and its failures told, not thrown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from costopt.model import Window


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a provider could not give; everything else was still collected."""

    where: str  # file and line, account, region, metric
    what: str
    count: int = 1  # rows or calls concerned
    fatal: bool = False  # True: a part of the data is missing (exit code 4)


class Provider(Protocol):
    """One source of a fleet. Built without I/O; every call may read.

    A provider that `costopt collect` offers as a subcommand also has a `Settings` class (pydantic):
    its fields become the options, and the provider is built from one instance of it.

    Tables are in `schema` columns. A call that cannot give a part notes a Problem and yields the
    rest; it raises ProviderError or InputError only when it has nothing at all to give.
    """

    name: str
    problems: list[Problem]

    def resources(self) -> pa.Table:
        """Machines and other billed things (schema.RESOURCES)."""

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        """Samples starting inside `window`, or all there are (schema.METRICS)."""

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        """The bill, whole billing periods that touch `window`, or all (schema.CHARGES)."""

    def prices(self) -> pa.Table:
        """Prices that this source knows better than the catalogue (schema.PRICES)."""

    def shapes(self) -> pa.Table:
        """Machine types that the catalogue may not know (schema.SHAPES)."""

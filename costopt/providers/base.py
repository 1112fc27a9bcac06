"""What a provider owes: tables in the common frame, streamed, and its failures told, not thrown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, runtime_checkable

import pyarrow as pa

from costopt import schema
from costopt.model import Series, Window


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


@runtime_checkable
class Tariffed(Protocol):
    """A source that also knows what is paid beside machines, and what currencies are worth."""

    def rates(self) -> pa.Table:
        """Storage and traffic (schema.RATES)."""

    def exchange(self) -> pa.Table:
        """Exchange rates (schema.EXCHANGE)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the lake holds already."""

    held: Mapping[Series, datetime] = field(default_factory=dict)
    """The end of each series' newest sample (UTC). There may be gaps before it."""
    resources: Sequence[Mapping[str, Any]] = ()
    """The present row of each resource (schema.RESOURCES), whoever collected it."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What the provider asked to be reminded of, after an earlier collect that ended well."""
    prices: pa.Table = field(default_factory=lambda: schema.empty(schema.PRICES))
    """The price of each thing that counts (schema.PRICES), whoever gave it."""
    shapes: pa.Table = field(default_factory=lambda: schema.empty(schema.SHAPES))
    """The shape of each type that counts (schema.SHAPES), whoever gave it."""


@runtime_checkable
class Resuming(Protocol):
    """A provider that takes up where the lake ends, so that a collect costs what is new.

    Its samples come in portions that are kept one by one, so a killed collect loses little: of each
    series earlier samples come before later ones, and where a call fails, nothing later of its
    series follows. Samples that may still change are not given: they are asked for next time.
    Charges come in whole billing periods of an account, which replace what was told of them before.
    """

    notes: dict[str, str]
    """Kept beside those of earlier collects, by their names: what is noted while charges or samples
    are given is kept when these are committed."""

    def resume(self, known: Known) -> None:
        """Told what the lake holds, before any other call. Without it, everything is asked for."""


@runtime_checkable
class Advised(Protocol):
    """A provider whose cloud gives advice of its own, which is collected to be compared with ours
    and never followed."""

    def advice(self) -> pa.Table:
        """What the cloud recommends now (schema.VENDOR_RECOMMENDATIONS): whole listings, each
        beginning with the row that says that it was asked for.

        What is not permitted is a Problem that is not fatal, and no listing.
        """


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the paid calls of a collect will cost, before the first of them."""

    usd: Decimal
    lines: tuple[str, ...]  # one for each kind of call: how many, of what, at which price


@runtime_checkable
class Paid(Protocol):
    """A provider some of whose calls cost money; asked for the estimate before any other call but
    `resume`."""

    def estimate(self) -> Estimate:
        """By what is there now and what the lake holds; only free calls are made.

        Raises:
            ProviderError: more than the user allowed; then the paid calls are not made.
        """


@runtime_checkable
class Rehearsing(Protocol):
    """A provider that can be told to say only what a collect would ask for and cost."""

    @property
    def dry_run(self) -> bool:
        """Whether it is: then `estimate` is the last call, and nothing is kept."""


class Check(NamedTuple):
    """One thing that a collect needs, tried by a harmless call."""

    name: str  # the permission or endpoint: ec2:DescribeInstances
    where: str  # account and region, or address
    passed: bool
    detail: str  # what the answer was, and what to do
    refused: bool = False  # a permission is what lacks
    tried: bool = True  # False: it is not, and `detail` says why; then `passed` is True


@runtime_checkable
class Checked(Protocol):
    """A provider that `costopt doctor NAME` can try out."""

    def checks(self) -> Iterator[Check]:
        """Each thing that a collect needs, one after the other."""

    def permissions(self) -> str:
        """The least that has to be granted, in the provider's own language; "" = nothing to say."""

"""What another machine is worth: the speed of a vCPU by the processor under it, and GPUs.

One unit for all: the throughput of one vCPU while all vCPUs of its machine are busy, relative to
one hyper-thread of an Intel Ice Lake 8375C (AWS m6i, c6i, r6i), which is 1. A hyper-thread's figure
already counts that its core's other thread is busy, and a whole core's (Arm, SMT off) that it has
none: so a figure is multiplied by the number of vCPUs, and never divided by threads again.

facts/cpus.csv has a row a processor and provider; docs/equivalence.md says how its numbers came
about and how far they are off. A family without a row has no speed: nothing is taken for 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from math import exp, isfinite, log
from statistics import fmean
from typing import Any, Final

import pyarrow as pa

from costopt.errors import InputError
from costopt.model import Shape
from costopt.pricing import facts
from costopt.pricing.gpus import GpuFacts, Gpus
from costopt.pricing.layer import type_key
from costopt.units import provider_key

REFERENCE: Final = "a hyper-thread of an Intel Ice Lake 8375C (AWS m6i)"

COLUMNS: Final = ("provider", "name", "per_vcpu", "source")
"""What a row of one's own must tell; `low`, `high` and `generation` too, if there are any."""

SMT_BUSY: Final = (0.63, 0.86)
"""The speed of a hardware thread while its core's other one is busy, as a share of its speed alone:
the worst measured (compiling) and the best (Netty) (facts: decisions, "SMT trap")."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one vCPU with all vCPUs busy, relative to `REFERENCE`; low and high hold for four of five
    kinds of load each, and over every processor that the family may land on."""

    per_vcpu: float
    low: float
    high: float
    generation: str
    source: str

    def on_whole_cores(self) -> Speed:
        """The same processor with SMT off, where the figure is of one thread of two."""
        worst, best = SMT_BUSY
        return Speed(
            self.per_vcpu / (worst * best) ** 0.5,
            self.low / best,
            self.high / worst,
            self.generation,
            self.source,
        )


@dataclass(frozen=True, slots=True)
class _Row:
    names: tuple[str, ...]  # families and types in lower case; * ? [] as in a shell
    threads: bool  # its vCPUs are threads that share a core, and were measured so
    speed: Speed


class Facts:
    """Speeds and GPUs, the user's own rows above the built-in ones."""

    def __init__(self, own: Iterable[tuple[str, _Row]], gpus: Gpus) -> None:
        self._own: dict[str, _Names] = _by_provider(own)
        self._gpus = gpus
        self._found: dict[tuple[object, ...], Speed | None] = {}

    @classmethod
    def load(cls, own: pa.Table | None = None) -> Facts:
        """The built-in tables, overridden by the user's own speeds.

        Args:
            own: `COLUMNS`; `name` is a family or a type, or a pattern of such ("m7i*"). A type's
                own row counts before its family's. Without `low` and `high` the figure is taken as
                exact. The unit is the module's: measure both machines with all vCPUs busy.
        Raises:
            InputError: a column or a cell is missing, or a figure is not above 0, or not in order.
        """
        return cls(list(_own_rows(own)), Gpus.load())

    def speed(self, shape: Shape) -> Speed | None:
        """How quick a vCPU of that type is; None = no source tells.

        A family that may land on several processors spans them all. Burstable types have the speed
        of their processor: what they sustain of it is `Shape.burstable_baseline_percent`.
        """
        cores = shape.physical_cores
        whole = cores is not None and cores >= shape.vcpus
        key = (shape.provider_name, shape.family, shape.instance_type, whole)
        if key not in self._found:
            self._found[key] = self._speed(shape, whole)
        return self._found[key]

    def gpu(self, model: str, memory_gib: float | None = None) -> GpuFacts | None:
        """What a card of that model does; see `Gpus.gpu`."""
        return self._gpus.gpu(model, memory_gib)

    def gpu_of(self, shape: Shape) -> GpuFacts | None:
        """What one of the machine's cards does, or its share of one; see `Gpus.gpu_of`."""
        return self._gpus.gpu_of(shape)

    def _speed(self, shape: Shape, whole: bool) -> Speed | None:
        provider = provider_key(shape.provider_name)
        name = type_key(shape.instance_type)
        family = (shape.family or name.partition(".")[0]).casefold().removesuffix("-metal")
        for table in (self._own, _built_in()):
            if names := table.get(provider):
                found = names.rows(name) or names.rows(family)
                if found:
                    return _span(
                        row.speed.on_whole_cores() if row.threads and whole else row.speed
                        for row in found
                    )
        return None


class _Names:
    """A provider's rows by name, and by pattern."""

    def __init__(self) -> None:
        self._exact: dict[str, list[_Row]] = {}
        self._patterns: list[tuple[re.Pattern[str], _Row]] = []

    def add(self, row: _Row) -> None:
        for name in row.names:
            if any(sign in name for sign in "*?["):
                self._patterns.append((re.compile(translate(name)), row))
            else:
                self._exact.setdefault(name, []).append(row)

    def rows(self, name: str) -> list[_Row]:
        """The rows of that very name, and those whose pattern it fits; each once."""
        fitting = [row for pattern, row in self._patterns if pattern.fullmatch(name)]
        return list(dict.fromkeys([*self._exact.get(name, ()), *fitting]))


def _by_provider(rows: Iterable[tuple[str, _Row]]) -> dict[str, _Names]:
    found: dict[str, _Names] = {}
    for provider, row in rows:
        found.setdefault(provider_key(provider), _Names()).add(row)
    return found


def _span(speeds: Iterable[Speed]) -> Speed:
    """One speed for all that it may be: from the lowest low to the highest high."""
    each = sorted(speeds, key=lambda speed: (speed.per_vcpu, speed.generation))
    if len(each) == 1:
        return each[0]
    return Speed(
        exp(fmean(log(speed.per_vcpu) for speed in each)),
        min(speed.low for speed in each),
        max(speed.high for speed in each),
        " / ".join(dict.fromkeys(speed.generation for speed in each)),
        "; ".join(dict.fromkeys(speed.source for speed in each)),
    )


@cache
def _built_in() -> Mapping[str, _Names]:
    return _by_provider((row["provider"], _row(row)) for row in facts.rows("cpus"))


def _row(row: Mapping[str, str]) -> _Row:
    speed = Speed(
        float(row["per_vcpu"]),
        float(row["low"]),
        float(row["high"]),
        row["generation"],
        f"{row['source']} (read {row['read']})",
    )
    return _Row(tuple(row["families"].casefold().split()), row["vcpu"] == "thread", speed)


def _own_rows(table: pa.Table | None) -> Iterable[tuple[str, _Row]]:
    for number, row in facts.own_rows(table, COLUMNS, "speeds"):
        middle = float(row["per_vcpu"])
        low, high = (_number(row.get(name), middle) for name in ("low", "high"))
        if not (isfinite(high) and 0 < low <= middle <= high):
            raise InputError(
                f"a speed is above 0, and low <= per_vcpu <= high, not {low}, {middle}, {high}",
                where=f"speeds, row {number}",
                hint=f"give the throughput of one busy vCPU relative to {REFERENCE}",
            )
        speed = Speed(middle, low, high, str(row.get("generation") or "own"), str(row["source"]))
        yield row["provider"], _Row((type_key(row["name"]),), False, speed)


def _number(value: Any, otherwise: float) -> float:
    return otherwise if value is None else float(value)
